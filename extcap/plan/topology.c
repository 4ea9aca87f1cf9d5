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

/* The kernel's own list of possible CPUs, which nobody masks: a column for each (fs/proc/softirqs.c). A container's
 * /sys may show fewer CPUs than handle packets. */
static bool add_columns(const char *root, rxtx_cpuset *set)
{
    g_autofree char *file = g_strconcat(root, "/proc/softirqs", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;
    bool found = false;

    if (!g_file_get_contents(file, &text, NULL, NULL))
        return false;
    text[strcspn(text, "\n")] = '\0';
    words = g_strsplit_set(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        guint64 cpu;
        if (g_str_has_prefix(*word, "CPU") &&
            g_ascii_string_to_unsigned(*word + 3, 10, 0, RXTX_CPUSET_MAX - 1, &cpu, NULL)) {
            rxtx_cpuset_add(set, (unsigned)cpu);
            found = true;
        }
    }
    return found;
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

/* A node lists its CPUs that are online; the others have a link to it. Returns how many are the node's. */
static unsigned take_node(rxtx_topology *topology, const char *root, unsigned node)
{
    g_autofree rxtx_cpuset *cpus = g_new0(rxtx_cpuset, 1);
    g_autofree char *list = g_strdup_printf("/sys/devices/system/node/node%u/cpulist", node);
    bool told = read_set(root, list, cpus);
    unsigned n = 0;

    for (unsigned cpu = 0; cpu < topology->limit; cpu++) {
        g_autofree char *link = g_strdup_printf("%s/sys/devices/system/cpu/cpu%u/node%u", root, cpu, node);
        bool its = (told && rxtx_cpuset_has(cpus, cpu)) ||
                   (topology->node[cpu] == RXTX_NODE_UNKNOWN && g_file_test(link, G_FILE_TEST_EXISTS));
        if (its)
            topology->node[cpu] = (int)node;
        n += its;
    }
    return n;
}

/* Those with a CPU that is online, and those that may have others only. Some have memory alone. */
static void read_nodes(rxtx_topology *topology, const char *root)
{
    g_autofree rxtx_cpuset *nodes = g_new0(rxtx_cpuset, 1);
    g_autofree rxtx_cpuset *online = g_new0(rxtx_cpuset, 1);

    if (!read_set(root, "/sys/devices/system/node/has_cpu", nodes))
        return;
    if (read_set(root, "/sys/devices/system/node/online", online))
        rxtx_cpuset_unite(nodes, online);
    for (unsigned node = 0, limit = rxtx_cpuset_limit(nodes); node < limit; node++)
        if (rxtx_cpuset_has(nodes, node) && take_node(topology, root, node) > 0)
            topology->n_nodes++;
}

rxtx_topology *rxtx_topology_read(const char *root)
{
    rxtx_topology *topology = g_new0(rxtx_topology, 1);

    bool told = read_set(root, "/sys/devices/system/cpu/possible", &topology->possible);

    if (!told)
        memset(&topology->possible, 0, sizeof topology->possible);
    if (!add_columns(root, &topology->possible) && !told)
        all_that_may_be(&topology->possible);
    if (!read_set(root, "/sys/devices/system/cpu/online", &topology->online))
        topology->online = topology->possible;
    rxtx_cpuset_unite(&topology->possible, &topology->online); /* whatever a container's /sys says of the others */
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
