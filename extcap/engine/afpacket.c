/* Waits for a group's rings and for its device. How the group is made is fanout.c's, one ring ring.c's, in which order
 * the packets of several rings go out the merge's. */
#include "engine/afpacket.h"

#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/error.h"
#include "engine/fanout.h"

enum {
    /* A device that is down is looked at so often, for its end comes without another word. */
    DOWN_LOOK_MS = 200,
    /* One that is gone for good still has packets in its rings for a moment. */
    REST_LOOK_MS = 10,
    /* One that is there again may go down or away while it is opened: only a refusal that lasts so many looks counts.
     */
    REFUSALS_MAX = 10,
    /* A block is retired within twice its time-out (prb_retire_rx_blk_timer_expired, net/packet/af_packet.c), which is
     * some 40 ms. */
    SETTLE_US = 300000,
};

typedef struct {
    rxtx_engine engine; /* first */
    rxtx_fanout fanout;
    rxtx_clock clock;
    rxtx_stats *earlier; /* one for each ring: what was counted before it was opened again */
    struct pollfd *polls;
    rxtx_event_tell tell;
    gpointer tell_data;
    bool down;
    bool away;      /* the device is gone, and waited for */
    bool closed;    /* likewise, and nothing is open any more */
    bool halted;    /* nothing is waited for any more */
    gint64 away_us; /* monotonic: since when it is */
    int refused;    /* index of the device that could not be opened again; 0 = none */
    unsigned refusals;
} afpacket;

/* ---- the device ---- */

static bool device_up(const afpacket *a)
{
    struct ifreq request = {0};

    return if_indextoname((unsigned)a->fanout.device.ifindex, request.ifr_name) != NULL &&
           ioctl(a->fanout.members[0], SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

static bool take_error(int fd)
{
    int code = 0;
    socklen_t size = sizeof code;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0 && code == ENETDOWN;
}

/* Each socket gets an ENETDOWN with each loss of the device; it is taken from all at once. The members come back in
 * their order when the device comes up again, and the guard holds meanwhile. */
static void take_errors(afpacket *a)
{
    bool lost = false;

    for (unsigned i = 0; i < a->engine.n_streams; i++)
        lost = take_error(a->fanout.rings[i].fd) || lost;
    a->down = a->down || lost;
}

/* ---- a device that is gone, and waited for ---- */

static bool is_rest_out(afpacket *a)
{
    for (unsigned i = 0; i < a->engine.n_streams; i++)
        if (a->engine.streams[i]->pending)
            return false;
    return rxtx_fanout_settled(&a->fanout) || g_get_monotonic_time() - a->away_us > SETTLE_US;
}

static void close_group(afpacket *a)
{
    for (unsigned i = 0; i < a->engine.n_streams; i++) {
        a->earlier[i].accepted += a->fanout.rings[i].accepted;
        a->earlier[i].dropped += a->fanout.rings[i].dropped;
    }
    rxtx_fanout_close(&a->fanout);
    a->closed = true;
}

/* In one file all packets of an interface have one link type, and what is told apart stays the same. */
static bool check_same(afpacket *a, GError **error)
{
    bool linktype = a->fanout.rules.linktype == a->engine.linktype;
    bool same = linktype && rxtx_plan_same_queues(a->fanout.plan, "");

    return same || rxtx_set_error(error, RXTX_ERROR_INTERFACE,
                                  "There is an interface %s again, but with %s: the capture ends here",
                                  a->fanout.interface, linktype ? "other queues" : "another link type");
}

/* One that vanishes while it is opened, or is another one by now, is waited for again. */
static bool is_refused(afpacket *a)
{
    int ifindex = (int)if_nametoindex(a->fanout.interface);

    if (ifindex != a->refused)
        a->refusals = 0;
    a->refused = ifindex;
    return rxtx_device_is_up(a->fanout.interface) && ifindex == a->fanout.device.ifindex &&
           ++a->refusals >= REFUSALS_MAX;
}

static rxtx_wait_result open_again(afpacket *a)
{
    g_autoptr(GError) error = NULL;
    bool opened = rxtx_fanout_open(&a->fanout, &error), same = opened && check_same(a, &error);

    if (same && rxtx_fanout_accept(&a->fanout, &error)) {
        a->away = a->closed = a->down = false;
        a->refusals = 0;
        a->engine.group = a->fanout.group;
        a->tell(a->tell_data,
                rxtx_event_new(RXTX_EVENT_LINK_BACK, RXTX_EVENT_NO_CPU,
                               "There is an interface %s again, the capture goes on", a->fanout.interface));
        return RXTX_WAIT_GO_ON;
    }
    rxtx_fanout_close(&a->fanout);
    if (opened == same && !is_refused(a))
        return RXTX_WAIT_GO_ON;
    a->engine.failure = g_steal_pointer(&error);
    return RXTX_WAIT_FAILED;
}

static rxtx_wait_result wait_while_away(afpacket *a, const rxtx_wait_for *what)
{
    struct pollfd others[] = {{.fd = what->stop_fd, .events = POLLIN}, {.fd = what->output_fd}};
    int look_ms = a->closed ? DOWN_LOOK_MS : REST_LOOK_MS;

    if (poll(others, G_N_ELEMENTS(others), what->timeout_ms < 0 ? look_ms : MIN(what->timeout_ms, look_ms)) < 0)
        return RXTX_WAIT_GO_ON; /* EINTR */
    if (others[1].revents != 0)
        return RXTX_WAIT_READER_GONE;
    if (!a->closed && is_rest_out(a))
        close_group(a);
    return a->closed && !a->halted && rxtx_device_is_up(a->fanout.interface) ? open_again(a) : RXTX_WAIT_GO_ON;
}

static void begin_waiting(afpacket *a)
{
    a->away = true;
    a->away_us = g_get_monotonic_time();
    a->tell(
        a->tell_data,
        rxtx_event_new(RXTX_EVENT_LINK_GONE, RXTX_EVENT_NO_CPU,
                       "The interface %s is gone (deleted, or moved to another namespace), waiting for an interface %s",
                       a->fanout.interface, a->fanout.interface));
}

/* ---- waiting ---- */

static rxtx_wait_result look_at_device(afpacket *a)
{
    if (!a->down || a->engine.failure != NULL)
        return RXTX_WAIT_GO_ON;
    if (rxtx_fanout_gone(&a->fanout)) {
        if (a->fanout.plan->options->persist && !a->halted) {
            begin_waiting(a);
            return RXTX_WAIT_GO_ON;
        }
        rxtx_set_error(&a->engine.failure, RXTX_ERROR_INTERFACE,
                       "The interface %s is gone (deleted, or moved to another namespace), the capture ends here",
                       a->fanout.interface);
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
        if (!a->engine.streams[i]->pending)
            a->polls[n++] = (struct pollfd){.fd = a->fanout.rings[i].fd, .events = POLLIN};
    return n;
}

static rxtx_wait_result afpacket_wait(rxtx_engine *engine, const rxtx_wait_for *what)
{
    afpacket *a = (afpacket *)engine;
    bool look = a->down && engine->failure == NULL;
    int timeout_ms =
        look && (what->timeout_ms < 0 || what->timeout_ms > DOWN_LOOK_MS) ? DOWN_LOOK_MS : what->timeout_ms;
    nfds_t n;

    if (a->away)
        return wait_while_away(a, what);
    n = list_polls(a, what);
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

static bool afpacket_start(rxtx_engine *engine, GError **error)
{
    return rxtx_fanout_accept(&((afpacket *)engine)->fanout, error);
}

static void afpacket_halt(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    a->halted = true;
    rxtx_fanout_reject(&a->fanout);
}

static bool afpacket_settled(rxtx_engine *engine)
{
    return rxtx_fanout_settled(&((afpacket *)engine)->fanout);
}

static void afpacket_add_stats(const rxtx_engine *engine, rxtx_stats *groups)
{
    const afpacket *a = (const afpacket *)engine;

    for (unsigned i = 0; i < engine->n_streams; i++) {
        const rxtx_ring *ring = &a->fanout.rings[i];
        rxtx_stats counted = {.accepted = ring->accepted, .dropped = ring->dropped};
        rxtx_stats_add(&groups[ring->stream.group], &counted);
        rxtx_stats_add(&groups[ring->stream.group], &a->earlier[i]);
    }
}

static void afpacket_free(rxtx_engine *engine)
{
    afpacket *a = (afpacket *)engine;

    rxtx_fanout_clear(&a->fanout);
    g_clear_error(&engine->failure);
    g_free(engine->streams);
    g_free(a->earlier);
    g_free(a->polls);
    g_free(a);
}

static const rxtx_engine_ops afpacket_ops = {
    .start = afpacket_start,
    .wait = afpacket_wait,
    .halt = afpacket_halt,
    .settled = afpacket_settled,
    .now_ns = rxtx_ring_now_ns,
    .add_stats = afpacket_add_stats,
    .free = afpacket_free,
};

/* ---- opening ---- */

static afpacket *new_afpacket(const rxtx_plan *plan, rxtx_event_tell tell, gpointer data)
{
    afpacket *a = g_new0(afpacket, 1);
    uint64_t monotonic_ns, realtime_ns;

    rxtx_ring_read_clocks(&monotonic_ns, &realtime_ns);
    rxtx_clock_init(&a->clock, monotonic_ns, realtime_ns);
    rxtx_fanout_init(&a->fanout, plan, &a->clock);
    a->engine.ops = &afpacket_ops;
    a->engine.settle_us = SETTLE_US;
    a->engine.n_streams = plan->n_streams;
    a->engine.streams = g_new(rxtx_stream *, plan->n_streams);
    for (unsigned i = 0; i < plan->n_streams; i++)
        a->engine.streams[i] = &a->fanout.rings[i].stream;
    a->earlier = g_new0(rxtx_stats, plan->n_streams);
    a->tell = tell;
    a->tell_data = data;
    a->polls = g_new0(struct pollfd, plan->n_streams + 2);
    return a;
}

rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, rxtx_event_tell tell, gpointer data, GError **error)
{
    afpacket *a = new_afpacket(plan, tell, data);

    if (!rxtx_fanout_open(&a->fanout, error)) {
        afpacket_free(&a->engine);
        return NULL;
    }
    a->engine.linktype = a->fanout.rules.linktype;
    a->engine.group = a->fanout.group;
    return &a->engine;
}
