/* Watches what packets do not tell: CPUs that come and go, the interface's state and name, a clock that is set.
 *
 * The kernel tells by netlink (uevents, rtnetlink) and by a cancelled timer; nothing is asked for again and again. It
 * lives on GLib's default main context and is the main thread's alone.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/event.h"

typedef struct rxtx_watch rxtx_watch;

/* From now on. interface: borrowed, NULL = all of them, of which nothing is told.
 * follow: one of that name that is made later is watched instead of one that is gone. What the kernel does not let us
 * hear is told as an event too. Never NULL. */
rxtx_watch *rxtx_watch_new(const char *interface, bool follow, rxtx_event_tell tell, gpointer data);

/* Tells what has happened until now, without the main loop. */
void rxtx_watch_drain(rxtx_watch *watch);

/* How often the interface went down. ended: its end was that of the capture, so the last time does not count. */
uint64_t rxtx_watch_downs(const rxtx_watch *watch, bool ended);

void rxtx_watch_free(rxtx_watch *watch);
