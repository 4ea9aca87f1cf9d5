/* The kernel's sockets and timer, and what of the news is one for us. What stands in a message is kernel_message.c's,
 * what an event is called event.c's. */
#include "engine/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "engine/kernel_message.h"

enum {
    CPUS,
    LINKS,
    CLOCK,
    EARS,
    KERNEL_GROUP = 1, /* of uevents: the kernel's own (udevd repeats them in group 2) */
    MESSAGE_BYTES = 65536,
    NS_PER_S = 1000000000,
};

static const double s_per_ns = 1e-9;
/* Two clocks are not read at the same moment. */
static const int64_t step_least_ns = 1000000;

struct rxtx_watch {
    rxtx_event_tell tell;
    gpointer data;
    const char *interface; /* as it was asked for; NULL = all */
    rxtx_kernel_link link; /* as it was told last */
    int fds[EARS];         /* -1 = none */
    guint sources[EARS];   /* GLib's ids, 0 = none */
    bool follow;           /* one that is made again is watched on */
    bool fresh;            /* it was made again, and is not up yet */
    bool missed;           /* there was more than the kernel could tell */
    uint64_t downs;
    int64_t offset_ns; /* realtime less boottime */
    uint8_t *message;
};

static void tell(rxtx_watch *w, rxtx_event_kind kind, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void tell(rxtx_watch *w, rxtx_event_kind kind, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list values;

    va_start(values, format);
    text = g_strdup_vprintf(format, values);
    va_end(values);
    w->tell(w->data, rxtx_event_new(kind, RXTX_EVENT_NO_CPU, "%s", text));
}

/* ---- netlink ---- */

/* The next message of the kernel itself; 0 = there is none. */
static size_t next_message(rxtx_watch *w, int fd, const char *what)
{
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t n;
    bool again;

    do {
        n = recvfrom(fd, w->message, MESSAGE_BYTES, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        again = (n < 0 && (errno == EINTR || errno == ENOBUFS)) || (n > 0 && from.nl_pid != 0);
        if (n < 0 && errno == ENOBUFS) {
            w->missed = true;
            tell(w, RXTX_EVENT_UNSEEN, "Some of the kernel's messages about %s were lost", what);
        }
    } while (again);
    return n > 0 ? (size_t)n : 0;
}

static void take_cpus(rxtx_watch *w)
{
    size_t size;
    unsigned cpu;
    bool online;

    while ((size = next_message(w, w->fds[CPUS], "CPUs")) > 0)
        if (rxtx_kernel_cpu(w->message, size, &cpu, &online))
            w->tell(w->data, rxtx_event_new(online ? RXTX_EVENT_CPU_ONLINE : RXTX_EVENT_CPU_OFFLINE, (int)cpu,
                                            "CPU %u %s", cpu, online ? "came online" : "went offline"));
}

/* Of an interface that is up; otherwise there is none to speak of. */
static void compare_carrier(rxtx_watch *w, const rxtx_kernel_link *now)
{
    if (!w->link.up || !now->up || w->link.carrier == now->carrier)
        return;
    tell(w, now->carrier ? RXTX_EVENT_CARRIER_BACK : RXTX_EVENT_CARRIER_LOST,
         now->carrier ? "The interface %s has a carrier again" : "The interface %s has lost its carrier", now->name);
}

static void compare_state(rxtx_watch *w, const rxtx_kernel_link *now)
{
    if (w->link.up == now->up)
        return;
    w->downs += !now->up;
    tell(w, now->up ? RXTX_EVENT_LINK_UP : RXTX_EVENT_LINK_DOWN,
         now->up ? "The interface %s is up again" : "The interface %s went down", now->name);
}

static void compare_name(rxtx_watch *w, const rxtx_kernel_link *now)
{
    if (strcmp(w->link.name, now->name) != 0)
        tell(w, RXTX_EVENT_LINK_RENAMED, "The interface %s is called %s now, the capture goes on", w->link.name,
             now->name);
}

/* One that is made again has the name that was asked for, and another index. That it is gone, and captured again, is
 * the engine's to tell. */
static void take_link(rxtx_watch *w, const rxtx_kernel_link *now)
{
    bool again = w->follow && w->link.gone && !now->gone && (int)if_nametoindex(w->interface) == now->ifindex;

    if (now->ifindex == w->link.ifindex && now->gone) {
        w->link.gone = true;
    } else if (again || (w->fresh && now->ifindex == w->link.ifindex)) {
        w->link = *now;
        w->fresh = !now->up;
    } else if (now->ifindex == w->link.ifindex && *now->name != '\0') {
        compare_name(w, now);
        compare_state(w, now);
        compare_carrier(w, now);
        w->link = *now;
    }
}

/* As the messages have it (IFF_LOWER_UP), which SIOCGIFFLAGS does not tell. */
static bool has_carrier(int fd, const char *name)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq request = {.ifr_data = (char *)&link};

    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    return ioctl(fd, SIOCETHTOOL, &request) < 0 || link.data != 0;
}

/* As it is now. */
static rxtx_kernel_link read_link(const rxtx_watch *w, const char *name)
{
    struct ifreq request = {0};
    rxtx_kernel_link link = {.ifindex = (int)if_nametoindex(name)};

    if (if_indextoname((unsigned)link.ifindex, link.name) == NULL)
        g_strlcpy(link.name, name, sizeof link.name);
    g_strlcpy(request.ifr_name, link.name, sizeof request.ifr_name);
    link.up = ioctl(w->fds[LINKS], SIOCGIFFLAGS, &request) < 0 || request.ifr_flags & IFF_UP;
    link.carrier = has_carrier(w->fds[LINKS], link.name);
    return link;
}

/* What was not told is asked for, or its end would go unheard, and who has its name now unseen. */
static void catch_up(rxtx_watch *w)
{
    char name[IF_NAMESIZE];
    rxtx_kernel_link now = {.ifindex = w->link.ifindex, .gone = true};

    if (if_indextoname((unsigned)w->link.ifindex, name) != NULL)
        now = read_link(w, name);
    take_link(w, &now);
    now = read_link(w, w->interface);
    if (w->link.gone && now.ifindex != 0)
        take_link(w, &now);
}

static void take_links(rxtx_watch *w)
{
    size_t size;

    while ((size = next_message(w, w->fds[LINKS], "interfaces")) > 0) {
        const uint8_t *at = w->message;
        rxtx_kernel_link now;
        while (rxtx_kernel_next_link(&at, &size, &now))
            take_link(w, &now);
    }
    if (w->missed)
        catch_up(w);
    w->missed = false;
}

/* Of uevents, which everything that is made or deleted has one of, only those of "online@" and "offline@". */
static void hear_cpus_only(int fd)
{
    enum { ONLI = 0x6f6e6c69, OFFL = 0x6f66666c };
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ONLI, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OFFL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, MESSAGE_BYTES),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog attached = {.len = G_N_ELEMENTS(program), .filter = program};

    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached); /* without it, all are heard */
}

/* The kernel tells of CPUs only where the first user namespace owns the network namespace (uevent_net_init), and says
 * nothing elsewhere. */
static bool is_told_of_cpus(void)
{
    static const ino_t first_user_namespace = 0xEFFFFFFD; /* PROC_USER_INIT_INO, linux/proc_ns.h */
    int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int user = net >= 0 ? ioctl(net, NS_GET_USERNS) : -1;
    struct stat owner = {.st_ino = first_user_namespace};

    if (user >= 0) {
        (void)fstat(user, &owner);
        close(user);
    }
    if (net >= 0)
        close(net);
    return owner.st_ino == first_user_namespace;
}

static int open_netlink(int protocol, unsigned groups)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- the clock ---- */

static int64_t read_offset(void)
{
    struct timespec boot, real;

    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &real);
    return (int64_t)(real.tv_sec - boot.tv_sec) * NS_PER_S + (real.tv_nsec - boot.tv_nsec);
}

/* A timer for a day in 2255, the kernel knows none after 2262 (KTIME_MAX), which the kernel cancels whenever the clock
 * is set (timerfd_create(2)). */
static bool arm(int fd)
{
    struct itimerspec never = {.it_value.tv_sec = sizeof(time_t) > sizeof(gint32) ? (time_t)9000000000 : G_MAXINT32};

    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

static void take_clock(rxtx_watch *w)
{
    uint64_t expired;
    int64_t offset_ns, step_ns;

    if (read(w->fds[CLOCK], &expired, sizeof expired) >= 0 || errno != ECANCELED)
        return;
    arm(w->fds[CLOCK]);
    offset_ns = read_offset();
    step_ns = offset_ns - w->offset_ns;
    w->offset_ns = offset_ns;
    if (ABS(step_ns) >= step_least_ns)
        tell(w, RXTX_EVENT_CLOCK_SET, "The clock was set %s by %.6f s, times before and after cannot be compared",
             step_ns < 0 ? "back" : "forward", (double)ABS(step_ns) * s_per_ns);
}

static int open_clock(void)
{
    int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0 && !arm(fd)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* ---- all of them ---- */

static const struct {
    void (*take)(rxtx_watch *w);
    const char *what;
} ears[EARS] = {
    [CPUS] = {take_cpus, "CPUs that come and go"},
    [LINKS] = {take_links, "an interface that goes down"},
    [CLOCK] = {take_clock, "a clock that is set"},
};

void rxtx_watch_drain(rxtx_watch *watch)
{
    for (unsigned i = 0; i < EARS; i++)
        if (watch->fds[i] >= 0)
            ears[i].take(watch);
}

static gboolean on_news(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    (void)condition;
    rxtx_watch_drain(data);
    return G_SOURCE_CONTINUE;
}

rxtx_watch *rxtx_watch_new(const char *interface, bool follow, rxtx_event_tell tell_event, gpointer data)
{
    rxtx_watch *w = g_new0(rxtx_watch, 1);

    w->tell = tell_event;
    w->data = data;
    w->interface = interface;
    w->follow = follow;
    w->message = g_malloc(MESSAGE_BYTES);
    w->offset_ns = read_offset();
    w->fds[CPUS] = is_told_of_cpus() ? open_netlink(NETLINK_KOBJECT_UEVENT, KERNEL_GROUP) : -1;
    if (w->fds[CPUS] >= 0)
        hear_cpus_only(w->fds[CPUS]);
    w->fds[LINKS] = interface != NULL ? open_netlink(NETLINK_ROUTE, RTMGRP_LINK) : -1;
    w->fds[CLOCK] = open_clock();
    if (w->fds[LINKS] >= 0)
        w->link = read_link(w, interface); /* what changed between this and the socket's opening is told as a change */
    for (unsigned i = 0; i < EARS; i++)
        if (w->fds[i] >= 0)
            w->sources[i] = g_unix_fd_add(w->fds[i], G_IO_IN, on_news, w);
        else if (i != LINKS || interface != NULL)
            tell(w, RXTX_EVENT_UNSEEN, "This system does not tell of %s: nothing will be said of it", ears[i].what);
    return w;
}

uint64_t rxtx_watch_downs(const rxtx_watch *watch, bool ended)
{
    return watch->downs - (ended && !watch->link.up && watch->downs > 0);
}

void rxtx_watch_free(rxtx_watch *watch)
{
    if (watch == NULL)
        return;
    for (unsigned i = 0; i < EARS; i++) {
        if (watch->sources[i] != 0)
            g_source_remove(watch->sources[i]);
        if (watch->fds[i] >= 0)
            close(watch->fds[i]);
    }
    g_free(watch->message);
    g_free(watch);
}
