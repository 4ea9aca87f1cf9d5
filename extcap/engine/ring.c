/* Which block is whose, what a retired one gives, when an open one proves that nothing came, and where losses lie. What
 * is in a block is tpacket.c's, whose packets the socket accepts is afpacket.c's. */
#include "engine/ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "base/error.h"

enum {
    MIB = 1024 * 1024,
    /* Each holds the largest packet that is kept (RXTX_SNAPLEN_MAX) with its headers. A block that waits to be read is
     * gone for the kernel even if it has one packet only, so a small ring has small ones. */
    BLOCK_BYTES = 512 * 1024,
    SMALL_BLOCK_BYTES = 256 * 1024,
    SMALL_RING_BYTES = 8 * MIB,
    FRAME_BYTES = 2048, /* without meaning in TPACKET_V3, but checked by the kernel */
    /* A block with packets is handed over after this long, twice at most. */
    RETIRE_MS = 16,
    /* The kernel counts in 32 bits: after so many packets its counters are read in any case. */
    COUNTERS_LIMIT = 1 << 30,
    NS_PER_S = 1000000000,
};

static struct tpacket_hdr_v1 *header_of(const rxtx_ring *ring, unsigned block)
{
    return &((struct tpacket_block_desc *)(void *)(ring->map + block * ring->block_bytes))->hdr.bh1;
}

static bool handed_over(const rxtx_ring *ring, unsigned block)
{
    return __atomic_load_n(&header_of(ring, block)->block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

/* The kernel resets its counters with each reading. Returns what was dropped since the last one. */
static uint64_t read_counters(rxtx_ring *ring)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof stats;

    if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
        return 0;
    ring->accepted += stats.tp_packets;
    ring->dropped += stats.tp_drops;
    ring->owed += stats.tp_drops;
    ring->asked_at = ring->taken;
    return stats.tp_drops;
}

static GArray *new_places(void)
{
    return g_array_new(FALSE, FALSE, sizeof(rxtx_tpacket_place));
}

/* A packet is stamped before it is steered to another CPU, and may be overtaken on the way. Where that is seen once,
 * the blocks to come are sorted. */
static bool take_packet(rxtx_ring *ring)
{
    uint64_t before_ns = ring->stream.head.ts_ns;

    if (!rxtx_tpacket_next(&ring->walk, &ring->stream.head))
        return false;
    if (ring->stream.head.ts_ns < before_ns && ring->places == NULL)
        ring->places = new_places();
    ring->stream.head.dropped = ring->untold;
    ring->owed -= ring->untold;
    ring->untold = 0;
    ring->taken++;
    return true;
}

/* The kernel drops packets only while it has no block to fill, that is, while all of them are ours; and the next that
 * it fills is the one that we give back first. So what it dropped until then lies right before that block's packets
 * (prb_dispatch_next_block, __packet_lookup_frame_in_block in net/packet/af_packet.c).
 * num_pkts first: until the kernel opens the block, its old count would look like packets that wait in it. */
static void give_back(rxtx_ring *ring)
{
    unsigned block = ring->block;
    bool was_full = handed_over(ring, (block + ring->n_blocks - 1) % ring->n_blocks);

    __atomic_store_n(&header_of(ring, block)->num_pkts, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&header_of(ring, block)->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->block = (block + 1) % ring->n_blocks;
    if (was_full || ring->taken - ring->asked_at > COUNTERS_LIMIT)
        ring->lost_before[block] += read_counters(ring);
}

static void begin_block(rxtx_ring *ring)
{
    ring->untold += ring->lost_before[ring->block];
    ring->lost_before[ring->block] = 0;
    rxtx_tpacket_begin(&ring->walk, ring->rules, ring->map + ring->block * ring->block_bytes, ring->block_bytes);
    if (ring->places != NULL)
        rxtx_tpacket_sort(&ring->walk, ring->places);
}

/* The stream's next packet, if its block has been handed over. */
static void load(rxtx_ring *ring)
{
    ring->stream.pending = false;
    while (!ring->stream.pending && handed_over(ring, ring->block)) {
        begin_block(ring);
        ring->stream.pending = take_packet(ring);
        if (!ring->stream.pending)
            give_back(ring);
    }
}

static void advance(rxtx_stream *stream)
{
    rxtx_ring *ring = (rxtx_ring *)stream;

    if (take_packet(ring))
        return;
    stream->complete_ns = stream->head.ts_ns;
    give_back(ring);
    load(ring);
}

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t rxtx_ring_now_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

void rxtx_ring_read_clocks(uint64_t *monotonic_ns, uint64_t *realtime_ns)
{
    *realtime_ns = read_clock(CLOCK_REALTIME);
    *monotonic_ns = read_clock(CLOCK_MONOTONIC);
}

/* The block that the kernel fills next is the one we look at. While its count is 0 it has no packet, so all that was
 * stamped before we read the clocks is out. With a count, its packets may be older than now: wait. */
static void refresh(rxtx_stream *stream)
{
    rxtx_ring *ring = (rxtx_ring *)stream;
    uint64_t promised_ns = stream->complete_ns, complete_ns, monotonic_ns, realtime_ns;

    rxtx_ring_read_clocks(&monotonic_ns, &realtime_ns);
    complete_ns = rxtx_clock_complete(ring->clock, monotonic_ns, realtime_ns);
    if (ring->map == NULL) {
        stream->complete_ns = complete_ns;
        return;
    }
    load(ring);
    if (stream->pending && stream->head.ts_ns < promised_ns)
        rxtx_clock_widen(ring->clock, promised_ns - stream->head.ts_ns);
    if (!stream->pending && __atomic_load_n(&header_of(ring, ring->block)->num_pkts, __ATOMIC_RELAXED) == 0)
        stream->complete_ns = complete_ns;
}

static bool set_option(int fd, int option, int value, const char *what, GError **error)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "%s", what);
}

bool rxtx_ring_map(rxtx_ring *ring, GError **error)
{
    struct tpacket_req3 request = {
        .tp_block_size = (unsigned)ring->block_bytes,
        .tp_block_nr = ring->n_blocks,
        .tp_frame_size = FRAME_BYTES,
        .tp_frame_nr = (unsigned)(ring->bytes / FRAME_BYTES),
        .tp_retire_blk_tov = RETIRE_MS,
    };
    void *memory;

    if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "making a ring of %zu MiB", ring->bytes / MIB);
    memory = mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
    if (memory == MAP_FAILED)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "mapping a ring of %zu MiB", ring->bytes / MIB);
    ring->map = memory;
    return true;
}

bool rxtx_ring_open(rxtx_ring *ring, unsigned id, int fd, size_t bytes, bool shared, const rxtx_frame_rules *rules,
                    rxtx_clock *clock, GError **error)
{
    static const rxtx_stream_ops ops = {.advance = advance, .refresh = refresh};

    *ring = (rxtx_ring){
        .stream = {.ops = &ops, .id = id, .group = ring->stream.group, .complete_ns = ring->stream.complete_ns},
        .fd = fd,
        .bytes = bytes,
        .rules = rules,
        .clock = clock,
        .untold = ring->owed,
        .owed = ring->owed};
    ring->block_bytes = bytes < SMALL_RING_BYTES ? SMALL_BLOCK_BYTES : BLOCK_BYTES;
    ring->n_blocks = (unsigned)(bytes / ring->block_bytes);
    ring->lost_before = g_new0(uint64_t, ring->n_blocks);
    ring->places = shared ? new_places() : NULL;
    return set_option(fd, PACKET_VERSION, TPACKET_V3, "choosing TPACKET_V3", error) &&
           set_option(fd, PACKET_RESERVE, RXTX_TPACKET_RESERVE, "reserving room for VLAN tags", error);
}

void rxtx_ring_close(rxtx_ring *ring)
{
    rxtx_stream stream = ring->stream;

    rxtx_ring_clear(ring);
    *ring = (rxtx_ring){.stream = stream, .fd = -1, .clock = ring->clock, .owed = ring->owed};
}

void rxtx_ring_clear(rxtx_ring *ring)
{
    if (ring->map != NULL)
        munmap(ring->map, ring->bytes);
    ring->map = NULL;
    g_clear_pointer(&ring->lost_before, g_free);
    g_clear_pointer(&ring->places, g_array_unref);
}

bool rxtx_ring_settled(rxtx_ring *ring)
{
    read_counters(ring);
    return ring->taken == ring->accepted - ring->dropped;
}
