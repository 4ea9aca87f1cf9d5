/* flow.c against its definition, worked out plainly for each packet from the list of all packets before it. The packets
 * are random, from seeds that do not change; each kind of file makes other things likely. */
#include <string.h>

#include "flow.h"

enum { WINDOW_MS = 10 };
#define NS_PER_MS 1000000ull

/* What is likely in a file: each packet takes one of so many. */
typedef struct {
    guint packets;
    guint addresses, ports, hosts, devices, ways, conversations, cpus;
    guint unknown, late, segments; /* of a hundred packets */
    guint step_ms;                 /* the longest time between two */
} kind;

/* What the model knows of a packet: the packet, and what must be said of it. */
typedef struct {
    rxtx_flow_packet packet;
    rxtx_past past; /* as flow.c said */
    guint32 flow;
    bool followed; /* on a CPU that is known and among the first 1,023 */
    bool split;
} item;

typedef struct {
    item *items;
    guint n; /* before the packet in question */
    GHashTable *followed;
    rxtx_flows *flows;
} file;

static bool same_address(const rxtx_address *a, const rxtx_address *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool same_direction(const rxtx_endpoints *a, const rxtx_endpoints *b)
{
    return same_address(&a->src, &b->src) && same_address(&a->dst, &b->dst) && a->src_port == b->src_port &&
           a->dst_port == b->dst_port;
}

static bool opposite_direction(const rxtx_endpoints *a, const rxtx_endpoints *b)
{
    return same_address(&a->src, &b->dst) && same_address(&a->dst, &b->src) && a->src_port == b->dst_port &&
           a->dst_port == b->src_port;
}

static bool same_flow(const rxtx_flow_packet *a, const rxtx_flow_packet *b)
{
    return a->host == b->host && a->conversation == b->conversation &&
           a->endpoints.port_type == b->endpoints.port_type && a->endpoints.address_type == b->endpoints.address_type &&
           a->endpoints.address_len == b->endpoints.address_len &&
           (same_direction(&a->endpoints, &b->endpoints) || opposite_direction(&a->endpoints, &b->endpoints));
}

/* Of packets whose flow has been found. */
static bool same_lane(const item *a, const item *b)
{
    return a->flow == b->flow && a->packet.way == b->packet.way && a->packet.device == b->packet.device &&
           same_direction(&a->packet.endpoints, &b->packet.endpoints);
}

static guint32 flow_number(const file *f, const rxtx_flow_packet *packet)
{
    guint32 highest = 0;

    for (guint i = 0; i < f->n; i++) {
        if (same_flow(&f->items[i].packet, packet))
            return f->items[i].flow;
        highest = MAX(highest, f->items[i].flow);
    }
    return highest + 1;
}

static bool is_followed(file *f, const rxtx_number *cpu)
{
    if (cpu->presence != RXTX_KNOWN)
        return false;
    if (g_hash_table_size(f->followed) < RXTX_SLOTS_MAX)
        g_hash_table_add(f->followed, GUINT_TO_POINTER(cpu->number));
    return g_hash_table_contains(f->followed, GUINT_TO_POINTER(cpu->number));
}

/* The different CPUs of the lane up to and with item `last`. */
static guint32 count_cpus(const file *f, guint last)
{
    GHashTable *cpus = g_hash_table_new(NULL, NULL);
    guint32 n;

    for (guint i = 0; i <= last; i++)
        if (f->items[i].followed && same_lane(&f->items[i], &f->items[last]))
            g_hash_table_add(cpus, GUINT_TO_POINTER(f->items[i].packet.cpu.number));
    n = g_hash_table_size(cpus);
    g_hash_table_unref(cpus);
    return n;
}

static bool counts(const item *one)
{
    return one->followed && !one->packet.late;
}

static const rxtx_flow_packet *before_in_lane(const file *f, const item *one)
{
    for (guint i = f->n; i-- > 0;)
        if (counts(&f->items[i]) && same_lane(&f->items[i], one))
            return &f->items[i].packet;
    return NULL;
}

/* The last one on the same device, or else the last one. */
static const rxtx_flow_packet *received_other_way(const file *f, const item *one)
{
    const rxtx_flow_packet *newest = NULL;

    for (guint i = f->n; i-- > 0;) {
        const rxtx_flow_packet *other = &f->items[i].packet;

        if (f->items[i].flow != one->flow || !counts(&f->items[i]) || other->way != RXTX_WAY_RECEIVED ||
            same_direction(&other->endpoints, &one->packet.endpoints))
            continue;
        if (other->device == one->packet.device)
            return other;
        if (newest == NULL)
            newest = other;
    }
    return newest;
}

static bool is_split(const file *f, const item *one)
{
    const rxtx_flow_packet *other = one->packet.way == RXTX_WAY_RECEIVED ? received_other_way(f, one) : NULL;

    return other != NULL && other->cpu.number != one->packet.cpu.number;
}

static bool is_below(guint32 a, guint32 b)
{
    return (gint32)(a - b) < 0;
}

static guint32 end_of(const rxtx_flow_packet *packet)
{
    return packet->segment.seq + packet->segment.len;
}

static bool is_reordered(const file *f, const item *one)
{
    const rxtx_flow_packet *packet = &one->packet;
    const rxtx_flow_packet *highest = NULL;

    for (guint i = 0; i < f->n; i++) {
        const rxtx_flow_packet *before = &f->items[i].packet;

        if (!same_lane(&f->items[i], one) || !counts(&f->items[i]))
            continue;
        if (before->has_segment && (highest == NULL || is_below(end_of(highest), end_of(before))))
            highest = before;
    }
    return packet->has_segment && packet->segment.len > 0 && highest != NULL && packet->way != RXTX_WAY_SENT &&
           is_below(packet->segment.seq, end_of(highest)) && highest->cpu.number != packet->cpu.number &&
           packet->time_ns - highest->time_ns <= WINDOW_MS * NS_PER_MS;
}

/* --- random packets ----------------------------------------------------------------------------------------------- */

static guint below(GRand *random, guint end)
{
    return (guint)g_rand_int_range(random, 0, (gint32)end);
}

static bool percent(GRand *random, guint likely)
{
    return below(random, 100) < likely;
}

static rxtx_endpoints random_endpoints(GRand *random, const kind *k)
{
    rxtx_endpoints ends = {.address_type = 2, .address_len = 4};

    if (percent(random, 5))
        ends.address_len = 16;
    ends.src.bytes[below(random, 2) * 15] = (guint8)below(random, k->addresses);
    ends.dst.bytes[below(random, 2) * 15] = (guint8)below(random, k->addresses);
    if (percent(random, 10))
        return ends;
    ends.port_type = percent(random, 10) ? 3 : 2;
    ends.src_port = (guint16)below(random, k->ports);
    ends.dst_port = (guint16)below(random, k->ports);
    return ends;
}

/* The numbers creep over their end, with a jump now and then. */
static rxtx_segment random_segment(GRand *random, guint at)
{
    guint32 seq = 0xffffff00u + at * 4 + below(random, 200) - 100;

    if (percent(random, 1))
        seq = g_rand_int(random);
    return (rxtx_segment){.seq = seq, .len = below(random, 3) * 20};
}

static rxtx_flow_packet random_packet(GRand *random, const kind *k, guint at, const rxtx_flow_packet *before)
{
    rxtx_flow_packet packet = {
        .frame = (before != NULL ? before->frame : 0) + 1 + below(random, 3),
        .time_ns = (before != NULL ? before->time_ns : 0xfffffffff000ull) + NS_PER_MS * below(random, k->step_ms + 1),
        .host = (guint16)(1 + below(random, k->hosts)),
        .device = (guint16)(1 + below(random, k->devices)),
        .way = k->ways == 1 ? RXTX_WAY_RECEIVED : (rxtx_way)below(random, k->ways),
        .cpu = {RXTX_KNOWN, below(random, k->cpus)},
        .endpoints = random_endpoints(random, k),
        .conversation = below(random, k->conversations),
        .late = percent(random, k->late),
        .has_segment = percent(random, k->segments),
        .segment = random_segment(random, at),
    };

    if (percent(random, 30) && before != NULL) /* many come behind another of their kind */
        packet.endpoints = before->endpoints;
    if (percent(random, k->unknown))
        packet.cpu = (rxtx_number){.presence = percent(random, 50) ? RXTX_ABSENT : RXTX_UNKNOWN};
    return packet;
}

/* --- comparison --------------------------------------------------------------------------------------------------- */

static void check_past(const file *f, const item *one)
{
    const rxtx_flow_packet *before = counts(one) ? before_in_lane(f, one) : NULL;

    g_assert_cmpuint(rxtx_flows_number(f->flows, one->past.lane), ==, one->flow);
    g_assert_cmpuint(one->past.split, ==, one->split);
    g_assert_cmpuint(one->past.reordered, ==, counts(one) && is_reordered(f, one));
    g_assert_cmpuint(one->past.prev_frame, ==, before != NULL ? before->frame : 0);
    g_assert_true((one->past.prev_slot != 0) == (before != NULL));
    if (before != NULL)
        g_assert_cmpuint(rxtx_flows_cpu(f->flows, one->past.prev_slot), ==, before->cpu.number);
}

static void take(file *f, rxtx_flow_packet packet)
{
    item *one = &f->items[f->n];

    *one = (item){.packet = packet, .flow = flow_number(f, &packet), .followed = is_followed(f, &packet.cpu)};
    one->split = counts(one) && is_split(f, one);
    rxtx_flows_next(f->flows, &packet, &one->past);
    check_past(f, one);
    f->n++;
}

static guint32 first_split(const file *f, guint32 flow)
{
    for (guint i = 0; i < f->n; i++)
        if (f->items[i].flow == flow && f->items[i].split)
            return f->items[i].packet.frame;
    return 0;
}

static void check_ends(const file *f, const item *one)
{
    rxtx_endpoints ends = rxtx_flows_endpoints(f->flows, one->past.lane);
    bool forward = rxtx_flows_forward(f->flows, one->past.lane);

    g_assert_true(ends.address_type == one->packet.endpoints.address_type);
    g_assert_true(ends.address_len == one->packet.endpoints.address_len);
    g_assert_true(ends.port_type == one->packet.endpoints.port_type);
    g_assert_true(forward ? same_direction(&ends, &one->packet.endpoints)
                          : opposite_direction(&ends, &one->packet.endpoints));
    g_assert_true(forward || !same_direction(&ends, &one->packet.endpoints));
}

/* What is asked when all packets have been seen, from the last to the first. */
static void check_afterwards(const file *f)
{
    for (guint i = f->n; i-- > 0;) {
        const item *one = &f->items[i];

        g_assert_cmpuint(rxtx_flows_number(f->flows, one->past.lane), ==, one->flow);
        g_assert_cmpuint(rxtx_flows_first_split(f->flows, one->past.lane), ==, first_split(f, one->flow));
        g_assert_true(rxtx_flows_follows(f->flows, &one->packet.cpu) == one->followed);
        if (one->followed)
            g_assert_cmpuint(rxtx_flows_cpus(f->flows, one->past.lane, one->packet.frame), ==, count_cpus(f, i));
        check_ends(f, one);
    }
}

static void compare_file(GRand *random, const kind *k)
{
    file f = {
        .items = g_new0(item, k->packets),
        .followed = g_hash_table_new(NULL, NULL),
        .flows = rxtx_flows_new(WINDOW_MS * NS_PER_MS),
    };

    for (guint i = 0; i < k->packets; i++)
        take(&f, random_packet(random, k, i, i > 0 ? &f.items[i - 1].packet : NULL));
    check_afterwards(&f);
    rxtx_flows_free(f.flows);
    g_hash_table_unref(f.followed);
    g_free(f.items);
}

static void compare_files(const kind *k, guint files, guint32 seed)
{
    GRand *random = g_rand_new_with_seed(seed);

    for (guint i = 0; i < files; i++)
        compare_file(random, k);
    g_rand_free(random);
}

static void few_flows_with_much_of_everything(void)
{
    static const kind k = {.packets = 250,
                           .addresses = 2,
                           .ports = 2,
                           .hosts = 1,
                           .devices = 3,
                           .ways = 3,
                           .conversations = 1,
                           .cpus = 4,
                           .unknown = 5,
                           .late = 10,
                           .segments = 80,
                           .step_ms = 6};

    compare_files(&k, 160, 1);
}

static void one_received_flow_that_moves_all_the_time(void)
{
    static const kind k = {.packets = 250,
                           .addresses = 2,
                           .ports = 1,
                           .hosts = 1,
                           .devices = 1,
                           .ways = 1,
                           .conversations = 1,
                           .cpus = 3,
                           .unknown = 1,
                           .late = 2,
                           .segments = 95,
                           .step_ms = 4};

    compare_files(&k, 160, 2);
}

static void many_flows_of_two_hosts(void)
{
    static const kind k = {.packets = 400,
                           .addresses = 8,
                           .ports = 3,
                           .hosts = 2,
                           .devices = 2,
                           .ways = 3,
                           .conversations = 2,
                           .cpus = 8,
                           .unknown = 5,
                           .late = 5,
                           .segments = 50,
                           .step_ms = 2};

    compare_files(&k, 50, 3);
}

static void more_cpus_than_are_followed(void)
{
    static const kind k = {.packets = 2500,
                           .addresses = 2,
                           .ports = 1,
                           .hosts = 1,
                           .devices = 1,
                           .ways = 1,
                           .conversations = 1,
                           .cpus = 2000,
                           .unknown = 1,
                           .late = 5,
                           .segments = 90,
                           .step_ms = 3};

    compare_files(&k, 1, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flows/model/few flows with much of everything", few_flows_with_much_of_everything);
    g_test_add_func("/flows/model/one received flow that moves all the time",
                    one_received_flow_that_moves_all_the_time);
    g_test_add_func("/flows/model/many flows of two hosts", many_flows_of_two_hosts);
    g_test_add_func("/flows/model/more CPUs than are followed", more_cpus_than_are_followed);
    return g_test_run();
}
