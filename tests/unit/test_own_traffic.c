/* The filter for our own ssh connection, as libpcap runs it on packets made by hand. */
#include "remote/own_traffic.h"

#include <arpa/inet.h>
#include <glib.h>
#include <pcap/pcap.h>
#include <string.h>

static const char v4[] = "192.0.2.7 50000 198.51.100.1 22", v6[] = "2001:db8::7 50000 2001:db8::1 22";

/* ---- packets ---- */

typedef struct {
    guint8 bytes[128];
    guint size;
} frame;

enum { TCP = 6, UDP = 17 };

static void put(frame *f, const void *bytes, guint size)
{
    memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

static void put_16(frame *f, guint value)
{
    guint16 big = htons((guint16)value);

    put(f, &big, sizeof big);
}

/* Ethernet, with a VLAN tag or none, IP, ports; family by the addresses. */
static frame packet(int protocol, const char *from, guint from_port, const char *to, guint to_port, guint vlan)
{
    bool six = strchr(from, ':') != NULL;
    const guint8 ipv4[] = {0x45, 0, 0, 40, 0, 1, 0, 0, 64, (guint8)protocol, 0, 0};
    const guint8 ipv6[] = {0x60, 0, 0, 0, 0, 20, (guint8)protocol, 64};
    guint8 address[16];
    frame f = {{0}, 12};

    if (vlan != 0) {
        put_16(&f, 0x8100);
        put_16(&f, vlan);
    }
    put_16(&f, six ? 0x86dd : 0x0800);
    put(&f, six ? ipv6 : ipv4, six ? sizeof ipv6 : sizeof ipv4);
    g_assert_cmpint(inet_pton(six ? AF_INET6 : AF_INET, from, address), ==, 1);
    put(&f, address, six ? 16 : 4);
    g_assert_cmpint(inet_pton(six ? AF_INET6 : AF_INET, to, address), ==, 1);
    put(&f, address, six ? 16 : 4);
    put_16(&f, from_port);
    put_16(&f, to_port);
    f.size += 16; /* the rest of a TCP header */
    return f;
}

static bool passes(const char *filter, const frame *f)
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
    struct pcap_pkthdr header = {.caplen = f->size, .len = f->size};
    struct bpf_program program;
    bool passed;

    if (pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        g_error("%s: %s", filter, pcap_geterr(dead));
    passed = pcap_offline_filter(&program, &header, f->bytes) != 0;
    pcap_freecode(&program);
    pcap_close(dead);
    return passed;
}

static bool left_out(const char *filter, int protocol, const char *from, guint from_port, const char *to, guint to_port)
{
    frame f = packet(protocol, from, from_port, to, to_port, 0);

    return !passes(filter, &f);
}

/* ---- our own connection ---- */

static void our_connection_is_left_out_both_ways(void)
{
    g_autofree char *four = rxtx_own_connection_filter(v4), *six = rxtx_own_connection_filter(v6);

    g_assert_true(left_out(four, TCP, "192.0.2.7", 50000, "198.51.100.1", 22));
    g_assert_true(left_out(four, TCP, "198.51.100.1", 22, "192.0.2.7", 50000));
    g_assert_true(left_out(six, TCP, "2001:db8::7", 50000, "2001:db8::1", 22));
    g_assert_true(left_out(six, TCP, "2001:db8::1", 22, "2001:db8::7", 50000));
}

/* Each differs from ours in one thing. */
static void everything_else_remains(void)
{
    static const struct {
        int protocol;
        const char *from;
        guint from_port;
        const char *to;
        guint to_port;
    } others[] = {
        {TCP, "192.0.2.7", 22, "198.51.100.1", 50000},    {TCP, "198.51.100.1", 50000, "192.0.2.7", 22},
        {TCP, "192.0.2.7", 50001, "198.51.100.1", 22},    {TCP, "198.51.100.1", 22, "192.0.2.7", 50001},
        {TCP, "192.0.2.7", 50000, "198.51.100.1", 23},    {TCP, "198.51.100.1", 23, "192.0.2.7", 50000},
        {TCP, "192.0.2.8", 50000, "198.51.100.1", 22},    {TCP, "198.51.100.1", 22, "192.0.2.8", 50000},
        {TCP, "192.0.2.7", 50000, "198.51.100.2", 22},    {TCP, "198.51.100.2", 22, "192.0.2.7", 50000},
        {TCP, "192.0.2.7", 50000, "192.0.2.7", 22},       {TCP, "198.51.100.1", 50000, "198.51.100.1", 22},
        {UDP, "192.0.2.7", 50000, "198.51.100.1", 22},    {UDP, "198.51.100.1", 22, "192.0.2.7", 50000},
        {132, "192.0.2.7", 50000, "198.51.100.1", 22},    {TCP, "2001:db8::7", 22, "2001:db8::1", 50000},
        {TCP, "2001:db8::7", 50001, "2001:db8::1", 22},   {TCP, "2001:db8::1", 22, "2001:db8::7", 50001},
        {TCP, "2001:db8::7", 50000, "2001:db8::1", 2222}, {TCP, "2001:db8::8", 50000, "2001:db8::1", 22},
        {TCP, "2001:db8::1", 22, "2001:db8::8", 50000},   {UDP, "2001:db8::7", 50000, "2001:db8::1", 22},
        {UDP, "2001:db8::1", 22, "2001:db8::7", 50000},
    };
    g_autofree char *four = rxtx_own_connection_filter(v4), *six = rxtx_own_connection_filter(v6);

    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_test_message("%d %s %u %s %u", others[i].protocol, others[i].from, others[i].from_port, others[i].to,
                       others[i].to_port);
        g_assert_false(
            left_out(four, others[i].protocol, others[i].from, others[i].from_port, others[i].to, others[i].to_port));
        g_assert_false(
            left_out(six, others[i].protocol, others[i].from, others[i].from_port, others[i].to, others[i].to_port));
    }
}

static void a_packet_that_is_not_of_ip_remains(void)
{
    g_autofree char *four = rxtx_own_connection_filter(v4), *six = rxtx_own_connection_filter(v6);
    frame arp = {{0}, 12};

    put_16(&arp, 0x0806);
    arp.size = 60;
    g_assert_true(passes(four, &arp));
    g_assert_true(passes(six, &arp));
}

/* Of link-local addresses sshd tells the interface too. */
static void an_address_may_have_a_zone(void)
{
    g_autofree char *filter = rxtx_own_connection_filter("fe80::7%eth0 50000 fe80::1%eth0 22");
    g_autofree char *none = rxtx_own_connection_filter("fe80::7 50000 fe80::1 22");

    g_assert_cmpstr(filter, ==, none);
    g_assert_true(left_out(filter, TCP, "fe80::7", 50000, "fe80::1", 22));
    g_assert_true(left_out(filter, TCP, "fe80::1", 22, "fe80::7", 50000));
    g_assert_false(left_out(filter, TCP, "fe80::8", 50000, "fe80::1", 22));
}

static void however_an_address_is_written_it_is_the_same(void)
{
    g_autofree char *plain = rxtx_own_connection_filter(v6);
    g_autofree char *long_form = rxtx_own_connection_filter("2001:0DB8:0:0:0:0:0:0007 50000 2001:db8:0::0.0.0.1 22");

    g_assert_cmpstr(plain, ==, long_form);
}

/* What a server that listens on :: alone may tell; on the wire it is IPv4. */
static void an_ipv4_address_in_ipv6_clothes_is_of_ipv4(void)
{
    g_autofree char *filter = rxtx_own_connection_filter("::ffff:192.0.2.7 50000 ::ffff:198.51.100.1 22");
    g_autofree char *four = rxtx_own_connection_filter(v4);

    g_assert_cmpstr(filter, ==, four);
}

static void both_ends_may_be_one_host(void)
{
    g_autofree char *filter = rxtx_own_connection_filter("127.0.0.1 50000 127.0.0.1 22");

    g_assert_true(left_out(filter, TCP, "127.0.0.1", 50000, "127.0.0.1", 22));
    g_assert_true(left_out(filter, TCP, "127.0.0.1", 22, "127.0.0.1", 50000));
    g_assert_false(left_out(filter, TCP, "127.0.0.1", 50000, "127.0.0.1", 50000));
    g_assert_false(left_out(filter, TCP, "127.0.0.1", 22, "127.0.0.1", 22));
}

static void what_is_no_connection_over_ip_has_no_filter(void)
{
    static const char *const connections[] = {
        "",
        " ",
        "   ",
        "UNKNOWN 65535 UNKNOWN 65535", /* sshd's words for what is no socket */
        "UNKNOWN 0 UNKNOWN 0",
        "192.0.2.7 50000 UNKNOWN 65535",
        "192.0.2.7",
        "192.0.2.7 50000",
        "192.0.2.7 50000 198.51.100.1",
        "192.0.2.7 50000 198.51.100.1 22 ",
        "192.0.2.7 50000 198.51.100.1 22 extra",
        " 192.0.2.7 50000 198.51.100.1 22",
        "192.0.2.7  50000 198.51.100.1 22",
        "192.0.2.7\t50000\t198.51.100.1\t22",
        "192.0.2.7 50000 198.51.100.1 22\n",
        "192.0.2.7 0 198.51.100.1 22",
        "192.0.2.7 50000 198.51.100.1 0",
        "192.0.2.7 65536 198.51.100.1 22",
        "192.0.2.7 -1 198.51.100.1 22",
        "192.0.2.7 +5 198.51.100.1 22",
        "192.0.2.7 0x16 198.51.100.1 22",
        "192.0.2.7 ssh 198.51.100.1 22",
        "192.0.2.7 50000 198.51.100.1 22)or(tcp",
        "192.0.2 50000 198.51.100.1 22",
        "192.0.2.256 50000 198.51.100.1 22",
        "192.0.2.7/24 50000 198.51.100.1 22",
        "web1 50000 198.51.100.1 22",
        "% 50000 % 22",
        "%eth0 50000 198.51.100.1 22",
        "2001:db8::7 50000 198.51.100.1 22",
        "192.0.2.7 50000 2001:db8::1 22",
        "2001:db8::g 50000 2001:db8::1 22",
        "[2001:db8::7] 50000 [2001:db8::1] 22",
        "::1::2 50000 ::1 22",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(connections); i++) {
        g_test_message("'%s'", connections[i]);
        g_assert_null(rxtx_own_connection_filter(connections[i]));
    }
}

/* A zone is the other end's word: nothing of it gets into the filter. */
static void nothing_but_addresses_and_ports_is_in_the_filter(void)
{
    g_autofree char *filter = rxtx_own_connection_filter("fe80::7%)or(udp 50000 fe80::1%$(x) 22");

    g_assert_nonnull(filter);
    g_assert_null(strpbrk(filter, "%$"));
    g_assert_null(strstr(filter, "udp"));
}

static void a_filter_fits_every_link_type(void)
{
    static const int dlts[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_IEEE802_11_RADIO};
    const char *const connections[] = {v4, v6, "fe80::7%eth0 1 ::1 65535", "0.0.0.0 1 255.255.255.255 65535"};

    for (gsize i = 0; i < G_N_ELEMENTS(dlts); i++)
        for (gsize k = 0; k < G_N_ELEMENTS(connections); k++) {
            g_autofree char *filter = rxtx_own_connection_filter(connections[k]);
            pcap_t *dead = pcap_open_dead(dlts[i], 65535);
            struct bpf_program program;
            g_assert_cmpint(pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN), ==, 0);
            pcap_freecode(&program);
            pcap_close(dead);
        }
}

/* ---- with a filter that was asked for ---- */

static void a_filter_that_is_none_changes_nothing(void)
{
    static const char *const nothings[] = {NULL, "", " ", " \t\n"};
    frame ours = packet(TCP, "192.0.2.7", 50000, "198.51.100.1", 22, 0);
    frame other = packet(UDP, "192.0.2.7", 53, "198.51.100.1", 53, 0);
    g_autofree char *own = rxtx_own_connection_filter(v4);

    for (gsize i = 0; i < G_N_ELEMENTS(nothings); i++) {
        g_autofree char *both = rxtx_own_connection_join(own, nothings[i]);
        g_assert_false(passes(both, &ours));
        g_assert_true(passes(both, &other));
    }
    g_assert_null(rxtx_own_connection_join(NULL, NULL));
}

static void without_a_connection_the_filter_stays(void)
{
    g_autofree char *same = rxtx_own_connection_join(NULL, "udp or tcp"), *empty = rxtx_own_connection_join(NULL, "");

    g_assert_cmpstr(same, ==, "udp or tcp");
    g_assert_cmpstr(empty, ==, "");
}

/* What passes both is what passes the one that was asked for, without us. */
static void a_packet_passes_both_filters_together(void)
{
    static const char *const filters[] = {"tcp",
                                          "udp",
                                          "udp or tcp",
                                          "not tcp",
                                          "not udp or tcp",
                                          "tcp port 22",
                                          "port 22 or port 53 and udp",
                                          "arp",
                                          "ip",
                                          "ip6",
                                          "greater 0",
                                          "less 10 or tcp",
                                          "host 192.0.2.7 and not port 50001",
                                          "vlan",
                                          "vlan 7",
                                          "vlan and tcp",
                                          "vlan 7 or tcp",
                                          "vlan or ip",
                                          "not vlan",
                                          "tcp or vlan",
                                          "vlan and host 192.0.2.7 and port 22",
                                          "tcp[tcpflags] & tcp-syn = 0",
                                          "ether[12:2] = 0x0800"};
    const frame frames[] = {
        packet(TCP, "192.0.2.7", 50000, "198.51.100.1", 22, 0), packet(TCP, "198.51.100.1", 22, "192.0.2.7", 50000, 0),
        packet(TCP, "192.0.2.7", 50001, "198.51.100.1", 22, 0), packet(UDP, "192.0.2.7", 50000, "198.51.100.1", 22, 0),
        packet(TCP, "192.0.2.7", 50000, "198.51.100.1", 22, 7), packet(TCP, "192.0.2.9", 443, "198.51.100.1", 9, 7),
        packet(UDP, "192.0.2.7", 53, "198.51.100.1", 53, 8),    packet(TCP, "2001:db8::7", 443, "2001:db8::1", 22, 0),
    };
    g_autofree char *own = rxtx_own_connection_filter(v4);

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        g_autofree char *both = rxtx_own_connection_join(own, filters[i]);
        for (gsize k = 0; k < G_N_ELEMENTS(frames); k++) {
            g_test_message("%s, frame %zu", both, k);
            g_assert_cmpint(passes(both, &frames[k]), ==, passes(own, &frames[k]) && passes(filters[i], &frames[k]));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/own_traffic/our connection is left out both ways", our_connection_is_left_out_both_ways);
    g_test_add_func("/own_traffic/everything else remains", everything_else_remains);
    g_test_add_func("/own_traffic/a packet that is not of IP remains", a_packet_that_is_not_of_ip_remains);
    g_test_add_func("/own_traffic/an address may have a zone", an_address_may_have_a_zone);
    g_test_add_func("/own_traffic/however an address is written, it is the same",
                    however_an_address_is_written_it_is_the_same);
    g_test_add_func("/own_traffic/an IPv4 address in IPv6 clothes is of IPv4",
                    an_ipv4_address_in_ipv6_clothes_is_of_ipv4);
    g_test_add_func("/own_traffic/both ends may be one host", both_ends_may_be_one_host);
    g_test_add_func("/own_traffic/what is no connection over IP has no filter",
                    what_is_no_connection_over_ip_has_no_filter);
    g_test_add_func("/own_traffic/nothing but addresses and ports is in the filter",
                    nothing_but_addresses_and_ports_is_in_the_filter);
    g_test_add_func("/own_traffic/a filter fits every link type", a_filter_fits_every_link_type);
    g_test_add_func("/own_traffic/a filter that is none changes nothing", a_filter_that_is_none_changes_nothing);
    g_test_add_func("/own_traffic/without a connection the filter stays", without_a_connection_the_filter_stays);
    g_test_add_func("/own_traffic/a packet passes both filters together", a_packet_passes_both_filters_together);
    return g_test_run();
}
