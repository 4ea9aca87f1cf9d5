/* Words for the counters. Where they are printed is main.c's decision. */
#include "ui/summary.h"

#include <inttypes.h>

char *rxtx_summary_counts(const rxtx_summary *summary)
{
    GString *text = g_string_new(NULL);
    uint64_t total = 0;

    for (unsigned i = 0; i < summary->plan->n_streams; i++) {
        const rxtx_plan_stream *stream = &summary->plan->streams[i];
        if (!stream->online && summary->stats[i].accepted == 0)
            continue;
        g_string_append_printf(text, "%" PRIu64 " packets captured on cpu%u.\n", summary->stats[i].delivered,
                               stream->cpu);
        total += summary->stats[i].delivered;
    }
    g_string_append_printf(text, "%" PRIu64 " packets captured total.\n", total);
    return g_string_free(text, FALSE);
}

static void note_losses(GString *text, const rxtx_summary *summary)
{
    const rxtx_options *options = summary->plan->options;
    uint64_t total = 0;

    for (unsigned i = 0; i < summary->plan->n_streams; i++) {
        if (summary->stats[i].dropped > 0)
            g_string_append_printf(text, "%s: %" PRIu64 " packets lost on cpu%u.\n", options->program,
                                   summary->stats[i].dropped, summary->plan->streams[i].cpu);
        total += summary->stats[i].dropped;
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
        g_string_append_printf(text, "%s: %" PRIu64 " packets %s\n", summary->plan->options->program, n, what);
}

static uint64_t undelivered(const rxtx_summary *summary)
{
    uint64_t n = 0;

    for (unsigned i = 0; summary->whole && i < summary->plan->n_streams; i++)
        n += summary->stats[i].accepted - summary->stats[i].dropped - summary->stats[i].delivered;
    return n;
}

static void note_cpus(GString *text, const rxtx_plan *plan, const char *cpus, const char *what)
{
    if (cpus != NULL)
        g_string_append_printf(text, "%s: CPU %s: %s\n", plan->options->program, cpus, what);
}

char *rxtx_summary_notes(const rxtx_summary *summary)
{
    GString *text = g_string_new(NULL);

    note_cpus(text, summary->plan, summary->plan->absent, "not there, so not captured.");
    note_cpus(text, summary->plan, summary->plan->offline, "offline when the capture began.");
    note_losses(text, summary);
    note_packets(text, summary, undelivered(summary), "were accepted and not delivered in time.");
    note_packets(text, summary, summary->late, "came later than a newer one of another CPU: they are out of order.");
    note_times(text, summary, summary->clock_steps, "the clock was set back", "times before and after do not compare.");
    note_times(text, summary, summary->downs, "the interface went down", "what it carried meanwhile is not captured.");
    return g_string_free(text, FALSE);
}
