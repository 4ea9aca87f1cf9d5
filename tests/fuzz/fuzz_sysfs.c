/* Any texts as the files of /sys and /proc that the program reads: what comes of them is in range and agrees with
 * itself. The files stand in a line each, in the order of `files`. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/queues.h"
#include "plan/steering.h"
#include "plan/topology.h"
#include "scratch_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
    "sys/devices/system/cpu/possible", "sys/devices/system/cpu/online",         "proc/softirqs",
    "sys/devices/system/node/has_cpu", "sys/devices/system/node/node0/cpulist", "sys/devices/system/node/node1/cpulist",
    "sys/class/net/lo/ifindex",        "sys/class/net/lo/queues/rx-0/rps_cpus", "sys/class/net/lo/queues/tx-0/xps_cpus",
    "proc/sys/kernel/random/boot_id",
};
enum { N_FILES = G_N_ELEMENTS(files), STEERING_MAX = 32000 };

static char *root;

static void remove_root(void)
{
    for (size_t i = 0; i < N_FILES; i++) {
        g_autofree char *path = g_build_filename(root, files[i], NULL);
        g_remove(path);
        for (char *slash; (slash = strrchr(path, '/')) != NULL && strlen(path) > strlen(root);) {
            *slash = '\0';
            g_rmdir(path);
        }
    }
    g_rmdir(root);
    g_free(root);
}

static void make_root(void)
{
    root = scratch_folder_new();
    for (size_t i = 0; i < N_FILES; i++) {
        g_autofree char *path = g_build_filename(root, files[i], NULL), *folder = g_path_get_dirname(path);
        g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    }
    atexit(remove_root);
}

/* Of each CPU and each node a link is asked for, so that numbers of four digits take their time. */
static bool has_large_numbers(const char *text)
{
    for (; *text != '\0'; text++)
        if (strspn(text, "0123456789") > 3)
            return true;
    return false;
}

/* A file without a line is none. */
static void write_files(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", N_FILES);
    bool over = false;

    for (size_t i = 0; i < N_FILES; i++) {
        g_autofree char *path = g_build_filename(root, files[i], NULL);
        FILE *file;
        over = over || lines[i] == NULL;
        if (over) {
            g_remove(path);
            continue;
        }
        file = g_fopen(path, "w");
        g_assert_nonnull(file);
        fputs(lines[i], file);
        fputc('\n', file);
        fclose(file);
    }
}

static void check_topology(void)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read(root);

    g_assert_cmpuint(topology->limit, ==, rxtx_cpuset_limit(&topology->possible));
    g_assert_cmpuint(topology->limit, >, 0);
    g_assert_cmpuint(topology->limit, <=, RXTX_CPUSET_MAX);
    g_assert_cmpuint(rxtx_cpuset_count(&topology->online), >, 0);
    g_assert_cmpuint(topology->n_nodes, <=, 2);
    for (unsigned cpu = 0; cpu < topology->limit; cpu++) {
        g_assert_cmpint(topology->node[cpu], >=, RXTX_NODE_UNKNOWN);
        g_assert_cmpint(topology->node[cpu], <, 2);
        g_assert_true(topology->n_nodes > 0 || topology->node[cpu] == RXTX_NODE_UNKNOWN);
    }
}

static void check_interface(void)
{
    rxtx_queues queues = rxtx_queues_read(root, "lo");
    g_autofree char *text = rxtx_steering_describe(root, "lo");

    g_assert_true(queues.n_rx == 1 && queues.n_tx == 1);
    g_assert_false(queues.rx_recorded);
    g_assert_true(g_str_has_prefix(text, "Steering of lo at the start of the capture:\n"));
    g_assert_cmpuint(strlen(text), <=, STEERING_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc0(size + 1);

    if (root == NULL)
        make_root();
    if (size > 0)
        memcpy(text, data, size);
    if (has_large_numbers(text))
        return 0;
    write_files(text);
    check_topology();
    check_interface();
    return 0;
}
