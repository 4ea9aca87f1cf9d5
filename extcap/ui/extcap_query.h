/* The extcap dialogue but for the capture itself: what Wireshark asks before, answered on stdout as sentences.
 *
 * Source: Wireshark's doc/extcap.adoc and, for what it really does with them, ui/qt/extcap_argument.cpp and extcap.c.
 * Only argument types that 4.0 knows, for --extcap-config does not say who asks.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/options.h"

/* Answers the one question that options ask (interfaces, dlts, config, reload, filter) with the text to print. Opens
 * nothing and needs no privilege. NULL with *error when nothing was asked, or the link type of an interface that does
 * not exist. Free with g_free. */
char *rxtx_extcap_answer(const rxtx_options *options, GError **error);

/* Is this an option whose values another host knows? cpus: it is asked for its CPUs, else for its interfaces. */
bool rxtx_extcap_reloads(const char *option, bool *cpus);

/* The values of such an option, for Wireshark's Reload button. lines: the other host's, as rxtx_lists_cpus or
 * rxtx_lists_interfaces make them. Free with g_free. */
char *rxtx_extcap_values(const char *option, const char *lines);
/* The same where the host could not be asked: why, in place of the list, for Wireshark shows nothing else of it. */
char *rxtx_extcap_no_values(const char *option, const char *why);
