/* Waiting for an interface before the capture: for one that is not there yet (--persist), and for one that is down.
 *
 * By the main thread, before GLib's main loop runs: signals, the other end and the capture's duration end a wait.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/stop.h"
#include "plan/plan.h"
#include "remote/serve.h"

typedef struct {
    const rxtx_options *options;
    rxtx_stop *stop;
    rxtx_serve *serve;  /* NULL = the capture is for somebody here */
    gint64 deadline_us; /* monotonic: the end of all; 0 = none */
    int signals;        /* signalfd */
    void (*take_signals)(gpointer data);
    gpointer data;
} rxtx_await;

/* Is there reason to wait? */
bool rxtx_await_is_missing(const rxtx_await *await);
bool rxtx_await_is_down(const rxtx_await *await, const rxtx_plan *plan);

/* Says that it waits, and returns when the interface is there, or nobody wants to wait any more. False
 * (RXTX_ERROR_PERMISSION) when it could not be captured anyway. */
bool rxtx_await_interface(const rxtx_await *await, GError **error);

/* Likewise, until it is up. False (RXTX_ERROR_INTERFACE) too when it is gone, or not the one of the plan any more. */
bool rxtx_await_link(const rxtx_await *await, const rxtx_plan *plan, GError **error);
