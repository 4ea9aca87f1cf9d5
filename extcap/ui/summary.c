/* Words for the counters. Where they are printed is main.c's decision. */
#include "ui/summary.h"

#include <inttypes.h>

bool rxtx_summary_shows(const rxtx_summary *summary, unsigned group)
{
    const rxtx_stats *stats = &summary->stats[group];

    return summary->plan->groups[group].due || stats->accepted > 0 || stats->delivered > 0;
}

rxtx_stats rxtx_summary_total(const rxtx_summary *summary)
{
    rxtx_stats total = {0};

    for (unsigned i = 0; i < summary->plan->n_groups; i++)
        rxtx_stats_add(&total, &summary->stats[i]);
    return total;
}

char *rxtx_summary_counts(const rxtx_summary *summary)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < summary->plan->n_groups; i++) {
        g_autofree char *name = rxtx_plan_group_name(summary->plan, i);
        if (rxtx_summary_shows(summary, i))
            g_string_append_printf(text, "%" PRIu64 " packets captured on %s.\n", summary->stats[i].delivered, name);
    }
    g_string_append_printf(text, "%" PRIu64 " packets captured total.\n", rxtx_summary_total(summary).delivered);
    return g_string_free(text, FALSE);
}

static void note_losses(GString *text, const rxtx_summary *summary)
{
    const rxtx_options *options = summary->plan->options;
    uint64_t total = rxtx_summary_total(summary).dropped;

    for (unsigned i = 0; i < summary->plan->n_groups; i++) {
        g_autofree char *name = rxtx_plan_group_name(summary->plan, i);
        if (summary->stats[i].dropped > 0)
            g_string_append_printf(text, "%s: %" PRIu64 " packets lost on %s.\n", options->program,
                                   summary->stats[i].dropped, name);
    }
    if (total > 0)
        g_string_append_printf(text,
                               "%s: %" PRIu64
                               " packets lost in total, the buffer was full. Try: a larger one (-B %" PRIu64
                               ") or fewer bytes of each packet (-s 128)\n",
                               options->program, total, 4 * options->buffer);
}

/* "WHAT (N times): MEANING" for things that happen, "N WHAT" for packets. */
static void note_times(GString *text, const rxtx_summary *summary, uint64_t n, const char *what, const char *meaning)
{
    if (n > 0)
        g_string_append_printf(text, "%s: %s (%" PRIu64 " time%s): %s\n", summary->plan->options->program, what, n,
                               n > 1 ? "s" : "", meaning);
}

static void note_packets(GString *text, const rxtx_summary *summary, uint64_t n, const char *what)
{
    if (n > 0)
        g_string_append_printf(text, "%s: %" PRIu64 " packet%s %s\n", summary->plan->options->program, n,
                               n > 1 ? "s" : "", what);
}

static uint64_t undelivered(const rxtx_summary *summary)
{
    rxtx_stats total = rxtx_summary_total(summary);

    return summary->whole ? total.accepted - total.dropped - total.delivered : 0;
}

static void note_numbers(GString *text, const rxtx_plan *plan, const char *numbers, const char *what)
{
    static const char *const nouns[] = {
        [RXTX_GROUP_CPU] = "CPU", [RXTX_GROUP_QUEUE] = "queue", [RXTX_GROUP_NUMA] = "NUMA node"};

    if (numbers != NULL)
        g_string_append_printf(text, "%s: %s %s: %s\n", plan->options->program, nouns[plan->options->group], numbers,
                               what);
}

/* Asked for by number, and what has none is not captured: a 0 that is not what it looks like. */
static void note_unheard(GString *text, const rxtx_plan *plan)
{
    const rxtx_options *options = plan->options;
    bool unheard = plan->n_queues != 0 && !plan->rx_recorded && (options->direction & RXTX_DIRECTION_RX) &&
                   plan->groups[plan->n_groups - 1].number != RXTX_NUMBER_UNKNOWN;

    if (unheard)
        g_string_append_printf(
            text,
            "%s: %s does not tell the queue of what it receives: that is not captured with a list of "
            "queues. Leave the list out to have it as 'unknown'\n",
            options->program, options->interface);
}

char *rxtx_summary_warnings(const rxtx_plan *plan)
{
    GString *text = g_string_new(NULL);

    note_numbers(text, plan, plan->absent, "not there, so not captured.");
    note_numbers(text, plan, plan->offline, "offline when the capture began.");
    note_unheard(text, plan);
    return g_string_free(text, FALSE);
}

/* How far `of` is from `from`, of two clocks that were compared with ours. */
static void note_clock(GString *text, const rxtx_summary *summary, unsigned host, const rxtx_clock_offset *from,
                       const char *whose)
{
    const rxtx_clock_offset *of = &summary->clocks[host];
    int64_t apart_ns = of->offset_ns - from->offset_ns;

    g_string_append_printf(text,
                           "%s: The clock of %s is %.6f s %s %s (+- %.6f s): each packet has its own host's time\n",
                           summary->plan->options->program, summary->plan->hosts[host], (double)ABS(apart_ns) / 1e9,
                           apart_ns < 0 ? "behind" : "ahead of", whose, (double)(of->error_ns + from->error_ns) / 1e9);
}

static void note_drift(GString *text, const rxtx_summary *summary, unsigned host)
{
    static const int64_t little_ns = 1000000;
    const rxtx_clock_offset *clock = &summary->clocks[host];
    int64_t moved_ns = clock->offset_ns - clock->first_ns;

    if (clock->known && ABS(moved_ns) > clock->error_ns + clock->first_error_ns + little_ns)
        g_string_append_printf(text, "%s: The clock of %s went %s by %.6f s against this machine's meanwhile\n",
                               summary->plan->options->program, summary->plan->hosts[host],
                               moved_ns < 0 ? "back" : "forth", (double)ABS(moved_ns) / 1e9);
}

/* Of several hosts always, for their packets stand side by side; of one if it is far off. */
static void note_clocks(GString *text, const rxtx_summary *summary)
{
    static const rxtx_clock_offset ours = {.known = true};
    static const int64_t much_ns = 100000000;
    const rxtx_plan *plan = summary->plan;

    if (summary->clocks == NULL || !summary->clocks[0].known)
        return;
    for (unsigned i = 0; i < plan->n_hosts; i++)
        note_drift(text, summary, i);
    for (unsigned i = 1; i < plan->n_hosts; i++) {
        g_autofree char *whose = g_strdup_printf("that of %s", plan->hosts[0]);
        if (summary->clocks[i].known)
            note_clock(text, summary, i, &summary->clocks[0], whose);
    }
    if (plan->n_hosts == 1 && ABS(summary->clocks[0].offset_ns) > much_ns + summary->clocks[0].error_ns)
        note_clock(text, summary, 0, &ours, "this machine's");
}

char *rxtx_summary_notes(const rxtx_summary *summary)
{
    GString *text = g_string_new(NULL);

    note_losses(text, summary);
    note_packets(text, summary, undelivered(summary), "were accepted and not delivered in time.");
    note_packets(text, summary, summary->late, "came later than a newer one of another CPU: they are out of order.");
    note_times(text, summary, summary->clock_steps, "the clock was set back", "times before and after cannot be compared.");
    note_times(text, summary, summary->downs, "the interface went down", "what it carried meanwhile is not captured.");
    note_clocks(text, summary);
    return g_string_free(text, FALSE);
}
