/* What the two halves of options.h share: reading what was typed (options.c) and what goes to and comes from another
 * host (options_remote.c). For these two files alone. */
#pragma once

#include "plan/options.h"

/* Sets *error to what is wrong with a value, and what would be right. Returns false. */
bool rxtx_option_invalid(const rxtx_options *options, const rxtx_option *row, const char *value, GError **error);
/* Sets the row's value from text. */
bool rxtx_option_set(rxtx_options *options, const rxtx_option *row, const char *value, GError **error);
/* Is there a text, of a row that holds one? */
bool rxtx_option_is_given(const rxtx_options *options, const rxtx_option *row);
void rxtx_options_set_defaults(rxtx_options *options);
bool rxtx_options_check_lists(const rxtx_options *options, GError **error);

/* Does what was typed about other hosts go together, and fit what a name may be? */
bool rxtx_options_check_remote(const rxtx_options *options, GError **error);
/* Makes up what another host is to know of who asks. */
void rxtx_options_settle_remote(rxtx_options *options);
