/* Sums of packets: for each CPU, each flow, and each CPU's share of a flow. */
#include <string.h>

#include "tally.h"

typedef rxtx_tally tally;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tally, rxtx_tally_free)

static const rxtx_endpoints ends = {.src_port = 1, .dst_port = 2, .port_type = 2};

static rxtx_number known(guint32 number)
{
    return (rxtx_number){RXTX_KNOWN, number};
}

/* Of 100 bytes, received. */
static rxtx_tally_packet on_cpu(guint32 cpu, guint32 flow)
{
    return (rxtx_tally_packet){
        .cpu = known(cpu), .way = RXTX_WAY_RECEIVED, .bytes = 100, .flow = flow, .forward = true};
}

static rxtx_tally_packet on_host(const char *host, guint32 cpu, guint32 flow)
{
    rxtx_tally_packet packet = on_cpu(cpu, flow);

    packet.host = host;
    return packet;
}

static rxtx_tally_packet on_no_cpu(guint32 flow)
{
    rxtx_tally_packet packet = on_cpu(0, flow);

    packet.cpu = (rxtx_number){0};
    return packet;
}

static void add(rxtx_tally *t, rxtx_tally_packet packet)
{
    rxtx_tally_add(t, &packet, packet.flow != 0 ? &ends : NULL);
}

static void append_number(GString *text, rxtx_number number)
{
    if (number.presence == RXTX_KNOWN)
        g_string_append_printf(text, "%u", number.number);
    else
        g_string_append(text, "?");
}

static void append_host(GString *text, const char *host)
{
    g_string_append_printf(text, "%s%s", host, *host != '\0' ? "/" : "");
}

/* "3:2p200b ?:1p100b web1/3:1p100b": the host, the CPU, its packets and bytes. */
static char *cpus(const rxtx_tally *t)
{
    GPtrArray *rows = rxtx_tally_cpus(t);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_cpu_row *row = g_ptr_array_index(rows, i);

        g_string_append(text, i > 0 ? " " : "");
        append_host(text, row->host);
        append_number(text, row->cpu);
        g_string_append_printf(text, ":%" G_GUINT64_FORMAT "p%" G_GUINT64_FORMAT "b", row->packets, row->bytes);
    }
    g_ptr_array_unref(rows);
    return g_string_free(text, FALSE);
}

/* "3/1:2p200b": the CPU and the flow. */
static char *shares(const rxtx_tally *t)
{
    GPtrArray *rows = rxtx_tally_shares(t);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_share_row *row = g_ptr_array_index(rows, i);

        g_string_append(text, i > 0 ? " " : "");
        append_host(text, row->host);
        append_number(text, row->cpu);
        g_string_append_printf(text, "/%u:%" G_GUINT64_FORMAT "p%" G_GUINT64_FORMAT "b", row->flow, row->packets,
                               row->bytes);
    }
    g_ptr_array_unref(rows);
    return g_string_free(text, FALSE);
}

/* "1> in 3:2p200b": the flow, its direction and way, the CPU. */
static char *lanes(const rxtx_tally *t)
{
    static const char *const ways[] = {"-", "in", "out"};
    GPtrArray *rows = rxtx_tally_lanes(t);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_share_row *row = g_ptr_array_index(rows, i);

        g_string_append_printf(text, "%s%u%s %s ", i > 0 ? ", " : "", row->flow, row->forward ? ">" : "<",
                               ways[row->way]);
        append_number(text, row->cpu);
        g_string_append_printf(text, ":%" G_GUINT64_FORMAT "p%" G_GUINT64_FORMAT "b", row->packets, row->bytes);
    }
    g_ptr_array_unref(rows);
    return g_string_free(text, FALSE);
}

static void assert_reads(char *text, const char *expected)
{
    g_assert_cmpstr(text, ==, expected);
    g_free(text);
}

/* A copy of the row. */
static rxtx_cpu_row cpu_row(const rxtx_tally *t, rxtx_number cpu)
{
    GPtrArray *rows = rxtx_tally_cpus(t);
    rxtx_cpu_row found = {0};

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_cpu_row *row = g_ptr_array_index(rows, i);

        if ((row->cpu.presence == RXTX_KNOWN) == (cpu.presence == RXTX_KNOWN) && row->cpu.number == cpu.number)
            found = *row;
    }
    g_ptr_array_unref(rows);
    return found;
}

static void an_empty_tally_has_no_rows(void)
{
    g_autoptr(tally) t = rxtx_tally_new();

    assert_reads(cpus(t), "");
    assert_reads(shares(t), "");
    assert_reads(lanes(t), "");
    g_assert_cmpuint(rxtx_tally_flow_count(t), ==, 0);
    rxtx_tally_free(NULL);
}

static void cpus_stand_by_their_number_and_the_unknown_one_last(void)
{
    g_autoptr(tally) t = rxtx_tally_new();

    add(t, on_no_cpu(0));
    add(t, on_cpu(4294967294, 0));
    add(t, on_cpu(10, 0));
    add(t, on_cpu(9, 0));
    add(t, on_cpu(0, 0));
    add(t, on_cpu(10, 0));
    assert_reads(cpus(t), "0:1p100b 9:1p100b 10:2p200b 4294967294:1p100b ?:1p100b");
}

static void cpus_that_are_not_known_are_one(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_no_cpu(1);

    add(t, packet);
    packet.cpu.presence = RXTX_UNKNOWN;
    add(t, packet);
    add(t, on_cpu(0, 1)); /* has the same number, but is known */
    assert_reads(cpus(t), "0:1p100b ?:2p200b");
    assert_reads(shares(t), "0/1:1p100b ?/1:2p200b");
    assert_reads(lanes(t), "1> in 0:1p100b, 1> in ?:2p200b");
}

static void everything_of_a_cpu_is_added_up(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = {
        .cpu = known(3), .bytes = 4000000000, .way = RXTX_WAY_SENT, .drops = 1ull << 40, .drops_of_cpu = true};
    rxtx_cpu_row row;

    add(t, packet);
    add(t, packet);
    packet = (rxtx_tally_packet){
        .cpu = known(3), .bytes = 1, .way = RXTX_WAY_RECEIVED, .drops = 5, .drops_of_cpu = true, .repeat = true};
    add(t, packet);
    packet.way = RXTX_WAY_UNKNOWN;
    add(t, packet);
    row = cpu_row(t, known(3));
    g_assert_cmpuint(row.packets, ==, 4);
    g_assert_cmpuint(row.bytes, ==, 8000000002);
    g_assert_cmpuint(row.received, ==, 1);
    g_assert_cmpuint(row.sent, ==, 2);
    g_assert_cmpuint(row.repeats, ==, 2);
    g_assert_cmpuint(row.drops, ==, (2ull << 40) + 10);
    g_assert_cmpuint(row.moves_in + row.moves_out + row.flows, ==, 0);
}

static void losses_of_a_queue_are_no_cpus(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = {.cpu = known(3), .drops = 7};

    add(t, packet);
    g_assert_cmpuint(cpu_row(t, known(3)).drops, ==, 0);
    g_assert_cmpuint(cpu_row(t, (rxtx_number){RXTX_UNKNOWN, 0}).drops, ==, 7);
    g_assert_cmpuint(cpu_row(t, (rxtx_number){RXTX_UNKNOWN, 0}).packets, ==, 0);
}

static void a_move_is_in_where_it_came_and_out_where_it_was(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(2, 1);

    add(t, packet);
    packet.prev_cpu = 2; /* means nothing where there was no move */
    add(t, packet);
    g_assert_cmpuint(cpu_row(t, known(2)).moves_out, ==, 0);
    packet.moved = true;
    packet.prev_cpu = 7;
    add(t, packet);
    packet.cpu = known(7);
    packet.prev_cpu = 2;
    add(t, packet);
    add(t, packet);
    g_assert_cmpuint(cpu_row(t, known(2)).moves_in, ==, 1);
    g_assert_cmpuint(cpu_row(t, known(2)).moves_out, ==, 2);
    g_assert_cmpuint(cpu_row(t, known(7)).moves_in, ==, 2);
    g_assert_cmpuint(cpu_row(t, known(7)).moves_out, ==, 1);
    g_assert_cmpuint(rxtx_tally_flow(t, 1)->moves, ==, 3);
}

/* The filter let no packet through of the CPU that the flow was moved from. */
static void a_cpu_that_was_left_has_a_row_without_packets(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(2, 1);

    packet.moved = true;
    packet.prev_cpu = 1;
    add(t, packet);
    assert_reads(cpus(t), "1:0p0b 2:1p100b");
    g_assert_cmpuint(cpu_row(t, known(1)).flows, ==, 0);
    g_assert_cmpuint(rxtx_tally_flow(t, 1)->cpus, ==, 1);
}

static void a_node_is_what_the_first_packet_says_that_says_one(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(2, 0);

    add(t, packet);
    g_assert_cmpint(cpu_row(t, known(2)).node.presence, ==, RXTX_ABSENT);
    packet.node.presence = RXTX_UNKNOWN;
    add(t, packet);
    g_assert_cmpint(cpu_row(t, known(2)).node.presence, ==, RXTX_UNKNOWN);
    packet.node = known(1);
    add(t, packet);
    packet.node = known(0);
    add(t, packet);
    g_assert_cmpint(cpu_row(t, known(2)).node.presence, ==, RXTX_KNOWN);
    g_assert_cmpuint(cpu_row(t, known(2)).node.number, ==, 1);
}

static void the_flows_of_a_cpu_are_counted_once_each(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(0, 1);

    add(t, packet);
    packet.forward = false;
    add(t, packet);
    packet.way = RXTX_WAY_SENT;
    add(t, packet);
    add(t, on_cpu(0, 2));
    add(t, on_cpu(0, 0)); /* has none */
    add(t, on_cpu(5, 2));
    add(t, on_no_cpu(2));
    g_assert_cmpuint(cpu_row(t, known(0)).flows, ==, 2);
    g_assert_cmpuint(cpu_row(t, known(5)).flows, ==, 1);
    g_assert_cmpuint(cpu_row(t, (rxtx_number){0}).flows, ==, 1);
    g_assert_cmpuint(rxtx_tally_flow_count(t), ==, 2);
}

static void the_cpus_of_a_flow_are_counted_once_each_if_they_are_known(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(0, 1);

    add(t, packet);
    packet.forward = false;
    add(t, packet);
    g_assert_cmpuint(rxtx_tally_flow(t, 1)->cpus, ==, 1);
    packet.cpu = known(5);
    add(t, packet);
    packet.way = RXTX_WAY_SENT;
    add(t, packet);
    add(t, on_no_cpu(1));
    g_assert_cmpuint(rxtx_tally_flow(t, 1)->cpus, ==, 2);
    add(t, on_no_cpu(2));
    g_assert_cmpuint(rxtx_tally_flow(t, 2)->cpus, ==, 0);
}

static void everything_of_a_flow_is_added_up(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(0, 7);
    const rxtx_endpoints others = {.src_port = 9};

    packet.split = true;
    add(t, packet);
    packet.moved = true;
    add(t, packet);
    packet = on_cpu(1, 7);
    rxtx_tally_add(t, &packet, &others); /* the ends are read when the flow is new */
    add(t, on_cpu(1, 8));
    g_assert_cmpuint(rxtx_tally_flow(t, 7)->flow, ==, 7);
    g_assert_cmpuint(rxtx_tally_flow(t, 7)->packets, ==, 3);
    g_assert_cmpuint(rxtx_tally_flow(t, 7)->splits, ==, 2);
    g_assert_cmpuint(rxtx_tally_flow(t, 7)->moves, ==, 1);
    g_assert_cmpmem(&rxtx_tally_flow(t, 7)->endpoints, sizeof ends, &ends, sizeof ends);
    g_assert_cmpuint(rxtx_tally_flow(t, 8)->packets, ==, 1);
}

static void a_packet_without_a_flow_counts_for_its_cpu_only(void)
{
    g_autoptr(tally) t = rxtx_tally_new();

    add(t, on_cpu(3, 0));
    assert_reads(cpus(t), "3:1p100b");
    assert_reads(shares(t), "");
    assert_reads(lanes(t), "");
    g_assert_cmpuint(rxtx_tally_flow_count(t), ==, 0);
}

/* By CPU, of each the one with most bytes first, and of equal ones the one that appeared first. */
static void shares_stand_by_cpu_and_bytes(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet large = on_cpu(1, 9);

    large.bytes = 1000;
    add(t, on_no_cpu(9));
    add(t, on_cpu(2, 1));
    add(t, on_cpu(1, 3));
    add(t, on_cpu(1, 2));
    add(t, on_cpu(1, 4));
    add(t, on_cpu(1, 4));
    add(t, large);
    assert_reads(shares(t), "1/9:1p1000b 1/4:2p200b 1/2:1p100b 1/3:1p100b 2/1:1p100b ?/9:1p100b");
}

static void a_share_is_of_both_directions_and_a_lane_is_not(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_cpu(1, 1);

    for (guint forward = 0; forward < 2; forward++)
        for (guint way = 0; way < 3; way++) {
            packet.forward = forward;
            packet.way = (rxtx_way)way;
            add(t, packet);
        }
    assert_reads(shares(t), "1/1:6p600b");
    assert_reads(lanes(t), "1> - 1:1p100b, 1> in 1:1p100b, 1> out 1:1p100b, "
                           "1< - 1:1p100b, 1< in 1:1p100b, 1< out 1:1p100b");
}

static void lanes_stand_by_flow_direction_way_and_cpu(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet back = on_cpu(0, 1);
    rxtx_tally_packet out = on_cpu(0, 1);

    back.forward = false;
    out.way = RXTX_WAY_SENT;
    add(t, on_cpu(0, 10));
    add(t, on_cpu(0, 2));
    add(t, back);
    add(t, out);
    add(t, on_no_cpu(1));
    add(t, on_cpu(11, 1));
    add(t, on_cpu(9, 1));
    add(t, on_cpu(9, 1));
    assert_reads(lanes(t), "1> in 9:2p200b, 1> in 11:1p100b, 1> in ?:1p100b, 1> out 0:1p100b, 1< in 0:1p100b, "
                           "2> in 0:1p100b, 10> in 0:1p100b");
}

/* --- hosts -------------------------------------------------------------------------------------------------------- */

static void the_same_cpu_of_two_hosts_has_two_rows(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    char name[] = "web1";

    add(t, on_host(name, 10, 1));
    name[3] = '2'; /* a name is the caller's, and need not stay */
    add(t, on_host(name, 10, 2));
    add(t, on_host("web1", 10, 1));
    add(t, on_host("web1", 9, 1));
    add(t, on_no_cpu(3));
    add(t, on_cpu(10, 3));
    assert_reads(cpus(t), "10:1p100b ?:1p100b web1/9:1p100b web1/10:2p200b web2/10:1p100b");
    assert_reads(shares(t), "10/3:1p100b ?/3:1p100b web1/9/1:1p100b web1/10/1:2p200b web2/10/2:1p100b");
    g_assert_cmpstr(rxtx_tally_flow(t, 1)->host, ==, "web1");
    g_assert_cmpstr(rxtx_tally_flow(t, 2)->host, ==, "web2");
    g_assert_cmpstr(rxtx_tally_flow(t, 3)->host, ==, "");
}

static void a_move_and_a_loss_are_of_their_host(void)
{
    g_autoptr(tally) t = rxtx_tally_new();
    rxtx_tally_packet packet = on_host("web1", 2, 1);

    packet.moved = true;
    packet.prev_cpu = 7;
    packet.drops = 5;
    add(t, packet);
    add(t, on_host("web2", 7, 2));
    assert_reads(cpus(t), "web1/2:1p100b web1/7:0p0b web1/?:0p0b web2/7:1p100b");
    g_assert_cmpuint(cpu_row(t, known(7)).moves_out, ==, 0); /* the last one, of web2 */
}

static void the_width_is_that_of_the_longest_name_of_several_hosts(void)
{
    g_autoptr(tally) t = rxtx_tally_new();

    g_assert_cmpuint(rxtx_tally_host_width(t), ==, 0);
    add(t, on_host("web1.example.org", 0, 0));
    add(t, on_host("web1.example.org", 1, 0));
    g_assert_cmpuint(rxtx_tally_host_width(t), ==, 0);
    add(t, on_host("web2", 0, 0));
    g_assert_cmpuint(rxtx_tally_host_width(t), ==, strlen("web1.example.org"));
}

static void hosts_without_a_name_are_one(void)
{
    g_autoptr(tally) t = rxtx_tally_new();

    add(t, on_cpu(0, 0));
    add(t, on_host("", 0, 0));
    assert_reads(cpus(t), "0:2p200b");
    g_assert_cmpuint(rxtx_tally_host_width(t), ==, 0);
    add(t, on_host("web1", 0, 0));
    g_assert_cmpuint(rxtx_tally_host_width(t), ==, strlen("web1"));
}

/* --- sums --------------------------------------------------------------------------------------------------------- */

static rxtx_tally_packet random_packet(GRand *random)
{
    rxtx_tally_packet packet = on_cpu((guint32)g_rand_int_range(random, 0, 5), (guint32)g_rand_int_range(random, 0, 9));

    packet.bytes = (guint32)g_rand_int_range(random, 60, 1515);
    packet.way = (rxtx_way)g_rand_int_range(random, 0, 3);
    packet.forward = g_rand_boolean(random);
    if (g_rand_int_range(random, 0, 10) == 0)
        packet.cpu = (rxtx_number){0};
    packet.split = g_rand_boolean(random);
    packet.prev_cpu = (guint32)g_rand_int_range(random, 0, 5);
    packet.moved = packet.flow != 0 && packet.cpu.presence == RXTX_KNOWN && packet.prev_cpu != packet.cpu.number;
    return packet;
}

typedef struct {
    guint64 packets, bytes, moves_in, moves_out, flows;
} sums;

static sums sum_cpus(const rxtx_tally *t)
{
    GPtrArray *rows = rxtx_tally_cpus(t);
    sums sum = {0};

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_cpu_row *row = g_ptr_array_index(rows, i);

        sum.packets += row->packets;
        sum.bytes += row->bytes;
        sum.moves_in += row->moves_in;
        sum.moves_out += row->moves_out;
        sum.flows += row->flows;
    }
    g_ptr_array_unref(rows);
    return sum;
}

/* Drops the array. */
static sums sum_shares(GPtrArray *rows)
{
    sums sum = {.flows = rows->len};

    for (guint i = 0; i < rows->len; i++) {
        const rxtx_share_row *row = g_ptr_array_index(rows, i);

        sum.packets += row->packets;
        sum.bytes += row->bytes;
    }
    g_ptr_array_unref(rows);
    return sum;
}

static void all_ways_to_add_up_come_to_the_same(void)
{
    enum { PACKETS = 20000 };
    g_autoptr(tally) t = rxtx_tally_new();
    GRand *random = g_rand_new_with_seed(6);
    sums all = {0}, in_flows = {0};
    guint64 flow_packets = 0;

    for (int i = 0; i < PACKETS; i++) {
        rxtx_tally_packet packet = random_packet(random);

        add(t, packet);
        all.bytes += packet.bytes;
        all.moves_in += packet.moved;
        in_flows.packets += packet.flow != 0;
        in_flows.bytes += packet.flow != 0 ? packet.bytes : 0;
    }
    for (guint32 flow = 1; flow < 9; flow++)
        flow_packets += rxtx_tally_flow(t, flow)->packets;
    g_assert_cmpuint(sum_cpus(t).packets, ==, PACKETS);
    g_assert_cmpuint(sum_cpus(t).bytes, ==, all.bytes);
    g_assert_cmpuint(sum_cpus(t).moves_in, ==, all.moves_in);
    g_assert_cmpuint(sum_cpus(t).moves_out, ==, all.moves_in);
    g_assert_cmpuint(flow_packets, ==, in_flows.packets);
    g_assert_cmpuint(sum_shares(rxtx_tally_shares(t)).packets, ==, in_flows.packets);
    g_assert_cmpuint(sum_shares(rxtx_tally_lanes(t)).packets, ==, in_flows.packets);
    g_assert_cmpuint(sum_shares(rxtx_tally_shares(t)).bytes, ==, in_flows.bytes);
    g_assert_cmpuint(sum_shares(rxtx_tally_lanes(t)).bytes, ==, in_flows.bytes);
    g_assert_cmpuint(sum_shares(rxtx_tally_shares(t)).flows, ==, sum_cpus(t).flows);
    g_assert_cmpuint(sum_shares(rxtx_tally_lanes(t)).flows, ==, 8 * 6 * 6);
    g_rand_free(random);
}

#define TEST(path, function) g_test_add_func("/tally/" path, function)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST("an empty tally has no rows", an_empty_tally_has_no_rows);
    TEST("CPUs stand by their number and the unknown one last", cpus_stand_by_their_number_and_the_unknown_one_last);
    TEST("CPUs that are not known are one", cpus_that_are_not_known_are_one);
    TEST("everything of a CPU is added up", everything_of_a_cpu_is_added_up);
    TEST("losses of a queue are no CPU's", losses_of_a_queue_are_no_cpus);
    TEST("a move is in where it came and out where it was", a_move_is_in_where_it_came_and_out_where_it_was);
    TEST("a CPU that was left has a row without packets", a_cpu_that_was_left_has_a_row_without_packets);
    TEST("a node is what the first packet says that says one", a_node_is_what_the_first_packet_says_that_says_one);
    TEST("the flows of a CPU are counted once each", the_flows_of_a_cpu_are_counted_once_each);
    TEST("the CPUs of a flow are counted once each, if they are known",
         the_cpus_of_a_flow_are_counted_once_each_if_they_are_known);
    TEST("everything of a flow is added up", everything_of_a_flow_is_added_up);
    TEST("a packet without a flow counts for its CPU only", a_packet_without_a_flow_counts_for_its_cpu_only);
    TEST("shares stand by CPU and bytes", shares_stand_by_cpu_and_bytes);
    TEST("a share is of both directions and a lane is not", a_share_is_of_both_directions_and_a_lane_is_not);
    TEST("lanes stand by flow, direction, way and CPU", lanes_stand_by_flow_direction_way_and_cpu);
    TEST("the same CPU of two hosts has two rows", the_same_cpu_of_two_hosts_has_two_rows);
    TEST("a move and a loss are of their host", a_move_and_a_loss_are_of_their_host);
    TEST("the width is that of the longest name of several hosts",
         the_width_is_that_of_the_longest_name_of_several_hosts);
    TEST("hosts without a name are one", hosts_without_a_name_are_one);
    TEST("all ways to add up come to the same", all_ways_to_add_up_come_to_the_same);
    return g_test_run();
}
