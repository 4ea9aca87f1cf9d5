/* The far end of a remote capture: what it hears on standard input, and what it says on standard output beside the
 * capture (rxtxcpu/remote_protocol.h).
 *
 * The main thread's, but for the sink, which is the worker's.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/event.h"
#include "base/stop.h"
#include "engine/engine.h"
#include "plan/plan.h"
#include "sink/output.h"
#include "sink/sink.h"

typedef struct rxtx_serve rxtx_serve;

/* Takes standard input and a copy of standard output. Never NULL: whatever goes wrong is said through it. */
rxtx_serve *rxtx_serve_new(void);

/* Waits for the request. NULL (RXTX_ERROR_USAGE, RXTX_ERROR_REMOTE) when what comes is none, or none of our version.
 * Lives as long as serve does. */
const rxtx_options *rxtx_serve_request(rxtx_serve *serve, GError **error);

/* Adds to the request's filter that our own connection is left out, unless it is wanted. False (RXTX_ERROR_INPUT and
 * others) when the filter that was asked for is none, or there is no such interface. */
bool rxtx_serve_leave_out_ourselves(rxtx_serve *serve, GError **error);

/* The answer to a question for a list. */
void rxtx_serve_text(rxtx_serve *serve, const char *text);
/* One line that the user is to read now. Before the capture or behind it. */
void rxtx_serve_warn(rxtx_serve *serve, const char *text);

/* What happens is told with the next status of the capture, or behind it. */
void rxtx_serve_event(rxtx_serve *serve, const rxtx_event *event);

/* While something else is waited for, at most so long: what the near end says is heard, and it hears that we are there.
 * False when it is gone. */
bool rxtx_serve_idle(rxtx_serve *serve, int timeout_ms);

/* Says what will be captured and waits for the word to begin, or for the end. From the return on, what the near end
 * says and its silence stop `stop`, while GLib's main loop runs. False when it is over already (*error unset). */
bool rxtx_serve_hello(rxtx_serve *serve, const rxtx_plan *plan, int linktype, rxtx_stop *stop);

/* A sink around the capture's: it also tells the numbers now and then. Takes `inner` over; `output` is that one's. */
rxtx_sink *rxtx_serve_sink(rxtx_serve *serve, rxtx_sink *inner, rxtx_output *output, const rxtx_stats *stats,
                           unsigned n_groups);

/* The last word: an error, or END with these numbers. */
void rxtx_serve_end(rxtx_serve *serve, const GError *error, uint64_t clock_steps, uint64_t downs, uint64_t late);

void rxtx_serve_free(rxtx_serve *serve);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_serve, rxtx_serve_free)
