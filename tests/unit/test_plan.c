/* The plan on machines that are folders: each test writes the sysfs of one. */
#include "plan/plan.h"

#include "base/error.h"
#include "fake_root.h"

#define MIB (1024u * 1024u)

typedef struct {
    char *root;
    rxtx_options options;
} machine;

static void write_file(const machine *m, const char *path, const char *text)
{
    fake_root_write(m->root, path, text);
}

static void set_up(machine *m, const char *possible, const char *online)
{
    *m = (machine){.root = fake_root_new(possible, online),
                   .options = {.face = RXTX_FACE_CLI,
                               .program = "rxtxcpu",
                               .annotate = RXTX_ANNOTATE_INTERFACE,
                               .group = RXTX_GROUP_CPU,
                               .direction = RXTX_DIRECTION_RXTX,
                               .buffer = 64}};
}

static void tear_down(machine *m)
{
    fake_root_remove(m->root);
    g_free(m->root);
}

static rxtx_plan *plan(const machine *m, GError **error)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read(m->root);

    return rxtx_plan_new(&m->options, topology, m->root, error);
}

static void every_possible_cpu_is_captured_unless_some_are_chosen(void)
{
    g_autoptr(rxtx_plan) all = NULL;
    g_autoptr(rxtx_plan) some = NULL;
    machine m;

    set_up(&m, "0-3\n", "0-1,3\n");
    all = plan(&m, NULL);
    g_assert_cmpuint(all->n_members, ==, 4);
    g_assert_cmpuint(all->n_streams, ==, 4);
    g_assert_true(all->groups[1].due);
    g_assert_false(all->groups[2].due);
    m.options.cpu_list = (char *)"1-2,99";
    some = plan(&m, NULL);
    g_assert_cmpuint(some->n_members, ==, 4);
    g_assert_cmpuint(some->n_streams, ==, 2);
    g_assert_cmpuint(some->streams[0].member, ==, 1);
    g_assert_cmpuint(some->streams[1].member, ==, 2);
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
    g_assert_cmpint(one->groups[0].node, ==, RXTX_NODE_UNKNOWN);
    write_file(&m, "sys/devices/system/node/has_cpu", "0,2\n");
    write_file(&m, "sys/devices/system/node/node0/cpulist", "0-1\n");
    write_file(&m, "sys/devices/system/node/node2/cpulist", "2-3\n");
    two = plan(&m, NULL);
    g_assert_cmpint(two->groups[0].node, ==, 0);
    g_assert_cmpint(two->groups[3].node, ==, 2);
    tear_down(&m);
}

/* What a container's /sys hides may handle packets all the same. */
static void a_cpu_that_sysfs_hides_is_captured(void)
{
    g_autoptr(rxtx_plan) p = NULL;
    machine m;

    set_up(&m, "0", "0");
    write_file(&m, "proc/softirqs",
               "                    CPU0       CPU1       CPU5       \n          HI:          0          0\n");
    p = plan(&m, NULL);
    g_assert_cmpuint(p->n_members, ==, 6);
    g_assert_cmpuint(p->n_streams, ==, 3);
    g_assert_cmpuint(p->streams[2].member, ==, 5);
    g_assert_cmpuint(p->n_due, ==, 1);
    tear_down(&m);
}

static void write_nodes(const machine *m)
{
    write_file(m, "sys/devices/system/node/has_cpu", "0,2\n");
    write_file(m, "sys/devices/system/node/node0/cpulist", "0-1\n");
    write_file(m, "sys/devices/system/node/node2/cpulist", "2\n");
    write_file(m, "sys/devices/system/cpu/cpu3/node2/online", "0\n");
}

static void the_cpus_of_a_node_are_one_group(void)
{
    g_autoptr(rxtx_plan) all = NULL;
    g_autoptr(rxtx_plan) second = NULL;
    machine m;

    set_up(&m, "0-3", "0-2");
    write_nodes(&m);
    m.options.group = RXTX_GROUP_NUMA;
    all = plan(&m, NULL);
    g_assert_cmpuint(all->n_groups, ==, 2);
    g_assert_cmpuint(all->n_streams, ==, 4);
    g_assert_cmpint(all->groups[1].number, ==, 2);
    g_assert_cmpuint(all->streams[1].group, ==, 0);
    g_assert_cmpuint(all->streams[3].group, ==, 1); /* offline, and so in no node's list */
    m.options.numa_list = (char *)"2";
    second = plan(&m, NULL);
    g_assert_cmpuint(second->n_groups, ==, 1);
    g_assert_cmpuint(second->n_streams, ==, 2);
    g_assert_cmpuint(second->streams[0].member, ==, 2);
    tear_down(&m);
}

/* Its CPUs have only links to it, and node 3 has nothing but memory. */
static void a_node_whose_cpus_are_all_offline_is_theirs(void)
{
    g_autoptr(rxtx_plan) all = NULL;
    machine m;

    set_up(&m, "0-3", "0-1");
    write_file(&m, "sys/devices/system/node/has_cpu", "0\n");
    write_file(&m, "sys/devices/system/node/online", "0,2-3\n");
    write_file(&m, "sys/devices/system/node/node0/cpulist", "0-1\n");
    write_file(&m, "sys/devices/system/node/node2/cpulist", "\n");
    write_file(&m, "sys/devices/system/node/node3/cpulist", "\n");
    write_file(&m, "sys/devices/system/cpu/cpu2/node2/online", "0\n");
    write_file(&m, "sys/devices/system/cpu/cpu3/node2/online", "0\n");
    m.options.group = RXTX_GROUP_NUMA;
    all = plan(&m, NULL);
    g_assert_cmpuint(all->n_groups, ==, 2);
    g_assert_cmpint(all->groups[1].number, ==, 2);
    g_assert_false(all->groups[1].due);
    g_assert_cmpuint(all->streams[2].group, ==, 1);
    g_assert_cmpuint(all->streams[3].group, ==, 1);
    tear_down(&m);
}

static void a_node_is_captured_whose_only_cpu_runs_without_being_possible(void)
{
    g_autoptr(rxtx_plan) second = NULL;
    machine m;

    set_up(&m, "0-1", "0-2");
    write_nodes(&m); /* CPU 3 is said by nobody else */
    m.options.group = RXTX_GROUP_NUMA;
    m.options.numa_list = (char *)"2";
    second = plan(&m, NULL);
    g_assert_cmpuint(second->n_streams, ==, 1);
    g_assert_cmpuint(second->streams[0].member, ==, 2);
    tear_down(&m);
}

/* Its packets must not vanish, nor be another node's. */
static void a_cpu_without_a_node_has_a_group_of_its_own(void)
{
    g_autoptr(rxtx_plan) p = NULL;
    g_autofree char *name = NULL;
    machine m;

    set_up(&m, "0-4", "0-4");
    write_nodes(&m);
    m.options.group = RXTX_GROUP_NUMA;
    p = plan(&m, NULL);
    g_assert_cmpuint(p->n_groups, ==, 3);
    g_assert_cmpint(p->groups[2].number, ==, RXTX_NUMBER_UNKNOWN);
    g_assert_false(p->groups[2].due);
    g_assert_cmpuint(p->streams[4].group, ==, 2);
    name = rxtx_plan_group_name(p, 2);
    g_assert_cmpstr(name, ==, "numa node unknown");
    tear_down(&m);
}

/* lo stands for any interface that exists; its queues are the folder's. */
static void queues_have_a_group_each_and_the_unknown_one_is_the_last(void)
{
    g_autoptr(rxtx_plan) both = NULL;
    g_autoptr(rxtx_plan) rx = NULL;
    machine m;

    set_up(&m, "0-1", "0-1");
    for (int i = 0; i < 3; i++) {
        g_autofree char *path = g_strdup_printf("sys/class/net/lo/queues/tx-%d/x", i);
        write_file(&m, path, "");
    }
    write_file(&m, "sys/class/net/lo/queues/rx-0/x", "");
    m.options.group = RXTX_GROUP_QUEUE;
    m.options.interface = (char *)"lo";
    both = plan(&m, NULL);
    g_assert_cmpuint(both->n_queues, ==, 3);
    g_assert_cmpuint(both->n_members, ==, 4);
    g_assert_cmpuint(both->n_groups, ==, 4);
    g_assert_cmpuint(both->n_due, ==, 3);
    g_assert_cmpint(both->groups[3].number, ==, RXTX_NUMBER_UNKNOWN);
    g_assert_false(both->rx_recorded);
    write_file(&m, "sys/class/net/lo/device/vendor", "");
    m.options.direction = RXTX_DIRECTION_RX;
    m.options.queue_list = (char *)"0,2";
    rx = plan(&m, NULL);
    g_assert_cmpuint(rx->n_queues, ==, 1);
    g_assert_cmpuint(rx->n_groups, ==, 1);
    g_assert_cmpstr(rx->absent, ==, "2");
    g_assert_true(rx->rx_recorded);
    tear_down(&m);
}

static void what_cannot_be_told_is_refused(void)
{
    const struct {
        int group;
        const char *interface, *says;
        rxtx_error_code code;
    } cases[] = {{RXTX_GROUP_QUEUE, NULL, "Failed to get queue count.", RXTX_ERROR_KERNEL},
                 {RXTX_GROUP_QUEUE, "lo", "Failed to get queue count.", RXTX_ERROR_KERNEL},
                 {RXTX_GROUP_NUMA, NULL, "Failed to get numa node count.", RXTX_ERROR_KERNEL},
                 {RXTX_GROUP_CPU, "nowhere", "error setting ifname 'nowhere': No such device", RXTX_ERROR_INTERFACE}};
    machine m;

    set_up(&m, "0-1", "0-1");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        m.options.group = cases[i].group;
        m.options.interface = (char *)cases[i].interface;
        g_assert_null(plan(&m, &error));
        g_assert_error(error, RXTX_ERROR, (int)cases[i].code);
        g_assert_true(g_str_has_prefix(error->message, cases[i].says));
    }
    tear_down(&m);
}

static void the_format_follows_the_name_and_the_groups(void)
{
    const struct {
        const char *list, *write;
        rxtx_format asked, chosen;
    } cases[] = {{NULL, "out.pcap", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAP},
                 {NULL, "out.pcapng", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAPNG},
                 {NULL, "out.PCAPNG", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAPNG},
                 {NULL, "out", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAP},
                 {NULL, "/dev/null", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAPNG},
                 {NULL, "out.pcap", RXTX_FORMAT_PCAPNG, RXTX_FORMAT_PCAPNG},
                 {NULL, "-", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAPNG},
                 {"1", "-", RXTX_FORMAT_AUTO, RXTX_FORMAT_PCAP},
                 {"1", "-", RXTX_FORMAT_PCAPNG, RXTX_FORMAT_PCAPNG}};
    machine m;

    set_up(&m, "0-1", "0-1");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(rxtx_plan) p = NULL;
        m.options.cpu_list = (char *)cases[i].list;
        m.options.write = (char *)cases[i].write;
        m.options.format = cases[i].asked;
        p = plan(&m, NULL);
        g_assert_cmpint(p->format, ==, cases[i].chosen);
    }
    tear_down(&m);
}

static void one_pcap_cannot_hold_several_groups(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_plan) p = NULL;
    machine m;

    set_up(&m, "0-1", "0-1");
    m.options.write = (char *)"-";
    m.options.format = RXTX_FORMAT_PCAP;
    g_assert_null(plan(&m, &error));
    g_assert_cmpstr(error->message, ==, "Write file '-' (stdout) is only permitted when capturing on a single cpu.");
    write_file(&m, "sys/devices/system/cpu/online", "0");
    p = plan(&m, NULL);
    g_assert_cmpuint(p->n_groups, ==, 1); /* what comes online later cannot be told apart in there */
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

static void steering_is_seen_where_it_is_on(void)
{
    static const struct {
        const char *mask;
        rxtx_direction direction;
        bool steered;
    } cases[] = {
        {"00000000,00000000\n", RXTX_DIRECTION_RXTX, false},
        {"0", RXTX_DIRECTION_RXTX, false},
        {"00000000,00000008\n", RXTX_DIRECTION_RXTX, true},
        {"c0000000,00000000\n", RXTX_DIRECTION_RX, true},
        {"ff\n", RXTX_DIRECTION_TX, false},
    };
    machine m;

    set_up(&m, "0-3", "0-3");
    write_file(&m, "sys/class/net/lo/queues/rx-0/rps_cpus", "0\n");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(rxtx_plan) made = NULL;
        write_file(&m, "sys/class/net/lo/queues/rx-1/rps_cpus", cases[i].mask);
        m.options.interface = (char *)"lo";
        m.options.direction = cases[i].direction;
        made = plan(&m, NULL);
        g_assert_cmpint(made->steered, ==, cases[i].steered);
    }
    tear_down(&m);
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
    g_test_add_func("/plan/a CPU that sysfs hides is captured", a_cpu_that_sysfs_hides_is_captured);
    g_test_add_func("/plan/the CPUs of a node are one group", the_cpus_of_a_node_are_one_group);
    g_test_add_func("/plan/a node whose CPUs are all offline", a_node_whose_cpus_are_all_offline_is_theirs);
    g_test_add_func("/plan/a node is captured whose only CPU runs without being possible",
                    a_node_is_captured_whose_only_cpu_runs_without_being_possible);
    g_test_add_func("/plan/a CPU without a node has a group of its own", a_cpu_without_a_node_has_a_group_of_its_own);
    g_test_add_func("/plan/queues have a group each and the unknown one is the last",
                    queues_have_a_group_each_and_the_unknown_one_is_the_last);
    g_test_add_func("/plan/what cannot be told is refused", what_cannot_be_told_is_refused);
    g_test_add_func("/plan/the format follows the name and the groups", the_format_follows_the_name_and_the_groups);
    g_test_add_func("/plan/one pcap cannot hold several groups", one_pcap_cannot_hold_several_groups);
    g_test_add_func("/plan/without sysfs no CPU is missed", without_sysfs_no_cpu_is_missed);
    g_test_add_func("/plan/steering is seen where it is on", steering_is_seen_where_it_is_on);
    return g_test_run();
}
