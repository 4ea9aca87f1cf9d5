/* Frames that come again, byte for byte: a driver that sends the same buffers over and over looks like this.
 *
 * A frame is a *repeat* when the same bytes were seen on the same host, device, CPU and way (its scope) not longer than
 * a window ago, counted from the copy before it. The first is the original; a run is the original and its repeats.
 * There are honest repeats (ARP, spanning tree, a query that is asked again), so a run is an *alarm* only once it has a
 * number of repeats within one window.
 *
 * Frames are known by a 128-bit hash with a secret key, which who writes a file cannot aim at. At most
 * RXTX_REPEATS_MAX different frames are remembered, the latest ones: about 100 bytes each, while their window lasts.
 *
 * Times are given in the order of the packets and do not go back, but for a clock that was set: then all is forgotten.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "history.h"

#define RXTX_REPEATS_MAX 65536

/* What is hashed beside the bytes, without padding. */
typedef struct {
    guint16 host, device;
    guint32 way, cpu;
    guint32 len; /* of the frame before it was cut to the snapshot length */
} rxtx_repeat_scope;

typedef struct rxtx_repeats rxtx_repeats;

/* key: any secret. rate: how many repeats within window_ns make an alarm, at least 1. */
rxtx_repeats *rxtx_repeats_new(guint64 key, guint64 window_ns, guint32 rate);
void rxtx_repeats_free(rxtx_repeats *repeats);

/* Takes the next packet and fills in repeat, repeat_of and repeat_alarm of *past (all zero before) if it is a repeat.
 */
void rxtx_repeats_next(rxtx_repeats *repeats, guint32 frame, guint64 time_ns, const rxtx_repeat_scope *scope,
                       const guint8 *bytes, gsize caplen, rxtx_past *past);
