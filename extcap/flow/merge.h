/* The merge: packets of many streams in one order of time.
 *
 * It pulls: the oldest packet is given out once every stream with nothing pending is complete beyond it. It knows no
 * clock and does no I/O, so the same streams always give the same order.
 */
#pragma once

#include <glib.h>

#include "engine/engine.h"

typedef struct {
    uint64_t ts_ns;
    rxtx_stream *stream;
} rxtx_merge_entry;

typedef struct {
    rxtx_merge_entry *heap; /* pending streams, the one with the oldest head first */
    unsigned n_heap;
    rxtx_stream **idle; /* streams that are not pending */
    unsigned n_idle;
    uint64_t frontier_ns; /* the least complete_ns of the idle streams, UINT64_MAX without any */
    uint64_t newest_ns;   /* the highest time given out since the clock last stepped */
    uint64_t late;        /* packets given out after a newer one */
    uint64_t clock_steps; /* times went back by RXTX_CLOCK_STEP_NS or more */
} rxtx_merge;

/* Borrows the streams. */
void rxtx_merge_init(rxtx_merge *merge, rxtx_stream *const *streams, unsigned n);
void rxtx_merge_clear(rxtx_merge *merge);

/* The stream whose head is the next packet, or NULL: wait until an idle stream moves. With `all`, what is pending comes
 * out whether or not an older packet might follow; then NULL means that nothing is pending. */
rxtx_stream *rxtx_merge_next(rxtx_merge *merge, bool all);

/* Looks again at every idle stream. next() asks only those that hold it up, so without this, called now and then, a
 * stream whose complete_ns lies far ahead of a clock that was set back could starve while another is busy. */
void rxtx_merge_refresh(rxtx_merge *merge);

/* Counts the packet that next() gave out and advances its stream. */
void rxtx_merge_step(rxtx_merge *merge);

/* Are there packets that wait for an idle stream? */
bool rxtx_merge_holds(const rxtx_merge *merge);
