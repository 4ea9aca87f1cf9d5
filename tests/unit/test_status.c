/* The status line: two moments of a capture in, a line out. */
#include "ui/status.h"

#include <stdio.h>
#include <string.h>

enum { N = 200 };

static const uint64_t second_ns = 1000000000;

typedef struct {
    rxtx_options options;
    rxtx_plan_group groups[N];
    rxtx_plan plan;
    rxtx_stats then[N], now[N];
    rxtx_summary before, after;
} capture;

/* A second between the two. */
static void set_up(capture *c, unsigned n_groups)
{
    *c = (capture){.options = {.program = "rxtxcpu", .group = RXTX_GROUP_CPU}};
    c->plan = (rxtx_plan){.options = &c->options, .groups = c->groups, .n_groups = n_groups};
    c->before = (rxtx_summary){.plan = &c->plan, .stats = c->then, .now_ns = 5 * second_ns};
    c->after = (rxtx_summary){.plan = &c->plan, .stats = c->now, .now_ns = 6 * second_ns};
    for (unsigned i = 0; i < n_groups; i++)
        c->groups[i] = (rxtx_plan_group){.number = (int)i, .node = RXTX_NODE_UNKNOWN, .due = true};
}

/* Of 1000 bytes, since the moment before. */
static void add(capture *c, unsigned group, uint64_t packets)
{
    rxtx_stats_add(&c->now[group],
                   &(rxtx_stats){.delivered = packets, .directions[RXTX_TALLY_RX] = {packets, packets * 1000, 1, 2}});
}

static const char *line(const capture *c, unsigned columns)
{
    static char kept[1024];
    g_autofree char *text = rxtx_status_line(&c->after, &c->before, columns);

    g_strlcpy(kept, text, sizeof kept);
    return kept;
}

static void the_busiest_cpu_is_first(void)
{
    capture c;

    set_up(&c, 4);
    add(&c, 1, 2);
    add(&c, 2, 12345);
    add(&c, 3, 2);
    g_assert_cmpstr(line(&c, 200), ==,
                    "12.3k pkt/s 98.8M bit/s 0 lost | cpu2 12.3k 98.8M | cpu1     2 16.0k | cpu3     2 16.0k"
                    " | cpu0     0     0");
}

static void only_what_came_since_the_line_before_counts(void)
{
    capture c;

    set_up(&c, 1);
    add(&c, 0, 5000);
    memcpy(c.then, c.now, sizeof c.now);
    add(&c, 0, 30);
    c.after.now_ns += 2 * second_ns;
    g_assert_cmpstr(line(&c, 80), ==, "   10 pkt/s 80.0k bit/s 0 lost | cpu0    10 80.0k");
}

static void two_cpus_fit_into_80_columns(void)
{
    capture c;

    set_up(&c, 4);
    for (unsigned i = 0; i < 4; i++)
        add(&c, i, 500000 + i);
    g_assert_cmpstr(line(&c, 80), ==, "2.00M pkt/s 16.0G bit/s 0 lost | cpu3  500k 4.00G | cpu2  500k 4.00G +2 more");
    set_up(&c, 128);
    for (unsigned i = 0; i < 128; i++)
        add(&c, i, 500000 + i);
    g_assert_cmpstr(line(&c, 80), ==, "64.0M pkt/s  512G bit/s 0 lost | cpu127  500k 4.00G | cpu126  500k 4.00G +126");
}

/* Every number in it is whole: what does not fit is not begun. */
static void no_line_is_too_wide(void)
{
    capture c;

    set_up(&c, N);
    for (unsigned i = 0; i < N; i++) {
        add(&c, i, 1u << (i % 30));
        c.now[i].dropped = i;
    }
    for (unsigned columns = 0; columns < 1000; columns++) {
        const char *text = line(&c, columns);
        unsigned shown = 0, rest = 0;
        const char *more = strrchr(text, '+');
        g_assert_cmpuint(strlen(text), <=, columns > 0 ? columns - 1 : 0);
        for (const char *p = text; *p != '\0'; p++) {
            g_assert_true(g_ascii_isprint(*p));
            shown += *p == '|';
        }
        g_assert_true(more == NULL || sscanf(more, "+%u", &rest) == 1);
        g_assert_true(shown == 0 || shown + rest == N);
    }
    g_assert_cmpstr(line(&c, 11), ==, "");
    g_assert_cmpstr(line(&c, 12), ==, "6.44G pkt/s");
    g_assert_cmpstr(line(&c, 24), ==, "6.44G pkt/s 51.5T bit/s");
    g_assert_cmpstr(line(&c, 35), ==, "6.44G pkt/s 51.5T bit/s 19900 lost");
}

static void losses_are_told_of_the_cpu_that_has_them(void)
{
    capture c;

    set_up(&c, 2);
    add(&c, 0, 1);
    c.then[1].dropped = 1200; /* a total: that none came since changes nothing */
    c.now[1].dropped = 1200;
    g_assert_cmpstr(line(&c, 100), ==,
                    "    1 pkt/s 8.00k bit/s 1200 lost | cpu0     1 8.00k | cpu1     0     0 1200 lost");
}

static void a_rate_has_five_cells(void)
{
    static const struct {
        uint64_t packets;
        const char *says;
    } cases[] = {{0, "    0 pkt/s"},      {999, "  999 pkt/s"},      {1000, "1.00k pkt/s"},  {9994, "9.99k pkt/s"},
                 {9995, "10.0k pkt/s"},   {99949, "99.9k pkt/s"},    {99950, " 100k pkt/s"}, {999499, " 999k pkt/s"},
                 {999500, "1.00M pkt/s"}, {148809523, " 149M pkt/s"}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        capture c;
        set_up(&c, 1);
        add(&c, 0, cases[i].packets);
        g_assert_cmpstr(line(&c, 12), ==, cases[i].says);
    }
}

static void names_are_padded_so_that_numbers_stand_below_each_other(void)
{
    capture c;

    set_up(&c, 12);
    add(&c, 3, 5);
    g_assert_cmpstr(line(&c, 80), ==,
                    "    5 pkt/s 40.0k bit/s 0 lost | cpu3      5 40.0k | cpu0      0     0 +10 more");
    set_up(&c, 2);
    c.options.group = RXTX_GROUP_QUEUE;
    c.groups[1].number = RXTX_NUMBER_UNKNOWN;
    g_assert_cmpstr(line(&c, 100), ==,
                    "    0 pkt/s     0 bit/s 0 lost | queue 0     0     0 | queue unknown     0     0");
}

static void a_cpu_that_is_not_there_has_no_place(void)
{
    capture c;

    set_up(&c, 2);
    c.groups[1].due = false;
    g_assert_null(strstr(line(&c, 200), "cpu1"));
    add(&c, 1, 1);
    g_assert_nonnull(strstr(line(&c, 200), "cpu1"));
}

static void without_time_there_is_no_rate(void)
{
    capture c;

    set_up(&c, 1);
    add(&c, 0, 7);
    c.after.now_ns = c.before.now_ns;
    g_assert_cmpstr(line(&c, 80), ==, "    - pkt/s     - bit/s 0 lost | cpu0     -     -");
    c.after.now_ns--; /* the clock was set back */
    g_assert_cmpstr(line(&c, 80), ==, "    - pkt/s     - bit/s 0 lost | cpu0     -     -");
}

static void counters_that_go_back_are_no_traffic(void)
{
    capture c;

    set_up(&c, 1);
    c.then[0] = (rxtx_stats){.dropped = 9, .delivered = 9, .directions[RXTX_TALLY_RX] = {9, 900, 1, 2}};
    add(&c, 0, 0);
    c.now[0].dropped = 4;
    g_assert_cmpstr(line(&c, 80), ==, "    0 pkt/s     0 bit/s 4 lost | cpu0     0     0 4 lost");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/the busiest CPU is first", the_busiest_cpu_is_first);
    g_test_add_func("/status/only what came since the line before counts", only_what_came_since_the_line_before_counts);
    g_test_add_func("/status/two CPUs fit into 80 columns", two_cpus_fit_into_80_columns);
    g_test_add_func("/status/no line is too wide", no_line_is_too_wide);
    g_test_add_func("/status/losses are told of the CPU that has them", losses_are_told_of_the_cpu_that_has_them);
    g_test_add_func("/status/a rate has five cells", a_rate_has_five_cells);
    g_test_add_func("/status/names are padded so that numbers stand below each other",
                    names_are_padded_so_that_numbers_stand_below_each_other);
    g_test_add_func("/status/a CPU that is not there has no place", a_cpu_that_is_not_there_has_no_place);
    g_test_add_func("/status/without time there is no rate", without_time_there_is_no_rate);
    g_test_add_func("/status/counters that go back are no traffic", counters_that_go_back_are_no_traffic);
    return g_test_run();
}
