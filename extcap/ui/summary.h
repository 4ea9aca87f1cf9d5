/* The closing table: what was captured on each CPU, and what was lost. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/stats.h"
#include "plan/plan.h"

typedef struct {
    const rxtx_plan *plan;
    const rxtx_stats *stats; /* one for each stream of the plan */
    uint64_t late;
    uint64_t clock_steps;
    uint64_t downs;
    bool whole; /* everything that was accepted was to be delivered: no exact count, no output that broke */
} rxtx_summary;

/* "1197 packets captured on cpu0." for each captured CPU that was online at the start or had packets, then the total.
 * Free with g_free. */
char *rxtx_summary_counts(const rxtx_summary *summary);

/* A line for each thing that the counts alone would hide: losses, packets out of order, a
 * stepped clock, a lost link, CPUs that were asked for and are not there.
 * "" when there is none. Each line begins with the program's name. Free with g_free. */
char *rxtx_summary_notes(const rxtx_summary *summary);
