/* Any numbers as the counts of a capture, and any words as what another host tells of an event: the status line fits,
 * the table has a line for each group, the JSON says the same numbers, and nothing holds what a terminal obeys. */
#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "base/event.h"
#include "remote/message.h"
#include "ui/json.h"
#include "ui/status.h"
#include "ui/summary.h"
#include "ui/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { GROUPS_MAX = 6 };

/* Half the times a small one; none is above what JSON's readers hold. */
static uint64_t take_count(input *in)
{
    return take_number(in, take_number(in, 1) % 2 ? 8 : 1) & INT64_MAX;
}

typedef struct {
    rxtx_options options;
    rxtx_plan plan;
    rxtx_plan_group groups[GROUPS_MAX];
    rxtx_stats before[GROUPS_MAX], stats[GROUPS_MAX];
    char *hosts[2];
} capture;

static void take_stats(input *in, rxtx_stats *stats)
{
    *stats = (rxtx_stats){.accepted = take_count(in) / GROUPS_MAX,
                          .dropped = take_count(in) / GROUPS_MAX,
                          .delivered = take_count(in) / GROUPS_MAX};
    for (unsigned i = 0; i < RXTX_TALLIES; i++)
        stats->directions[i] = (rxtx_tally){.packets = take_count(in) / GROUPS_MAX,
                                            .bytes = take_count(in) / GROUPS_MAX / RXTX_TALLIES,
                                            .first_ns = take_count(in),
                                            .last_ns = take_count(in)};
}

static void take_capture(input *in, capture *c)
{
    unsigned kinds = (unsigned)take_number(in, 1);

    *c = (capture){.options = {.program = "rxtxcpu", .group = RXTX_GROUP_CPU + (int)(kinds % 3)},
                   .hosts = {kinds & 64 ? (char *)"web1" : NULL, (char *)"a-host.example"}};
    c->plan = (rxtx_plan){.options = &c->options,
                          .groups = c->groups,
                          .n_groups = 1 + kinds / 4 % GROUPS_MAX,
                          .hosts = c->hosts,
                          .n_hosts = kinds & 64 ? 2 : 1};
    for (unsigned i = 0; i < c->plan.n_groups; i++) {
        unsigned flags = (unsigned)take_number(in, 1);
        c->groups[i] = (rxtx_plan_group){.number = (int)take_number(in, 2) - 1,
                                         .node = flags % 4 - 1,
                                         .due = flags & 4 || i == 0,
                                         .host = flags / 8 % c->plan.n_hosts};
        take_stats(in, &c->before[i]);
        take_stats(in, &c->stats[i]);
    }
}

/* ---- promises ---- */

static void check_harmless(const char *text, const char *kept)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        g_assert_true(g_unichar_isprint(g_utf8_get_char(at)) || strchr(kept, *at) != NULL);
}

static void check_table(const rxtx_summary *summary, unsigned columns)
{
    g_autofree char *text = rxtx_table_text(summary, columns, columns % 2 == 0);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned shown = 0;

    check_harmless(text, "\n");
    for (unsigned i = 0; i < summary->plan->n_groups; i++)
        shown += rxtx_summary_shows(summary, i);
    g_assert_cmpuint(g_strv_length(lines), ==, shown + 3); /* titles, totals, and nothing behind the last newline */
    for (unsigned i = 0; i < shown + 2; i++)
        g_assert_cmpint(g_utf8_strlen(lines[i], -1), <=, MAX(columns, 250));
}

static void check_event(JsonObject *json, const rxtx_event *event)
{
    JsonObject *told = json_array_get_object_element(json_object_get_array_member(json, "events"), 0);

    g_assert_cmpstr(json_object_get_string_member(told, "text"), ==, event->text);
    g_assert_cmpstr(json_object_get_string_member(told, "event"), ==, rxtx_event_name(event->kind));
    g_assert_cmpint(json_object_get_int_member(told, "time_ns"), >=, 0);
    g_assert_true(json_object_has_member(told, "cpu") == (event->cpu >= 0));
}

static void check_json(const rxtx_summary *summary)
{
    g_autofree char *text = rxtx_json_text(summary);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    rxtx_stats sum = rxtx_summary_total(summary);
    JsonObject *json, *total;

    check_harmless(text, "\n");
    json_parser_load_from_data(parser, text, -1, &error);
    g_assert_no_error(error);
    json = json_node_get_object(json_parser_get_root(parser));
    total = json_object_get_object_member(json, "total");
    g_assert_cmpint(json_object_get_int_member(total, "packets"), ==, (gint64)sum.delivered);
    g_assert_cmpint(json_object_get_int_member(total, "dropped"), ==, (gint64)sum.dropped);
    g_assert_true(json_object_has_member(json, "events") == summary->over);
    if (summary->over)
        check_event(json, g_ptr_array_index(summary->events, 0));
}

static void check_status(const rxtx_summary *now, const rxtx_summary *before, unsigned columns)
{
    g_autofree char *line = rxtx_status_line(now, before, columns);

    check_harmless(line, "");
    g_assert_true(g_str_is_ascii(line));
    g_assert_cmpuint(strlen(line), <, MAX(columns, 1));
}

static void check_line(const rxtx_event *event)
{
    g_autofree char *line = rxtx_event_line(event);
    g_autoptr(rxtx_event) again =
        rxtx_event_heard(event->host, event->time_ns, rxtx_event_name(event->kind), event->cpu, event->text);

    check_harmless(line, "");
    g_assert_true(g_str_has_prefix(line, "web1: "));
    g_assert_true(g_str_has_suffix(line, event->text));
    g_assert_cmpint(again->kind, ==, event->kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    capture c;
    unsigned columns = (unsigned)take_number(&in, 1);
    bool over = take_number(&in, 1) % 2;
    uint64_t time_ns = take_number(&in, 8);
    int cpu = (int)take_number(&in, 2) - 1;
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)rxtx_event_free);
    g_autofree char *kind = NULL, *told = NULL, *text = NULL, *counts = NULL, *notes = NULL;
    rxtx_summary now, before;

    take_capture(&in, &c);
    before = (rxtx_summary){.plan = &c.plan, .stats = c.before, .now_ns = take_count(&in)};
    now = (rxtx_summary){.plan = &c.plan, .stats = c.stats, .now_ns = take_count(&in), .over = over, .events = events};
    now.late = take_count(&in);
    now.clock_steps = take_count(&in);
    now.downs = take_count(&in);
    kind = g_strndup(in.left > 0 ? (const char *)in.at : "", MIN(in.left, 11));
    told = g_strndup(in.left > 0 ? (const char *)in.at : "", in.left);
    text = g_strdelimit(rxtx_message_clean(told, 1), "\t", ' ');
    g_ptr_array_add(events, rxtx_event_heard("web1", time_ns, kind, cpu, text));
    check_line(g_ptr_array_index(events, 0));
    check_status(&now, &before, columns);
    check_table(&now, columns);
    check_json(&now);
    counts = rxtx_summary_counts(&now);
    notes = rxtx_summary_notes(&now);
    check_harmless(counts, "\n");
    check_harmless(notes, "\n");
    return 0;
}
