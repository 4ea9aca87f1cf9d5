/* The original's diagnostic lines, which people know by heart and scripts may read. */
#include "ui/verbose.h"

#include <linux/if_packet.h>

static const char *direction_name(int direction)
{
    static const char *const names[] = {
        [RXTX_DIRECTION_RX] = "rx", [RXTX_DIRECTION_TX] = "tx", [RXTX_DIRECTION_RXTX] = "rxtx"};

    return names[direction];
}

static const char *wish(bool wanted)
{
    return wanted ? "requested" : "unwanted";
}

static void append_rings(GString *text, const rxtx_plan *plan)
{
    const char *separator = "";

    g_string_append(text, "using ring set '");
    for (unsigned i = 0; i < plan->n_groups; i++)
        if (plan->groups[i].due) {
            g_string_append_printf(text, "%s%d", separator, plan->groups[i].number);
            separator = ",";
        }
    g_string_append(text, "'\n");
}

static void append_interface(GString *text, const rxtx_plan *plan)
{
    if (plan->ifindex != 0)
        g_string_append_printf(text, "using ifindex '%u' for interface '%s'\n", plan->ifindex,
                               plan->options->interface);
    else
        g_string_append(text, "using ifindex '0' for any interface\n");
}

char *rxtx_verbose_text(const rxtx_plan *plan, unsigned fanout_group)
{
    const rxtx_options *options = plan->options;
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "Found '%u' %ss.\n", plan->n_numbers, rxtx_group_noun(options->group));
    for (unsigned i = 0; i < plan->n_groups; i++)
        if (!plan->groups[i].due && plan->groups[i].number >= 0)
            g_string_append_printf(text, "Skipping %s '%d' since it is offline.\n", rxtx_group_noun(options->group),
                                   plan->groups[i].number);
    g_string_append_printf(text, "using direction '%s'\n", direction_name(options->direction));
    g_string_append_printf(text, "using fanout group id '%u'\n", fanout_group);
    g_string_append_printf(text, "using fanout mode '%d'\n",
                           plan->n_queues != 0 ? PACKET_FANOUT_CBPF : PACKET_FANOUT_CPU);
    append_interface(text, plan);
    g_string_append_printf(text, "packet buffered output %s\n", wish(options->packet_buffered));
    g_string_append_printf(text, "using packet count '%" G_GUINT64_FORMAT "'%s\n", options->count,
                           options->count == 0 ? " (infinite)" : "");
    g_string_append_printf(text, "promiscuous mode %s\n", wish(options->promiscuous));
    if (options->promiscuous && plan->ifindex == 0)
        g_string_append(text, "skipping promiscuous mode for ifindex '0' (any interface)\n");
    g_string_append_printf(text, "using ring count '%u'\n", plan->n_due);
    g_string_append(text, "verbose output requested\n");
    append_rings(text, plan);
    return g_string_free(text, FALSE);
}
