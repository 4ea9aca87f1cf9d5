/* base/event.c: an event's words, for persons and for programs. */
#include <glib.h>

#include "base/event.h"

static void a_line_has_the_time_in_utc(void)
{
    static const struct {
        const char *host;
        uint64_t time_ns;
        const char *line;
    } events[] = {
        {NULL, 1795442602123456789, "2026-11-23T14:03:22.123456Z: CPU 3 went offline"},
        {"web1", 1795442602000000999, "web1: 2026-11-23T14:03:22.000000Z: CPU 3 went offline"},
        {"web1", 0, "web1: CPU 3 went offline"},
        {NULL, 1, "1970-01-01T00:00:00.000000Z: CPU 3 went offline"},
        {"web1", G_MAXUINT64, "web1: 2262-04-11T23:47:16.854775Z: CPU 3 went offline"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autoptr(rxtx_event) event =
            rxtx_event_heard(events[i].host, events[i].time_ns, "cpu-offline", 3, "CPU 3 went offline");
        g_autofree char *line = rxtx_event_line(event);
        g_assert_cmpstr(line, ==, events[i].line);
    }
}

static void each_kind_has_a_name_of_its_own_that_is_understood(void)
{
    for (unsigned kind = 0; kind <= RXTX_EVENT_OTHER; kind++) {
        const char *name = rxtx_event_name((rxtx_event_kind)kind);
        g_autoptr(rxtx_event) event = rxtx_event_heard("web1", 1, name, RXTX_EVENT_NO_CPU, "");
        g_assert_cmpint(event->kind, ==, kind);
    }
}

static void what_a_newer_program_says_is_of_another_kind(void)
{
    static const char *const names[] = {"", "cpu", "cpu-offline2", "CPU-OFFLINE"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(rxtx_event) event = rxtx_event_heard("web1", 1, names[i], RXTX_EVENT_NO_CPU, "");
        g_assert_cmpint(event->kind, ==, RXTX_EVENT_OTHER);
    }
}

static void an_event_of_now_has_now_s_time(void)
{
    uint64_t before = (uint64_t)g_get_real_time() * 1000;
    g_autoptr(rxtx_event) event = rxtx_event_new(RXTX_EVENT_CPU_ONLINE, 7, "CPU %u came online", 7);

    g_assert_cmpuint(event->time_ns, >=, before);
    g_assert_cmpuint(event->time_ns, <=, (uint64_t)g_get_real_time() * 1000);
    g_assert_cmpint(event->cpu, ==, 7);
    g_assert_null(event->host);
    g_assert_cmpstr(event->text, ==, "CPU 7 came online");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/event/line", a_line_has_the_time_in_utc);
    g_test_add_func("/event/names", each_kind_has_a_name_of_its_own_that_is_understood);
    g_test_add_func("/event/other", what_a_newer_program_says_is_of_another_kind);
    g_test_add_func("/event/now", an_event_of_now_has_now_s_time);
    return g_test_run();
}
