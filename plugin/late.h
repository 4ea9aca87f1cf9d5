/* Which packets of a file are late: their time is before that of an earlier packet in the file.
 *
 * A step back of RXTX_CLOCK_STEP_NS or more is a clock that was set, not a late packet: from there on the packets are
 * reckoned anew (rxtxcpu/capture_format.h). The packets are given in file order, each once.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* All zero before the first packet. */
typedef struct {
    bool started;
    gint64 secs; /* the newest time so far */
    int nsecs;
} rxtx_late;

/* Takes the time of the next packet in the file, any secs and nsecs from 0 to 999999999, and says if it is late. */
bool rxtx_late_next(rxtx_late *late, gint64 secs, int nsecs);
