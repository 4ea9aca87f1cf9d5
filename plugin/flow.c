/* The state of flows. What a packet's endpoints and segment are is found out by analysis.c. */
#include "flow.h"

#include <string.h>

#include "pool.h"

/* What makes a flow, the lower end first. No padding: it is hashed and compared as bytes. */
typedef struct {
    rxtx_address low, high;
    guint16 low_port, high_port;
    guint32 conversation;
    guint16 host;
    guint8 address_type;
    guint8 address_len : 5, port_type : 3;
} flow_key;
G_STATIC_ASSERT(sizeof(flow_key) == 44);

typedef struct {
    flow_key key;
    guint32 first_lane; /* 0 while there is none */
    guint32 first_split;
} flow;

typedef struct {
    guint32 flow;
    guint32 next; /* lane of this flow */
    guint32 seen; /* the newest seen_cpu; 0 while there is one CPU only */
    guint32 last_frame;
    guint32 next_seq;       /* the highest so far, if has_seq */
    guint32 last_slot : 10; /* the CPU of last_frame, if that is not 0 */
    guint32 seq_slot : 10;  /* the CPU of the segment that set next_seq */
    guint32 way : 2, forward : 1, has_seq : 1, has_cpu : 1;
    guint16 device;
    guint16 seq_high_ns; /* when that came, in 48 bits */
    guint32 seq_low_ns;
} lane;
G_STATIC_ASSERT(sizeof(lane) == 32);

/* A CPU that handled packets of a lane, since when; from the newest to the oldest. */
typedef struct {
    guint32 next;
    guint32 first_frame;
    guint16 slot;
    guint16 nth; /* from 1 */
} seen_cpu;
G_STATIC_ASSERT(sizeof(seen_cpu) == 12);

/* The numbers of the flows, found by their keys: open addressing, 0 is a free place. GLib's tables keep a pointer and a
 * hash for each place, which is three times as much. */
typedef struct {
    guint32 *places;
    guint32 mask; /* places - 1, a power of two less 1 */
} flow_index;

struct rxtx_flows {
    guint64 window_ns;
    guint64 secret;                  /* of the index's hashes */
    rxtx_pool *flows, *lanes, *seen; /* the record 0 of each is not used */
    flow_index index;
    GHashTable *slots; /* CPU -> slot + 1 */
    GArray *cpus;      /* slot -> CPU */
};

/* Keyed, so that nobody can write a file whose flows all come to the same place. */
static guint32 hash_key(const rxtx_flows *flows, const flow_key *key)
{
    guint32 words[sizeof *key / 4];
    guint64 hash = flows->secret;

    memcpy(words, key, sizeof words);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return (guint32)hash;
}

static flow *get_flow(const rxtx_flows *flows, guint32 number)
{
    return (flow *)rxtx_pool_get(flows->flows, number);
}

static lane *get_lane(const rxtx_flows *flows, guint32 number)
{
    return (lane *)rxtx_pool_get(flows->lanes, number);
}

static seen_cpu *get_seen(const rxtx_flows *flows, guint32 number)
{
    return (seen_cpu *)rxtx_pool_get(flows->seen, number);
}

/* The place where the flow with this key is, or would be. */
static guint32 *find_place(const rxtx_flows *flows, const flow_key *key)
{
    const flow_index *index = &flows->index;
    guint32 place = hash_key(flows, key) & index->mask;

    while (index->places[place] != 0 && memcmp(&get_flow(flows, index->places[place])->key, key, sizeof *key) != 0)
        place = (place + 1) & index->mask;
    return &index->places[place];
}

static void grow_index(rxtx_flows *flows)
{
    g_free(flows->index.places);
    flows->index.mask = flows->index.mask * 2 + 1;
    flows->index.places = g_new0(guint32, (gsize)flows->index.mask + 1);
    for (guint32 number = 1; number < rxtx_pool_count(flows->flows); number++)
        *find_place(flows, &get_flow(flows, number)->key) = number;
}

static guint32 add_flow(rxtx_flows *flows, const flow_key *key)
{
    guint32 number = rxtx_pool_count(flows->flows);
    flow *added = (flow *)rxtx_pool_add(flows->flows);

    added->key = *key;
    *find_place(flows, key) = number;
    if (number > flows->index.mask / 4 * 3)
        grow_index(flows);
    return number;
}

static guint32 find_or_add_flow(rxtx_flows *flows, const flow_key *key)
{
    guint32 number = *find_place(flows, key);

    return number != 0 ? number : add_flow(flows, key);
}

/* Whether the source is the lower end. Of equal ends there is one direction only. */
static bool is_forward(const rxtx_endpoints *ends)
{
    int order = memcmp(&ends->src, &ends->dst, sizeof ends->src);

    return order != 0 ? order < 0 : ends->src_port <= ends->dst_port;
}

static flow_key make_key(const rxtx_flow_packet *packet, bool forward)
{
    const rxtx_endpoints *ends = &packet->endpoints;

    return (flow_key){
        .low = forward ? ends->src : ends->dst,
        .high = forward ? ends->dst : ends->src,
        .low_port = forward ? ends->src_port : ends->dst_port,
        .high_port = forward ? ends->dst_port : ends->src_port,
        .conversation = packet->conversation,
        .host = packet->host,
        .address_type = ends->address_type,
        .address_len = ends->address_len,
        .port_type = ends->port_type,
    };
}

static guint32 add_lane(rxtx_flows *flows, guint32 number, const rxtx_flow_packet *packet, bool forward)
{
    guint32 added = rxtx_pool_count(flows->lanes);
    flow *of = get_flow(flows, number);

    *(lane *)rxtx_pool_add(flows->lanes) = (lane){
        .flow = number, .next = of->first_lane, .device = packet->device, .way = packet->way, .forward = forward};
    of->first_lane = added;
    return added;
}

/* 0 if the flow has too many: every packet walks them. */
static guint32 find_or_add_lane(rxtx_flows *flows, guint32 number, const rxtx_flow_packet *packet, bool forward)
{
    guint count = 0;

    for (guint32 at = get_flow(flows, number)->first_lane; at != 0; at = get_lane(flows, at)->next) {
        const lane *one = get_lane(flows, at);

        if (one->device == packet->device && one->way == packet->way && one->forward == forward)
            return at;
        count++;
    }
    return count < RXTX_LANES_MAX ? add_lane(flows, number, packet, forward) : 0;
}

/* The slot of a CPU; false if there are too many different ones to follow. */
static bool find_slot(rxtx_flows *flows, guint32 cpu, guint16 *slot)
{
    guint found = GPOINTER_TO_UINT(g_hash_table_lookup(flows->slots, GUINT_TO_POINTER(cpu)));

    if (found == 0 && flows->cpus->len < RXTX_SLOTS_MAX) {
        g_array_append_val(flows->cpus, cpu);
        found = flows->cpus->len;
        g_hash_table_insert(flows->slots, GUINT_TO_POINTER(cpu), GUINT_TO_POINTER(found));
    }
    *slot = (guint16)(found - 1);
    return found != 0;
}

static bool has_seen(const rxtx_flows *flows, const lane *one, guint16 slot)
{
    for (guint32 at = one->seen; at != 0; at = get_seen(flows, at)->next)
        if (get_seen(flows, at)->slot == slot)
            return true;
    return false;
}

static void add_seen(rxtx_flows *flows, lane *one, guint16 slot, guint32 frame)
{
    guint32 added = rxtx_pool_count(flows->seen);
    guint16 before = one->seen != 0 ? get_seen(flows, one->seen)->nth : 0;

    *(seen_cpu *)rxtx_pool_add(flows->seen) =
        (seen_cpu){.next = one->seen, .first_frame = frame, .slot = slot, .nth = (guint16)(before + 1)};
    one->seen = added;
}

/* Most lanes stay on one CPU: while there is no other, it is last_slot and needs no record of its own. */
static void see_cpu(rxtx_flows *flows, lane *one, guint16 slot, guint32 frame)
{
    if (!one->has_cpu) {
        one->has_cpu = 1;
        one->last_slot = slot;
        return;
    }
    if (one->seen == 0 ? one->last_slot == slot : has_seen(flows, one, slot))
        return;
    if (one->seen == 0)
        add_seen(flows, one, one->last_slot, 0);
    add_seen(flows, one, slot, frame);
}

static void compare_with_last(lane *one, guint32 frame, guint16 slot, rxtx_past *past)
{
    if (one->last_frame != 0) {
        past->prev_frame = one->last_frame;
        past->prev_slot = one->last_slot + 1u;
    }
    one->last_frame = frame;
    one->last_slot = slot;
}

/* The lane in which the other direction was received: on the same device, or else where it was last. */
static const lane *received_other_way(const rxtx_flows *flows, const lane *one)
{
    const lane *found = NULL;

    for (guint32 at = get_flow(flows, one->flow)->first_lane; at != 0; at = get_lane(flows, at)->next) {
        const lane *other = get_lane(flows, at);

        if (other->forward == one->forward || other->way != RXTX_WAY_RECEIVED || other->last_frame == 0)
            continue;
        if (other->device == one->device)
            return other;
        if (found == NULL || other->last_frame > found->last_frame)
            found = other;
    }
    return found;
}

static bool is_split(const rxtx_flows *flows, const lane *one, guint16 slot)
{
    const lane *other = one->way == RXTX_WAY_RECEIVED ? received_other_way(flows, one) : NULL;

    return other != NULL && other->last_slot != slot;
}

/* Sequence numbers wrap: what is less than half of them away is before. */
static bool is_before(guint32 a, guint32 b)
{
    return a != b && b - a < 0x80000000u;
}

static guint64 since_seq_ns(const lane *one, guint64 time_ns)
{
    guint64 seq_ns = (guint64)one->seq_high_ns << 32 | one->seq_low_ns;

    return (time_ns - seq_ns) & ((1ull << 48) - 1);
}

/* A segment that arrives right behind one with a higher number that another CPU handled: the flow moved, and the two
 * were in two CPUs' queues at once. What comes later was sent again. So may be what this host sends on another CPU. */
static bool is_reordered(const rxtx_flows *flows, const lane *one, const rxtx_flow_packet *packet, guint16 slot)
{
    return one->way != RXTX_WAY_SENT && one->has_seq && packet->segment.len > 0 &&
           is_before(packet->segment.seq, one->next_seq) && one->seq_slot != slot &&
           since_seq_ns(one, packet->time_ns) <= flows->window_ns;
}

static void take_segment(lane *one, const rxtx_flow_packet *packet, guint16 slot)
{
    guint32 next = packet->segment.seq + packet->segment.len;

    if (one->has_seq && !is_before(one->next_seq, next))
        return;
    one->has_seq = 1;
    one->next_seq = next;
    one->seq_slot = slot;
    one->seq_high_ns = (guint16)(packet->time_ns >> 32);
    one->seq_low_ns = (guint32)packet->time_ns;
}

static void compare(rxtx_flows *flows, lane *one, const rxtx_flow_packet *packet, guint16 slot, rxtx_past *past)
{
    compare_with_last(one, packet->frame, slot, past);
    past->split = is_split(flows, one, slot);
    if (past->split && get_flow(flows, one->flow)->first_split == 0)
        get_flow(flows, one->flow)->first_split = packet->frame;
    if (!packet->has_segment)
        return;
    past->reordered = is_reordered(flows, one, packet, slot);
    take_segment(one, packet, slot);
}

void rxtx_flows_next(rxtx_flows *flows, const rxtx_flow_packet *packet, rxtx_past *past)
{
    bool forward = is_forward(&packet->endpoints);
    flow_key key = make_key(packet, forward);
    guint16 slot;
    lane *one;

    past->lane = find_or_add_lane(flows, find_or_add_flow(flows, &key), packet, forward);
    if (past->lane == 0 || packet->cpu.presence != RXTX_KNOWN || !find_slot(flows, packet->cpu.number, &slot))
        return;
    one = get_lane(flows, past->lane);
    see_cpu(flows, one, slot, packet->frame);
    if (!packet->late)
        compare(flows, one, packet, slot, past);
}

guint32 rxtx_flows_number(const rxtx_flows *flows, guint32 number)
{
    return get_lane(flows, number)->flow;
}

guint32 rxtx_flows_cpus(const rxtx_flows *flows, guint32 number, guint32 frame)
{
    const lane *one = get_lane(flows, number);

    for (guint32 at = one->seen; at != 0; at = get_seen(flows, at)->next)
        if (get_seen(flows, at)->first_frame <= frame)
            return get_seen(flows, at)->nth;
    return one->has_cpu;
}

bool rxtx_flows_follows(const rxtx_flows *flows, const rxtx_number *cpu)
{
    return cpu->presence == RXTX_KNOWN && g_hash_table_contains(flows->slots, GUINT_TO_POINTER(cpu->number));
}

guint32 rxtx_flows_first_split(const rxtx_flows *flows, guint32 number)
{
    return get_flow(flows, get_lane(flows, number)->flow)->first_split;
}

rxtx_endpoints rxtx_flows_endpoints(const rxtx_flows *flows, guint32 number)
{
    const flow_key *key = &get_flow(flows, get_lane(flows, number)->flow)->key;

    return (rxtx_endpoints){
        .src = key->low,
        .dst = key->high,
        .src_port = key->low_port,
        .dst_port = key->high_port,
        .address_type = key->address_type,
        .address_len = key->address_len,
        .port_type = key->port_type,
    };
}

bool rxtx_flows_forward(const rxtx_flows *flows, guint32 number)
{
    return get_lane(flows, number)->forward;
}

guint16 rxtx_flows_device(const rxtx_flows *flows, guint32 number)
{
    return get_lane(flows, number)->device;
}

guint32 rxtx_flows_cpu(const rxtx_flows *flows, guint prev_slot)
{
    return g_array_index(flows->cpus, guint32, prev_slot - 1);
}

static rxtx_pool *new_numbered_pool(gsize size)
{
    rxtx_pool *pool = rxtx_pool_new(size);

    rxtx_pool_add(pool); /* 0 is "none" */
    return pool;
}

rxtx_flows *rxtx_flows_new(guint64 window_ns)
{
    rxtx_flows *flows = g_new0(rxtx_flows, 1);

    flows->window_ns = window_ns;
    flows->secret = (guint64)g_random_int() << 32 | g_random_int();
    flows->flows = new_numbered_pool(sizeof(flow));
    flows->lanes = new_numbered_pool(sizeof(lane));
    flows->seen = new_numbered_pool(sizeof(seen_cpu));
    flows->index = (flow_index){g_new0(guint32, 64), 63};
    flows->slots = g_hash_table_new(NULL, NULL);
    flows->cpus = g_array_new(FALSE, FALSE, sizeof(guint32));
    return flows;
}

void rxtx_flows_free(rxtx_flows *flows)
{
    if (flows == NULL)
        return;
    rxtx_pool_free(flows->flows);
    rxtx_pool_free(flows->lanes);
    rxtx_pool_free(flows->seen);
    g_free(flows->index.places);
    g_hash_table_unref(flows->slots);
    g_array_unref(flows->cpus);
    g_free(flows);
}
