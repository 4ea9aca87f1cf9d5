/* What was captured, as lines: the closing counts, and what they alone would hide. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/event.h"
#include "base/stats.h"
#include "plan/plan.h"
#include "remote/clock_offset.h"

/* A capture at one moment, for all that shows numbers of it. */
typedef struct {
    const rxtx_plan *plan;
    const rxtx_stats *stats; /* one for each group of the plan */
    uint64_t start_ns;       /* since 1970: packets were accepted from here */
    uint64_t now_ns;         /* to here */
    bool over;               /* the capture has ended: what follows and stats.accepted are known */
    uint64_t late;
    uint64_t clock_steps;
    uint64_t downs;
    const GPtrArray *events;         /* of rxtx_event; NULL = none */
    uint64_t more_events;            /* that are not among them */
    const rxtx_clock_offset *clocks; /* of the plan's hosts; NULL = not known (yet), or packets come from here */
    bool whole; /* everything that was accepted was to be delivered: no exact count, no output that broke */
} rxtx_summary;

/* Has the group its place in lists and tables: was it there from the beginning, or did packets come? */
bool rxtx_summary_shows(const rxtx_summary *summary, unsigned group);

/* All groups together. */
rxtx_stats rxtx_summary_total(const rxtx_summary *summary);

/* "1197 packets captured on cpu0." for each group that is shown, then the total. Free with g_free. */
char *rxtx_summary_counts(const rxtx_summary *summary);

/* A line for each thing that was asked for and cannot be captured: CPUs that are not there, queues that are not told.
 * To be said at the start; otherwise like the notes. */
char *rxtx_summary_warnings(const rxtx_plan *plan);

/* A line for each thing that the counts alone would hide: losses, packets out of order, a stepped clock, a lost link.
 * "" when there is none. Each line begins with the program's name. Free with g_free. */
char *rxtx_summary_notes(const rxtx_summary *summary);
