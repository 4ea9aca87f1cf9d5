/* The merge: packets of many streams in one order of time.
 *
 * It pulls: the oldest packet is given out once every stream with nothing pending is complete beyond it. It has no
 * clock of its own and does no I/O, so the same streams always give the same order.
 */
#pragma once

#include <glib.h>

#include "engine/engine.h"

/* What a stream competes with, the least wins. Upper half: the time of its packet or, if it has none, the time up to
 * which it is complete; twice that, plus one for a stream without a packet: of equal times the packet wins, for nothing
 * older can come. A packet from before the clock was set back wins against all from behind that. Lower half: its
 * number. One integer, so that gcc and clang choose the winner without a branch, which no processor could foresee: with
 * 1,000 streams that is a third of the time. */
typedef unsigned __int128 rxtx_merge_rank;

/* A tournament: each inner node keeps who lost there, the winner of all stands on top. Advancing the winner
 * costs one comparison for each level. */
typedef struct {
    rxtx_stream *const *streams;
    unsigned n_streams;
    unsigned n_leaves;       /* a power of two */
    rxtx_merge_rank *losers; /* from 1 to n_leaves - 1; children of i are 2i and 2i + 1 */
    rxtx_merge_rank winner;
    unsigned n_pending;
    uint64_t (*clock)(void); /* the engine's now_ns */
    uint64_t now_ns;         /* when it was last read */
    bool needs_time;    /* of the stream that is in the way: it is complete up to a later time each time it is asked */
    uint64_t newest_ns; /* the highest time given out since the clock last stepped */
    uint64_t late;      /* packets given out after a newer one */
    uint64_t clock_steps; /* times went back by RXTX_CLOCK_STEP_NS or more */
} rxtx_merge;

/* Borrows the streams, of which there is at least one. clock: tells which packets are from before the clock was set
 * back, since a packet cannot be stamped later than now; NULL = not to be told. It is asked with each refresh(), and
 * when a packet seems to be one of those. */
void rxtx_merge_init(rxtx_merge *merge, rxtx_stream *const *streams, unsigned n, uint64_t (*clock)(void));
void rxtx_merge_clear(rxtx_merge *merge);

/* The stream whose head is the next packet, or NULL: wait until an idle stream moves. With `all`, what is pending comes
 * out whether or not an older packet might follow; then NULL means that nothing is pending. */
rxtx_stream *rxtx_merge_next(rxtx_merge *merge, bool all);

/* Looks again at every idle stream. next() asks only those that hold it up, so without this, called now and then, a
 * stream whose complete_ns lies far ahead of a clock that was set back could starve while another is busy. */
void rxtx_merge_refresh(rxtx_merge *merge);

/* Counts the packet that next() gave out and advances its stream. */
void rxtx_merge_step(rxtx_merge *merge);

/* No packet older than this will be given out, but for late ones; ns since 1970. */
uint64_t rxtx_merge_complete_ns(const rxtx_merge *merge);

/* Are there packets that wait for an idle stream? */
bool rxtx_merge_holds(const rxtx_merge *merge);

/* If so: is it enough to ask again after a while? Otherwise the idle stream has packets under way, and the engine wakes
 * us when they are there. */
bool rxtx_merge_needs_time(const rxtx_merge *merge);
