/* What the machine has: its CPUs and their NUMA nodes, read from sysfs once, below a given root. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/cpuset.h"

#define RXTX_NODE_UNKNOWN (-1)

typedef struct {
    rxtx_cpuset possible; /* may ever come online; a fan-out group needs a member for each */
    rxtx_cpuset online;   /* at the time of reading */
    int *node;            /* one for each number below limit: its NUMA node, or RXTX_NODE_UNKNOWN */
    unsigned limit;       /* highest possible CPU + 1 */
    unsigned n_nodes;     /* nodes with CPUs; 0 = not known */
} rxtx_topology;

/* root: "" for this machine. Possible is what sysfs or the kernel's own statistics name; where neither does, the
 * affinity mask bounds it. Without sysfs all of them count as online and no node is known. Never fails. Free with
 * rxtx_topology_free. */
rxtx_topology *rxtx_topology_read(const char *root);
void rxtx_topology_free(rxtx_topology *topology);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_topology, rxtx_topology_free)
