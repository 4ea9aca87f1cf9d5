/* What is shown while a capture runs: the status line, the tables of --stats and SIGUSR1, JSON lines.
 *
 * It lives on GLib's default main context and is used by the main thread alone; the counters are the worker's.
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "base/stop.h"
#include "plan/plan.h"

typedef struct rxtx_monitor rxtx_monitor;

/* Borrows all of it. live: one for each group, which the worker counts in. start_ns: since 1970; may still change
 * before the worker runs. The status line appears on a terminal alone. When nobody reads the JSON lines any more and
 * packets go nowhere else, the capture is stopped. */
rxtx_monitor *rxtx_monitor_new(const rxtx_plan *plan, const rxtx_stats *live, const uint64_t *start_ns,
                               rxtx_stop *stop);

/* The table at once, on stderr. monitor: NULL = there is none yet. */
void rxtx_monitor_show(rxtx_monitor *monitor);

/* A line for the user, on stderr, now. monitor: NULL = nothing is shown yet, or any more. */
void rxtx_monitor_say(rxtx_monitor *monitor, const char *line);

/* The user typed ^C: what follows begins on a line of its own. monitor: may be NULL. */
void rxtx_monitor_interrupted(rxtx_monitor *monitor);

/* Clears the status line. */
void rxtx_monitor_free(rxtx_monitor *monitor);

/* The columns of the terminal that stderr is; 80 if it is none. */
unsigned rxtx_monitor_columns(void);
