/* Which CPUs are captured and how much memory each gets. What the options are is options.c's, what the machine has is
 * topology.c's. */
#include "plan/plan.h"

#include "base/error.h"

enum { BYTES_PER_MIB = 1024 * 1024 };

/* As typed (options.c has checked the form), or all. */
static void select_cpus(rxtx_cpuset *set, const rxtx_options *options, const rxtx_topology *topology)
{
    *set = topology->possible;
    if (options->cpu_list != NULL && *options->cpu_list != '\0')
        rxtx_cpuset_parse_list(set, options->cpu_list);
    if (options->cpu_mask != NULL)
        rxtx_cpuset_parse_mask(set, options->cpu_mask);
}

static bool narrow(rxtx_cpuset *set, const rxtx_cpuset *to, const char *which, const rxtx_options *options,
                   GError **error)
{
    rxtx_cpuset_intersect(set, to);
    return rxtx_cpuset_count(set) > 0 || rxtx_set_error(error, RXTX_ERROR_USAGE, "No %s cpus present in cpu %s.", which,
                                                        options->cpu_mask != NULL ? "mask" : "list");
}

/* Those of `of` that are not in `in`, as a list; NULL = none. */
static char *list_missing(const rxtx_cpuset *of, const rxtx_cpuset *in)
{
    g_autofree rxtx_cpuset *missing = g_new0(rxtx_cpuset, 1);

    for (unsigned cpu = 0, limit = rxtx_cpuset_limit(of); cpu < limit; cpu++)
        if (rxtx_cpuset_has(of, cpu) && !rxtx_cpuset_has(in, cpu))
            rxtx_cpuset_add(missing, cpu);
    return rxtx_cpuset_count(missing) > 0 ? rxtx_cpuset_format(missing) : NULL;
}

static bool asked_by_number(const rxtx_options *options)
{
    return (options->cpu_list != NULL && *options->cpu_list != '\0') || options->cpu_mask != NULL;
}

/* The buffer is dealt to the CPUs that run; one that may come online later has the least. */
static void deal_memory(rxtx_plan *plan)
{
    size_t total = plan->options->buffer * BYTES_PER_MIB;
    size_t offline = 0, share;

    for (unsigned i = 0; i < plan->n_streams; i++)
        offline += !plan->streams[i].online;
    share = total > offline * RXTX_RING_BYTES_MIN ? total - offline * RXTX_RING_BYTES_MIN : 0;
    share = MAX(share / (plan->n_streams - offline) / RXTX_RING_BYTES_MIN, 1) * RXTX_RING_BYTES_MIN;
    for (unsigned i = 0; i < plan->n_streams; i++)
        plan->streams[i].ring_bytes = plan->streams[i].online ? share : RXTX_RING_BYTES_MIN;
}

static void add_streams(rxtx_plan *plan, const rxtx_cpuset *set, const rxtx_topology *topology)
{
    plan->streams = g_new0(rxtx_plan_stream, rxtx_cpuset_count(set));
    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (rxtx_cpuset_has(set, cpu))
            plan->streams[plan->n_streams++] = (rxtx_plan_stream){
                .cpu = cpu,
                .node = topology->n_nodes > 1 ? topology->node[cpu] : RXTX_NODE_UNKNOWN,
                .online = rxtx_cpuset_has(&topology->online, cpu),
            };
}

rxtx_plan *rxtx_plan_new(const rxtx_options *options, const rxtx_topology *topology, GError **error)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);
    g_autofree rxtx_cpuset *online = g_new0(rxtx_cpuset, 1);
    g_autofree char *absent = NULL;
    rxtx_plan *plan;

    select_cpus(set, options, topology);
    absent = list_missing(set, &topology->possible);
    if (!narrow(set, &topology->possible, "configured", options, error))
        return NULL;
    *online = *set;
    if (!narrow(online, &topology->online, "online", options, error))
        return NULL;
    plan = g_new0(rxtx_plan, 1);
    plan->options = options;
    plan->n_cpus = topology->limit;
    plan->absent = g_steal_pointer(&absent);
    plan->offline = asked_by_number(options) ? list_missing(set, online) : NULL;
    add_streams(plan, set, topology);
    deal_memory(plan);
    return plan;
}

void rxtx_plan_free(rxtx_plan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->absent);
    g_free(plan->offline);
    g_free(plan->streams);
    g_free(plan);
}
