/* The composed programs, run by libpcap's own interpreter with the kernel's extensions put in by hand. */
#include "engine/filter.h"

#include <linux/if_packet.h>
#include <pcap/pcap.h>

#include "base/error.h"
#include "engine/device.h"

/* The answers that the kernel gives to loads from SKF_AD_OFF (bpf_convert_ad, net/core/filter.c). */
typedef struct {
    guint32 cpu;
    guint32 type;
    guint32 queue;
    guint32 hardware;
} world;

/* Turns these loads into constants, so that bpf_filter can run the program. */
static guint32 answer(guint32 question, const world *w)
{
    switch (question) {
    case SKF_AD_CPU:
        return w->cpu;
    case SKF_AD_PKTTYPE:
        return w->type;
    case SKF_AD_QUEUE:
        return w->queue;
    case SKF_AD_HATYPE:
        return w->hardware;
    }
    g_assert_not_reached();
}

static void put_world(struct sock_filter *program, guint length, const world *w)
{
    for (guint i = 0; i < length; i++) {
        if (program[i].code != (BPF_LD | BPF_W | BPF_ABS) || (gint32)program[i].k >= 0)
            continue;
        program[i].k = answer(program[i].k - (guint32)SKF_AD_OFF, w);
        program[i].code = BPF_LD | BPF_IMM;
    }
}

static const rxtx_filter_rules both = {.member = 3, .rx = true, .tx = true, .snaplen = 1000};

static guint run(const rxtx_filter_rules *rules, const char *filter, world w, const guint8 *packet, guint length)
{
    g_autoptr(GArray) program = NULL;
    g_autoptr(GError) error = NULL;
    struct bpf_program user = {0};
    pcap_t *dead = pcap_open_dead(rules->cooked ? DLT_LINUX_SLL : DLT_EN10MB, 262000);

    if (filter != NULL)
        g_assert_cmpint(pcap_compile(dead, &user, filter, 1, PCAP_NETMASK_UNKNOWN), ==, 0);
    g_assert_true(rxtx_filter_fit((struct sock_filter *)(void *)user.bf_insns, user.bf_len, rules, &error));
    program = rxtx_filter_compose(rules, (struct sock_filter *)(void *)user.bf_insns, user.bf_len, &error);
    g_assert_no_error(error);
    pcap_freecode(&user);
    pcap_close(dead);
    put_world((struct sock_filter *)(void *)program->data, program->len, &w);
    return bpf_filter((struct bpf_insn *)(void *)program->data, packet, length, length);
}

static const guint8 udp[64] = {[12] = 8, [14] = 0x45, [23] = 17, [36] = 0x9c, [37] = 0x40};

static void only_the_stream_s_own_cpu_passes(void)
{
    g_assert_cmpuint(run(&both, NULL, (world){.cpu = 3}, udp, sizeof udp), ==, 1000);
    g_assert_cmpuint(run(&both, NULL, (world){.cpu = 2}, udp, sizeof udp), ==, 0);
}

static void a_direction_passes_its_own_packets(void)
{
    const rxtx_filter_rules rx = {.rx = true, .snaplen = 1000}, tx = {.tx = true, .snaplen = 1000};

    for (guint32 type = PACKET_HOST; type <= PACKET_OUTGOING; type++) {
        bool sent = type == PACKET_OUTGOING;
        g_assert_cmpuint(run(&rx, NULL, (world){.type = type}, udp, sizeof udp), ==, sent ? 0 : 1000);
        g_assert_cmpuint(run(&tx, NULL, (world){.type = type}, udp, sizeof udp), ==, sent ? 1000 : 0);
    }
}

static void the_user_s_filter_comes_behind_the_guard(void)
{
    const rxtx_filter_rules rx = {.member = 3, .rx = true, .snaplen = 1000};

    g_assert_cmpuint(run(&rx, "udp dst port 40000", (world){.cpu = 3}, udp, sizeof udp), ==, 1000);
    g_assert_cmpuint(run(&rx, "udp dst port 40001", (world){.cpu = 3}, udp, sizeof udp), ==, 0);
    g_assert_cmpuint(run(&rx, "udp dst port 40000", (world){.cpu = 1}, udp, sizeof udp), ==, 0);
    g_assert_cmpuint(run(&rx, "udp", (world){.cpu = 3, .type = PACKET_OUTGOING}, udp, sizeof udp), ==, 0);
}

/* The kernel's data of a cooked socket begins behind the link-layer header. */
static void a_cooked_filter_reads_behind_the_header(void)
{
    const rxtx_filter_rules cooked = {.member = 3, .rx = true, .tx = true, .snaplen = 1000, .cooked = true};
    g_autoptr(GError) error = NULL;
    struct sock_filter reads_ip[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16 + 9), BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14),
                                     BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), BPF_STMT(BPF_LDX | BPF_MSH | BPF_B, 16)};
    struct sock_filter reads_address[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 6)};

    g_assert_true(rxtx_filter_fit(reads_ip, G_N_ELEMENTS(reads_ip), &cooked, &error));
    g_assert_cmpuint(reads_ip[0].k, ==, 9);
    g_assert_cmpuint(reads_ip[1].k, ==, (guint32)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    g_assert_cmpuint(reads_ip[2].k, ==, (guint32)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    g_assert_cmpuint(reads_ip[3].k, ==, 0);
    g_assert_false(rxtx_filter_fit(reads_address, 1, &cooked, &error));
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_INPUT);
}

static guint queue_of(const rxtx_filter_split *split, world w)
{
    g_autoptr(GArray) program = rxtx_filter_queue_program(split);
    static const guint8 nothing[1] = {0};

    put_world((struct sock_filter *)(void *)program->data, program->len, &w);
    return bpf_filter((struct bpf_insn *)(void *)program->data, nothing, 1, 1);
}

static void a_queue_is_the_driver_s_or_unknown(void)
{
    const rxtx_filter_split hardware = {.n_queues = 4, .rx_recorded = true}, veth = {.n_queues = 4};
    const struct {
        guint32 type, queue;
        guint of_hardware, of_veth;
    } cases[] = {{PACKET_HOST, 0, 4, 4},     {PACKET_HOST, 1, 0, 4},     {PACKET_BROADCAST, 4, 3, 4},
                 {PACKET_HOST, 5, 4, 4},     {PACKET_OUTGOING, 0, 0, 0}, {PACKET_OUTGOING, 3, 3, 3},
                 {PACKET_OUTGOING, 4, 4, 4}, {PACKET_HOST, 65535, 4, 4}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        world w = {.type = cases[i].type, .queue = cases[i].queue};
        g_test_message("type %u queue %u", w.type, w.queue);
        g_assert_cmpuint(queue_of(&hardware, w), ==, cases[i].of_hardware);
        g_assert_cmpuint(queue_of(&veth, w), ==, cases[i].of_veth);
    }
}

static void a_queue_s_socket_takes_its_own_packets(void)
{
    rxtx_filter_rules rules = {.split = {.n_queues = 4, .rx_recorded = true}, .member = 2, .rx = true, .snaplen = 1000};

    g_assert_cmpuint(run(&rules, NULL, (world){.queue = 3}, udp, sizeof udp), ==, 1000);
    g_assert_cmpuint(run(&rules, NULL, (world){.queue = 2}, udp, sizeof udp), ==, 0);
    g_assert_cmpuint(run(&rules, NULL, (world){.type = PACKET_OUTGOING, .queue = 2}, udp, sizeof udp), ==, 0);
    rules.tx = true;
    g_assert_cmpuint(run(&rules, NULL, (world){.type = PACKET_OUTGOING, .queue = 2}, udp, sizeof udp), ==, 1000);
}

/* Each part gives itself away by what it accepts. */
static GArray *accepting(guint32 bytes)
{
    GArray *program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
    struct sock_filter insns[] = {BPF_STMT(BPF_LD | BPF_IMM, 0), BPF_STMT(BPF_RET | BPF_K, bytes)};

    return g_array_append_vals(program, insns, 2);
}

static guint dispatched(guint32 hardware, bool with_others)
{
    g_autoptr(GArray) ethernet = accepting(1), raw = accepting(2), cooked = accepting(3);
    g_autoptr(GArray) program = rxtx_filter_dispatch(ethernet, with_others ? raw : NULL, with_others ? cooked : NULL);
    world w = {.hardware = hardware};

    put_world((struct sock_filter *)(void *)program->data, program->len, &w);
    return bpf_filter((struct bpf_insn *)(void *)program->data, udp, sizeof udp, sizeof udp);
}

static void each_kind_of_device_has_its_own_program(void)
{
    enum { ETHER = 1, LOOPBACK = 772, NONE = 65534, TUNNEL = 768, PPP = 512, CAN = 280 };

    g_assert_cmpuint(dispatched(ETHER, true), ==, 1);
    g_assert_cmpuint(dispatched(LOOPBACK, true), ==, 1);
    g_assert_cmpuint(dispatched(NONE, true), ==, 2);
    g_assert_cmpuint(dispatched(TUNNEL, true), ==, 2);
    g_assert_cmpuint(dispatched(PPP, true), ==, 3);
    g_assert_cmpuint(dispatched(CAN, true), ==, 3);
    g_assert_cmpuint(dispatched(LOOPBACK, false), ==, 1);
    g_assert_cmpuint(dispatched(NONE, false), ==, 0);
    g_assert_cmpuint(dispatched(PPP, false), ==, 0);
}

/* Its socket has the device's header in front, whatever that is. */
static void a_cooked_filter_of_a_raw_socket_reads_from_the_network_header(void)
{
    const rxtx_filter_rules network = {.snaplen = 1000, .network = true};
    struct sock_filter insns[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 16 + 9), BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16)};

    g_assert_true(rxtx_filter_fit(insns, G_N_ELEMENTS(insns), &network, NULL));
    g_assert_cmpuint(insns[0].k, ==, (guint32)SKF_NET_OFF + 9);
    g_assert_cmpuint(insns[1].k, ==, (guint32)SKF_NET_OFF);
}

static void a_program_that_is_too_long_is_refused(void)
{
    g_autofree struct sock_filter *user = g_new0(struct sock_filter, BPF_MAXINSNS);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < BPF_MAXINSNS; i++)
        user[i] = rxtx_filter_reject[0];
    g_assert_null(rxtx_filter_compose(&both, user, BPF_MAXINSNS, &error));
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_INPUT);
}

static void link_types_are_those_of_files(void)
{
    g_assert_cmpint(rxtx_device_linktype(DLT_EN10MB), ==, 1);
    g_assert_cmpint(rxtx_device_linktype(DLT_RAW), ==, 101);
    g_assert_cmpint(rxtx_device_linktype(DLT_LINUX_SLL), ==, 113);
    g_assert_cmpint(rxtx_device_linktype(DLT_IEEE802_11_RADIO), ==, 127);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/filter/only the stream's own CPU passes", only_the_stream_s_own_cpu_passes);
    g_test_add_func("/filter/a direction passes its own packets", a_direction_passes_its_own_packets);
    g_test_add_func("/filter/the user's filter comes behind the guard", the_user_s_filter_comes_behind_the_guard);
    g_test_add_func("/filter/a cooked filter reads behind the header", a_cooked_filter_reads_behind_the_header);
    g_test_add_func("/filter/a queue is the driver's or unknown", a_queue_is_the_driver_s_or_unknown);
    g_test_add_func("/filter/a queue's socket takes its own packets", a_queue_s_socket_takes_its_own_packets);
    g_test_add_func("/filter/each kind of device has its own program", each_kind_of_device_has_its_own_program);
    g_test_add_func("/filter/a cooked filter of a raw socket reads from the network header",
                    a_cooked_filter_of_a_raw_socket_reads_from_the_network_header);
    g_test_add_func("/filter/a program that is too long is refused", a_program_that_is_too_long_is_refused);
    g_test_add_func("/filter/link types are those of files", link_types_are_those_of_files);
    return g_test_run();
}
