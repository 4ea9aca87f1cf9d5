/* Reads the machine's CPUs and nodes. Which of them are captured is plan.c's to decide; network interfaces are not
 * here. */
#include "plan/topology.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool read_set(const char *root, const char *path, rxtx_cpuset *set)
{
    g_autofree char *file = g_strconcat(root, path, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(file, &text, NULL, NULL) && rxtx_cpuset_parse_list(set, text);
}

/* The raw call returns the size of the kernel's mask: nr_cpu_ids, rounded up to a long (kernel/sched/syscalls.c).
 * A fan-out group with more members than CPUs is right all the same: the kernel takes CPU number modulo members. */
static void all_that_may_be(rxtx_cpuset *set)
{
    static const unsigned fallback_bytes = 128;
    guint64 mask[RXTX_CPUSET_MAX / 64];

    memset(set, 0, sizeof *set);
    long bytes = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    unsigned limit = (bytes > 0 ? (unsigned)bytes : fallback_bytes) * 8;

    for (unsigned cpu = 0; cpu < MIN(limit, RXTX_CPUSET_MAX); cpu++)
        rxtx_cpuset_add(set, cpu);
}

static void read_nodes(rxtx_topology *topology, const char *root)
{
    g_autofree rxtx_cpuset *nodes = g_new0(rxtx_cpuset, 1);
    g_autofree rxtx_cpuset *cpus = g_new0(rxtx_cpuset, 1);

    if (!read_set(root, "/sys/devices/system/node/has_cpu", nodes))
        return;
    for (unsigned node = 0, limit = rxtx_cpuset_limit(nodes); node < limit; node++) {
        g_autofree char *path = g_strdup_printf("/sys/devices/system/node/node%u/cpulist", node);
        if (!rxtx_cpuset_has(nodes, node) || !read_set(root, path, cpus))
            continue;
        topology->n_nodes++;
        for (unsigned cpu = 0; cpu < topology->limit; cpu++)
            if (rxtx_cpuset_has(cpus, cpu))
                topology->node[cpu] = (int)node;
    }
}

rxtx_topology *rxtx_topology_read(const char *root)
{
    rxtx_topology *topology = g_new0(rxtx_topology, 1);

    if (!read_set(root, "/sys/devices/system/cpu/possible", &topology->possible))
        all_that_may_be(&topology->possible);
    if (!read_set(root, "/sys/devices/system/cpu/online", &topology->online))
        topology->online = topology->possible;
    topology->limit = rxtx_cpuset_limit(&topology->possible);
    topology->node = g_new(int, topology->limit);
    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        topology->node[cpu] = RXTX_NODE_UNKNOWN;
    read_nodes(topology, root);
    return topology;
}

void rxtx_topology_free(rxtx_topology *topology)
{
    if (topology == NULL)
        return;
    g_free(topology->node);
    g_free(topology);
}
