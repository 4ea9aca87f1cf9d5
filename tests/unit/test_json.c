/* The counts for programs, read back as a program would. */
#include "ui/json.h"

#include <json-glib/json-glib.h>
#include <string.h>

enum { N = 2 };

typedef struct {
    rxtx_options options;
    rxtx_plan_group groups[N];
    rxtx_plan plan;
    rxtx_stats stats[N];
    rxtx_summary summary;
} capture;

static void set_up(capture *c)
{
    *c = (capture){
        .options = {.program = "rxcpu", .interface = (char *)"eth0", .group = RXTX_GROUP_CPU},
        .groups = {{.number = 0, .node = RXTX_NODE_UNKNOWN, .due = true}, {.number = 3, .node = 1, .due = true}}};
    c->plan = (rxtx_plan){.options = &c->options, .groups = c->groups, .n_groups = N};
    c->summary = (rxtx_summary){.plan = &c->plan,
                                .stats = c->stats,
                                .start_ns = 1700000000123456789,
                                .now_ns = 1700000001000000000,
                                .over = true,
                                .late = 5,
                                .clock_steps = 6,
                                .downs = 7};
    c->stats[1] = (rxtx_stats){.accepted = 12,
                               .dropped = 2,
                               .delivered = 10,
                               .directions = {[RXTX_TALLY_RX] = {7, 700, 1700000000200000001, 1700000000900000009},
                                              [RXTX_TALLY_TX] = {3, 150, 1700000000300000003, 1700000000300000003}}};
}

/* One line, and JSON: or it fails. Free with json_object_unref. */
static JsonObject *read_back(const capture *c)
{
    g_autofree char *text = rxtx_json_text(&c->summary);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(strchr(text, '\n') == text + strlen(text) - 1);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    json_parser_load_from_data(parser, text, -1, &error);
    g_assert_no_error(error);
    return json_object_ref(json_node_get_object(json_parser_get_root(parser)));
}

static JsonObject *group(JsonObject *all, unsigned i)
{
    return json_array_get_object_element(json_object_get_array_member(all, "groups"), i);
}

/* The members, and their order for who reads along. */
static void an_ended_capture_tells_all(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up(&c);
    text = rxtx_json_text(&c.summary);
    g_assert_cmpstr(
        text, ==,
        "{\"program\":\"rxtxcpu\",\"version\":\"" RXTX_VERSION "\",\"interface\":\"eth0\",\"group\":\"cpu\","
        "\"start_ns\":1700000000123456789,\"end_ns\":1700000001000000000,\"over\":true,\"groups\":["
        "{\"cpu\":0,\"packets\":0,\"bytes\":0,\"accepted\":0,\"dropped\":0,"
        "\"rx\":{\"packets\":0,\"bytes\":0,\"first_ns\":null,\"last_ns\":null},"
        "\"tx\":{\"packets\":0,\"bytes\":0,\"first_ns\":null,\"last_ns\":null}},"
        "{\"cpu\":3,\"node\":1,\"packets\":10,\"bytes\":850,\"accepted\":12,\"dropped\":2,"
        "\"rx\":{\"packets\":7,\"bytes\":700,\"first_ns\":1700000000200000001,\"last_ns\":1700000000900000009},"
        "\"tx\":{\"packets\":3,\"bytes\":150,\"first_ns\":1700000000300000003,\"last_ns\":1700000000300000003}}],"
        "\"total\":{\"packets\":10,\"bytes\":850,\"accepted\":12,\"dropped\":2,"
        "\"rx\":{\"packets\":7,\"bytes\":700,\"first_ns\":1700000000200000001,\"last_ns\":1700000000900000009},"
        "\"tx\":{\"packets\":3,\"bytes\":150,\"first_ns\":1700000000300000003,\"last_ns\":1700000000300000003}},"
        "\"late\":5,\"clock_steps\":6,\"downs\":7}\n");
}

static void events_are_told_at_the_end_as_they_came(void)
{
    g_autoptr(GPtrArray) events = g_ptr_array_new_with_free_func((GDestroyNotify)rxtx_event_free);
    g_autofree char *text = NULL, *before = NULL;
    capture c;

    set_up(&c);
    c.summary.events = events;
    text = rxtx_json_text(&c.summary);
    g_assert_nonnull(strstr(text, ",\"events\":[]}\n"));
    g_ptr_array_add(events, rxtx_event_heard(NULL, 1700000000500000000, "cpu-offline", 3, "CPU 3 went offline"));
    g_ptr_array_add(events, rxtx_event_heard("web1", 1700000000600000000, "?", RXTX_EVENT_NO_CPU, "\"\xff"));
    c.summary.more_events = 4;
    g_free(text);
    text = rxtx_json_text(&c.summary);
    g_assert_nonnull(strstr(text, ",\"events\":[{\"time_ns\":1700000000500000000,\"event\":\"cpu-offline\",\"cpu\":3,"
                                  "\"text\":\"CPU 3 went offline\"},{\"time_ns\":1700000000600000000,\"host\":\"web1\","
                                  "\"event\":\"other\",\"text\":\"\\\"\xef\xbf\xbd\"}],\"more_events\":4}\n"));
    c.summary.over = false;
    before = rxtx_json_text(&c.summary);
    g_assert_null(strstr(before, "events"));
}

static void what_only_the_end_tells_is_absent_before(void)
{
    static const char *const at_the_end[] = {"late", "clock_steps", "downs"};
    g_autoptr(JsonObject) all = NULL;
    capture c;

    set_up(&c);
    c.summary.over = false;
    all = read_back(&c);
    g_assert_false(json_object_get_boolean_member(all, "over"));
    for (gsize i = 0; i < G_N_ELEMENTS(at_the_end); i++)
        g_assert_false(json_object_has_member(all, at_the_end[i]));
    g_assert_false(json_object_has_member(group(all, 1), "accepted"));
    g_assert_false(json_object_has_member(json_object_get_object_member(all, "total"), "accepted"));
    g_assert_cmpint(json_object_get_int_member(group(all, 1), "dropped"), ==, 2);
}

static void what_is_not_known_is_null(void)
{
    g_autoptr(JsonObject) all = NULL;
    capture c;

    set_up(&c);
    c.options.interface = NULL;
    c.options.group = RXTX_GROUP_QUEUE;
    c.groups[1].number = RXTX_NUMBER_UNKNOWN;
    all = read_back(&c);
    g_assert_true(json_object_get_null_member(all, "interface"));
    g_assert_cmpstr(json_object_get_string_member(all, "group"), ==, "queue");
    g_assert_cmpint(json_object_get_int_member(group(all, 0), "queue"), ==, 0);
    g_assert_false(json_object_has_member(group(all, 0), "node"));
    g_assert_true(json_object_get_null_member(group(all, 1), "queue"));
}

static void an_unknown_direction_is_told_where_there_is_one(void)
{
    g_autoptr(JsonObject) all = NULL;
    JsonObject *other;
    capture c;

    set_up(&c);
    c.options.group = RXTX_GROUP_NUMA;
    c.stats[0] = (rxtx_stats){.accepted = 4, .delivered = 4, .directions[RXTX_TALLY_UNKNOWN] = {4, 44, 10, 20}};
    all = read_back(&c);
    other = json_object_get_object_member(group(all, 0), "other");
    g_assert_cmpint(json_object_get_int_member(group(all, 0), "numa"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(other, "packets"), ==, 4);
    g_assert_cmpint(json_object_get_int_member(other, "last_ns"), ==, 20);
    g_assert_false(json_object_has_member(group(all, 1), "other"));
    g_assert_true(json_object_has_member(json_object_get_object_member(all, "total"), "other"));
}

static void a_cpu_that_is_not_there_is_left_out(void)
{
    g_autoptr(JsonObject) all = NULL;
    capture c;

    set_up(&c);
    c.groups[0].due = false;
    c.plan.absent = (char *)"8,12-15";
    all = read_back(&c);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(all, "groups")), ==, 1);
    g_assert_cmpint(json_object_get_int_member(group(all, 0), "cpu"), ==, 3);
    g_assert_cmpstr(json_object_get_string_member(all, "absent"), ==, "8,12-15");
    g_assert_false(json_object_has_member(all, "offline"));
}

/* A double would round above 2^53. */
static void large_counts_stay_integers(void)
{
    g_autoptr(JsonObject) all = NULL;
    capture c;

    set_up(&c);
    c.stats[0].delivered = 9007199254740993;
    all = read_back(&c);
    g_assert_true(json_node_get_value_type(json_object_get_member(group(all, 0), "packets")) == G_TYPE_INT64);
    g_assert_cmpint(json_object_get_int_member(group(all, 0), "packets"), ==, 9007199254740993);
}

static void a_strange_name_is_still_json(void)
{
    g_autoptr(JsonObject) all = NULL;
    capture c;

    set_up(&c);
    c.options.interface = (char *)"a\"\\\033\377";
    all = read_back(&c);
    g_assert_cmpstr(json_object_get_string_member(all, "interface"), ==, "a\"\\\033\357\277\275");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/an ended capture tells all", an_ended_capture_tells_all);
    g_test_add_func("/json/events", events_are_told_at_the_end_as_they_came);
    g_test_add_func("/json/what only the end tells is absent before", what_only_the_end_tells_is_absent_before);
    g_test_add_func("/json/what is not known is null", what_is_not_known_is_null);
    g_test_add_func("/json/an unknown direction is told where there is one",
                    an_unknown_direction_is_told_where_there_is_one);
    g_test_add_func("/json/a CPU that is not there is left out", a_cpu_that_is_not_there_is_left_out);
    g_test_add_func("/json/large counts stay integers", large_counts_stay_integers);
    g_test_add_func("/json/a strange name is still JSON", a_strange_name_is_still_json);
    return g_test_run();
}
