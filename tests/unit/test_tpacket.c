/* One block, packet by packet. */
#include "engine/tpacket.h"

#include "block_builder.h"

static const guint8 frame[] = "\1\2\3\4\5\6\7\10\11\12\13\14\10\0payload";
enum { FRAME = 21 };

static const rxtx_frame_rules ethernet = {.ethernet = true, .snaplen = 262000};

static rxtx_packet first(block_builder *b, const rxtx_frame_rules *rules)
{
    rxtx_tpacket_walk walk;
    rxtx_packet packet;

    rxtx_tpacket_begin(&walk, rules, b->bytes, sizeof b->bytes);
    g_assert_true(rxtx_tpacket_next(&walk, &packet));
    return packet;
}

static void every_packet_comes_once_with_its_time_and_lengths(void)
{
    block_builder b;
    rxtx_tpacket_walk walk;
    rxtx_packet packet;

    builder_init(&b);
    builder_add(&b, PACKET_HOST, frame, FRAME);
    builder_add(&b, PACKET_HOST, frame, FRAME)->tp_len = 9000;
    rxtx_tpacket_begin(&walk, &ethernet, b.bytes, sizeof b.bytes);
    g_assert_true(rxtx_tpacket_next(&walk, &packet));
    g_assert_cmpuint(packet.ts_ns, ==, 1700000000000000005);
    g_assert_cmpmem(packet.data, packet.caplen, frame, FRAME);
    g_assert_cmpuint(packet.len, ==, FRAME);
    g_assert_true(rxtx_tpacket_next(&walk, &packet));
    g_assert_cmpuint(packet.caplen, ==, FRAME);
    g_assert_cmpuint(packet.len, ==, 9000);
    g_assert_false(rxtx_tpacket_next(&walk, &packet));
}

/* Several CPUs filled it: the second packet was stamped first. */
static void a_sorted_walk_goes_by_time(void)
{
    static const unsigned times[] = {5, 3, 9, 8, 8, 1};
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(rxtx_tpacket_place));
    g_autoptr(GString) order = g_string_new(NULL);
    block_builder b;
    rxtx_tpacket_walk walk;
    rxtx_packet packet;

    builder_init(&b);
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        const guint8 mark[] = {(guint8)('a' + i)};
        builder_add(&b, PACKET_HOST, mark, 1)->tp_nsec = times[i];
    }
    rxtx_tpacket_begin(&walk, &ethernet, b.bytes, sizeof b.bytes);
    rxtx_tpacket_sort(&walk, places);
    while (rxtx_tpacket_next(&walk, &packet))
        g_string_append_printf(order, "%c%u ", packet.data[0], (unsigned)(packet.ts_ns % 10));
    g_assert_cmpstr(order->str, ==, "f1 b3 a5 d8 e8 c9 ");
}

static void direction_and_reception_come_from_the_packet_type(void)
{
    const struct {
        guint8 type;
        guint32 flags;
    } cases[] = {{PACKET_HOST, 1 | 1 << 2},      {PACKET_BROADCAST, 1 | 3 << 2}, {PACKET_MULTICAST, 1 | 2 << 2},
                 {PACKET_OTHERHOST, 1 | 4 << 2}, {PACKET_OUTGOING, 2},           {77, 0}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        block_builder b;
        builder_init(&b);
        builder_add(&b, cases[i].type, frame, FRAME);
        g_assert_cmpuint(first(&b, &ethernet).flags, ==, cases[i].flags);
    }
}

static rxtx_packet tagged(block_builder *b, const rxtx_frame_rules *rules, guint32 status, guint16 tpid)
{
    struct tpacket3_hdr *header;

    builder_init(b);
    header = builder_add(b, PACKET_HOST, frame, FRAME);
    header->tp_status |= status;
    header->hv1.tp_vlan_tci = 0x2064;
    header->hv1.tp_vlan_tpid = tpid;
    return first(b, rules);
}

static void a_vlan_tag_is_put_back_where_it_was(void)
{
    static const guint8 whole[] = "\1\2\3\4\5\6\7\10\11\12\13\14\x88\xa8\x20\x64\10\0payload";
    block_builder b;
    rxtx_packet packet = tagged(&b, &ethernet, TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID, 0x88a8);

    g_assert_cmpmem(packet.data, packet.caplen, whole, FRAME + 4);
    g_assert_cmpuint(packet.len, ==, FRAME + 4);
}

static void a_tag_without_a_protocol_is_8021q(void)
{
    block_builder b;
    rxtx_packet packet = tagged(&b, &ethernet, TP_STATUS_VLAN_VALID, 0);

    g_assert_cmpmem(packet.data + 12, 4, "\x81\0\x20\x64", 4);
}

static void a_packet_without_a_tag_gets_none(void)
{
    block_builder b;

    g_assert_cmpuint(tagged(&b, &ethernet, 0, 0x8100).caplen, ==, FRAME);
}

static void a_tag_does_not_make_a_packet_longer_than_the_snap_length(void)
{
    const rxtx_frame_rules rules = {.ethernet = true, .snaplen = FRAME};
    block_builder b;
    rxtx_packet packet = tagged(&b, &rules, TP_STATUS_VLAN_VALID, 0);

    g_assert_cmpuint(packet.caplen, ==, FRAME);
    g_assert_cmpuint(packet.len, ==, FRAME + 4);
}

static void a_cooked_packet_has_the_header_of_its_link_type(void)
{
    static const guint8 sll[] = "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\10\0";
    const rxtx_frame_rules rules = {.cooked = true, .snaplen = 262000};
    block_builder b;
    rxtx_packet packet;

    builder_init(&b);
    builder_add(&b, PACKET_OUTGOING, frame, FRAME)->tp_mac += 16;
    memmove(b.bytes + b.last + BUILDER_MAC + 16, b.bytes + b.last + BUILDER_MAC, FRAME);
    packet = first(&b, &rules);
    g_assert_cmpmem(packet.data, 16, sll, 16);
    g_assert_cmpmem(packet.data + 16, packet.caplen - 16, frame, FRAME);
    g_assert_cmpuint(packet.len, ==, FRAME + 16);
}

/* Each of these would read or write outside the block, or go on for ever. */
static void a_broken_block_ends_the_walk(void)
{
    static const struct {
        gsize member; /* of tpacket3_hdr */
        guint32 value;
        guint delivered;
    } cases[] = {
        {offsetof(struct tpacket3_hdr, tp_snaplen), G_MAXUINT32, 0},
        {offsetof(struct tpacket3_hdr, tp_snaplen), BUILDER_SIZE, 0},
        {offsetof(struct tpacket3_hdr, tp_next_offset), G_MAXUINT32, 1},
        {offsetof(struct tpacket3_hdr, tp_next_offset), BUILDER_SIZE - 64, 1},
        {offsetof(struct tpacket3_hdr, tp_next_offset), 0, 1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        block_builder b;
        rxtx_tpacket_walk walk;
        rxtx_packet packet;
        guint delivered = 0;
        builder_init(&b);
        builder_add(&b, PACKET_HOST, frame, FRAME);
        memcpy(b.bytes + b.last + cases[i].member, &cases[i].value, sizeof cases[i].value);
        ((struct tpacket_block_desc *)(void *)b.bytes)->hdr.bh1.num_pkts = 3;
        rxtx_tpacket_begin(&walk, &ethernet, b.bytes, sizeof b.bytes);
        while (rxtx_tpacket_next(&walk, &packet))
            delivered++;
        g_assert_cmpuint(delivered, ==, cases[i].delivered);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tpacket/every packet comes once with its time and lengths",
                    every_packet_comes_once_with_its_time_and_lengths);
    g_test_add_func("/tpacket/a sorted walk goes by time", a_sorted_walk_goes_by_time);
    g_test_add_func("/tpacket/direction and reception come from the packet type",
                    direction_and_reception_come_from_the_packet_type);
    g_test_add_func("/tpacket/a VLAN tag is put back where it was", a_vlan_tag_is_put_back_where_it_was);
    g_test_add_func("/tpacket/a tag without a protocol is 802.1Q", a_tag_without_a_protocol_is_8021q);
    g_test_add_func("/tpacket/a packet without a tag gets none", a_packet_without_a_tag_gets_none);
    g_test_add_func("/tpacket/a tag does not make a packet longer than the snap length",
                    a_tag_does_not_make_a_packet_longer_than_the_snap_length);
    g_test_add_func("/tpacket/a cooked packet has the header of its link type",
                    a_cooked_packet_has_the_header_of_its_link_type);
    g_test_add_func("/tpacket/a broken block ends the walk", a_broken_block_ends_the_walk);
    return g_test_run();
}
