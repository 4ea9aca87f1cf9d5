/* The plan on machines that are folders: each test writes the sysfs of one. */
#include "plan/plan.h"

#include <glib/gstdio.h>

#include "base/error.h"

#define MIB (1024u * 1024u)

typedef struct {
    char *root;
    rxtx_options options;
} machine;

static void write_file(const machine *m, const char *path, const char *text)
{
    g_autofree char *file = g_build_filename(m->root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

static void set_up(machine *m, const char *possible, const char *online)
{
    *m = (machine){.root = g_dir_make_tmp("rxtxcpu-XXXXXX", NULL), .options = {.face = RXTX_FACE_CLI, .buffer = 64}};
    write_file(m, "sys/devices/system/cpu/possible", possible);
    write_file(m, "sys/devices/system/cpu/online", online);
}

static void remove_all(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_all(inner);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_remove(path);
}

static void tear_down(machine *m)
{
    remove_all(m->root);
    g_free(m->root);
}

static rxtx_plan *plan(const machine *m, GError **error)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read(m->root);

    return rxtx_plan_new(&m->options, topology, error);
}

static void every_possible_cpu_is_captured_unless_some_are_chosen(void)
{
    g_autoptr(rxtx_plan) all = NULL;
    g_autoptr(rxtx_plan) some = NULL;
    machine m;

    set_up(&m, "0-3\n", "0-1,3\n");
    all = plan(&m, NULL);
    g_assert_cmpuint(all->n_cpus, ==, 4);
    g_assert_cmpuint(all->n_streams, ==, 4);
    g_assert_true(all->streams[1].online);
    g_assert_false(all->streams[2].online);
    m.options.cpu_list = (char *)"1-2,99";
    some = plan(&m, NULL);
    g_assert_cmpuint(some->n_cpus, ==, 4);
    g_assert_cmpuint(some->n_streams, ==, 2);
    g_assert_cmpuint(some->streams[0].cpu, ==, 1);
    g_assert_cmpuint(some->streams[1].cpu, ==, 2);
    g_assert_cmpstr(some->absent, ==, "99");
    g_assert_cmpstr(some->offline, ==, "2");
    g_assert_null(all->absent);
    g_assert_null(all->offline);
    tear_down(&m);
}

static void a_choice_without_a_cpu_is_refused(void)
{
    const struct {
        const char *list, *mask, *says;
    } cases[] = {{"7", NULL, "No configured cpus present in cpu list."},
                 {NULL, "80", "No configured cpus present in cpu mask."},
                 {"2", NULL, "No online cpus present in cpu list."},
                 {NULL, "4", "No online cpus present in cpu mask."}};
    machine m;

    set_up(&m, "0-3", "0-1,3");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        m.options.cpu_list = (char *)cases[i].list;
        m.options.cpu_mask = (char *)cases[i].mask;
        g_assert_null(plan(&m, &error));
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, cases[i].says);
    }
    tear_down(&m);
}

static void the_buffer_is_dealt_to_the_cpus_that_run(void)
{
    g_autoptr(rxtx_plan) p = NULL;
    machine m;

    set_up(&m, "0-3", "0-2");
    p = plan(&m, NULL);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(p->streams[i].ring_bytes, ==, 21 * MIB);
    g_assert_cmpuint(p->streams[3].ring_bytes, ==, 1 * MIB);
    tear_down(&m);
}

static void a_ring_has_at_least_a_mebibyte(void)
{
    g_autoptr(rxtx_plan) p = NULL;
    machine m;

    set_up(&m, "0-511", "0-255");
    p = plan(&m, NULL);
    g_assert_cmpuint(p->n_streams, ==, 512);
    for (unsigned i = 0; i < p->n_streams; i++)
        g_assert_cmpuint(p->streams[i].ring_bytes, ==, 1 * MIB);
    tear_down(&m);
}

static void nodes_are_told_apart_where_there_are_several(void)
{
    g_autoptr(rxtx_plan) one = NULL;
    g_autoptr(rxtx_plan) two = NULL;
    machine m;

    set_up(&m, "0-3", "0-3");
    write_file(&m, "sys/devices/system/node/has_cpu", "0\n");
    write_file(&m, "sys/devices/system/node/node0/cpulist", "0-3\n");
    one = plan(&m, NULL);
    g_assert_cmpint(one->streams[0].node, ==, RXTX_NODE_UNKNOWN);
    write_file(&m, "sys/devices/system/node/has_cpu", "0,2\n");
    write_file(&m, "sys/devices/system/node/node0/cpulist", "0-1\n");
    write_file(&m, "sys/devices/system/node/node2/cpulist", "2-3\n");
    two = plan(&m, NULL);
    g_assert_cmpint(two->streams[0].node, ==, 0);
    g_assert_cmpint(two->streams[3].node, ==, 2);
    tear_down(&m);
}

/* Then the kernel's own mask bounds them: never fewer than this machine has. */
static void without_sysfs_no_cpu_is_missed(void)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read("/nonexistent");

    g_assert_cmpuint(topology->limit, >=, g_get_num_processors());
    g_assert_cmpuint(topology->n_nodes, ==, 0);
    g_assert_cmpuint(rxtx_cpuset_count(&topology->online), ==, topology->limit);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/every possible CPU is captured unless some are chosen",
                    every_possible_cpu_is_captured_unless_some_are_chosen);
    g_test_add_func("/plan/a choice without a CPU is refused", a_choice_without_a_cpu_is_refused);
    g_test_add_func("/plan/the buffer is dealt to the CPUs that run", the_buffer_is_dealt_to_the_cpus_that_run);
    g_test_add_func("/plan/a ring has at least a mebibyte", a_ring_has_at_least_a_mebibyte);
    g_test_add_func("/plan/nodes are told apart where there are several", nodes_are_told_apart_where_there_are_several);
    g_test_add_func("/plan/without sysfs no CPU is missed", without_sysfs_no_cpu_is_missed);
    return g_test_run();
}
