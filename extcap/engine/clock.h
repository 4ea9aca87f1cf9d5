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
} rxtx_clock;

void rxtx_clock_init(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns);

/* Both times read one right after the other, *before* the ring was seen empty. Returns the complete_ns of a ring that
 * was. A packet is stamped after it was counted in its block, so that no slack would be needed, but one stamped by the
 * driver's receive path may have waited in a backlog (netif_rx, RPS) on its way here: 1 ms is taken off. */
uint64_t rxtx_clock_complete(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns);
