/* One fan-out group: how its sockets are made, and in which order. One ring is ring.c's, what is let in filter.c's,
 * when there is something to read afpacket.c's. */
#include "engine/fanout.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/membarrier.h>
#include <net/ethernet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/filter.h"

enum {
    /* PACKET_FANOUT with an int takes so many members; more need struct fanout_args, since Linux 5.11. */
    MEMBERS_OF_INT = 256,
    /* Descriptors of the program beside a packet socket and a file for each member: fewer, in fact. */
    OTHER_FILES = 64,
    /* Making a ring and closing its socket each wait for all CPUs to pass a quiet state (synchronize_net), some 10 and
     * 20 ms, however many wait at the same time. */
    THREADS_MAX = 64,
};

/* ---- many at the same time ---- */

typedef struct {
    void (*work)(rxtx_fanout *fanout, unsigned number);
    rxtx_fanout *fanout;
    unsigned first, step, n;
} share;

static gpointer do_share(gpointer data)
{
    const share *s = data;

    for (unsigned number = s->first; number < s->n; number += s->step)
        s->work(s->fanout, number);
    return NULL;
}

/* Calls work for each number below n. Where no thread can be had, its share is done here. */
static void do_each(rxtx_fanout *f, unsigned n, void (*work)(rxtx_fanout *fanout, unsigned number))
{
    unsigned n_threads = CLAMP(n, 1, THREADS_MAX);
    g_autofree share *shares = g_new(share, n_threads);
    g_autofree GThread **threads = g_new0(GThread *, n_threads);
    sigset_t all, before;

    sigfillset(&all); /* none of them is to take a signal that is ours */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < n_threads; i++) {
        shares[i] = (share){work, f, i, n_threads, n};
        threads[i] = i > 0 ? g_thread_try_new("ring", do_share, &shares[i], NULL) : NULL;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (unsigned i = 0; i < n_threads; i++)
        if (threads[i] == NULL)
            do_share(&shares[i]);
    for (unsigned i = 0; i < n_threads; i++)
        if (threads[i] != NULL)
            g_thread_join(threads[i]);
}

/* ---- opening ---- */

static bool attach(int fd, const struct sock_filter *program, unsigned length, GError **error)
{
    struct sock_fprog attached = {.len = (unsigned short)length, .filter = (struct sock_filter *)program};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "attaching the capture filter");
}

static struct sock_filter *user_program(const rxtx_fanout *f)
{
    return f->device.filter != NULL ? (struct sock_filter *)(void *)f->device.filter->data : NULL;
}

static unsigned user_length(const rxtx_fanout *f)
{
    return f->device.filter != NULL ? f->device.filter->len : 0;
}

/* Protocol 0: nothing arrives before bind. */
static bool open_member(rxtx_fanout *f, unsigned member, GError **error)
{
    int fd = socket(AF_PACKET, (f->device.rules.cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC, 0);

    f->members[member] = fd;
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

static bool open_members(rxtx_fanout *f, GError **error)
{
    allow_files(2 * (rlim_t)f->plan->n_members + OTHER_FILES);
    for (unsigned member = 0; member < f->plan->n_members; member++)
        if (!open_member(f, member, error))
            return false;
    return true;
}

static bool open_ring(rxtx_fanout *f, unsigned id, GError **error)
{
    const rxtx_plan_stream *stream = &f->plan->streams[id];
    rxtx_filter_rules rules = {
        .split = {.n_queues = f->plan->n_queues, .rx_recorded = f->plan->rx_recorded},
        .member = stream->member,
        .rx = f->plan->options->direction & RXTX_DIRECTION_RX,
        .tx = f->plan->options->direction & RXTX_DIRECTION_TX,
        .snaplen = f->rules.snaplen,
        .cooked = f->device.rules.cooked,
    };

    f->programs[id] = rxtx_filter_compose(&rules, user_program(f), user_length(f), error);
    if (f->programs[id] == NULL)
        return false;
    f->rings[id].stream.group = stream->group;
    return rxtx_ring_open(&f->rings[id], id, f->members[stream->member], stream->ring_bytes,
                          f->plan->n_queues != 0 || f->plan->steered, &f->rules, f->clock, error);
}

static void map_ring(rxtx_fanout *f, unsigned id)
{
    rxtx_ring_map(&f->rings[id], &f->errors[id]);
}

/* Of several errors the first ring's is told. */
static bool take_errors(rxtx_fanout *f, GError **error)
{
    bool good = true;

    for (unsigned id = 0; id < f->plan->n_streams; id++)
        if (f->errors[id] != NULL && good) {
            g_autofree char *group = rxtx_plan_group_name(f->plan, f->plan->streams[id].group);
            g_propagate_prefixed_error(error, g_steal_pointer(&f->errors[id]), "%s of %s: ", group, f->interface);
            good = false;
        } else {
            g_clear_error(&f->errors[id]);
        }
    return good;
}

static bool open_rings(rxtx_fanout *f, GError **error)
{
    for (unsigned id = 0; id < f->plan->n_streams; id++)
        if (!open_ring(f, id, error))
            return false;
    do_each(f, f->plan->n_streams, map_ring);
    return take_errors(f, error);
}

static bool bind_members(rxtx_fanout *f, GError **error)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = f->device.ifindex};

    for (unsigned i = 0; i < f->plan->n_members; i++)
        if (bind(f->members[i], (struct sockaddr *)&address, sizeof address) < 0)
            return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error binding socket");
    return true;
}

static bool join(const rxtx_fanout *f, unsigned member, unsigned id, unsigned type_flags, GError **error)
{
    struct fanout_args args = {.id = (guint16)id, .type_flags = (guint16)type_flags};
    socklen_t size = sizeof(guint32); /* the first two members: what the int of older kernels holds */

    if (f->plan->n_members > MEMBERS_OF_INT) {
        args.max_num_members = f->plan->n_members;
        size = sizeof args;
    }
    return setsockopt(f->members[member], SOL_PACKET, PACKET_FANOUT, &args, size) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
}

/* Until the group has it, all goes to the first member, which accepts nothing yet. */
static bool set_group_program(const rxtx_fanout *f, const rxtx_filter_split *split, GError **error)
{
    g_autoptr(GArray) program = rxtx_filter_queue_program(split);
    struct sock_fprog given = {.len = (unsigned short)program->len, .filter = (void *)program->data};

    return setsockopt(f->members[0], SOL_PACKET, PACKET_FANOUT_DATA, &given, sizeof given) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
}

/* The first member has the kernel choose an id that nobody uses, in this namespace or with this pid in another one. */
static bool join_members(rxtx_fanout *f, GError **error)
{
    rxtx_filter_split split = {.n_queues = f->plan->n_queues, .rx_recorded = f->plan->rx_recorded};
    unsigned type = f->plan->n_queues != 0 ? PACKET_FANOUT_CBPF : PACKET_FANOUT_CPU;
    int group = 0;
    socklen_t size = sizeof group;

    if (!join(f, 0, 0, type | PACKET_FANOUT_FLAG_UNIQUEID, error))
        return false;
    if (getsockopt(f->members[0], SOL_PACKET, PACKET_FANOUT, &group, &size) < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error configuring fanout");
    f->group = (guint16)group;
    for (unsigned member = 1; member < f->plan->n_members; member++)
        if (!join(f, member, f->group, type, error))
            return false;
    return f->plan->n_queues == 0 || set_group_program(f, &split, error);
}

/* Ends with the socket, whatever ends it. All interfaces together cannot be. */
static bool make_promiscuous(const rxtx_fanout *f, GError **error)
{
    struct packet_mreq request = {.mr_ifindex = f->device.ifindex, .mr_type = PACKET_MR_PROMISC};

    return f->device.ifindex == 0 ||
           setsockopt(f->members[0], SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request) == 0 ||
           rxtx_set_errno(error, RXTX_ERROR_KERNEL,
                          "error activating descriptor: failed to enable promiscuous mode for ifindex '%d'",
                          f->device.ifindex);
}

/* All interfaces in pcap files have one link type, in pcapng each has its own. A device that is opened again keeps its
 * filter: who is asked for the names in it may not be there yet, or answer otherwise. */
static bool probe_device(rxtx_fanout *f, GError **error)
{
    g_autoptr(GArray) known = g_steal_pointer(&f->device.filter);
    const char *filter = known == NULL ? f->plan->options->filter : NULL;
    bool probed = f->plan->ifindex == 0 ? rxtx_device_probe_all(&f->device, f->plan->one_linktype, filter, error)
                                        : rxtx_device_probe(&f->device, f->interface, filter, error);

    if (!probed || f->device.rules.linktype == f->rules.linktype)
        f->device.filter = known != NULL ? g_steal_pointer(&known) : f->device.filter;
    return probed;
}

/* What the kernel keeps of a packet does not count a header that is put in front afterwards. To count packets takes no
 * bytes of them, but for the place of a VLAN tag, which makes them longer. */
static bool probe(rxtx_fanout *f, GError **error)
{
    rxtx_filter_rules rules = {.snaplen = f->plan->keep ? (guint32)f->plan->options->snaplen : ETH_HLEN};

    if (!probe_device(f, error))
        return false;
    rules.cooked = f->device.rules.cooked;
    f->rules = f->device.rules;
    f->rules.snaplen = rules.snaplen;
    return rxtx_filter_fit(user_program(f), user_length(f), &rules, error);
}

/* ---- what others call ---- */

void rxtx_fanout_init(rxtx_fanout *fanout, const rxtx_plan *plan, rxtx_clock *clock)
{
    const char *name = plan->options->interface;

    *fanout = (rxtx_fanout){.plan = plan, .clock = clock, .interface = name != NULL ? name : "all interfaces"};
    fanout->members = g_new(int, plan->n_members);
    for (unsigned i = 0; i < plan->n_members; i++)
        fanout->members[i] = -1;
    fanout->rings = g_new0(rxtx_ring, plan->n_streams);
    fanout->programs = g_new0(GArray *, plan->n_streams);
    fanout->errors = g_new0(GError *, plan->n_streams);
}

/* Created, bound and joined in the order of the CPUs: after a loss of the device the kernel puts the members back in
 * the order in which they were created (packet_notifier walks net->packet.sklist). */
bool rxtx_fanout_open(rxtx_fanout *fanout, GError **error)
{
    return probe(fanout, error) && open_members(fanout, error) && open_rings(fanout, error) &&
           bind_members(fanout, error) && join_members(fanout, error) &&
           (!fanout->plan->options->promiscuous || make_promiscuous(fanout, error));
}

bool rxtx_fanout_accept(rxtx_fanout *fanout, GError **error)
{
    for (unsigned i = 0; i < fanout->plan->n_streams; i++) {
        const GArray *program = fanout->programs[i];
        if (!attach(fanout->rings[i].fd, (const struct sock_filter *)(void *)program->data, program->len, error))
            return false;
    }
    return true;
}

/* A packet may be behind the old filter and not counted yet. The barrier waits until no CPU is inside the receive path
 * any more (synchronize_rcu in kernel/sched/membarrier.c); where there is none, microseconds remain. */
void rxtx_fanout_reject(rxtx_fanout *fanout)
{
    for (unsigned i = 0; i < fanout->plan->n_streams; i++)
        attach(fanout->rings[i].fd, rxtx_filter_reject, G_N_ELEMENTS(rxtx_filter_reject), NULL);
    (void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

bool rxtx_fanout_settled(rxtx_fanout *fanout)
{
    bool settled = true;

    for (unsigned i = 0; i < fanout->plan->n_streams; i++)
        settled = rxtx_ring_settled(&fanout->rings[i]) && settled;
    return settled;
}

bool rxtx_fanout_gone(const rxtx_fanout *fanout)
{
    struct sockaddr_ll link = {0};
    socklen_t size = sizeof link;

    return getsockname(fanout->members[0], (struct sockaddr *)&link, &size) == 0 &&
           link.sll_ifindex != fanout->device.ifindex;
}

static void close_member(rxtx_fanout *f, unsigned member)
{
    if (f->members[member] >= 0)
        close(f->members[member]);
    f->members[member] = -1;
}

void rxtx_fanout_close(rxtx_fanout *fanout)
{
    for (unsigned i = 0; i < fanout->plan->n_streams; i++) {
        rxtx_ring_close(&fanout->rings[i]);
        g_clear_pointer(&fanout->programs[i], g_array_unref);
    }
    do_each(fanout, fanout->plan->n_members, close_member);
}

void rxtx_fanout_clear(rxtx_fanout *fanout)
{
    rxtx_fanout_close(fanout);
    rxtx_device_clear(&fanout->device);
    g_free(fanout->members);
    g_free(fanout->rings);
    g_free(fanout->programs);
    g_free(fanout->errors);
}
