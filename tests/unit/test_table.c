/* The table for people, of captures that never were. */
#include "ui/table.h"

#include <string.h>

enum { N = 4, WIDE = 200 };

typedef struct {
    rxtx_options options;
    rxtx_plan_group groups[N];
    rxtx_plan plan;
    rxtx_stats stats[N];
    rxtx_summary summary;
} capture;

static void set_up(capture *c, unsigned n_groups)
{
    *c = (capture){.options = {.program = "rxtxcpu", .group = RXTX_GROUP_CPU}};
    c->plan = (rxtx_plan){.options = &c->options, .groups = c->groups, .n_groups = n_groups};
    c->summary = (rxtx_summary){.plan = &c->plan, .stats = c->stats, .over = true, .whole = true};
    for (unsigned i = 0; i < n_groups; i++)
        c->groups[i] = (rxtx_plan_group){.number = (int)i, .node = RXTX_NODE_UNKNOWN, .due = true};
}

/* Packets of 100 bytes. */
static void add(capture *c, unsigned group, int direction, uint64_t packets)
{
    rxtx_stats more = {.accepted = packets, .delivered = packets};

    more.directions[direction] = (rxtx_tally){packets, packets * 100, 1, 2};
    rxtx_stats_add(&c->stats[group], &more);
}

static void lose(capture *c, unsigned group, uint64_t packets)
{
    rxtx_stats_add(&c->stats[group], &(rxtx_stats){.accepted = packets, .dropped = packets});
}

static void a_line_for_each_cpu_and_one_of_totals(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up(&c, 3);
    add(&c, 0, RXTX_TALLY_RX, 1000);
    add(&c, 0, RXTX_TALLY_TX, 1000);
    add(&c, 2, RXTX_TALLY_RX, 500);
    lose(&c, 2, 17);
    text = rxtx_table_text(&c.summary, 0, false);
    g_assert_cmpstr(text, ==,
                    "  CPU  PACKETS   SHARE   BYTES    RX    TX  DROPS\n"
                    "    0     2000   80.0%  200000  1000  1000      0\n"
                    "    1        0    0.0%       0     0     0      0\n"
                    "    2      500   20.0%   50000   500     0     17\n"
                    "total     2500  100.0%  250000  1500  1000     17\n");
}

static void the_bar_fills_what_the_numbers_leave(void)
{
    g_autofree char *none = NULL, *one = NULL, *some = NULL, *most = NULL;
    capture c;

    set_up(&c, 3);
    add(&c, 0, RXTX_TALLY_RX, 1000);
    add(&c, 1, RXTX_TALLY_RX, 500);
    add(&c, 2, RXTX_TALLY_RX, 1);
    some = rxtx_table_text(&c.summary, 52, false);
    g_assert_cmpstr(some, ==,
                    "  CPU  PACKETS   SHARE        BYTES    RX  TX  DROPS\n"
                    "    0     1000   66.6% ####  100000  1000   0      0\n"
                    "    1      500   33.3% ##     50000   500   0      0\n"
                    "    2        1    0.1% #        100     1   0      0\n"
                    "total     1501  100.0%       150100  1501   0      0\n");
    none = rxtx_table_text(&c.summary, 48, false);
    g_assert_null(strchr(none, '#'));
    one = rxtx_table_text(&c.summary, 49, false);
    g_assert_nonnull(strstr(one, "66.6% #  100000"));
    most = rxtx_table_text(&c.summary, WIDE, false);
    g_assert_nonnull(strstr(most, "66.6% ####################  100000"));
}

static void blocks_tell_eighths_of_a_cell(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up(&c, 4);
    add(&c, 0, RXTX_TALLY_RX, 160);
    add(&c, 1, RXTX_TALLY_RX, 87);
    add(&c, 2, RXTX_TALLY_RX, 9);
    text = rxtx_table_text(&c.summary, WIDE, true);
    g_assert_cmpstr(text, ==,
                    "  CPU  PACKETS   SHARE                       BYTES   RX  TX  DROPS\n"
                    "    0      160   62.5% ████████████████████  16000  160   0      0\n"
                    "    1       87   34.0% ██████████▉            8700   87   0      0\n"
                    "    2        9    3.5% █▏                      900    9   0      0\n"
                    "    3        0    0.0%                           0    0   0      0\n"
                    "total      256  100.0%                       25600  256   0      0\n");
}

/* However wide the terminal is, and with either kind of bar. */
static void all_lines_are_equally_wide_and_fit(void)
{
    capture c;

    set_up(&c, 4);
    for (unsigned i = 0; i < 4; i++)
        add(&c, i, RXTX_TALLY_RX, 12345u >> (4 * i));
    for (unsigned columns = 0; columns < WIDE; columns++) {
        g_autofree char *text = rxtx_table_text(&c.summary, columns, columns % 2);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, 7);
        g_assert_cmpstr(lines[6], ==, "");
        g_assert_cmpint(g_utf8_strlen(lines[0], -1), <=, MAX(columns, 52));
        for (unsigned i = 1; i < 6; i++)
            g_assert_cmpint(g_utf8_strlen(lines[i], -1), ==, g_utf8_strlen(lines[0], -1));
    }
}

static void nodes_and_unknown_directions_have_columns_where_there_are_any(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up(&c, 2);
    c.groups[1].node = 1;
    add(&c, 0, RXTX_TALLY_UNKNOWN, 3);
    text = rxtx_table_text(&c.summary, 0, false);
    g_assert_cmpstr(text, ==,
                    "  CPU  NODE  PACKETS   SHARE  BYTES  RX  TX  OTHER  DROPS\n"
                    "    0     -        3  100.0%    300   0   0      3      0\n"
                    "    1     1        0    0.0%      0   0   0      0      0\n"
                    "total     -        3  100.0%    300   0   0      3      0\n");
}

static void a_queue_that_is_not_known_is_shown_once_it_has_packets(void)
{
    g_autofree char *without = NULL, *with = NULL;
    capture c;

    set_up(&c, 2);
    c.options.group = RXTX_GROUP_QUEUE;
    c.groups[1] = (rxtx_plan_group){.number = RXTX_NUMBER_UNKNOWN, .node = RXTX_NODE_UNKNOWN};
    without = rxtx_table_text(&c.summary, 0, false);
    add(&c, 1, RXTX_TALLY_RX, 1);
    with = rxtx_table_text(&c.summary, 0, false);
    g_assert_null(strstr(without, "unknown"));
    g_assert_true(g_str_has_prefix(with, "  QUEUE  PACKETS"));
    g_assert_nonnull(strstr(with, "unknown        1  100.0%"));
}

/* A share of nothing is not known; of NUMA nodes, the number is the node. */
static void without_packets_there_are_no_shares(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up(&c, 1);
    c.options.group = RXTX_GROUP_NUMA;
    text = rxtx_table_text(&c.summary, 0, true);
    g_assert_cmpstr(text, ==,
                    " NODE  PACKETS  SHARE  BYTES  RX  TX  DROPS\n"
                    "    0        0      -      0   0   0      0\n"
                    "total        0      -      0   0   0      0\n");
}

static const char *const two_hosts[] = {"web1", "db2.example", NULL};

static void set_up_hosts(capture *c)
{
    set_up(c, 4);
    c->plan.hosts = (char **)two_hosts;
    c->plan.n_hosts = 2;
    for (unsigned i = 0; i < 4; i++)
        c->groups[i] = (rxtx_plan_group){.number = (int)(i % 2), .node = RXTX_NODE_UNKNOWN, .due = true, .host = i / 2};
}

static void several_hosts_have_a_column(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up_hosts(&c);
    add(&c, 0, RXTX_TALLY_RX, 30);
    add(&c, 3, RXTX_TALLY_TX, 10);
    lose(&c, 2, 5);
    text = rxtx_table_text(&c.summary, 0, false);
    g_assert_cmpstr(text, ==,
                    "       HOST    CPU  PACKETS   SHARE  BYTES  RX  TX  DROPS\n"
                    "       web1      0       30   75.0%   3000  30   0      0\n"
                    "       web1      1        0    0.0%      0   0   0      0\n"
                    "db2.example      0        0    0.0%      0   0   0      5\n"
                    "db2.example      1       10   25.0%   1000   0  10      0\n"
                    "             total       40  100.0%   4000  30  10      5\n");
}

static void one_host_has_no_column(void)
{
    g_autofree char *text = NULL;
    capture c;

    set_up_hosts(&c);
    c.plan.n_hosts = 1;
    c.plan.n_groups = 2;
    text = rxtx_table_text(&c.summary, 0, false);
    g_assert_null(strstr(text, "HOST"));
    g_assert_null(strstr(text, "web1"));
}

/* The bar stands beside the numbers of several hosts too, and gives way to them. */
static void the_bar_leaves_room_for_the_hosts(void)
{
    g_autofree char *wide = NULL;
    capture c;

    set_up_hosts(&c);
    for (unsigned i = 0; i < 4; i++)
        add(&c, i, RXTX_TALLY_RX, 10 + i);
    wide = rxtx_table_text(&c.summary, WIDE, false);
    g_assert_nonnull(strstr(wide, "db2.example      1       13   28.3% ####################  "));
    for (unsigned columns = 58; columns < 100; columns++) {
        g_autofree char *text = rxtx_table_text(&c.summary, columns, false);
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (unsigned i = 0; i < 6; i++)
            g_assert_cmpuint(strlen(lines[i]), <=, columns);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/a line for each CPU and one of totals", a_line_for_each_cpu_and_one_of_totals);
    g_test_add_func("/table/the bar fills what the numbers leave", the_bar_fills_what_the_numbers_leave);
    g_test_add_func("/table/blocks tell eighths of a cell", blocks_tell_eighths_of_a_cell);
    g_test_add_func("/table/all lines are equally wide and fit", all_lines_are_equally_wide_and_fit);
    g_test_add_func("/table/nodes and unknown directions have columns where there are any",
                    nodes_and_unknown_directions_have_columns_where_there_are_any);
    g_test_add_func("/table/a queue that is not known is shown once it has packets",
                    a_queue_that_is_not_known_is_shown_once_it_has_packets);
    g_test_add_func("/table/several hosts have a column", several_hosts_have_a_column);
    g_test_add_func("/table/one host has no column", one_host_has_no_column);
    g_test_add_func("/table/the bar leaves room for the hosts", the_bar_leaves_room_for_the_hosts);
    g_test_add_func("/table/without packets there are no shares", without_packets_there_are_no_shares);
    return g_test_run();
}
