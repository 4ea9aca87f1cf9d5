/* The plan: what this capture does on this machine. Made once, before anything is opened, and then read only. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "plan/options.h"
#include "plan/topology.h"

/* One for each captured CPU, in the order of their numbers. */
typedef struct {
    unsigned cpu;
    int node;          /* RXTX_NODE_UNKNOWN also on a machine with one node: nothing to tell apart */
    bool online;       /* at the start */
    size_t ring_bytes; /* a multiple of RXTX_RING_BYTES_MIN */
} rxtx_plan_stream;

typedef struct {
    const rxtx_options *options; /* borrowed */
    unsigned n_cpus;             /* highest possible CPU + 1: as many members has the fan-out group */
    rxtx_plan_stream *streams;   /* n_streams, at least one of them online */
    unsigned n_streams;
    char *absent;  /* CPUs that were asked for and do not exist, as a list; NULL = none */
    char *offline; /* those that were asked for by number and were offline at the start; NULL = none */
} rxtx_plan;

/* The least memory of a ring; enough for four of the largest frames. */
#define RXTX_RING_BYTES_MIN (1024u * 1024u)

/* options must outlive the plan; options->interface is set. NULL with RXTX_ERROR_USAGE when the CPU list or mask
 * names no CPU that is there, or none that is online. Free with rxtx_plan_free. */
rxtx_plan *rxtx_plan_new(const rxtx_options *options, const rxtx_topology *topology, GError **error);
void rxtx_plan_free(rxtx_plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_plan, rxtx_plan_free)
