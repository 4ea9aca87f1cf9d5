/* What the analysis of a file costs: the promises of pool.h, history.h, flow.h and repeat.h in bytes. */
#include <malloc.h>
#include <string.h>

#include "flow.h"
#include "history.h"
#include "pool.h"
#include "repeat.h"

/* A sanitizer has an allocator of its own, of which mallinfo2() knows nothing. */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static gsize allocated(void)
{
    struct mallinfo2 info;

    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* glibc counts small pieces that it keeps for the next one as used. */
static void assert_all_freed(gsize before)
{
    g_assert_cmpuint(allocated(), <=, before + 16 * 1024);
}

static void a_pool_wastes_less_than_a_chunk(void)
{
    gsize before = allocated();
    g_autoptr(rxtx_pool) pool = rxtx_pool_new(32);

    for (int i = 0; i < 100 * 1024; i++)
        rxtx_pool_add(pool);
    g_assert_cmpuint(allocated() - before, >=, 100 * 1024 * 32);
    g_assert_cmpuint(allocated() - before, <, 101 * 1024 * 32);
}

static void a_packet_of_the_history_is_16_bytes(void)
{
    gsize before = allocated();
    rxtx_history *history = rxtx_history_new();

    for (guint32 frame = 1; frame <= 100000; frame++)
        rxtx_history_set(history, frame, &(rxtx_past){.lane = 1});
    g_assert_cmpuint(allocated() - before, >=, 100000 * 16);
    g_assert_cmpuint(allocated() - before, <, 102000 * 16);
    rxtx_history_free(history);
    assert_all_freed(before);
}

/* A page's place in the table is what is left of it: 8 bytes for 1,024 packets. */
static void pages_of_other_packets_cost_nothing(void)
{
    gsize before = allocated();
    rxtx_history *history = rxtx_history_new();

    rxtx_history_set(history, 100000000, &(rxtx_past){.lane = 1});
    for (guint32 frame = 0; frame < 100000000; frame += 100000)
        rxtx_history_get(history, frame);
    g_assert_cmpuint(allocated() - before, <, 2 * 1024 * 1024);
    rxtx_history_free(history);
}

/* A packet of each lane of flow i: both directions, received and sent. */
static void see_four_lanes(rxtx_flows *flows, guint32 i, guint32 cpu)
{
    rxtx_endpoints there = {
        .src_port = 1000, .dst_port = 80, .address_type = 3, .address_len = RXTX_ADDRESS_MAX, .port_type = 2};
    rxtx_endpoints back;

    memset(&there.src, 0xfd, sizeof there.src);
    memset(&there.dst, 0xfe, sizeof there.dst);
    memcpy(there.src.bytes + 10, &i, sizeof i);
    back = there;
    back.src = there.dst;
    back.dst = there.src;
    back.src_port = there.dst_port;
    back.dst_port = there.src_port;
    for (guint lane = 0; lane < 4; lane++) {
        rxtx_past past = {0};

        rxtx_flows_next(flows,
                        &(rxtx_flow_packet){.frame = i * 4 + lane + 1,
                                            .host = 1,
                                            .device = 1,
                                            .way = lane % 2 ? RXTX_WAY_SENT : RXTX_WAY_RECEIVED,
                                            .cpu = {RXTX_KNOWN, cpu},
                                            .endpoints = lane / 2 ? back : there},
                        &past);
        g_assert_cmpuint(past.lane, !=, 0);
    }
}

/* The last two are where the index was doubled just before. */
static void a_flow_of_ipv6_with_four_lanes_is_200_bytes(void)
{
    static const guint32 counts[] = {20000, 24577, 49153};

    for (gsize n = 0; n < G_N_ELEMENTS(counts); n++) {
        gsize before = allocated();
        rxtx_flows *flows = rxtx_flows_new(10);

        for (guint32 i = 0; i < counts[n]; i++)
            see_four_lanes(flows, i, 0);
        /* what a file of one packet takes is besides: a chunk of each pool, and the tables of the CPUs */
        g_assert_cmpuint(allocated() - before, <=, counts[n] * 200u + 128 * 1024);
        rxtx_flows_free(flows);
        assert_all_freed(before);
    }
}

static void another_cpu_of_a_lane_is_12_bytes(void)
{
    enum { FLOWS = 20000 };
    rxtx_flows *flows = rxtx_flows_new(10);
    gsize before;

    for (guint32 i = 0; i < FLOWS; i++)
        see_four_lanes(flows, i, 0);
    for (guint32 i = 0; i < FLOWS; i++)
        see_four_lanes(flows, i, 1); /* from here on the lanes have a list */
    before = allocated();
    for (guint32 i = 0; i < FLOWS; i++)
        see_four_lanes(flows, i, 2);
    g_assert_cmpuint(allocated() - before, <=, 4 * FLOWS * 12 + 16 * 1024);
    before = allocated();
    for (guint32 i = 0; i < FLOWS; i++)
        see_four_lanes(flows, i, i % 3); /* none of them is new */
    g_assert_cmpuint(allocated(), ==, before);
    rxtx_flows_free(flows);
}

static void a_repeat_that_is_possible_is_about_100_bytes(void)
{
    static const rxtx_repeat_scope scope = {.host = 1, .device = 1, .len = 4};
    gsize before = allocated();
    rxtx_repeats *repeats = rxtx_repeats_new(1, 1000000000, 10);

    for (guint32 i = 0; i < 3 * RXTX_REPEATS_MAX; i++) {
        rxtx_past past = {0};

        rxtx_repeats_next(repeats, i + 1, i, &scope, (const guint8 *)&i, sizeof i, &past);
    }
    g_assert_cmpuint(allocated() - before, <=, RXTX_REPEATS_MAX * 128u);
    rxtx_repeats_next(repeats, 1, 9000000000u, &scope, (const guint8 *)"last", 4, &(rxtx_past){0});
    g_assert_cmpuint(allocated() - before, <=, 64 * 1024); /* all but it are forgotten */
    rxtx_repeats_free(repeats);
    assert_all_freed(before);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/a pool wastes less than a chunk", a_pool_wastes_less_than_a_chunk);
    g_test_add_func("/memory/a packet of the history is 16 bytes", a_packet_of_the_history_is_16_bytes);
    g_test_add_func("/memory/pages of other packets cost nothing", pages_of_other_packets_cost_nothing);
    g_test_add_func("/memory/a flow of IPv6 with four lanes is 200 bytes", a_flow_of_ipv6_with_four_lanes_is_200_bytes);
    g_test_add_func("/memory/another CPU of a lane is 12 bytes", another_cpu_of_a_lane_is_12_bytes);
    g_test_add_func("/memory/a repeat that is possible is about 100 bytes",
                    a_repeat_that_is_possible_is_about_100_bytes);
    return g_test_run();
}
