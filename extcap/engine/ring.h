/* One TPACKET_V3 ring: the stream of what one socket accepts.
 *
 * The ring is memory that the kernel fills block by block and hands over; it is read in place. Used by the worker's
 * thread alone, once it is open.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/stats.h"
#include "engine/clock.h"
#include "engine/engine.h"
#include "engine/tpacket.h"

typedef struct {
    rxtx_stream stream; /* first: the stream is the ring */
    int fd;             /* the packet socket; borrowed */
    const rxtx_frame_rules *rules;
    rxtx_clock *clock; /* shared by the rings of an engine */
    uint8_t *map;      /* NULL = not open */
    size_t bytes, block_bytes;
    unsigned n_blocks;
    unsigned block; /* being read, or the next to be handed over */
    rxtx_tpacket_walk walk;
    GArray *places;        /* of a ring whose packets several CPUs stamp: see rxtx_tpacket_sort; NULL = one CPU does */
    uint64_t *lost_before; /* one for each block: packets lost right before its first packet */
    uint64_t untold;       /* packets lost right before the next packet */
    uint64_t owed;         /* packets lost that no packet has told of yet, these among them */
    uint64_t taken;        /* packets that came out */
    uint64_t asked_at;     /* what `taken` was when the counters were last read */
    uint64_t accepted;     /* as the kernel counted, the dropped ones included */
    uint64_t dropped;
} rxtx_ring;

/* The ring of the socket fd, to be of `bytes` (a multiple of RXTX_RING_BYTES_MIN). shared: several CPUs stamp what
 * comes into it; where one block ends and the next begins, they may still be out of order. The rest is borrowed and
 * must outlive the ring. ring: zero, or closed. On failure (RXTX_ERROR_KERNEL, RXTX_ERROR_PERMISSION) it is safe to
 * clear.
 */
bool rxtx_ring_open(rxtx_ring *ring, unsigned id, int fd, size_t bytes, bool shared, const rxtx_frame_rules *rules,
                    rxtx_clock *clock, GError **error);
/* Has the kernel make its memory, and maps it. Any thread may do that, of several rings at the same time. Likewise. */
bool rxtx_ring_map(rxtx_ring *ring, GError **error);
/* Not pending: its memory goes, its counters are 0 again, and its stream goes on as one to which nothing comes. What
 * was lost with no packet behind it is told by the first one after it is opened again. */
void rxtx_ring_close(rxtx_ring *ring);
void rxtx_ring_clear(rxtx_ring *ring);

/* Reads the kernel's counters. True when every packet that was accepted, and not dropped, has come out. */
bool rxtx_ring_settled(rxtx_ring *ring);

/* The two clocks of rxtx_clock, realtime first: preempted between them, the offset comes out too low, which is
 * harmless. */
void rxtx_ring_read_clocks(uint64_t *monotonic_ns, uint64_t *realtime_ns);

/* The clock of the packets' times. */
uint64_t rxtx_ring_now_ns(void);
