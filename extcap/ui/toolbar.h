/* What Wireshark's user is told while a capture runs: losses and warnings, in the log of our toolbar and in the status
 * bar.
 *
 * Source: Wireshark's ui/qt/interface_toolbar.cpp and doc/extcap.adoc: a message is 'T', the length of what follows the
 * next two bytes and of those two (3 bytes, big endian), the control's number, a command, a text. TShark passes no
 * pipe: then nothing is told. For the main thread, on GLib's default main context.
 */
#pragma once

#include <glib.h>

#include "base/stats.h"
#include "plan/plan.h"

typedef struct {
    int fd; /* of the pipe to Wireshark; borrowed, made not to block; -1 = none */
    const rxtx_plan *plan;
    const rxtx_stats *live;
    uint64_t *told; /* losses of each group that were told */
    guint timer;    /* GLib's id, 0 = none */
} rxtx_toolbar;

/* The sentences that declare it, for --extcap-interfaces. */
extern const char rxtx_toolbar_controls[];

void rxtx_toolbar_init(rxtx_toolbar *toolbar, int fd);
/* One line. A Wireshark that does not read misses it. */
void rxtx_toolbar_say(rxtx_toolbar *toolbar, const char *line);
/* From now on losses are told, each second that has some. plan and live are borrowed. */
void rxtx_toolbar_watch(rxtx_toolbar *toolbar, const rxtx_plan *plan, const rxtx_stats *live);
/* Tells what was not told yet. */
void rxtx_toolbar_clear(rxtx_toolbar *toolbar);
