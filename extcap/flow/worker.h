/* The worker: the loop that pulls packets out of an engine, in order, into a sink, until something stops it.
 *
 * It runs in one thread of its own. What it counts may be read once that thread has been joined, and stats before.
 */
#pragma once

#include "base/stop.h"
#include "engine/engine.h"
#include "sink/sink.h"

typedef struct {
    rxtx_engine *engine; /* started */
    rxtx_sink *sink;     /* begun */
    rxtx_stop *stop;
    unsigned n_groups;
    uint64_t count; /* stop after so many packets; 0 = no limit */

    rxtx_stats *stats;    /* out: one for each group, zeroed and owned by the caller; may be read meanwhile */
    uint64_t late;        /* out */
    uint64_t clock_steps; /* out */
} rxtx_worker;

/* Returns when the capture is over: everything that was accepted before the stop is in the sink (unless the sink
 * failed, its reader is gone or the count is reached), and the sink is finished. */
void rxtx_worker_run(rxtx_worker *worker);
