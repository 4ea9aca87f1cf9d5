/* The time up to which an empty ring is complete, in the clock of its packets.
 *
 * Packets carry CLOCK_REALTIME, which may be set back. This clock follows it in such a way that no packet is held for
 * long because of that: it goes with CLOCK_MONOTONIC plus an offset that rises at once and falls only after the packets
 * stamped before the step have gone out. Pure: the caller reads the two clocks.
 */
#pragma once

#include <stdint.h>

typedef struct {
    int64_t offset_ns;       /* realtime - monotonic that counts */
    uint64_t lower_since_ns; /* monotonic; 0 = the offset is not lower than that */
    uint64_t slack_ns;       /* how long before now a ring is complete */
} rxtx_clock;

void rxtx_clock_init(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns);

/* Both times read one right after the other, *before* the ring was seen empty. Returns the complete_ns of a ring that
 * was: the time then, less a slack of 1 ms. A packet is stamped either as it is put into the ring, or before, and then
 * it may have waited on its way here (RPS puts it into another CPU's backlog, if anybody asked for timestamps). */
uint64_t rxtx_clock_complete(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns);

/* A packet was so much older than a ring had promised: from now on the slack is larger by that, up to 20 ms. */
void rxtx_clock_widen(rxtx_clock *clock, uint64_t late_ns);
