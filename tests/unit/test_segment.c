/* Frames of every kind that may hold a TCP segment, whole, cut and broken. */
#include <string.h>

#include "segment.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { TCP = 6, UDP = 17 };
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, NO_NEXT = 59, DESTINATION = 60 };
enum { IPV4 = 0x0800, ARP = 0x0806, VLAN = 0x8100, IPV6 = 0x86dd, QINQ = 0x88a8, OLD_QINQ = 0x9100 };

/* A frame is put together from its first byte to its last. */
typedef GByteArray frame;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(frame, g_byte_array_unref)

static void put(frame *f, guint n, guint8 value)
{
    guint at = f->len;

    g_byte_array_set_size(f, at + n);
    memset(f->data + at, value, n);
}

static void put16(frame *f, guint value)
{
    put(f, 1, (guint8)(value >> 8));
    put(f, 1, (guint8)value);
}

static frame *ethernet(guint type)
{
    frame *f = g_byte_array_new();

    put(f, 12, 0xee);
    put16(f, type);
    return f;
}

static frame *sll(guint protocol)
{
    frame *f = g_byte_array_new();

    put(f, 14, 0xcc);
    put16(f, protocol);
    return f;
}

static frame *sll2(guint protocol)
{
    frame *f = g_byte_array_new();

    put16(f, protocol);
    put(f, 18, 0xcc);
    return f;
}

static frame *raw(void)
{
    return g_byte_array_new();
}

static void vlan(frame *f, guint type)
{
    put16(f, 0xe123);
    put16(f, type);
}

/* options: bytes behind the 20. total_len: what the header says. */
static void ipv4_with(frame *f, guint options, guint total_len, guint fragment, guint8 protocol)
{
    put(f, 1, (guint8)(0x45 + options / 4));
    put(f, 1, 0);
    put16(f, total_len);
    put16(f, 0x1d1d);
    put16(f, fragment);
    put(f, 1, 64);
    put(f, 1, protocol);
    put(f, 10 + options, 0xaa);
}

static void ipv4(frame *f, guint payload)
{
    ipv4_with(f, 0, 20 + payload, 0x4000, TCP);
}

static void ipv6(frame *f, guint payload, guint8 next)
{
    put(f, 1, 0x6a);
    put(f, 3, 0xaa);
    put16(f, payload);
    put(f, 1, next);
    put(f, 33, 0xaa);
}

/* units: of 8 bytes, behind the first. */
static void extension(frame *f, guint8 next, guint8 units)
{
    put(f, 1, next);
    put(f, 1, units);
    put(f, 6 + units * 8u, 0xaa);
}

/* From port 258 to 772, sequence number 0xfffffff0. */
static void tcp_with(frame *f, guint header, guint8 flags)
{
    put16(f, 258);
    put16(f, 772);
    put16(f, 0xffff);
    put16(f, 0xfff0);
    put(f, 4, 0xaa);
    put(f, 1, (guint8)(header / 4 << 4 | 0xf));
    put(f, 1, flags);
    put(f, 6, 0xaa);
    if (header > 20)
        put(f, header - 20, 0xaa);
}

static void tcp(frame *f, guint data)
{
    tcp_with(f, 20, ACK);
    put(f, data, 'd');
}

/* The first len bytes and none behind them, so that a sanitizer sees who reads on. "258>772 4294967280+7", or "none".
 */
static char *find_in(const frame *f, guint len, rxtx_link link)
{
    const rxtx_segment untouched = {1, 2, 3, 4};
    rxtx_segment segment = untouched;
    g_autofree guint8 *bytes = g_memdup2(f->data, len);

    if (rxtx_segment_find(&segment, link, bytes, len))
        return g_strdup_printf("%u>%u %u+%u", segment.src_port, segment.dst_port, segment.seq, segment.len);
    g_assert_cmpmem(&segment, sizeof segment, &untouched, sizeof untouched);
    return g_strdup("none");
}

static void holds(frame *f, rxtx_link link, const char *expected)
{
    g_autoptr(frame) taken = f;
    g_autofree char *found = find_in(taken, taken->len, link);

    g_assert_cmpstr(found, ==, expected);
}

#define SEGMENT(len) "258>772 4294967280+" #len

static void a_segment_is_found_behind_every_link_header(void)
{
    frame *f;

    ipv4(f = ethernet(IPV4), 27), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(7));
    ipv6(f = ethernet(IPV6), 27, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(7));
    ipv4(f = sll(IPV4), 27), tcp(f, 7);
    holds(f, RXTX_LINK_SLL, SEGMENT(7));
    ipv6(f = sll2(IPV6), 27, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_SLL2, SEGMENT(7));
    ipv4(f = raw(), 27), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv6(f = raw(), 27, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
}

static void nothing_is_taken_for_a_header_that_it_is_not(void)
{
    frame *f;

    ipv4(f = raw(), 27), tcp(f, 7);
    holds(f, RXTX_LINK_OTHER, "none");
    put16(f = raw(), VLAN), put16(f, IPV4), ipv4(f, 27), tcp(f, 7); /* as if it had a header of no length */
    holds(f, RXTX_LINK_OTHER, "none");
    ipv4(f = ethernet(IPV6), 27), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv6(f = ethernet(IPV4), 27, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv4(f = ethernet(IPV4), 27), tcp(f, 7);
    f->data[14] = 0x65; /* all of IPv4 but its version */
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv6(f = ethernet(IPV6), 27, TCP), tcp(f, 7);
    f->data[14] = 0x40;
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv4(f = ethernet(ARP), 27), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv4(f = ethernet(IPV4), 27), tcp(f, 7);
    holds(f, RXTX_LINK_SLL, "none");
    ipv4_with(f = raw(), 0, 47, 0, UDP), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 27, UDP), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    put(f = raw(), 60, 0x5a); /* IP of version 5 */
    holds(f, RXTX_LINK_RAW_IP, "none");
    put(f = raw(), 1500, 0);
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void vlan_tags_are_passed_however_many(void)
{
    frame *f;

    vlan(f = ethernet(VLAN), IPV4), ipv4(f, 20), tcp(f, 0);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(0));
    vlan(f = ethernet(QINQ), VLAN), vlan(f, IPV6), ipv6(f, 21, TCP), tcp(f, 1);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(1));
    vlan(f = ethernet(OLD_QINQ), QINQ), vlan(f, VLAN), vlan(f, IPV4), ipv4(f, 22), tcp(f, 2);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(2));
    vlan(f = sll(VLAN), IPV4), ipv4(f, 20), tcp(f, 0);
    holds(f, RXTX_LINK_SLL, SEGMENT(0));
    vlan(f = sll2(VLAN), IPV4), ipv4(f, 20), tcp(f, 0);
    holds(f, RXTX_LINK_SLL2, SEGMENT(0));
    vlan(f = ethernet(VLAN), ARP), ipv4(f, 20), tcp(f, 0);
    holds(f, RXTX_LINK_ETHERNET, "none");
}

static void tags_without_end_come_to_an_end(void)
{
    frame *f = ethernet(VLAN);

    for (int i = 0; i < 16000; i++)
        vlan(f, VLAN);
    put(f, 3, 0x81);
    holds(f, RXTX_LINK_ETHERNET, "none");
}

static void a_fragment_is_no_segment(void)
{
    static const struct {
        guint fragment;
        const char *expected;
    } cases[] = {
        {0x0000, SEGMENT(7)}, {0x4000, SEGMENT(7)}, /* don't fragment */
        {0x2000, "none"},     {0x0001, "none"},     {0x1000, "none"}, {0x3fff, "none"}, {0x6000, "none"},
    };
    frame *f;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        ipv4_with(f = raw(), 0, 47, cases[i].fragment, TCP), tcp(f, 7);
        holds(f, RXTX_LINK_RAW_IP, cases[i].expected);
    }
    ipv6(f = raw(), 8 + 27, FRAGMENT), extension(f, TCP, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 16 + 27, HOP_BY_HOP), extension(f, FRAGMENT, 0), extension(f, TCP, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void the_options_of_ipv4_are_no_data(void)
{
    frame *f;

    ipv4_with(f = raw(), 4, 24 + 27, 0, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv4_with(f = raw(), 40, 60 + 27, 0, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv4(f = raw(), 120), tcp(f, 100);
    f->data[0] = 0x44; /* shorter than a header is */
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void the_extension_headers_of_ipv6_are_no_data(void)
{
    frame *f;

    ipv6(f = raw(), 8 + 27, HOP_BY_HOP), extension(f, TCP, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv6(f = raw(), 24 + 27, ROUTING), extension(f, TCP, 2), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv6(f = raw(), 8 + 16 + 2048 + 27, HOP_BY_HOP), extension(f, ROUTING, 0), extension(f, DESTINATION, 1);
    extension(f, TCP, 255), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv6(f = raw(), 8 + 27, AUTHENTICATION), extension(f, TCP, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 8 + 27, HOP_BY_HOP), extension(f, NO_NEXT, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 8 + 27, HOP_BY_HOP), extension(f, UDP, 0), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void an_extension_header_is_not_longer_than_the_packet(void)
{
    frame *f;

    ipv6(f = raw(), 8, DESTINATION), extension(f, TCP, 1), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 16 + 19, DESTINATION), extension(f, TCP, 1), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv6(f = raw(), 16 + 20, DESTINATION), extension(f, TCP, 1), tcp(f, 7);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(0));
    ipv6(f = raw(), 9000, DESTINATION), extension(f, TCP, 0), tcp(f, 7);
    f->data[41] = 255; /* more than was captured */
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void syn_and_fin_take_one_place_each(void)
{
    static const struct {
        guint8 flags;
        const char *expected;
    } cases[] = {
        {ACK, SEGMENT(7)},       {0, SEGMENT(7)},         {SYN, SEGMENT(8)},
        {SYN | ACK, SEGMENT(8)}, {FIN | ACK, SEGMENT(8)}, {SYN | FIN, SEGMENT(9)},
        {RST, SEGMENT(7)},       {PSH | ACK, SEGMENT(7)}, {0xfc, SEGMENT(7)}, /* everything but SYN and FIN */
        {0xff, SEGMENT(9)},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        frame *f = raw();

        ipv4(f, 27), tcp_with(f, 20, cases[i].flags), put(f, 7, 'd');
        holds(f, RXTX_LINK_RAW_IP, cases[i].expected);
    }
}

static void the_options_of_tcp_are_no_data(void)
{
    frame *f;

    ipv4(f = raw(), 32 + 7), tcp_with(f, 32, ACK), put(f, 7, 'd');
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(7));
    ipv4(f = raw(), 60), tcp_with(f, 60, ACK);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(0));
    ipv4(f = raw(), 59), tcp_with(f, 60, ACK);
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv4(f = raw(), 27), tcp_with(f, 16, ACK), put(f, 7, 'd');
    holds(f, RXTX_LINK_RAW_IP, "none");
    ipv4(f = raw(), 27), tcp_with(f, 0, ACK), put(f, 7, 'd');
    holds(f, RXTX_LINK_RAW_IP, "none");
}

static void the_padding_of_a_short_frame_is_no_data(void)
{
    frame *f;

    ipv4(f = ethernet(IPV4), 20), tcp(f, 0), put(f, 6, 0);
    g_assert_cmpuint(f->len, ==, 60);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(0));
    ipv4(f = ethernet(IPV4), 22), tcp(f, 2), put(f, 4, 0);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(2));
    ipv6(f = ethernet(IPV6), 20, TCP), tcp(f, 0), put(f, 4, 0); /* a trailer */
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(0));
    ipv4(f = ethernet(IPV4), 19), tcp(f, 0), put(f, 6, 0);
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv4_with(f = ethernet(IPV4), 0, 19, 0, TCP), tcp(f, 0), put(f, 6, 0);
    holds(f, RXTX_LINK_ETHERNET, "none");
    ipv6(f = ethernet(IPV6), 19, TCP), tcp(f, 0), put(f, 4, 0);
    holds(f, RXTX_LINK_ETHERNET, "none");
}

static void what_the_snapshot_length_cut_off_is_data(void)
{
    frame *f;

    ipv4(f = ethernet(IPV4), 20 + 1448), tcp(f, 10);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(1448));
    ipv6(f = ethernet(IPV6), 8 + 20 + 1440, HOP_BY_HOP), extension(f, TCP, 0), tcp(f, 0);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(1440));
    ipv4_with(f = raw(), 0, 65535, 0, TCP), tcp(f, 0);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(65495));
    ipv6(f = raw(), 65535, TCP), tcp(f, 0);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(65515));
}

static void without_a_total_length_it_is_what_the_frame_has(void)
{
    frame *f;

    ipv4_with(f = ethernet(IPV4), 0, 0, 0, TCP), tcp(f, 7);
    holds(f, RXTX_LINK_ETHERNET, SEGMENT(7));
    ipv4_with(f = raw(), 8, 0, 0, TCP), tcp(f, 200000);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(200000));
    ipv6(f = raw(), 0, TCP), tcp(f, 200000);
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(200000));
    ipv6(f = raw(), 0, HOP_BY_HOP), extension(f, TCP, 0), tcp(f, 200000); /* a jumbogram says it there */
    holds(f, RXTX_LINK_RAW_IP, SEGMENT(200000));
}

/* Below `enough` bytes there is nothing, from there on always the same. */
static void is_found_from(frame *f, rxtx_link link, guint enough)
{
    g_autoptr(frame) taken = f;
    g_autofree char *whole = find_in(taken, taken->len, link);

    g_assert_cmpstr(whole, !=, "none");
    for (guint len = 0; len <= taken->len; len++) {
        g_autofree char *found = find_in(taken, len, link);

        g_assert_cmpstr(found, ==, len < enough ? "none" : whole);
    }
}

/* There is data enough for a segment that is wrongly looked for in the IP header. */
static void headers_that_are_cut_off_give_nothing(void)
{
    frame *f;

    ipv4(f = ethernet(IPV4), 120), tcp(f, 100);
    is_found_from(f, RXTX_LINK_ETHERNET, 14 + 20 + 20);
    vlan(f = ethernet(QINQ), VLAN), vlan(f, IPV4), ipv4_with(f, 40, 60 + 120, 0, TCP), tcp(f, 100);
    is_found_from(f, RXTX_LINK_ETHERNET, 14 + 8 + 60 + 20);
    ipv4(f = sll(IPV4), 120), tcp(f, 100);
    is_found_from(f, RXTX_LINK_SLL, 16 + 20 + 20);
    ipv4(f = sll2(IPV4), 120), tcp(f, 100);
    is_found_from(f, RXTX_LINK_SLL2, 20 + 20 + 20);
    ipv4(f = raw(), 120), tcp(f, 100);
    is_found_from(f, RXTX_LINK_RAW_IP, 20 + 20);
    ipv6(f = raw(), 120, TCP), tcp(f, 100);
    is_found_from(f, RXTX_LINK_RAW_IP, 40 + 20);
    ipv6(f = raw(), 8 + 16 + 120, HOP_BY_HOP), extension(f, ROUTING, 0), extension(f, TCP, 1), tcp(f, 100);
    is_found_from(f, RXTX_LINK_RAW_IP, 40 + 8 + 16 + 20);
    ipv4(f = raw(), 40 + 7), tcp_with(f, 40, ACK), put(f, 7, 'd'); /* where a segment stands is not in its options */
    is_found_from(f, RXTX_LINK_RAW_IP, 20 + 20);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/a segment is found behind every link header",
                    a_segment_is_found_behind_every_link_header);
    g_test_add_func("/segment/nothing is taken for a header that it is not",
                    nothing_is_taken_for_a_header_that_it_is_not);
    g_test_add_func("/segment/VLAN tags are passed, however many", vlan_tags_are_passed_however_many);
    g_test_add_func("/segment/tags without end come to an end", tags_without_end_come_to_an_end);
    g_test_add_func("/segment/a fragment is no segment", a_fragment_is_no_segment);
    g_test_add_func("/segment/the options of IPv4 are no data", the_options_of_ipv4_are_no_data);
    g_test_add_func("/segment/the extension headers of IPv6 are no data", the_extension_headers_of_ipv6_are_no_data);
    g_test_add_func("/segment/an extension header is not longer than the packet",
                    an_extension_header_is_not_longer_than_the_packet);
    g_test_add_func("/segment/SYN and FIN take one place each", syn_and_fin_take_one_place_each);
    g_test_add_func("/segment/the options of TCP are no data", the_options_of_tcp_are_no_data);
    g_test_add_func("/segment/the padding of a short frame is no data", the_padding_of_a_short_frame_is_no_data);
    g_test_add_func("/segment/what the snapshot length cut off is data", what_the_snapshot_length_cut_off_is_data);
    g_test_add_func("/segment/without a total length it is what the frame has",
                    without_a_total_length_it_is_what_the_frame_has);
    g_test_add_func("/segment/headers that are cut off give nothing", headers_that_are_cut_off_give_nothing);
    return g_test_run();
}
