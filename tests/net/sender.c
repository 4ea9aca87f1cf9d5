/* Sends frames from chosen CPUs and writes into each which CPU sent it, its number and when, so that a test can tell
 * where every packet of a capture came from. What is captured, and whether it is right, is not its business. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX 64
#define VLANS_MAX 2
#define FRAME_MAX 65600
#define BATCH 64
#define NS_PER_S 1000000000ull
#define DOWN_LOOK_NS 200000
#define IP_HEADER 20
#define UDP_HEADER 8
#define IP_LENGTH_MAX 65535
#define FIRST_SOURCE_PORT 20000

/* The end of every packet; all numbers big-endian. CLOCK_REALTIME, the clock of a capture's timestamps.
 *
 *     0      4      8                16               24
 *     +------+------+----------------+----------------+
 *     | RXTX | cpu  | seq            | time ns        |  then zeros up to --size
 *     +------+------+----------------+----------------+ */
#define MARK_SIZE 24

enum medium { MEDIUM_ETHERNET, MEDIUM_TUN, MEDIUM_UDP };

struct vlan {
    uint16_t tci;
    uint16_t tpid;
};

struct plan {
    enum medium medium;
    const char *interface;
    unsigned cpus[CPUS_MAX];
    unsigned n_cpus;
    uint64_t count; /* for each CPU; 0: until a signal */
    uint64_t rate;  /* frames/s for each CPU; 0: as fast as it goes */
    unsigned size;  /* of the whole frame, as a capture sees it */
    struct vlan vlans[VLANS_MAX];
    unsigned n_vlans;
    uint8_t dst[ETH_ALEN];
    uint16_t port;
    bool burst;
    struct sockaddr_in udp_to;
};

struct worker {
    const struct plan *plan;
    pthread_barrier_t *together;
    pthread_t thread;
    unsigned cpu;
    uint16_t source_port;
    int fd;
    uint64_t sent;
    unsigned mark_offset;
    unsigned frame_size;
    struct sockaddr_ll link;
    uint8_t *frames; /* BATCH frames, one behind the other */
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];
};

static int stopping; /* by a signal, and read by all threads */

static bool is_stopping(void)
{
    return __atomic_load_n(&stopping, __ATOMIC_RELAXED) != 0;
}

static void stop(int signal)
{
    (void)signal;
    __atomic_store_n(&stopping, 1, __ATOMIC_RELAXED);
}

__attribute__((noreturn, format(printf, 2, 3))) static void die(int status, const char *format, ...)
{
    va_list arguments;

    fputs("sender: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(status);
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
    const struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* --- one frame ------------------------------------------------------------------------------------------------- */

static uint8_t *put_16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put_32(uint8_t *at, uint32_t value)
{
    return put_16(put_16(at, value >> 16), value & 0xffff);
}

static uint8_t *put_64(uint8_t *at, uint64_t value)
{
    return put_32(put_32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static uint8_t *put_ethernet(uint8_t *at, const struct plan *plan)
{
    static const uint8_t source[ETH_ALEN] = {0x02, 0, 0, 0, 0, 0x01};

    memcpy(at, plan->dst, ETH_ALEN);
    memcpy(at + ETH_ALEN, source, ETH_ALEN);
    at += 2 * ETH_ALEN;
    for (unsigned i = 0; i < plan->n_vlans; i++)
        at = put_16(put_16(at, plan->vlans[i].tpid), plan->vlans[i].tci);
    return put_16(at, ETHERTYPE_IP);
}

static unsigned ip_checksum(const uint8_t *header)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < IP_HEADER; i += 2)
        sum += (unsigned)header[i] << 8 | header[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* 10.66.0.1 to 10.66.0.2, don't fragment; `length` counts this header. */
static uint8_t *put_ip(uint8_t *at, unsigned length)
{
    uint8_t *header = at;

    at = put_16(at, 0x4500);
    at = put_16(at, length);
    at = put_32(at, 0x00004000);
    at = put_16(at, 64 << 8 | IPPROTO_UDP);
    at = put_16(at, 0);
    at = put_32(at, 0x0a420001);
    at = put_32(at, 0x0a420002);
    put_16(header + 10, ip_checksum(header));
    return at;
}

/* A checksum of 0 says that there is none. */
static uint8_t *put_udp(uint8_t *at, unsigned source, unsigned destination, unsigned length)
{
    return put_16(put_16(put_16(put_16(at, source), destination), length), 0);
}

static void put_mark(const struct worker *w, uint8_t *frame, uint64_t seq)
{
    uint8_t *at = frame + w->mark_offset;

    memcpy(at, "RXTX", 4);
    put_64(put_64(put_32(at + 4, w->cpu), seq), now_ns(CLOCK_REALTIME));
}

/* Bytes in front of the mark: only the payload is ours to write on a UDP socket. */
static unsigned headers_size(const struct plan *plan)
{
    switch (plan->medium) {
    case MEDIUM_UDP:
        return 0;
    case MEDIUM_TUN:
        return IP_HEADER + UDP_HEADER;
    case MEDIUM_ETHERNET:
        break;
    }
    return 2 * ETH_ALEN + 4 * plan->n_vlans + 2 + IP_HEADER + UDP_HEADER;
}

static void put_headers(const struct worker *w, uint8_t *frame)
{
    const struct plan *plan = w->plan;
    unsigned length;

    if (plan->medium == MEDIUM_UDP)
        return;
    if (plan->medium == MEDIUM_ETHERNET)
        frame = put_ethernet(frame, plan);
    length = w->frame_size - w->mark_offset + UDP_HEADER;
    put_udp(put_ip(frame, length + IP_HEADER), w->source_port, plan->port, length);
}

/* --- where it goes --------------------------------------------------------------------------------------------- */

static int open_packet_socket(struct worker *w)
{
    const int buffer = 8 << 20;
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    if (fd < 0)
        die(1, "opening a packet socket: %s", strerror(errno));
    /* Protocol 0: the socket receives nothing, and the kernel reads the type out of the frame, VLAN tags too. */
    w->link = (struct sockaddr_ll){
        .sll_family = AF_PACKET, .sll_halen = ETH_ALEN, .sll_ifindex = (int)if_nametoindex(w->plan->interface)};
    if (w->link.sll_ifindex == 0)
        die(1, "no interface %s", w->plan->interface);
    memcpy(w->link.sll_addr, w->plan->dst, ETH_ALEN);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    return fd;
}

/* What is written to a tun device is received by it. It must exist, with multi_queue. */
static int open_tun(const char *interface)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        die(1, "opening /dev/net/tun: %s", strerror(errno));
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        die(1, "attaching to %s: %s", interface, strerror(errno));
    return fd;
}

static int open_udp_socket(unsigned source_port)
{
    const struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons((uint16_t)source_port)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&from, sizeof from) < 0)
        die(1, "opening a UDP socket on port %u: %s", source_port, strerror(errno));
    return fd;
}

/* With somebody listening there, the destination sends no ICMP errors back. It may be taken, or not be ours. */
static void listen_at(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        close(fd);
}

static int open_medium(struct worker *w)
{
    switch (w->plan->medium) {
    case MEDIUM_TUN:
        return open_tun(w->plan->interface);
    case MEDIUM_UDP:
        return open_udp_socket(w->source_port);
    case MEDIUM_ETHERNET:
        break;
    }
    return open_packet_socket(w);
}

static void address_message(struct worker *w, struct msghdr *message)
{
    if (w->plan->medium == MEDIUM_UDP) {
        message->msg_name = (void *)&w->plan->udp_to;
        message->msg_namelen = sizeof w->plan->udp_to;
    } else {
        message->msg_name = &w->link;
        message->msg_namelen = sizeof w->link;
    }
}

/* --- one CPU ---------------------------------------------------------------------------------------------------- */

static void worker_prepare(struct worker *w)
{
    w->mark_offset = headers_size(w->plan);
    w->frame_size = w->plan->size;
    if (w->frame_size < w->mark_offset + MARK_SIZE)
        die(2, "--size must be at least %u", w->mark_offset + MARK_SIZE);
    if (w->frame_size - w->mark_offset > IP_LENGTH_MAX - IP_HEADER - UDP_HEADER)
        die(2, "--size is more than an IPv4 packet can hold");
    w->frames = calloc(BATCH, w->frame_size);
    if (!w->frames)
        die(1, "out of memory");
    for (unsigned i = 0; i < BATCH; i++) {
        w->iov[i] = (struct iovec){.iov_base = w->frames + (size_t)i * w->frame_size, .iov_len = w->frame_size};
        w->messages[i].msg_hdr = (struct msghdr){.msg_iov = &w->iov[i], .msg_iovlen = 1};
        address_message(w, &w->messages[i].msg_hdr);
        put_headers(w, w->iov[i].iov_base);
    }
    w->fd = open_medium(w);
}

static void pin_to(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0)
        die(1, "pinning to CPU %u: %s", cpu, strerror(errno));
}

/* How many of `n` were taken, at least 1, or -1 with errno. A tun device takes one with each call. */
static int hand_over(struct worker *w, unsigned n)
{
    if (w->plan->medium == MEDIUM_TUN)
        return write(w->fd, w->iov[0].iov_base, w->iov[0].iov_len) < 0 ? -1 : 1;
    return sendmmsg(w->fd, w->messages, n, 0);
}

/* Is it worth trying again? An interface that is down, or whose other end is, may come up. */
static bool will_pass(int error)
{
    bool down = error == ENETDOWN || error == ENOBUFS;

    if (down)
        nanosleep(&(struct timespec){.tv_nsec = DOWN_LOOK_NS}, NULL);
    return down || error == EAGAIN || error == EINTR;
}

/* What is refused is waited for: a packet that was counted was sent. */
static void send_some(struct worker *w, unsigned n)
{
    int taken = 0;

    for (unsigned i = 0; i < n; i++)
        put_mark(w, w->iov[i].iov_base, w->sent + i);
    while (n > 0 && (taken = hand_over(w, n)) < 0) {
        if (is_stopping() && (errno == EINTR || errno == ENETDOWN))
            return;
        if (!will_pass(errno))
            die(1, "sending on CPU %u after %llu frames: %s", w->cpu, (unsigned long long)w->sent, strerror(errno));
        sched_yield();
    }
    w->sent += (unsigned)taken;
}

/* How many frames may go now; sleeps until it is at least one (with --burst a whole batch, or what is left). */
static unsigned wait_for_turn(const struct worker *w, uint64_t start_ns, uint64_t left)
{
    const uint64_t rate = w->plan->rate;
    const unsigned most = left < BATCH ? (unsigned)left : BATCH;
    const unsigned least = w->plan->burst ? most : 1;
    uint64_t due;

    if (rate == 0)
        return most;
    sleep_until(start_ns + (w->sent + least) * NS_PER_S / rate);
    due = (now_ns(CLOCK_MONOTONIC) - start_ns) * rate / NS_PER_S;
    if (due < w->sent + least)
        return is_stopping() ? 0 : least;
    return due - w->sent < most ? (unsigned)(due - w->sent) : most;
}

static void *worker_run(void *data)
{
    struct worker *w = data;
    const uint64_t count = w->plan->count ? w->plan->count : UINT64_MAX;
    uint64_t start_ns;

    pin_to(w->cpu);
    pthread_barrier_wait(w->together);
    start_ns = now_ns(CLOCK_MONOTONIC);
    while (w->sent < count && !is_stopping())
        send_some(w, wait_for_turn(w, start_ns, count - w->sent));
    return NULL;
}

/* --- what was asked for ----------------------------------------------------------------------------------------- */

static const char USAGE[] =
    "Usage: sender --interface IF --cpu N [--cpu M ...] [OPTIONS]\n"
    "       sender --udp-to ADDRESS:PORT --cpu N [--cpu M ...] [OPTIONS]\n"
    "\n"
    "  --interface IF       send Ethernet frames on IF\n"
    "  --raw-ip             IF is a tun device with multi_queue: write IP packets to it, which it then receives\n"
    "  --udp-to ADDR:PORT   send from UDP sockets; --size is then that of the payload\n"
    "  --cpu N              send from CPU N; may be given for several\n"
    "  --count N            frames from each CPU (default 1); 0: until SIGTERM or SIGINT\n"
    "  --rate N             frames a second from each CPU (default 0: as fast as it goes)\n"
    "  --burst              with --rate, send 64 frames at a time instead of one after the other\n"
    "  --size N             bytes of a frame, VLAN tags counted (default 100)\n"
    "  --vlan TCI[:TPID]    put a VLAN tag into the frame (TPID 0x8100); twice for QinQ, the outer one first\n"
    "  --dst MAC            destination (default 02:00:00:00:00:02)\n"
    "  --udp PORT           UDP destination port (default 40000); source ports are 20000 + CPU\n"
    "\n"
    "At the end it prints for each CPU: sent cpu=N count=N\n";

static uint64_t number(const char *option, const char *text, uint64_t max)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 0);
    if (errno || end == text || *end || value > max)
        die(2, "bad number '%s' for %s", text, option);
    return value;
}

static void add_cpu(struct plan *plan, const char *text)
{
    if (plan->n_cpus == CPUS_MAX)
        die(2, "more than %u CPUs", CPUS_MAX);
    plan->cpus[plan->n_cpus++] = (unsigned)number("--cpu", text, CPU_SETSIZE - 1);
}

static void add_vlan(struct plan *plan, char *text)
{
    char *tpid = strchr(text, ':');

    if (plan->n_vlans == VLANS_MAX)
        die(2, "more than %u VLAN tags", VLANS_MAX);
    if (tpid)
        *tpid++ = '\0';
    plan->vlans[plan->n_vlans].tci = (uint16_t)number("--vlan", text, UINT16_MAX);
    plan->vlans[plan->n_vlans++].tpid = tpid ? (uint16_t)number("--vlan", tpid, UINT16_MAX) : ETHERTYPE_VLAN;
}

static void set_destination(struct plan *plan, const char *text)
{
    uint8_t *d = plan->dst;
    char rest;

    if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &d[0], &d[1], &d[2], &d[3], &d[4], &d[5], &rest) != ETH_ALEN)
        die(2, "bad address '%s' for --dst", text);
}

static void set_udp_to(struct plan *plan, char *text)
{
    char *port = strchr(text, ':');

    if (port)
        *port++ = '\0';
    if (!port || inet_pton(AF_INET, text, &plan->udp_to.sin_addr) != 1)
        die(2, "--udp-to wants ADDRESS:PORT");
    plan->udp_to.sin_family = AF_INET;
    plan->udp_to.sin_port = htons((uint16_t)number("--udp-to", port, UINT16_MAX));
    plan->medium = MEDIUM_UDP;
}

enum {
    OPT_INTERFACE = 1,
    OPT_RAW_IP,
    OPT_UDP_TO,
    OPT_CPU,
    OPT_COUNT,
    OPT_RATE,
    OPT_BURST,
    OPT_SIZE,
    OPT_VLAN,
    OPT_DST,
    OPT_UDP,
    OPT_HELP
};

static const struct option OPTIONS[] = {
    {"interface", required_argument, NULL, OPT_INTERFACE},
    {"raw-ip", no_argument, NULL, OPT_RAW_IP},
    {"udp-to", required_argument, NULL, OPT_UDP_TO},
    {"cpu", required_argument, NULL, OPT_CPU},
    {"count", required_argument, NULL, OPT_COUNT},
    {"rate", required_argument, NULL, OPT_RATE},
    {"burst", no_argument, NULL, OPT_BURST},
    {"size", required_argument, NULL, OPT_SIZE},
    {"vlan", required_argument, NULL, OPT_VLAN},
    {"dst", required_argument, NULL, OPT_DST},
    {"udp", required_argument, NULL, OPT_UDP},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static void take_option(struct plan *plan, int option, char *value)
{
    switch (option) {
    case OPT_INTERFACE:
        plan->interface = value;
        break;
    case OPT_RAW_IP:
        plan->medium = MEDIUM_TUN;
        break;
    case OPT_UDP_TO:
        set_udp_to(plan, value);
        break;
    case OPT_CPU:
        add_cpu(plan, value);
        break;
    case OPT_COUNT:
        plan->count = number("--count", value, UINT64_MAX);
        break;
    case OPT_RATE:
        plan->rate = number("--rate", value, NS_PER_S);
        break;
    case OPT_BURST:
        plan->burst = true;
        break;
    case OPT_SIZE:
        plan->size = (unsigned)number("--size", value, FRAME_MAX);
        break;
    case OPT_VLAN:
        add_vlan(plan, value);
        break;
    case OPT_DST:
        set_destination(plan, value);
        break;
    case OPT_UDP:
        plan->port = (uint16_t)number("--udp", value, UINT16_MAX);
        break;
    case OPT_HELP:
        fputs(USAGE, stdout);
        exit(0);
    default:
        fputs(USAGE, stderr);
        exit(2);
    }
}

static void plan_read(struct plan *plan, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1)
        take_option(plan, option, optarg);
    if (optind < argc || plan->n_cpus == 0 || (!plan->interface && plan->medium != MEDIUM_UDP)) {
        fputs(USAGE, stderr);
        exit(2);
    }
}

static void catch_signals(void)
{
    const struct sigaction action = {.sa_handler = stop}; /* no SA_RESTART: a sleep ends */

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static void workers_run(struct worker *workers, const struct plan *plan)
{
    pthread_barrier_t together;

    pthread_barrier_init(&together, NULL, plan->n_cpus);
    for (unsigned i = 0; i < plan->n_cpus; i++) {
        workers[i].plan = plan;
        workers[i].cpu = plan->cpus[i];
        workers[i].source_port = (uint16_t)(FIRST_SOURCE_PORT + plan->cpus[i]);
        workers[i].together = &together;
        worker_prepare(&workers[i]);
    }
    for (unsigned i = 0; i < plan->n_cpus; i++)
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0)
            die(1, "starting a thread for CPU %u", workers[i].cpu);
    for (unsigned i = 0; i < plan->n_cpus; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&together);
}

int main(int argc, char **argv)
{
    static struct worker workers[CPUS_MAX];
    struct plan plan = {.count = 1, .size = 100, .port = 40000, .dst = {0x02, 0, 0, 0, 0, 0x02}};

    plan_read(&plan, argc, argv);
    catch_signals();
    if (plan.medium == MEDIUM_UDP)
        listen_at(&plan.udp_to);
    workers_run(workers, &plan);
    for (unsigned i = 0; i < plan.n_cpus; i++) {
        printf("sent cpu=%u count=%llu\n", workers[i].cpu, (unsigned long long)workers[i].sent);
        free(workers[i].frames);
        close(workers[i].fd);
    }
    return 0;
}
