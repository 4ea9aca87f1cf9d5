/* The sockets of all CPUs, their fan-out group, and the waiting for them. One ring is ring.c's, what is let in
 * filter.c's, in which order the packets of several rings go out the merge's. */
#include "engine/afpacket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/membarrier.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/device.h"
#include "engine/filter.h"
#include "engine/ring.h"

enum {
    /* PACKET_FANOUT with an int takes so many members; more need struct fanout_args, since Linux 5.11. */
    MEMBERS_OF_INT = 256,
    /* A device that is down is looked at so often, for its end comes without another word. */
    DOWN_LOOK_MS = 200,
    /* Descriptors of the program beside a packet socket and a file for each member: fewer, in fact. */
    OTHER_FILES = 64,
    /* A block is retired within twice its time-out (prb_retire_rx_blk_timer_expired, net/packet/af_packet.c), which is
     * some 40 ms. */
    SETTLE_US = 300000,
};

typedef struct {
    rxtx_engine engine; /* first */
    char *interface;
    rxtx_device device;
    rxtx_frame_rules rules;
    rxtx_clock clock;
    int *members; /* n_members sockets, -1 = not open */
    unsigned n_members;
    rxtx_ring *rings;  /* engine.n_streams */
    GArray **programs; /* one for each ring: what its socket accepts */
    struct pollfd *polls;
    bool down;
} afpacket;

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

static bool take_error(int fd)
{
    int code = 0;
    socklen_t size = sizeof code;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == ENETDOWN;
}

/* Each socket gets an ENETDOWN with each loss of the device; taken from all at once, a loss counts once. The members
 * come back in their order when the device comes up again, and the guard holds meanwhile. */
static void take_errors(afpacket *a)
{
    bool lost = false;

    for (unsigned i = 0; i < a->engine.n_streams; i++)
        lost = take_error(a->rings[i].fd) || lost;
    if (lost && !a->down) {
        a->down = true;
        a->engine.downs++;
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
        if (!a->rings[i].stream.pending)
            a->polls[n++] = (struct pollfd){.fd = a->rings[i].fd, .events = POLLIN};
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
            take_errors(a);
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
        const GArray *program = a->programs[i];
        if (!attach(a->rings[i].fd, (const struct sock_filter *)(void *)program->data, program->len, error))
            return false;
    }
    return true;
}

/* A packet may be behind the old filter and not counted yet. The barrier waits until no CPU is inside the receive path
 * any more (synchronize_rcu in kernel/sched/membarrier.c); where there is none, microseconds remain. */
static void afpacket_halt(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++)
        attach(a->rings[i].fd, rxtx_filter_reject, G_N_ELEMENTS(rxtx_filter_reject), NULL);
    (void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static bool afpacket_settled(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;
    bool settled = true;

    for (unsigned i = 0; i < engine->n_streams; i++)
        settled = rxtx_ring_settled(&a->rings[i]) && settled;
    return settled;
}

static void afpacket_add_stats(const rxtx_engine *engine, rxtx_stats *groups)
{
    const rxtx_ring *rings = ((const afpacket *)engine)->rings;

    for (unsigned i = 0; i < engine->n_streams; i++) {
        rxtx_stats counted = {.accepted = rings[i].accepted, .dropped = rings[i].dropped};
        rxtx_stats_add(&groups[rings[i].stream.group], &counted);
    }
}

static void afpacket_free(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++) {
        rxtx_ring_clear(&a->rings[i]);
        g_clear_pointer(&a->programs[i], g_array_unref);
    }
    for (unsigned i = 0; i < a->n_members; i++)
        if (a->members[i] >= 0)
            close(a->members[i]);
    rxtx_device_clear(&a->device);
    g_clear_error(&engine->failure);
    g_free(engine->streams);
    g_free(a->interface);
    g_free(a->members);
    g_free(a->rings);
    g_free(a->programs);
    g_free(a->polls);
    g_free(a);
}

static const rxtx_engine_ops afpacket_ops = {
    .start = afpacket_start,
    .wait = afpacket_wait,
    .halt = afpacket_halt,
    .settled = afpacket_settled,
    .add_stats = afpacket_add_stats,
    .free = afpacket_free,
};

/* ---- opening ---- */

static struct sock_filter *user_program(const afpacket *a)
{
    return a->device.filter != NULL ? (struct sock_filter *)(void *)a->device.filter->data : NULL;
}

static unsigned user_length(const afpacket *a)
{
    return a->device.filter != NULL ? a->device.filter->len : 0;
}

/* Protocol 0: nothing arrives before bind. */
static bool open_member(afpacket *a, unsigned member, GError **error)
{
    int fd = socket(AF_PACKET, (a->device.rules.cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, 0);

    a->members[member] = fd;
    if (fd < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error creating socket");
    return attach(fd, rxtx_filter_reject, G_N_ELEMENTS(rxtx_filter_reject), error);
}

/* On a machine with 1,000 CPUs the usual limit would not do. It is our own, and ends with us. */
static void allow_files(rlim_t n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= n)
        return;
    limit.rlim_cur = MIN(n, limit.rlim_max);
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* if it was not enough, opening says so */
}

static bool open_members(afpacket *a, GError **error)
{
    allow_files(2 * (rlim_t)a->n_members + OTHER_FILES);
    for (unsigned member = 0; member < a->n_members; member++)
        if (!open_member(a, member, error))
            return false;
    return true;
}

static bool open_ring(afpacket *a, const rxtx_plan *plan, unsigned id, GError **error)
{
    const rxtx_plan_stream *stream = &plan->streams[id];
    g_autofree char *group = NULL;
    rxtx_filter_rules rules = {
        .split = {.n_queues = plan->n_queues, .rx_recorded = plan->rx_recorded},
        .member = stream->member,
        .rx = plan->options->direction & RXTX_DIRECTION_RX,
        .tx = plan->options->direction & RXTX_DIRECTION_TX,
        .snaplen = a->rules.snaplen,
        .cooked = a->device.rules.cooked,
    };

    a->programs[id] = rxtx_filter_compose(&rules, user_program(a), user_length(a), error);
    if (a->programs[id] == NULL)
        return false;
    a->engine.streams[id] = &a->rings[id].stream;
    if (rxtx_ring_open(&a->rings[id], id, a->members[stream->member], stream->ring_bytes, plan->n_queues != 0,
                       &a->rules, &a->clock, error)) {
        a->rings[id].stream.group = stream->group;
        return true;
    }
    group = rxtx_plan_group_name(plan, stream->group);
    g_prefix_error(error, "%s of %s: ", group, a->interface);
    return false;
}

static bool open_rings(afpacket *a, const rxtx_plan *plan, GError **error)
{
    for (unsigned id = 0; id < plan->n_streams; id++)
        if (!open_ring(a, plan, id, error))
            return false;
    return true;
}

static bool bind_members(afpacket *a, GError **error)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = a->device.ifindex};

    for (unsigned i = 0; i < a->n_members; i++)
        if (bind(a->members[i], (struct sockaddr *)&address, sizeof address) < 0)
            return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error binding socket");
    return true;
}

static bool join(const afpacket *a, unsigned member, unsigned id, unsigned type_flags, GError **error)
{
    struct fanout_args args = {.id = (guint16)id, .type_flags = (guint16)type_flags};
    socklen_t size = sizeof(guint32); /* the first two members: what the int of older kernels holds */

    if (a->n_members > MEMBERS_OF_INT) {
        args.max_num_members = a->n_members;
        size = sizeof args;
    }
    return setsockopt(a->members[member], SOL_PACKET, PACKET_FANOUT, &args, size) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
}

/* Until the group has it, all goes to the first member, which accepts nothing yet. */
static bool set_group_program(const afpacket *a, const rxtx_filter_split *split, GError **error)
{
    g_autoptr(GArray) program = rxtx_filter_queue_program(split);
    struct sock_fprog given = {.len = (unsigned short)program->len, .filter = (void *)program->data};

    return setsockopt(a->members[0], SOL_PACKET, PACKET_FANOUT_DATA, &given, sizeof given) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
}

/* The first member has the kernel choose an id that nobody uses, in this namespace or with this pid in another one. */
static bool join_members(afpacket *a, const rxtx_plan *plan, GError **error)
{
    rxtx_filter_split split = {.n_queues = plan->n_queues, .rx_recorded = plan->rx_recorded};
    unsigned type = plan->n_queues != 0 ? PACKET_FANOUT_CBPF : PACKET_FANOUT_CPU;
    int group = 0;
    socklen_t size = sizeof group;

    if (!join(a, 0, 0, type | PACKET_FANOUT_FLAG_UNIQUEID, error))
        return false;
    if (getsockopt(a->members[0], SOL_PACKET, PACKET_FANOUT, &group, &size) < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
    a->engine.group = (guint16)group;
    for (unsigned member = 1; member < a->n_members; member++)
        if (!join(a, member, a->engine.group, type, error))
            return false;
    return plan->n_queues == 0 || set_group_program(a, &split, error);
}

/* Ends with the socket, whatever ends it. All interfaces together cannot be. */
static bool make_promiscuous(const afpacket *a, GError **error)
{
    struct packet_mreq request = {.mr_ifindex = a->device.ifindex, .mr_type = PACKET_MR_PROMISC};

    return a->device.ifindex == 0 ||
           setsockopt(a->members[0], SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL,
                          "error activating descriptor: failed to enable promiscuous mode for ifindex '%d'",
                          a->device.ifindex);
}

static afpacket *new_afpacket(const rxtx_plan *plan)
{
    afpacket *a = g_new0(afpacket, 1);
    uint64_t monotonic_ns, realtime_ns;

    a->engine.ops = &afpacket_ops;
    a->engine.settle_us = SETTLE_US;
    a->engine.n_streams = plan->n_streams;
    a->engine.streams = g_new0(rxtx_stream *, plan->n_streams);
    a->interface = g_strdup(plan->options->interface != NULL ? plan->options->interface : "all interfaces");
    a->rings = g_new0(rxtx_ring, plan->n_streams);
    a->programs = g_new0(GArray *, plan->n_streams);
    a->polls = g_new0(struct pollfd, plan->n_streams + 2);
    a->n_members = plan->n_members;
    a->members = g_new(int, plan->n_members);
    for (unsigned i = 0; i < plan->n_members; i++)
        a->members[i] = -1;
    rxtx_ring_read_clocks(&monotonic_ns, &realtime_ns);
    rxtx_clock_init(&a->clock, monotonic_ns, realtime_ns);
    return a;
}

/* All interfaces in pcap files have one link type, in pcapng each has its own. */
static bool probe_device(afpacket *a, const rxtx_plan *plan, GError **error)
{
    const char *filter = plan->options->filter;

    if (plan->ifindex == 0)
        return rxtx_device_probe_all(&a->device, plan->one_linktype, filter, error);
    return rxtx_device_probe(&a->device, a->interface, filter, error);
}

/* What the kernel keeps of a packet does not count a header that is put in front afterwards. To count packets takes no
 * bytes of them, but for the place of a VLAN tag, which makes them longer. */
static bool probe(afpacket *a, const rxtx_plan *plan, GError **error)
{
    rxtx_filter_rules rules = {.snaplen = plan->keep ? (guint32)plan->options->snaplen : ETH_HLEN};

    if (!probe_device(a, plan, error))
        return false;
    rules.cooked = a->device.rules.cooked;
    a->rules = a->device.rules;
    a->rules.snaplen = rules.snaplen;
    a->engine.linktype = a->device.rules.linktype;
    return rxtx_filter_fit(user_program(a), user_length(a), &rules, error);
}

/* Created, bound and joined in the order of the CPUs: after a loss of the device the kernel puts the members back in
 * the order in which they were created (packet_notifier walks net->packet.sklist). */
rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, GError **error)
{
    afpacket *a = new_afpacket(plan);

    if (probe(a, plan, error) && open_members(a, error) && open_rings(a, plan, error) && bind_members(a, error) &&
        join_members(a, plan, error) && (!plan->options->promiscuous || make_promiscuous(a, error)))
        return &a->engine;
    afpacket_free(&a->engine);
    return NULL;
}
