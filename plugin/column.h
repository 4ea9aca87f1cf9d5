/* The column "CPU" of Wireshark's packet list: there without a click, unless the preference rxtxcpu.cpu_column says no.
 *
 * Columns are the user's. One that the user has for our field is left as it is, and no other column is ever touched.
 * TShark's output has no such column: what reads it by position must go on working.
 */
#pragma once

#include "ws_compat.h"

#include <epan/prefs.h>

/* Registers the protocol proto's module of preferences, with the one of the column. Called once, at Wireshark's start.
 * Returns the module, Wireshark's, for other preferences. */
module_t *rxtx_column_register(int proto);
