/* What the other host listed when Reload was pressed last, kept for the next dialogue.
 *
 * Wireshark forgets a chosen value that is not among those that its dialogue begins with (extcap_argument.cpp:
 * ExtArgSelector::createEditor), and tells us nothing that we could ask the host by. The file is the user's own, below
 * XDG_CACHE_HOME; where it cannot be written, nothing is remembered.
 */
#pragma once

#include <glib.h>

/* option: the name of one that rxtx_extcap_reloads() knows. */
void rxtx_reloaded_keep(const char *option, const char *host, const char *lines);
/* "" when there is nothing; else *host is whose lines they are. Free both with g_free. */
char *rxtx_reloaded_lines(const char *option, char **host);
