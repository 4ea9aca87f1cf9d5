/* The counters of one group of packets (a CPU, a queue, a NUMA node).
 *
 * One thread, the worker, counts. Any thread may read while it does, through rxtx_stats_read, and gets each number
 * whole, though not all of the same moment; once the worker has been joined they are read as they are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/packet.h"

/* Of one direction: what came out of the ring and was handed on. */
typedef struct {
    uint64_t packets;
    uint64_t bytes;    /* as on the wire */
    uint64_t first_ns; /* since 1970-01-01 UTC: the oldest; without meaning when packets is 0 */
    uint64_t last_ns;  /* the newest */
} rxtx_tally;

/* Indexes of rxtx_stats.directions. */
enum { RXTX_TALLY_UNKNOWN, RXTX_TALLY_RX, RXTX_TALLY_TX, RXTX_TALLIES };

typedef struct {
    uint64_t accepted;  /* passed the filters; known at the end */
    uint64_t dropped;   /* of those, lost because the ring was full; before the end, as far as packets told */
    uint64_t delivered; /* of those, in the output; the rest came behind an exact count, or the output broke */
    /* Together as many packets as were delivered, but for an output that broke and did not take all of them. */
    rxtx_tally directions[RXTX_TALLIES];
} rxtx_stats;

/* The worker's: a packet was delivered. */
void rxtx_stats_count(rxtx_stats *stats, const rxtx_packet *packet);
/* The worker's: all numbers anew. */
void rxtx_stats_write(rxtx_stats *stats, const rxtx_stats *from);
/* Any thread's. */
void rxtx_stats_read(rxtx_stats *copy, const rxtx_stats *stats);

/* Do the directions tell of what was delivered, and of nothing else? Not when an output broke; while others count, they
 * may be a packet apart. */
bool rxtx_stats_agree(const rxtx_stats *stats);

/* Of all directions. */
uint64_t rxtx_stats_bytes(const rxtx_stats *stats);
/* Adds up; nobody else reads sum meanwhile. */
void rxtx_stats_add(rxtx_stats *sum, const rxtx_stats *stats);
