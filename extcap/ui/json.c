/* Writes the counts as JSON. Its members are json.h's, and what they mean to who reads them is base/stats.h's. */
#include "ui/json.h"

#include <json-glib/json-glib.h>

static void add_text(JsonBuilder *json, const char *name, const char *text)
{
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, text);
}

static void add_count(JsonBuilder *json, const char *name, uint64_t count)
{
    json_builder_set_member_name(json, name);
    json_builder_add_int_value(json, (gint64)count);
}

static void add_count_or_null(JsonBuilder *json, const char *name, uint64_t count, bool known)
{
    if (known) {
        add_count(json, name, count);
    } else {
        json_builder_set_member_name(json, name);
        json_builder_add_null_value(json);
    }
}

/* ---- the counters of one group, or of all ---- */

static void add_tally(JsonBuilder *json, const char *name, const rxtx_tally *tally)
{
    json_builder_set_member_name(json, name);
    json_builder_begin_object(json);
    add_count(json, "packets", tally->packets);
    add_count(json, "bytes", tally->bytes);
    add_count_or_null(json, "first_ns", tally->first_ns, tally->packets > 0);
    add_count_or_null(json, "last_ns", tally->last_ns, tally->packets > 0);
    json_builder_end_object(json);
}

static void add_stats(JsonBuilder *json, const rxtx_stats *stats, bool over)
{
    bool told = !over || rxtx_stats_agree(stats);

    add_count(json, "packets", stats->delivered);
    if (told)
        add_count(json, "bytes", rxtx_stats_bytes(stats));
    if (over)
        add_count(json, "accepted", stats->accepted);
    add_count(json, "dropped", stats->dropped);
    if (!told)
        return;
    add_tally(json, "rx", &stats->directions[RXTX_TALLY_RX]);
    add_tally(json, "tx", &stats->directions[RXTX_TALLY_TX]);
    if (stats->directions[RXTX_TALLY_UNKNOWN].packets > 0)
        add_tally(json, "other", &stats->directions[RXTX_TALLY_UNKNOWN]);
}

static void add_group(JsonBuilder *json, const rxtx_summary *summary, unsigned i)
{
    const rxtx_plan_group *group = &summary->plan->groups[i];

    json_builder_begin_object(json);
    if (summary->plan->hosts != NULL)
        add_text(json, "host", summary->plan->hosts[group->host]);
    add_count_or_null(json, rxtx_group_name(summary->plan->options->group), (uint64_t)group->number,
                      group->number != RXTX_NUMBER_UNKNOWN);
    if (group->node != RXTX_NODE_UNKNOWN)
        add_count(json, "node", (uint64_t)group->node);
    add_stats(json, &summary->stats[i], summary->over);
    json_builder_end_object(json);
}

static void add_groups(JsonBuilder *json, const rxtx_summary *summary)
{
    json_builder_set_member_name(json, "groups");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < summary->plan->n_groups; i++)
        if (rxtx_summary_shows(summary, i))
            add_group(json, summary, i);
    json_builder_end_array(json);
}

static void add_total(JsonBuilder *json, const rxtx_summary *summary)
{
    rxtx_stats total = rxtx_summary_total(summary);

    json_builder_set_member_name(json, "total");
    json_builder_begin_object(json);
    add_stats(json, &total, summary->over);
    json_builder_end_object(json);
}

/* ---- the capture ---- */

/* A name of an interface may be any bytes (dev_valid_name in net/core/dev.c), JSON is UTF-8. */
static void add_interface(JsonBuilder *json, const char *interface)
{
    g_autofree char *name = interface != NULL ? g_utf8_make_valid(interface, -1) : NULL;

    if (name != NULL) {
        add_text(json, "interface", name);
    } else {
        json_builder_set_member_name(json, "interface");
        json_builder_add_null_value(json);
    }
}

static void add_capture(JsonBuilder *json, const rxtx_summary *summary)
{
    const rxtx_options *options = summary->plan->options;

    add_text(json, "program", "rxtxcpu");
    add_text(json, "version", RXTX_VERSION);
    add_interface(json, options->interface);
    add_text(json, "group", rxtx_group_name(options->group));
    add_count(json, "start_ns", summary->start_ns);
    add_count(json, "end_ns", summary->now_ns);
    json_builder_set_member_name(json, "over");
    json_builder_add_boolean_value(json, summary->over);
}

static void add_host(JsonBuilder *json, const rxtx_summary *summary, unsigned host)
{
    const rxtx_clock_offset *clock = summary->clocks != NULL ? &summary->clocks[host] : NULL;

    json_builder_begin_object(json);
    add_text(json, "host", summary->plan->hosts[host]);
    if (clock != NULL && clock->known) {
        add_count(json, "clock_offset_ns", (uint64_t)clock->offset_ns);
        add_count(json, "clock_error_ns", (uint64_t)clock->error_ns);
    }
    json_builder_end_object(json);
}

static void add_hosts(JsonBuilder *json, const rxtx_summary *summary)
{
    if (summary->plan->hosts == NULL)
        return;
    json_builder_set_member_name(json, "hosts");
    json_builder_begin_array(json);
    for (unsigned i = 0; i < summary->plan->n_hosts; i++)
        add_host(json, summary, i);
    json_builder_end_array(json);
}

static void add_notes(JsonBuilder *json, const rxtx_summary *summary)
{
    if (summary->over) {
        add_count(json, "late", summary->late);
        add_count(json, "clock_steps", summary->clock_steps);
        add_count(json, "downs", summary->downs);
    }
    if (summary->plan->absent != NULL)
        add_text(json, "absent", summary->plan->absent);
    if (summary->plan->offline != NULL)
        add_text(json, "offline", summary->plan->offline);
}

static void add_event(JsonBuilder *json, const rxtx_event *event)
{
    g_autofree char *text = g_utf8_make_valid(event->text, -1); /* it may hold an interface's name */

    json_builder_begin_object(json);
    add_count(json, "time_ns", event->time_ns);
    if (event->host != NULL)
        add_text(json, "host", event->host);
    add_text(json, "event", rxtx_event_name(event->kind));
    if (event->cpu != RXTX_EVENT_NO_CPU)
        add_count(json, "cpu", (uint64_t)event->cpu);
    add_text(json, "text", text);
    json_builder_end_object(json);
}

static void add_events(JsonBuilder *json, const rxtx_summary *summary)
{
    if (!summary->over || summary->events == NULL)
        return;
    json_builder_set_member_name(json, "events");
    json_builder_begin_array(json);
    for (guint i = 0; i < summary->events->len; i++)
        add_event(json, g_ptr_array_index(summary->events, i));
    json_builder_end_array(json);
    if (summary->more_events > 0)
        add_count(json, "more_events", summary->more_events);
}

static char *write_out(JsonBuilder *json)
{
    g_autoptr(JsonNode) root = json_builder_get_root(json);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autofree char *text = NULL;

    json_generator_set_root(generator, root);
    text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}

char *rxtx_json_text(const rxtx_summary *summary)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    add_capture(json, summary);
    add_hosts(json, summary);
    add_groups(json, summary);
    add_total(json, summary);
    add_notes(json, summary);
    add_events(json, summary);
    json_builder_end_object(json);
    return write_out(json);
}
