/* Sockets, rings and the fan-out group, and the reading of the rings. What is in a block is tpacket.c's, what is let in
 * filter.c's, in which order the packets of several rings go out the merge's. */
#include "engine/afpacket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/clock.h"
#include "engine/device.h"
#include "engine/filter.h"
#include "engine/tpacket.h"

enum {
    /* Holds the largest packet we keep (RXTX_SNAPLEN_MAX) with its headers. Small, because a block that waits to be
     * read is gone for the kernel even if it holds one packet only. */
    BLOCK_BYTES = 256 * 1024,
    FRAME_BYTES = 2048, /* without meaning in TPACKET_V3, but checked by the kernel */
    /* A block with packets is handed over after this long, twice at most. */
    RETIRE_MS = 8,
    /* The kernel counts in 32 bits: after so many packets its counters are read in any case. */
    COUNTERS_LIMIT = 1 << 30,
    /* PACKET_FANOUT with an int takes so many members; more need struct fanout_args, since Linux 5.11. */
    MEMBERS_OF_INT = 256,
    /* A device that is down is looked at so often, for its end comes without another word. */
    DOWN_LOOK_MS = 200,
    NS_PER_S = 1000000000,
};

typedef struct afpacket afpacket;

typedef struct {
    rxtx_stream stream; /* first: a stream of ours is its ring */
    afpacket *owner;
    int fd; /* owner->members[cpu] */
    uint8_t *map;
    size_t map_bytes;
    unsigned n_blocks;
    unsigned block; /* being read, or the next to be handed over */
    rxtx_tpacket_walk walk;
    GArray *program;
    uint64_t taken;    /* packets that came out */
    uint64_t asked_at; /* what `taken` was when the counters were last read */
    uint64_t accepted; /* as the kernel counted */
    uint64_t dropped;  /* of those */
    uint64_t unplaced; /* of those, the ones whose place among the packets is not known yet */
    uint64_t untold;   /* of those, the ones that lie right before the next packet */
} ring;

struct afpacket {
    rxtx_engine engine; /* first */
    char *interface;
    rxtx_device device;
    rxtx_frame_rules rules;
    rxtx_clock clock;
    int *members; /* n_members sockets, -1 = not open */
    unsigned n_members;
    ring *rings; /* engine.n_streams */
    struct pollfd *polls;
    ring **polled;
    bool down;
};

/* ---- reading a ring ---- */

static struct tpacket_hdr_v1 *block_header(const ring *r)
{
    return &((struct tpacket_block_desc *)(void *)(r->map + (size_t)r->block * BLOCK_BYTES))->hdr.bh1;
}

/* The kernel resets its counters with each reading. Packets that are still in the ring may be older than the losses. */
static void read_counters(ring *r)
{
    struct tpacket_stats_v3 stats = {0};
    socklen_t size = sizeof stats;

    if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
        return;
    r->accepted += stats.tp_packets;
    r->dropped += stats.tp_drops;
    r->unplaced += stats.tp_drops;
    r->asked_at = r->taken;
}

static bool take_packet(ring *r)
{
    if (!rxtx_tpacket_next(&r->walk, &r->stream.head))
        return false;
    r->stream.head.dropped = r->untold;
    r->untold = 0;
    r->taken++;
    return true;
}

/* num_pkts first: until the kernel opens the block again, its old count would look like packets that wait in it. */
static void give_back(ring *r)
{
    struct tpacket_hdr_v1 *header = block_header(r);

    __atomic_store_n(&header->num_pkts, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&header->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    r->block = (r->block + 1) % r->n_blocks;
}

/* TP_STATUS_LOSING: drops not read yet when the block was closed (prb_close_block). They lie before its packets, for
 * the kernel drops only while no block is open. */
static void place_losses(ring *r)
{
    read_counters(r);
    r->untold += r->unplaced;
    r->unplaced = 0;
}

static void load(ring *r)
{
    for (;;) {
        uint32_t status = __atomic_load_n(&block_header(r)->block_status, __ATOMIC_ACQUIRE);
        r->stream.pending = false;
        if (!(status & TP_STATUS_USER))
            return;
        if (status & TP_STATUS_LOSING)
            place_losses(r);
        else if (r->taken - r->asked_at > COUNTERS_LIMIT)
            read_counters(r);
        rxtx_tpacket_begin(&r->walk, &r->owner->rules, r->map + (size_t)r->block * BLOCK_BYTES, BLOCK_BYTES);
        r->stream.pending = take_packet(r);
        if (r->stream.pending)
            return;
        give_back(r);
    }
}

static void ring_advance(rxtx_stream *stream)
{
    ring *r = (ring *)stream;

    if (take_packet(r))
        return;
    stream->complete_ns = stream->head.ts_ns;
    give_back(r);
    load(r);
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The block that the kernel fills next is the one we look at. While its count is 0 it has no packet, so all that was
 * stamped before we read the clock is out. With a count, its packets are older than now, and it must be waited for. */
static void ring_refresh(rxtx_stream *stream)
{
    ring *r = (ring *)stream;
    uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);
    uint64_t complete = rxtx_clock_complete(&r->owner->clock, monotonic, clock_ns(CLOCK_REALTIME));

    load(r);
    if (!stream->pending && __atomic_load_n(&block_header(r)->num_pkts, __ATOMIC_RELAXED) == 0)
        stream->complete_ns = complete;
}

static const rxtx_stream_ops ring_ops = {.advance = ring_advance, .refresh = ring_refresh};

/* ---- waiting ---- */

/* A socket whose device went away for good has lost its index (packet_notifier). */
static bool device_gone(const afpacket *a)
{
    struct sockaddr_ll link = {0};
    socklen_t size = sizeof link;

    return getsockname(a->members[0], (struct sockaddr *)&link, &size) == 0 && link.sll_ifindex != a->device.ifindex;
}

static bool device_up(const afpacket *a)
{
    struct ifreq request = {0};

    return if_indextoname((unsigned)a->device.ifindex, request.ifr_name) != NULL &&
           ioctl(a->members[0], SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

/* ENETDOWN comes with each loss of the device, and reading it clears it. The members come back in their order when the
 * device comes up again, and the guard holds meanwhile. */
static void take_error(const ring *r)
{
    int code = 0;
    socklen_t size = sizeof code;

    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == ENETDOWN && !r->owner->down) {
        r->owner->down = true;
        r->owner->engine.downs++;
    }
}

static rxtx_wait_result look_at_device(afpacket *a)
{
    if (!a->down || a->engine.failure != NULL)
        return RXTX_WAIT_GO_ON;
    if (device_gone(a)) {
        a->engine.downs--; /* the one that was its end */
        rxtx_set_error(&a->engine.failure, RXTX_ERROR_INTERFACE,
                       "The interface %s is gone (deleted, or moved to another namespace), the capture ends here",
                       a->interface);
        return RXTX_WAIT_FAILED;
    }
    a->down = !device_up(a);
    return RXTX_WAIT_GO_ON;
}

/* Fills a->polls with what is to be waited for. Returns how many. */
static nfds_t list_polls(afpacket *a, const rxtx_wait_for *what)
{
    nfds_t n = 0;

    a->polls[n++] = (struct pollfd){.fd = what->stop_fd, .events = POLLIN};
    a->polls[n++] = (struct pollfd){.fd = what->output_fd};
    for (unsigned i = 0; i < a->engine.n_streams; i++)
        if (!a->rings[i].stream.pending) {
            a->polled[n] = &a->rings[i];
            a->polls[n++] = (struct pollfd){.fd = a->rings[i].fd, .events = POLLIN};
        }
    return n;
}

static rxtx_wait_result afpacket_wait(rxtx_engine *engine, const rxtx_wait_for *what)
{
    afpacket *a = (afpacket *)engine;
    bool look = a->down && engine->failure == NULL;
    int timeout_ms =
        look && (what->timeout_ms < 0 || what->timeout_ms > DOWN_LOOK_MS) ? DOWN_LOOK_MS : what->timeout_ms;
    nfds_t n = list_polls(a, what);

    if (poll(a->polls, n, timeout_ms) < 0)
        return RXTX_WAIT_GO_ON; /* EINTR */
    if (a->polls[1].revents != 0)
        return RXTX_WAIT_READER_GONE;
    for (nfds_t i = 2; i < n; i++)
        if (a->polls[i].revents & POLLERR)
            take_error(a->polled[i]);
    return look_at_device(a);
}

/* ---- start, halt, counters ---- */

static bool attach(int fd, const struct sock_filter *program, unsigned length, GError **error)
{
    struct sock_fprog attached = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "attaching the capture filter");
}

static bool afpacket_start(rxtx_engine *engine, GError **error)
{
    afpacket *a = (afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++) {
        const GArray *program = a->rings[i].program;
        if (!attach(a->rings[i].fd, (const struct sock_filter *)(void *)program->data, program->len, error))
            return false;
    }
    return true;
}

static void afpacket_halt(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++)
        attach(a->rings[i].fd, rxtx_filter_reject, G_N_ELEMENTS(rxtx_filter_reject), NULL);
}

static bool afpacket_settled(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;
    bool settled = true;

    for (unsigned i = 0; i < engine->n_streams; i++) {
        ring *r = &a->rings[i];
        read_counters(r);
        settled = settled && r->taken == r->accepted - r->dropped;
    }
    return settled;
}

static rxtx_stats afpacket_stats(const rxtx_engine *engine, unsigned id)
{
    const ring *r = &((const afpacket *)engine)->rings[id];

    return (rxtx_stats){.accepted = r->accepted, .dropped = r->dropped};
}

static void ring_clear(ring *r)
{
    if (r->map != NULL)
        munmap(r->map, r->map_bytes);
    if (r->program != NULL)
        g_array_unref(r->program);
}

static void afpacket_free(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++)
        ring_clear(&a->rings[i]);
    for (unsigned i = 0; i < a->n_members; i++)
        if (a->members[i] >= 0)
            close(a->members[i]);
    rxtx_device_clear(&a->device);
    g_clear_error(&engine->failure);
    g_free(engine->streams);
    g_free(a->interface);
    g_free(a->members);
    g_free(a->rings);
    g_free(a->polls);
    g_free(a->polled);
    g_free(a);
}

static const rxtx_engine_ops afpacket_ops = {
    .start = afpacket_start,
    .wait = afpacket_wait,
    .halt = afpacket_halt,
    .settled = afpacket_settled,
    .stats = afpacket_stats,
    .free = afpacket_free,
};

/* ---- opening ---- */

static bool set_option(int fd, int option, int value, const char *what, GError **error)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "%s", what);
}

/* Protocol 0: nothing arrives before bind. */
static bool open_member(afpacket *a, unsigned cpu, GError **error)
{
    int fd = socket(AF_PACKET, (a->device.cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, 0);

    a->members[cpu] = fd;
    if (fd < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "opening a packet socket on %s", a->interface);
    return attach(fd, rxtx_filter_reject, G_N_ELEMENTS(rxtx_filter_reject), error);
}

static bool open_members(afpacket *a, GError **error)
{
    for (unsigned cpu = 0; cpu < a->n_members; cpu++)
        if (!open_member(a, cpu, error))
            return false;
    return true;
}

static bool open_ring(ring *r, const rxtx_plan_stream *plan, GError **error)
{
    struct tpacket_req3 request = {
        .tp_block_size = BLOCK_BYTES,
        .tp_block_nr = (unsigned)(plan->ring_bytes / BLOCK_BYTES),
        .tp_frame_size = FRAME_BYTES,
        .tp_frame_nr = (unsigned)(plan->ring_bytes / FRAME_BYTES),
        .tp_retire_blk_tov = RETIRE_MS,
    };

    if (!set_option(r->fd, PACKET_VERSION, TPACKET_V3, "choosing TPACKET_V3", error) ||
        !set_option(r->fd, PACKET_RESERVE, RXTX_TPACKET_RESERVE, "reserving room for VLAN tags", error))
        return false;
    if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "making a ring of %zu MiB for CPU %u",
                              plan->ring_bytes / RXTX_RING_BYTES_MIN, plan->cpu);
    r->map = mmap(NULL, plan->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (r->map == MAP_FAILED) {
        r->map = NULL;
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "mapping the ring of CPU %u", plan->cpu);
    }
    r->map_bytes = plan->ring_bytes;
    r->n_blocks = request.tp_block_nr;
    return true;
}

static bool open_rings(afpacket *a, const rxtx_plan *plan, GError **error)
{
    for (unsigned i = 0; i < plan->n_streams; i++) {
        ring *r = &a->rings[i];
        rxtx_filter_rules rules = {
            .cpu = plan->streams[i].cpu,
            .rx = plan->options->direction & RXTX_DIRECTION_RX,
            .tx = plan->options->direction & RXTX_DIRECTION_TX,
            .snaplen = a->rules.snaplen,
            .cooked = a->device.cooked,
        };
        r->stream = (rxtx_stream){.ops = &ring_ops, .id = i};
        r->owner = a;
        r->fd = a->members[rules.cpu];
        a->engine.streams[i] = &r->stream;
        r->program = rxtx_filter_compose(&rules, a->device.filter, a->device.filter_length, error);
        if (r->program == NULL || !open_ring(r, &plan->streams[i], error))
            return false;
    }
    return true;
}

static bool bind_members(afpacket *a, GError **error)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = a->device.ifindex};

    for (unsigned i = 0; i < a->n_members; i++)
        if (bind(a->members[i], (struct sockaddr *)&address, sizeof address) < 0)
            return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "binding to %s", a->interface);
    return true;
}

static bool join(const afpacket *a, unsigned cpu, unsigned id, unsigned flags, GError **error)
{
    struct fanout_args args = {.id = (guint16)id, .type_flags = (guint16)(PACKET_FANOUT_CPU | flags)};
    socklen_t size = sizeof(guint32); /* the first two members: what the int of older kernels holds */

    if (a->n_members > MEMBERS_OF_INT) {
        args.max_num_members = a->n_members;
        size = sizeof args;
    }
    return setsockopt(a->members[cpu], SOL_PACKET, PACKET_FANOUT, &args, size) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "joining the fan-out group for CPU %u", cpu);
}

/* The first member has the kernel choose an id that nobody uses, in this namespace or with this pid in another one. */
static bool join_members(afpacket *a, GError **error)
{
    int group = 0;
    socklen_t size = sizeof group;

    if (!join(a, 0, 0, PACKET_FANOUT_FLAG_UNIQUEID, error))
        return false;
    if (getsockopt(a->members[0], SOL_PACKET, PACKET_FANOUT, &group, &size) < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "reading the fan-out group's id");
    for (unsigned cpu = 1; cpu < a->n_members; cpu++)
        if (!join(a, cpu, (guint16)group, 0, error))
            return false;
    return true;
}

/* Ends with the socket, whatever ends it. */
static bool make_promiscuous(const afpacket *a, GError **error)
{
    struct packet_mreq request = {.mr_ifindex = a->device.ifindex, .mr_type = PACKET_MR_PROMISC};

    return setsockopt(a->members[0], SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "making %s promiscuous", a->interface);
}

static afpacket *new_afpacket(const rxtx_plan *plan)
{
    afpacket *a = g_new0(afpacket, 1);

    a->engine.ops = &afpacket_ops;
    a->engine.n_streams = plan->n_streams;
    a->engine.streams = g_new0(rxtx_stream *, plan->n_streams);
    a->interface = g_strdup(plan->options->interface);
    a->rings = g_new0(ring, plan->n_streams);
    a->polls = g_new0(struct pollfd, plan->n_streams + 2);
    a->polled = g_new0(ring *, plan->n_streams + 2);
    a->n_members = plan->n_cpus;
    a->members = g_new(int, plan->n_cpus);
    for (unsigned i = 0; i < plan->n_cpus; i++)
        a->members[i] = -1;
    rxtx_clock_init(&a->clock, clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_REALTIME));
    return a;
}

/* What the kernel keeps of a packet does not count a header that is put in front afterwards. */
static bool probe(afpacket *a, const rxtx_plan *plan, GError **error)
{
    rxtx_filter_rules rules = {.snaplen = (guint32)plan->options->snaplen};

    if (!rxtx_device_probe(&a->device, a->interface, plan->options->filter, error))
        return false;
    rules.cooked = a->device.cooked;
    a->rules = (rxtx_frame_rules){.cooked = a->device.cooked,
                                  .ethernet = a->device.ethernet,
                                  .can = a->device.can,
                                  .snaplen = (uint32_t)plan->options->snaplen};
    a->engine.linktype = a->device.linktype;
    return rxtx_filter_fit(a->device.filter, a->device.filter_length, &rules, error);
}

/* Created, bound and joined in the order of the CPUs: after a loss of the device the kernel puts the members back in
 * the order in which they were created (packet_notifier walks net->packet.sklist). */
rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, GError **error)
{
    afpacket *a = new_afpacket(plan);

    if (probe(a, plan, error) && open_members(a, error) && open_rings(a, plan, error) && bind_members(a, error) &&
        join_members(a, error) && (!plan->options->promiscuous || make_promiscuous(a, error)))
        return &a->engine;
    afpacket_free(&a->engine);
    return NULL;
}
