/* Captures on other hosts: an engine whose packets come through ssh, one stream for each host.
 *
 * What a host sends is in order already; of several the merge makes one. Each packet keeps its host's own time: how far
 * the clocks are apart is measured and told, never corrected.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/event.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "remote/clock_offset.h"
#include "sink/sink.h"

typedef struct rxtx_remote rxtx_remote;

/* Connects to all hosts of the options, one after another (ssh may ask for a password), and has each prepare the
 * capture. Takes as long as ssh does: signals should be able to end the program meanwhile. NULL with RXTX_ERROR_REMOTE,
 * or RXTX_ERROR_INPUT for what the other host's rxtxcpu refused. Free with rxtx_remote_free.
 * tell: called for each warning and event there, by the main thread until rxtx_remote_plan has returned, by the
 * worker's thread from the engine's start on. */
rxtx_remote *rxtx_remote_connect(const rxtx_options *options, rxtx_event_tell tell, gpointer data, GError **error);

/* What is captured there. Free with rxtx_plan_free. */
rxtx_plan *rxtx_remote_plan(rxtx_remote *remote, GError **error);

/* One for each host; borrowed. Their interfaces' comments are known once the engine was started. */
const rxtx_source *rxtx_remote_sources(const rxtx_remote *remote);

/* Borrowed; its free() is rxtx_remote_free. start() waits until each host captures. While it runs, the main thread's
 * GLib context tells the hosts that we are there. */
rxtx_engine *rxtx_remote_engine(rxtx_remote *remote);

/* Once the capture is over: a host that did not come to its end, and was not waited for any longer; NULL = none. */
const char *rxtx_remote_unsettled(const rxtx_remote *remote);

/* Once the capture is over: how far each host's clock is from ours. Free with g_free. */
rxtx_clock_offset *rxtx_remote_clocks(const rxtx_remote *remote);

void rxtx_remote_free(rxtx_remote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_remote, rxtx_remote_free)

/* The answer of one of the hosts to what options ask (list_interfaces or list_cpus): lines of cells, see ui/lists.h.
 * NULL with *error as above. Free with g_free. */
char *rxtx_remote_ask(const rxtx_options *options, unsigned host, GError **error);
