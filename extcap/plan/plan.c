/* What is captured, into which groups, and how much memory each ring gets. What the options are is options.c's, what
 * the machine has is topology.c's and queues.c's. */
#include "plan/plan.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/error.h"

enum { BYTES_PER_MIB = 1024 * 1024 };

/* What may be asked for by number. */
typedef struct {
    rxtx_cpuset configured, online;
} inventory;

/* ---- what there is ---- */

static bool find_interface(rxtx_plan *plan, const char *name, GError **error)
{
    bool all;

    if (name == NULL)
        return true;
    all = strcmp(name, "any") == 0;
    plan->ifindex = if_nametoindex(name);
    return plan->ifindex != 0 || rxtx_set_error(error, RXTX_ERROR_INTERFACE, "error setting ifname '%s': %s\n%s: %s%s",
                                                name, g_strerror(ENODEV), all ? "All of them together" : "To list them",
                                                plan->options->program, all ? "" : " -D");
}

static void take_cpus(rxtx_plan *plan, inventory *there, const rxtx_topology *topology)
{
    there->configured = topology->possible;
    there->online = topology->online;
    plan->n_members = topology->limit;
}

/* Online is a node with a CPU that is. */
static bool take_nodes(rxtx_plan *plan, inventory *there, const rxtx_topology *topology, GError **error)
{
    if (topology->n_nodes == 0)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL,
                              "Failed to get numa node count.\n"
                              "This system does not tell. By CPU: --group cpu");
    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (topology->node[cpu] != RXTX_NODE_UNKNOWN) {
            rxtx_cpuset_add(&there->configured, (unsigned)topology->node[cpu]);
            if (rxtx_cpuset_has(&topology->online, cpu))
                rxtx_cpuset_add(&there->online, (unsigned)topology->node[cpu]);
        }
    plan->n_members = topology->limit;
    return true;
}

/* How many queues carry what is captured; 0 = that is not told. */
static unsigned count_queues(const rxtx_options *options, const char *root, bool *rx_recorded)
{
    rxtx_queues queues = {0};
    unsigned n_rx, n_tx;

    if (options->interface != NULL)
        queues = rxtx_queues_read(root, options->interface);
    n_rx = options->direction & RXTX_DIRECTION_RX ? queues.n_rx : 0;
    n_tx = options->direction & RXTX_DIRECTION_TX ? queues.n_tx : 0;
    *rx_recorded = queues.rx_recorded;
    return MIN(MAX(n_rx, n_tx), RXTX_CPUSET_MAX - 1);
}

bool rxtx_plan_same_queues(const rxtx_plan *plan, const char *root)
{
    bool rx_recorded;

    return plan->n_queues == 0 ||
           (count_queues(plan->options, root, &rx_recorded) == plan->n_queues && rx_recorded == plan->rx_recorded);
}

/* A queue that is not known has a member of its own behind the others. */
static bool take_queues(rxtx_plan *plan, inventory *there, const char *root, GError **error)
{
    plan->n_queues = count_queues(plan->options, root, &plan->rx_recorded);
    if (plan->n_queues == 0)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL, "Failed to get queue count.\n%s: %s INTERFACE",
                              plan->options->interface == NULL ? "Queues belong to an interface. Name it"
                                                               : "This interface does not tell. Name another one",
                              plan->options->program);
    for (unsigned queue = 0; queue < plan->n_queues; queue++)
        rxtx_cpuset_add(&there->configured, queue);
    there->online = there->configured;
    plan->n_members = plan->n_queues + 1;
    return true;
}

static bool take_inventory(rxtx_plan *plan, inventory *there, const rxtx_topology *topology, const char *root,
                           GError **error)
{
    switch (plan->options->group) {
    case RXTX_GROUP_NUMA:
        return take_nodes(plan, there, topology, error);
    case RXTX_GROUP_QUEUE:
        return take_queues(plan, there, root, error);
    default:
        take_cpus(plan, there, topology);
        return true;
    }
}

/* ---- what of it is wanted ---- */

static bool is_text(const char *text)
{
    return text != NULL && *text != '\0';
}

/* In Wireshark's dialog nothing checked is an empty list, and means all. */
static bool asked_by_number(const rxtx_options *options)
{
    return is_text(rxtx_options_list(options)) || rxtx_options_mask(options) != NULL;
}

/* As typed (options.c has checked the form), or all. */
static void select_numbers(rxtx_cpuset *set, const rxtx_options *options, const rxtx_cpuset *configured)
{
    *set = *configured;
    if (is_text(rxtx_options_list(options)))
        rxtx_cpuset_parse_list(set, rxtx_options_list(options));
    if (rxtx_options_mask(options) != NULL)
        rxtx_cpuset_parse_mask(set, rxtx_options_mask(options));
}

static bool narrow(rxtx_cpuset *set, const rxtx_cpuset *to, const char *which, const rxtx_options *options,
                   GError **error)
{
    rxtx_cpuset_intersect(set, to);
    return rxtx_cpuset_count(set) > 0 ||
           rxtx_set_error(error, RXTX_ERROR_USAGE, "No %s %ss present in %s %s.", which,
                          rxtx_group_noun(options->group), rxtx_group_name(options->group),
                          rxtx_options_mask(options) != NULL ? "mask" : "list");
}

/* Those of `of` that are not in `in`, as a list; NULL = none. */
static char *list_missing(const rxtx_cpuset *of, const rxtx_cpuset *in)
{
    g_autofree rxtx_cpuset *missing = g_new0(rxtx_cpuset, 1);

    for (unsigned number = 0, limit = rxtx_cpuset_limit(of); number < limit; number++)
        if (rxtx_cpuset_has(of, number) && !rxtx_cpuset_has(in, number))
            rxtx_cpuset_add(missing, number);
    return rxtx_cpuset_count(missing) > 0 ? rxtx_cpuset_format(missing) : NULL;
}

/* ---- groups and streams ---- */

static void add_group(rxtx_plan *plan, rxtx_plan_group group)
{
    plan->n_due += group.due;
    plan->groups[plan->n_groups++] = group;
}

/* What no number can be put to is captured when nothing was asked for by number. */
static bool has_unknown(const rxtx_plan *plan, const rxtx_topology *topology)
{
    bool unknown = plan->options->group == RXTX_GROUP_QUEUE;

    for (unsigned cpu = 0; plan->options->group == RXTX_GROUP_NUMA && cpu < topology->limit; cpu++)
        unknown = unknown || (rxtx_cpuset_has(&topology->possible, cpu) && topology->node[cpu] == RXTX_NODE_UNKNOWN);
    return unknown && !asked_by_number(plan->options);
}

static void add_groups(rxtx_plan *plan, const rxtx_cpuset *set, const rxtx_cpuset *online,
                       const rxtx_topology *topology)
{
    bool by_cpu = plan->options->group == RXTX_GROUP_CPU;

    plan->groups = g_new0(rxtx_plan_group, rxtx_cpuset_count(set) + 1);
    for (unsigned number = 0, limit = rxtx_cpuset_limit(set); number < limit; number++)
        if (rxtx_cpuset_has(set, number))
            add_group(plan, (rxtx_plan_group){
                                .number = (int)number,
                                .node = by_cpu && topology->n_nodes > 1 ? topology->node[number] : RXTX_NODE_UNKNOWN,
                                .due = rxtx_cpuset_has(online, number),
                            });
    if (has_unknown(plan, topology))
        add_group(plan, (rxtx_plan_group){.number = RXTX_NUMBER_UNKNOWN, .node = RXTX_NODE_UNKNOWN});
}

static int number_of(const rxtx_plan *plan, const rxtx_topology *topology, unsigned member)
{
    if (plan->options->group == RXTX_GROUP_NUMA)
        return topology->node[member];
    return plan->n_queues != 0 && member == plan->n_queues ? RXTX_NUMBER_UNKNOWN : (int)member;
}

static void add_stream(rxtx_plan *plan, unsigned member, int number)
{
    for (unsigned group = 0; group < plan->n_groups; group++)
        if (plan->groups[group].number == number)
            plan->streams[plan->n_streams++] = (rxtx_plan_stream){.member = member, .group = group};
}

static void add_streams(rxtx_plan *plan, const rxtx_topology *topology)
{
    plan->streams = g_new0(rxtx_plan_stream, plan->n_members);
    for (unsigned member = 0; member < plan->n_members; member++)
        if (plan->n_queues != 0 || rxtx_cpuset_has(&topology->possible, member))
            add_stream(plan, member, number_of(plan, topology, member));
}

/* The buffer is dealt to the CPUs that run, or to the queues; a CPU that may come online later has the least. */
static void deal_memory(rxtx_plan *plan, const rxtx_topology *topology)
{
    size_t total = plan->options->buffer * BYTES_PER_MIB;
    size_t offline = 0, share;

    for (unsigned i = 0; plan->n_queues == 0 && i < plan->n_streams; i++)
        offline += !rxtx_cpuset_has(&topology->online, plan->streams[i].member);
    share = total > offline * RXTX_RING_BYTES_MIN ? total - offline * RXTX_RING_BYTES_MIN : 0;
    share = MAX(share / MAX(plan->n_streams - offline, 1) / RXTX_RING_BYTES_MIN, 1) * RXTX_RING_BYTES_MIN;
    for (unsigned i = 0; i < plan->n_streams; i++)
        plan->streams[i].ring_bytes = plan->n_queues != 0 || rxtx_cpuset_has(&topology->online, plan->streams[i].member)
                                          ? share
                                          : RXTX_RING_BYTES_MIN;
}

/* ---- the file ---- */

static bool has_pcapng_name(const char *path)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);

    return g_str_has_suffix(lower, ".pcapng");
}

/* A fifo, /dev/null: nothing that a number could be put to. */
static bool is_special(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR) &&
           !g_file_test(path, G_FILE_TEST_IS_DIR);
}

bool rxtx_plan_wants_pcap(const rxtx_options *options)
{
    const char *path = options->write;

    if (path == NULL || rxtx_options_to_stdout(options) || options->format != RXTX_FORMAT_AUTO)
        return path != NULL && options->format == RXTX_FORMAT_PCAP;
    return !has_pcapng_name(path) && !is_special(path);
}

/* Several groups in one stream of bytes need pcapng, and Wireshark's fifo has always had it. */
static bool choose_format(rxtx_plan *plan, unsigned n_groups, GError **error)
{
    const rxtx_options *options = plan->options;
    bool shared = rxtx_options_to_stdout(options) && n_groups > 1;

    plan->format = options->format;
    if (options->face != RXTX_FACE_CLI || options->write == NULL)
        plan->format = RXTX_FORMAT_PCAPNG;
    if (plan->format == RXTX_FORMAT_AUTO && rxtx_options_to_stdout(options))
        plan->format = shared ? RXTX_FORMAT_PCAPNG : RXTX_FORMAT_PCAP;
    if (plan->format == RXTX_FORMAT_AUTO)
        plan->format = rxtx_plan_wants_pcap(options) ? RXTX_FORMAT_PCAP : RXTX_FORMAT_PCAPNG;
    if (plan->format == RXTX_FORMAT_PCAP && options->annotate != RXTX_ANNOTATE_INTERFACE)
        return rxtx_set_error(error, RXTX_ERROR_USAGE,
                              "--annotate needs pcapng. Name the file FILE.pcapng, or add --format pcapng.");
    return !shared || plan->format != RXTX_FORMAT_PCAP ||
           rxtx_set_error(error, RXTX_ERROR_USAGE,
                          "Write file '-' (stdout) is only permitted when capturing on a single %s.",
                          rxtx_group_noun(options->group));
}

static bool is_steered(const rxtx_options *options, const char *root)
{
    return options->interface != NULL && (options->direction & RXTX_DIRECTION_RX) &&
           rxtx_queues_steered(root, options->interface);
}

static bool fill(rxtx_plan *plan, const rxtx_topology *topology, const char *root, GError **error)
{
    g_autofree inventory *there = g_new0(inventory, 1);
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);
    g_autofree rxtx_cpuset *online = g_new0(rxtx_cpuset, 1);

    if (!find_interface(plan, plan->options->interface, error) || !take_inventory(plan, there, topology, root, error))
        return false;
    plan->n_numbers = rxtx_cpuset_count(&there->configured);
    select_numbers(set, plan->options, &there->configured);
    plan->absent = list_missing(set, &there->configured);
    if (!narrow(set, &there->configured, "configured", plan->options, error))
        return false;
    *online = *set;
    if (!narrow(online, &there->online, "online", plan->options, error))
        return false;
    if (!choose_format(plan, rxtx_cpuset_count(online) + has_unknown(plan, topology), error))
        return false;
    plan->offline = asked_by_number(plan->options) ? list_missing(set, online) : NULL;
    if (rxtx_options_to_stdout(plan->options) && plan->format == RXTX_FORMAT_PCAP)
        *set = *online; /* what comes online later could not be told apart in there */
    plan->one_linktype = plan->ifindex == 0 && (plan->format == RXTX_FORMAT_PCAP || plan->options->one_linktype);
    plan->steered = is_steered(plan->options, root);
    add_groups(plan, set, online, topology);
    add_streams(plan, topology);
    deal_memory(plan, topology);
    return true;
}

rxtx_plan *rxtx_plan_new(const rxtx_options *options, const rxtx_topology *topology, const char *root, GError **error)
{
    g_autoptr(rxtx_plan) plan = g_new0(rxtx_plan, 1);

    plan->options = options;
    plan->n_hosts = 1;
    plan->keep = options->write != NULL || options->face != RXTX_FACE_CLI;
    return fill(plan, topology, root, error) ? g_steal_pointer(&plan) : NULL;
}

rxtx_plan *rxtx_plan_of_hosts(const rxtx_options *options, char **hosts, const rxtx_plan_group *groups, unsigned n,
                              GError **error)
{
    g_autoptr(rxtx_plan) plan = g_new0(rxtx_plan, 1);
    unsigned in_bytes = 0; /* groups that one stream of bytes would have to hold */

    plan->options = options;
    plan->hosts = hosts;
    plan->n_hosts = g_strv_length(hosts);
    plan->keep = options->write != NULL || options->face == RXTX_FACE_EXTCAP;
    plan->groups = g_new(rxtx_plan_group, n);
    for (unsigned i = 0; i < n; i++) {
        add_group(plan, groups[i]);
        in_bytes += groups[i].due || groups[i].number == RXTX_NUMBER_UNKNOWN;
    }
    plan->n_numbers = plan->n_groups;
    if (!choose_format(plan, in_bytes, error))
        return NULL;
    if (options->interface == NULL && !options->one_linktype)
        plan->format = RXTX_FORMAT_PCAPNG; /* their link types are their own */
    return g_steal_pointer(&plan);
}

void rxtx_plan_free(rxtx_plan *plan)
{
    if (plan == NULL)
        return;
    g_strfreev(plan->hosts);
    g_free(plan->absent);
    g_free(plan->offline);
    g_free(plan->groups);
    g_free(plan->streams);
    g_free(plan);
}

char *rxtx_plan_group_name(const rxtx_plan *plan, unsigned group)
{
    const char *noun = rxtx_group_noun(plan->options->group);
    const char *space = plan->options->group == RXTX_GROUP_CPU ? "" : " ";
    const char *host = plan->n_hosts > 1 ? plan->hosts[plan->groups[group].host] : "";
    const char *gap = *host != '\0' ? " " : "";
    int number = plan->groups[group].number;

    if (number == RXTX_NUMBER_UNKNOWN)
        return g_strdup_printf("%s%s%s unknown", host, gap, noun);
    return g_strdup_printf("%s%s%s%s%d", host, gap, noun, space, number);
}
