/* Flows and their CPUs, as stories of packets. That many packets at random agree with the definition is tested in
 * test_flows_model.c. */
#include <string.h>

#include "flow.h"

enum { IPV4 = 2, IPV6 = 3, TCP = 2, UDP = 3 };
enum { WINDOW_MS = 10 };
#define NS_PER_MS 1000000ull

typedef struct {
    rxtx_flows *flows;
    guint32 frame; /* of the last packet */
    rxtx_past past;
    char *said;
} fixture;

static void set_up(fixture *f)
{
    *f = (fixture){.flows = rxtx_flows_new(WINDOW_MS * NS_PER_MS)};
}

static void tear_down(fixture *f)
{
    rxtx_flows_free(f->flows);
    g_free(f->said);
}

static guint32 number_behind(const char *words, const char *key, guint32 otherwise)
{
    const char *at = strstr(words, key);

    return at != NULL ? (guint32)g_ascii_strtoull(at + strlen(key), NULL, 10) : otherwise;
}

static rxtx_way way_in(const char *words)
{
    if (strstr(words, " in ") != NULL)
        return RXTX_WAY_RECEIVED;
    return strstr(words, " out ") != NULL ? RXTX_WAY_SENT : RXTX_WAY_UNKNOWN;
}

/* "A>b" is a packet from A to b by TCP, from the port 'A' to the port 'b': one letter in both cases is one address.
 * "A-b" is the same without ports. Behind it, as far as they matter, in any order: its way, in or out; eth0; cpu=0;
 * ms=0; seq=0+0; late; host=1; conversation=1. Without cpu= it is not known. */
static rxtx_flow_packet read_packet(const char *words)
{
    rxtx_flow_packet packet = {
        .host = (guint16)number_behind(words, "host=", 1),
        .device = (guint16)number_behind(words, "eth", 1),
        .way = way_in(words),
        .endpoints = {.address_type = IPV4, .address_len = 4},
        .conversation = number_behind(words, "conversation=", 1),
        .time_ns = number_behind(words, "ms=", 0) * NS_PER_MS + number_behind(words, "ns=", 0),
        .late = strstr(words, "late") != NULL,
        .has_segment = strstr(words, "seq=") != NULL,
        .segment = {.seq = number_behind(words, "seq=", 0), .len = number_behind(words, "+", 0)},
    };

    packet.endpoints.src.bytes[3] = (guint8)g_ascii_toupper(words[0]);
    packet.endpoints.dst.bytes[3] = (guint8)g_ascii_toupper(words[2]);
    if (strstr(words, "cpu=") != NULL)
        packet.cpu = (rxtx_number){RXTX_KNOWN, number_behind(words, "cpu=", 0)};
    if (words[1] == '>') {
        packet.endpoints.src_port = (guint8)words[0];
        packet.endpoints.dst_port = (guint8)words[2];
        packet.endpoints.port_type = TCP;
    }
    return packet;
}

/* "flow 1 cpus 2 after 0@7 split reordered": 0@7 is the CPU and the frame of the packet before. */
static char *describe(const fixture *f, bool has_cpu)
{
    GString *text = g_string_new(NULL);
    const rxtx_past *past = &f->past;

    g_string_printf(text, "flow %u", rxtx_flows_number(f->flows, past->lane));
    if (has_cpu)
        g_string_append_printf(text, " cpus %u", rxtx_flows_cpus(f->flows, past->lane, f->frame));
    g_assert_true((past->prev_slot != 0) == (past->prev_frame != 0));
    if (past->prev_slot != 0)
        g_string_append_printf(text, " after %u@%u", rxtx_flows_cpu(f->flows, past->prev_slot), past->prev_frame);
    g_string_append(text, past->split ? " split" : "");
    g_string_append(text, past->reordered ? " reordered" : "");
    return g_string_free(text, FALSE);
}

static const char *take(fixture *f, rxtx_flow_packet packet)
{
    packet.frame = ++f->frame;
    f->past = (rxtx_past){0};
    rxtx_flows_next(f->flows, &packet, &f->past);
    g_free(f->said);
    f->said = describe(f, packet.cpu.presence == RXTX_KNOWN);
    return f->said;
}

/* The next packet of the file. */
static const char *next(fixture *f, const char *words)
{
    return take(f, read_packet(words));
}

/* --- flows -------------------------------------------------------------------------------------------------------- */

static void both_directions_are_one_flow(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@1");
    g_assert_cmpstr(next(&f, "b>A in cpu=0"), ==, "flow 1 cpus 1 after 0@2");
    tear_down(&f);
}

static void flows_are_numbered_in_the_order_in_which_they_appear(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>c in cpu=0"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "c>b in cpu=0"), ==, "flow 3 cpus 1");
    g_assert_cmpstr(next(&f, "c>A in cpu=0"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "a>b in cpu=0"), ==, "flow 4 cpus 1"); /* another port of A */
    g_assert_cmpstr(next(&f, "A-b in cpu=0"), ==, "flow 5 cpus 1");
    g_assert_cmpstr(next(&f, "b-A in cpu=0"), ==, "flow 5 cpus 1");
    tear_down(&f);
}

static void whatever_tells_two_flows_apart_tells_them_apart(void)
{
    const rxtx_flow_packet one = read_packet("A>b in cpu=0");
    rxtx_flow_packet others[9];
    fixture f;

    set_up(&f);
    g_assert_cmpstr(take(&f, one), ==, "flow 1 cpus 1");
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        others[i] = one;
    others[0].endpoints.src.bytes[RXTX_ADDRESS_MAX - 1] = 1;
    others[1].endpoints.dst.bytes[RXTX_ADDRESS_MAX - 1] = 1;
    others[2].endpoints.src_port++;
    others[3].endpoints.dst_port++;
    others[4].endpoints.port_type = UDP;
    others[5].endpoints.address_type = IPV6;
    others[6].endpoints.address_len = RXTX_ADDRESS_MAX;
    others[7].host++;
    others[8].conversation++;
    for (guint pass = 0; pass < 2; pass++)
        for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
            take(&f, others[i]);
            g_assert_cmpuint(rxtx_flows_number(f.flows, f.past.lane), ==, i + 2);
        }
    tear_down(&f);
}

/* The ports go with their addresses: A's port to b's is not A's with b's port and the other way round. */
static void an_end_is_an_address_with_its_port(void)
{
    rxtx_flow_packet crossed = read_packet("A>b in cpu=0");
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0");
    crossed.endpoints.src_port = 'b';
    crossed.endpoints.dst_port = 'A';
    g_assert_cmpstr(take(&f, crossed), ==, "flow 2 cpus 1");
    tear_down(&f);
}

static void a_port_that_is_used_again_is_another_flow(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0 conversation=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=0 conversation=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 conversation=2"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=1 conversation=2"), ==, "flow 2 cpus 1");
    tear_down(&f);
}

static void what_two_hosts_captured_is_not_compared(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0 host=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=1 host=2"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 host=2"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 host=1"), ==, "flow 1 cpus 1 after 0@1");
    tear_down(&f);
}

/* More than the index of the beginning holds, many times over, and every flow is still the one that it was. */
static void thousands_of_flows_are_all_found_again(void)
{
    enum { FLOWS = 20000 };
    rxtx_flow_packet packet = read_packet("A>b in cpu=0");
    fixture f;

    set_up(&f);
    for (guint pass = 0; pass < 3; pass++)
        for (guint i = 0; i < FLOWS; i++) {
            packet.frame = pass * FLOWS + i + 1;
            packet.endpoints.src.bytes[0] = (guint8)(i >> 8);
            packet.endpoints.src_port = (guint16)(i & 0xff);
            f.past = (rxtx_past){0};
            rxtx_flows_next(f.flows, &packet, &f.past);
            g_assert_cmpuint(rxtx_flows_number(f.flows, f.past.lane), ==, i + 1);
            g_assert_cmpuint(f.past.prev_frame, ==, pass == 0 ? 0 : packet.frame - FLOWS);
        }
    tear_down(&f);
}

static void the_ends_of_a_flow_are_in_one_order_whoever_speaks(void)
{
    const char *const packets[] = {"A>b in", "b>A in", "b>A out", "A>b eth2"};
    fixture f;

    set_up(&f);
    for (gsize i = 0; i < G_N_ELEMENTS(packets); i++) {
        const rxtx_endpoints expected = read_packet("A>b in").endpoints;
        rxtx_endpoints ends;

        next(&f, packets[i]);
        ends = rxtx_flows_endpoints(f.flows, f.past.lane);
        g_assert_cmpmem(&ends, sizeof ends, &expected, sizeof expected);
        g_assert_true(rxtx_flows_forward(f.flows, f.past.lane) == (packets[i][0] == 'A'));
    }
    next(&f, "b>B in"); /* of one address the lower port is first */
    g_assert_false(rxtx_flows_forward(f.flows, f.past.lane));
    g_assert_cmpuint(rxtx_flows_endpoints(f.flows, f.past.lane).src_port, ==, 'B');
    tear_down(&f);
}

/* --- lanes -------------------------------------------------------------------------------------------------------- */

static void a_flow_that_stays_on_its_cpu_does_not_move(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=5"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=5"), ==, "flow 1 cpus 1 after 5@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=5"), ==, "flow 1 cpus 1 after 5@2");
    tear_down(&f);
}

static void a_flow_that_moves_says_from_where(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=5");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 2 after 5@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 2 after 0@2");
    g_assert_cmpstr(next(&f, "A>b in cpu=5"), ==, "flow 1 cpus 2 after 0@3");
    g_assert_cmpstr(next(&f, "A>b in cpu=4294967294"), ==, "flow 1 cpus 3 after 5@4");
    g_assert_cmpstr(next(&f, "A>b in cpu=5"), ==, "flow 1 cpus 3 after 4294967294@5");
    tear_down(&f);
}

static void what_is_received_is_not_compared_with_what_is_sent(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b out cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b cpu=2"), ==, "flow 1 cpus 1"); /* nobody said which */
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@1");
    g_assert_cmpstr(next(&f, "A>b out cpu=1"), ==, "flow 1 cpus 1 after 1@2");
    g_assert_cmpstr(next(&f, "A>b cpu=2"), ==, "flow 1 cpus 1 after 2@3");
    tear_down(&f);
}

/* A box that forwards takes the packet in on one CPU and may send it from another. */
static void a_packet_that_is_forwarded_is_no_move(void)
{
    fixture f;

    set_up(&f);
    for (int i = 0; i < 2; i++) {
        next(&f, "A>b in eth1 cpu=1");
        g_assert_cmpstr(f.said, ==, i == 0 ? "flow 1 cpus 1" : "flow 1 cpus 1 after 1@1");
        next(&f, "A>b out eth2 cpu=2");
        g_assert_cmpstr(f.said, ==, i == 0 ? "flow 1 cpus 1" : "flow 1 cpus 1 after 2@2");
        next(&f, "b>A in eth2 cpu=1"); /* what A sent was received by CPU 1, too */
        g_assert_cmpstr(f.said, ==, i == 0 ? "flow 1 cpus 1" : "flow 1 cpus 1 after 1@3");
        next(&f, "b>A out eth1 cpu=2");
        g_assert_cmpstr(f.said, ==, i == 0 ? "flow 1 cpus 1" : "flow 1 cpus 1 after 2@4");
    }
    tear_down(&f);
}

/* On lo each packet is seen twice, when it is sent and when it is received. */
static void what_the_loopback_device_shows_twice_is_no_move(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "a>A out cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "a>A in cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>a out cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>a in cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "a>A out cpu=0"), ==, "flow 1 cpus 1 after 0@1");
    g_assert_cmpstr(next(&f, "a>A in cpu=1"), ==, "flow 1 cpus 1 after 1@2");
    tear_down(&f);
}

static void each_device_is_compared_with_itself(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth2 cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=0"), ==, "flow 1 cpus 1 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in eth2 cpu=2"), ==, "flow 1 cpus 2 after 1@2");
    tear_down(&f);
}

static void between_equal_ends_there_is_one_direction(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>A in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>A in cpu=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A-A in cpu=0"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "A-A in cpu=1"), ==, "flow 2 cpus 2 after 0@3");
    g_assert_true(rxtx_flows_forward(f.flows, f.past.lane));
    tear_down(&f);
}

/* Every packet of a flow walks its lanes, so a file of many devices could make that slow. */
static void of_one_flow_4096_lanes_are_followed(void)
{
    rxtx_flow_packet packet = read_packet("A>b in cpu=0");
    fixture f;

    set_up(&f);
    for (guint lane = 0; lane < RXTX_LANES_MAX; lane++) {
        packet.device = (guint16)(lane / 2 + 1);
        packet.way = lane % 2 ? RXTX_WAY_SENT : RXTX_WAY_RECEIVED;
        g_assert_cmpstr(take(&f, packet), ==, "flow 1 cpus 1");
    }
    packet.device++;
    for (guint32 cpu = 0; cpu < 2; cpu++) {
        packet.frame = ++f.frame;
        packet.cpu.number = cpu;
        f.past = (rxtx_past){0};
        rxtx_flows_next(f.flows, &packet, &f.past);
        g_assert_cmpuint(f.past.lane, ==, 0);
        g_assert_cmpuint(f.past.prev_slot, ==, 0);
        g_assert_false(f.past.split);
    }
    packet.endpoints.src_port++;
    g_assert_cmpstr(take(&f, packet), ==, "flow 2 cpus 1");
    packet = read_packet("A>b in cpu=1"); /* those that there are go on */
    g_assert_cmpstr(take(&f, packet), ==, "flow 1 cpus 2 after 0@1");
    tear_down(&f);
}

/* --- CPUs --------------------------------------------------------------------------------------------------------- */

static void without_a_cpu_there_is_a_flow_and_nothing_else(void)
{
    rxtx_flow_packet unknown = read_packet("A>b in");
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in seq=1000+100"), ==, "flow 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=100+100"), ==, "flow 1 cpus 1");
    unknown.cpu.presence = RXTX_UNKNOWN; /* the word, with the number 0 */
    g_assert_cmpstr(take(&f, unknown), ==, "flow 1");
    g_assert_cmpstr(next(&f, "A>b in seq=1000+100"), ==, "flow 1");
    g_assert_cmpstr(next(&f, "b>A in"), ==, "flow 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=200+100"), ==, "flow 1 cpus 2 after 0@2 split");
    tear_down(&f);
}

static void a_flow_on_no_known_cpu_is_a_flow(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in"), ==, "flow 1");
    g_assert_cmpstr(next(&f, "A>c in cpu=0"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=0"), ==, "flow 1 cpus 1");
    tear_down(&f);
}

static void the_cpus_are_those_so_far_as_seen_from_each_frame(void)
{
    static const guint32 cpus[] = {7, 7, 3, 7, 9, 3, 9, 1, 7, 1};
    static const guint32 expected[] = {1, 1, 2, 2, 3, 3, 3, 4, 4, 4};
    guint32 lane = 0;
    fixture f;

    set_up(&f);
    for (gsize i = 0; i < G_N_ELEMENTS(cpus); i++) {
        g_autofree char *words = g_strdup_printf("A>b in cpu=%u", cpus[i]);

        next(&f, "b>A in cpu=50"); /* another lane */
        g_assert_cmpuint(rxtx_flows_cpus(f.flows, f.past.lane, f.frame), ==, 1);
        next(&f, words);
        g_assert_cmpuint(rxtx_flows_cpus(f.flows, f.past.lane, f.frame), ==, expected[i]);
        lane = f.past.lane;
    }
    for (guint32 i = 0; i < G_N_ELEMENTS(cpus); i++) /* afterwards, as a second visit asks */
        g_assert_cmpuint(rxtx_flows_cpus(f.flows, lane, 2 * i + 2), ==, expected[i]);
    for (guint32 i = G_N_ELEMENTS(cpus); i-- > 0;)
        g_assert_cmpuint(rxtx_flows_cpus(f.flows, lane, 2 * i + 3), ==, expected[i]);
    tear_down(&f);
}

static void the_first_1023_cpus_of_a_file_are_followed(void)
{
    fixture f;

    set_up(&f);
    for (guint32 cpu = 0; cpu < RXTX_SLOTS_MAX; cpu++) {
        g_autofree char *words = g_strdup_printf("A>b in cpu=%u", cpu * 4000000);

        next(&f, words);
        g_assert_cmpuint(rxtx_flows_cpus(f.flows, f.past.lane, f.frame), ==, cpu + 1);
    }
    next(&f, "A>b in cpu=1"); /* the 1,024th */
    g_assert_cmpuint(f.past.lane, !=, 0);
    g_assert_cmpuint(f.past.prev_slot, ==, 0);
    g_assert_cmpuint(f.past.prev_frame, ==, 0);
    g_assert_cmpstr(next(&f, "A>c in cpu=1"), ==, "flow 2 cpus 0");
    g_assert_cmpstr(next(&f, "A>c in cpu=0"), ==, "flow 2 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1023 after 4088000000@1023");
    g_assert_cmpstr(next(&f, "A>b in cpu=4088000000"), ==, "flow 1 cpus 1023 after 0@1027");
    g_assert_cmpstr(next(&f, "A>d in cpu=1"), ==, "flow 3 cpus 0");
    tear_down(&f);
}

static bool follows(const fixture *f, rxtx_number cpu)
{
    return rxtx_flows_follows(f->flows, &cpu);
}

static void which_cpus_are_followed_can_be_asked(void)
{
    fixture f;

    set_up(&f);
    g_assert_false(follows(&f, (rxtx_number){RXTX_KNOWN, 0}));
    next(&f, "A>b in");
    g_assert_false(follows(&f, (rxtx_number){RXTX_KNOWN, 0}));
    next(&f, "A>b in cpu=0");
    g_assert_true(follows(&f, (rxtx_number){RXTX_KNOWN, 0}));
    g_assert_false(follows(&f, (rxtx_number){RXTX_KNOWN, 1}));
    g_assert_false(follows(&f, (rxtx_number){RXTX_UNKNOWN, 0}));
    g_assert_false(follows(&f, (rxtx_number){RXTX_ABSENT, 0}));
    for (guint32 cpu = 1; cpu <= RXTX_SLOTS_MAX; cpu++) {
        g_autofree char *words = g_strdup_printf("A>b in late cpu=%u", cpu);

        next(&f, words);
        g_assert_true(follows(&f, (rxtx_number){RXTX_KNOWN, cpu}) == (cpu < RXTX_SLOTS_MAX));
    }
    tear_down(&f);
}

/* --- late packets ------------------------------------------------------------------------------------------------- */

static void a_late_packet_is_compared_with_nothing_and_nothing_with_it(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 late"), ==, "flow 1 cpus 2");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1"), ==, "flow 1 cpus 2 after 0@3");
    tear_down(&f);
}

static void a_lane_that_begins_late_has_no_packet_before(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0 late"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1"), ==, "flow 1 cpus 2");
    g_assert_cmpstr(next(&f, "A>b in cpu=2 late"), ==, "flow 1 cpus 3");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 3 after 1@2");
    tear_down(&f);
}

static void a_late_packet_splits_nothing(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 late");
    g_assert_cmpstr(next(&f, "b>A in cpu=1"), ==, "flow 1 cpus 1"); /* the other direction was late only */
    next(&f, "A>b in cpu=1");
    next(&f, "A>b in cpu=0 late");
    g_assert_cmpstr(next(&f, "b>A in cpu=1"), ==, "flow 1 cpus 1 after 1@2");
    g_assert_cmpstr(next(&f, "b>A in cpu=0 late"), ==, "flow 1 cpus 2");
    tear_down(&f);
}

static void a_late_segment_is_not_reordered_and_reorders_nothing(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=900+100 late"), ==, "flow 1 cpus 2");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=300+100"), ==, "flow 1 cpus 2 after 0@3");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 late"), ==, "flow 1 cpus 2");
    tear_down(&f);
}

/* --- split -------------------------------------------------------------------------------------------------------- */

static void directions_that_are_received_on_two_cpus_are_split(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in cpu=1"), ==, "flow 1 cpus 1 split");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@1 split");
    g_assert_cmpstr(next(&f, "b>A in cpu=0"), ==, "flow 1 cpus 2 after 1@2"); /* where they met */
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@3");
    tear_down(&f);
}

static void what_is_sent_is_not_split(void)
{
    fixture f;

    set_up(&f);
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A out cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@1");
    g_assert_cmpstr(next(&f, "b>A cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 1 after 0@3");
    g_assert_cmpstr(next(&f, "b>A out cpu=1"), ==, "flow 1 cpus 1 after 1@2");
    tear_down(&f);
}

static void the_same_device_is_what_a_split_is_judged_by(void)
{
    fixture f;

    set_up(&f);
    next(&f, "b>A in eth1 cpu=1");
    next(&f, "b>A in eth2 cpu=2"); /* newer, but another device */
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=1"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth2 cpu=1"), ==, "flow 1 cpus 1 split");
    next(&f, "b>A in eth1 cpu=1");
    g_assert_cmpstr(next(&f, "A>b in eth2 cpu=2"), ==, "flow 1 cpus 2 after 1@4");
    tear_down(&f);
}

static void of_other_devices_the_newest_packet_is_what_a_split_is_judged_by(void)
{
    fixture f;

    set_up(&f);
    next(&f, "b>A in eth2 cpu=2");
    next(&f, "b>A in eth3 cpu=3");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=3"), ==, "flow 1 cpus 1");
    next(&f, "b>A in eth2 cpu=2");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=3"), ==, "flow 1 cpus 1 after 3@3 split");
    next(&f, "b>A out eth1 cpu=3"); /* sent, so it does not count, though it is the same device and newer */
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=2"), ==, "flow 1 cpus 2 after 3@5");
    tear_down(&f);
}

static void a_late_lane_of_the_same_device_is_passed_over(void)
{
    fixture f;

    set_up(&f);
    next(&f, "b>A in eth2 cpu=2");
    next(&f, "b>A in eth1 cpu=1 late");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=2"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=1"), ==, "flow 1 cpus 2 after 2@3 split");
    tear_down(&f);
}

static void equal_ends_are_never_split(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>A in eth1 cpu=0");
    g_assert_cmpstr(next(&f, "A>A in eth1 cpu=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>A in eth2 cpu=2"), ==, "flow 1 cpus 1");
    tear_down(&f);
}

static void the_first_split_of_a_flow_is_remembered(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0");
    g_assert_cmpuint(rxtx_flows_first_split(f.flows, f.past.lane), ==, 0);
    next(&f, "A>c in cpu=0");
    next(&f, "b>A in cpu=1");
    g_assert_cmpuint(rxtx_flows_first_split(f.flows, f.past.lane), ==, 3);
    next(&f, "A>b in cpu=0");
    g_assert_cmpuint(rxtx_flows_first_split(f.flows, f.past.lane), ==, 3);
    next(&f, "c>A in cpu=0");
    g_assert_cmpuint(rxtx_flows_first_split(f.flows, f.past.lane), ==, 0);
    tear_down(&f);
}

/* --- reordered by a move ------------------------------------------------------------------------------------------ */

static void a_segment_that_was_overtaken_on_another_cpu_is_reordered(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=300+100 ms=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ms=2"), ==, "flow 1 cpus 2 after 1@2 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=400+100 ms=3"), ==, "flow 1 cpus 2 after 0@3");
    tear_down(&f);
}

/* A time-out's retransmission may be handled, and is sent, by another CPU than the flow's. */
static void a_segment_that_comes_much_later_on_another_cpu_was_sent_again(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=1 seq=300+100 ms=1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ms=301"), ==, "flow 1 cpus 2 after 1@1");
    tear_down(&f);
}

static void what_is_sent_on_another_cpu_does_not_arrive(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b out cpu=1 seq=300+100 ms=1");
    g_assert_cmpstr(next(&f, "A>b out cpu=0 seq=200+100 ms=2"), ==, "flow 1 cpus 2 after 1@1");
    next(&f, "A>b cpu=1 seq=300+100 ms=1");
    g_assert_cmpstr(next(&f, "A>b cpu=0 seq=200+100 ms=2"), ==, "flow 1 cpus 2 after 1@3 reordered");
    tear_down(&f);
}

static void segments_in_order_are_not_reordered_however_they_move(void)
{
    fixture f;

    set_up(&f);
    for (guint32 i = 0; i < 20; i++) {
        g_autofree char *words = g_strdup_printf("A>b in cpu=%u seq=%u+100 ms=%u", i % 3, i * 100, i);

        next(&f, words);
        g_assert_false(f.past.reordered);
    }
    tear_down(&f);
}

static void the_window_begins_with_the_later_segment_and_is_10_ms(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=1 seq=9000+100 ms=100");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=100+100 ms=100"), ==, "flow 1 cpus 2 after 1@1 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ms=110"), ==, "flow 1 cpus 2 after 0@2 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=300+100 ns=110000001"), ==, "flow 1 cpus 2 after 0@3");
    next(&f, "A>b in cpu=1 ms=111"); /* that the flow moves lately is not enough */
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=400+100 ms=112"), ==, "flow 1 cpus 2 after 1@5");
    next(&f, "A>b in cpu=1 seq=9100+100 ms=113");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=500+100 ms=114"), ==, "flow 1 cpus 2 after 1@7 reordered");
    tear_down(&f);
}

static void the_window_is_what_was_asked_for(void)
{
    fixture f = {.flows = rxtx_flows_new(0)};

    next(&f, "A>b in cpu=1 seq=9000+100 ms=5");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=100+100 ms=5"), ==, "flow 1 cpus 2 after 1@1 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ns=5000001"), ==, "flow 1 cpus 2 after 0@2");
    tear_down(&f);
}

static void behind_a_clock_that_was_set_back_nothing_was_lately(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=4000");
    next(&f, "A>b in cpu=1 seq=900+100 ms=4001");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ms=2000"), ==, "flow 1 cpus 2 after 1@2");
    tear_down(&f);
}

static void a_retransmission_on_the_cpu_of_its_original_is_none(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=0");
    next(&f, "A>b in cpu=1 seq=200+100 ms=1");
    next(&f, "A>b in cpu=1 seq=300+100 ms=2");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=200+100 ms=3"), ==, "flow 1 cpus 2 after 1@3");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+100 ms=4"), ==, "flow 1 cpus 2 after 1@4 reordered");
    tear_down(&f);
}

/* Below what was sent, but nothing that could have been overtaken: it has no length. */
static void a_keep_alive_and_an_acknowledgement_are_none(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=199+0 ms=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=150+0 ms=2"), ==, "flow 1 cpus 2 after 1@2");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=199+1 ms=3"), ==, "flow 1 cpus 2 after 0@3 reordered");
    tear_down(&f);
}

static void a_segment_at_the_highest_number_is_none_and_one_below_is(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=200+1 ms=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=200+1 ms=2"), ==, "flow 1 cpus 2 after 1@2 reordered");
    tear_down(&f);
}

static void sequence_numbers_wrap(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=4294967200+50 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=4294967290+100 ms=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=4294967250+40 ms=2"), ==, "flow 1 cpus 2 after 1@2 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=94+40 ms=3"), ==, "flow 1 cpus 2 after 0@3");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=93+1 ms=4"), ==, "flow 1 cpus 2 after 0@4 reordered");
    tear_down(&f);
}

/* What is 2^31 or more behind is ahead. */
static void half_of_all_numbers_are_before(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=0+0 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=2147483649+1 ms=1"), ==, "flow 1 cpus 2 after 0@1 reordered");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=2147483647+1 ms=2"), ==, "flow 1 cpus 2 after 1@2");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=2147483647+1 ms=3"), ==, "flow 1 cpus 2 after 1@3");
    tear_down(&f);
}

/* The highest number is that of the segment that came first: one that repeats it does not set it again. */
static void the_highest_number_is_of_the_cpu_that_set_it_first(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=100+100 ms=0");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=200+0 ms=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0 seq=150+50 ms=2"), ==, "flow 1 cpus 2 after 1@2");
    g_assert_cmpstr(next(&f, "A>b in cpu=1 seq=150+50 ms=3"), ==, "flow 1 cpus 2 after 0@3 reordered");
    tear_down(&f);
}

static void each_lane_has_its_own_numbers_and_moves(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in eth1 cpu=0 seq=900+100");
    g_assert_cmpstr(next(&f, "A>b out eth1 cpu=1 seq=100+100"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth2 cpu=1 seq=100+100"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "b>A in eth1 cpu=0 seq=100+100"), ==, "flow 1 cpus 1");
    g_assert_cmpstr(next(&f, "A>b in eth1 cpu=1 seq=100+100"), ==, "flow 1 cpus 2 after 0@1 split reordered");
    tear_down(&f);
}

static void without_segments_nothing_is_reordered(void)
{
    fixture f;

    set_up(&f);
    next(&f, "A>b in cpu=0 seq=900+100");
    g_assert_cmpstr(next(&f, "A>b in cpu=1"), ==, "flow 1 cpus 2 after 0@1");
    g_assert_cmpstr(next(&f, "A>b in cpu=0"), ==, "flow 1 cpus 2 after 1@2");
    tear_down(&f);
}

static void what_is_not_of_flows_is_left_alone(void)
{
    rxtx_flow_packet packet = read_packet("A>b in cpu=0");
    rxtx_past past = {.repeat_of = 5, .repeat = 6, .repeat_alarm = 1, .late = 1};
    fixture f;

    set_up(&f);
    packet.frame = 9;
    rxtx_flows_next(f.flows, &packet, &past);
    g_assert_cmpuint(past.repeat_of, ==, 5);
    g_assert_cmpuint(past.repeat, ==, 6);
    g_assert_true(past.repeat_alarm && past.late);
    g_assert_cmpuint(past.lane, !=, 0);
    tear_down(&f);
    rxtx_flows_free(NULL);
}

#define TEST(path, function) g_test_add_func("/flows/" path, function)

static void add_flows_and_lanes(void)
{
    TEST("both directions are one flow", both_directions_are_one_flow);
    TEST("flows are numbered in the order in which they appear", flows_are_numbered_in_the_order_in_which_they_appear);
    TEST("whatever tells two flows apart tells them apart", whatever_tells_two_flows_apart_tells_them_apart);
    TEST("an end is an address with its port", an_end_is_an_address_with_its_port);
    TEST("a port that is used again is another flow", a_port_that_is_used_again_is_another_flow);
    TEST("what two hosts captured is not compared", what_two_hosts_captured_is_not_compared);
    TEST("thousands of flows are all found again", thousands_of_flows_are_all_found_again);
    TEST("the ends of a flow are in one order, whoever speaks", the_ends_of_a_flow_are_in_one_order_whoever_speaks);
    TEST("a flow that stays on its CPU does not move", a_flow_that_stays_on_its_cpu_does_not_move);
    TEST("a flow that moves says from where", a_flow_that_moves_says_from_where);
    TEST("what is received is not compared with what is sent", what_is_received_is_not_compared_with_what_is_sent);
    TEST("a packet that is forwarded is no move", a_packet_that_is_forwarded_is_no_move);
    TEST("what the loopback device shows twice is no move", what_the_loopback_device_shows_twice_is_no_move);
    TEST("each device is compared with itself", each_device_is_compared_with_itself);
    TEST("between equal ends there is one direction", between_equal_ends_there_is_one_direction);
    TEST("of one flow 4,096 lanes are followed", of_one_flow_4096_lanes_are_followed);
}

static void add_cpus_and_late(void)
{
    TEST("without a CPU there is a flow and nothing else", without_a_cpu_there_is_a_flow_and_nothing_else);
    TEST("a flow on no known CPU is a flow", a_flow_on_no_known_cpu_is_a_flow);
    TEST("the CPUs are those so far, as seen from each frame", the_cpus_are_those_so_far_as_seen_from_each_frame);
    TEST("the first 1,023 CPUs of a file are followed", the_first_1023_cpus_of_a_file_are_followed);
    TEST("which CPUs are followed can be asked", which_cpus_are_followed_can_be_asked);
    TEST("a late packet is compared with nothing and nothing with it",
         a_late_packet_is_compared_with_nothing_and_nothing_with_it);
    TEST("a lane that begins late has no packet before", a_lane_that_begins_late_has_no_packet_before);
    TEST("a late packet splits nothing", a_late_packet_splits_nothing);
    TEST("a late segment is not reordered and reorders nothing", a_late_segment_is_not_reordered_and_reorders_nothing);
}

static void add_split(void)
{
    TEST("directions that are received on two CPUs are split", directions_that_are_received_on_two_cpus_are_split);
    TEST("what is sent is not split", what_is_sent_is_not_split);
    TEST("the same device is what a split is judged by", the_same_device_is_what_a_split_is_judged_by);
    TEST("of other devices the newest packet is what a split is judged by",
         of_other_devices_the_newest_packet_is_what_a_split_is_judged_by);
    TEST("a late lane of the same device is passed over", a_late_lane_of_the_same_device_is_passed_over);
    TEST("equal ends are never split", equal_ends_are_never_split);
    TEST("the first split of a flow is remembered", the_first_split_of_a_flow_is_remembered);
}

static void add_reordered(void)
{
    TEST("a segment that was overtaken on another CPU is reordered",
         a_segment_that_was_overtaken_on_another_cpu_is_reordered);
    TEST("a segment that comes much later on another CPU was sent again",
         a_segment_that_comes_much_later_on_another_cpu_was_sent_again);
    TEST("what is sent on another CPU does not arrive", what_is_sent_on_another_cpu_does_not_arrive);
    TEST("segments in order are not reordered, however they move",
         segments_in_order_are_not_reordered_however_they_move);
    TEST("the window begins with the later segment and is 10 ms",
         the_window_begins_with_the_later_segment_and_is_10_ms);
    TEST("the window is what was asked for", the_window_is_what_was_asked_for);
    TEST("behind a clock that was set back nothing was lately", behind_a_clock_that_was_set_back_nothing_was_lately);
    TEST("a retransmission on the CPU of its original is none", a_retransmission_on_the_cpu_of_its_original_is_none);
    TEST("a keep-alive and an acknowledgement are none", a_keep_alive_and_an_acknowledgement_are_none);
    TEST("a segment at the highest number is none and one below is",
         a_segment_at_the_highest_number_is_none_and_one_below_is);
    TEST("sequence numbers wrap", sequence_numbers_wrap);
    TEST("half of all numbers are before", half_of_all_numbers_are_before);
    TEST("the highest number is of the CPU that set it first", the_highest_number_is_of_the_cpu_that_set_it_first);
    TEST("each lane has its own numbers and moves", each_lane_has_its_own_numbers_and_moves);
    TEST("without segments nothing is reordered", without_segments_nothing_is_reordered);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_flows_and_lanes();
    add_cpus_and_late();
    add_split();
    add_reordered();
    TEST("what is not of flows is left alone", what_is_not_of_flows_is_left_alone);
    return g_test_run();
}
