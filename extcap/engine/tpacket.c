/* What one block holds, packet by packet, as it was on the wire. Whose block it is, and when it may be read or given
 * back, is afpacket.c's business. */
#include "engine/tpacket.h"

#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

#include "engine/sll.h"

enum {
    VLAN_TAG_SIZE = 4,
    ETHERNET_TAG_OFFSET = 2 * ETH_ALEN,
    LINK_OFFSET = TPACKET_ALIGN(sizeof(struct tpacket3_hdr)),
    HEADERS_SIZE = LINK_OFFSET + sizeof(struct sockaddr_ll),
    CAN_HEADER_SIZE = 8, /* struct can_frame and canfd_frame, linux/can.h: id, length, flags */
    CAN_FD_FLAGS = 5,
    CAN_FD_MARK = 4, /* CANFD_FDF */
    NS_PER_S = 1000000000,
};

void rxtx_tpacket_begin(rxtx_tpacket_walk *walk, const rxtx_frame_rules *rules, void *block, size_t size)
{
    struct tpacket_block_desc desc = {0};

    if (size >= sizeof desc)
        memcpy(&desc, block, sizeof desc);
    *walk = (rxtx_tpacket_walk){.rules = rules, .block = block, .size = size};
    walk->offset = desc.hdr.bh1.offset_to_first_pkt;
    walk->left = desc.hdr.bh1.num_pkts;
}

/* Where the packet at walk->offset lies; false if it is not wholly inside the block. */
static bool read_headers(const rxtx_tpacket_walk *walk, struct tpacket3_hdr *header, struct sockaddr_ll *link)
{
    if (walk->offset > walk->size || walk->size - walk->offset < HEADERS_SIZE)
        return false;
    memcpy(header, walk->block + walk->offset, sizeof *header);
    memcpy(link, walk->block + walk->offset + LINK_OFFSET, sizeof *link);
    return header->tp_mac >= HEADERS_SIZE && (size_t)header->tp_mac + header->tp_snaplen <= walk->size - walk->offset;
}

static void prepend(rxtx_packet *out, const void *bytes, uint32_t size)
{
    out->data -= size;
    out->caplen += size;
    out->len += size;
    memcpy((uint8_t *)out->data, bytes, size);
}

static void put_sll(rxtx_packet *out, const struct sockaddr_ll *link)
{
    uint16_t words[3] = {htons(link->sll_pkttype), htons(link->sll_hatype), htons(link->sll_halen)};
    uint8_t header[RXTX_SLL_SIZE];

    memcpy(header, words, sizeof words);
    memcpy(header + RXTX_SLL_ADDRESS, link->sll_addr, RXTX_SLL_ADDRESS_SIZE);
    memcpy(header + RXTX_SLL_PROTOCOL, &link->sll_protocol, 2);
    prepend(out, header, sizeof header);
}

static uint16_t tpid_of(const struct tpacket3_hdr *header)
{
    return htons(header->tp_status & TP_STATUS_VLAN_TPID_VALID ? header->hv1.tp_vlan_tpid : ETH_P_8021Q);
}

/* The type of an Ethernet frame as it stands in it, since the kernel's may be that of what a tag inside it holds. */
static uint16_t protocol_of(const uint8_t *frame, size_t size, const struct sockaddr_ll *link)
{
    uint16_t type;

    if (!rxtx_link_of(link->sll_hatype)->rules.ethernet || size < ETH_HLEN)
        return link->sll_protocol;
    memcpy(&type, frame + ETHERNET_TAG_OFFSET, sizeof type);
    return ntohs(type) >= ETH_P_802_3_MIN ? type : link->sll_protocol;
}

/* A tag goes between this header, which then names it, and the packet. */
static void put_sll2(rxtx_packet *out, uint16_t protocol, const struct tpacket3_hdr *header,
                     const struct sockaddr_ll *link)
{
    uint8_t sll[RXTX_SLL2_SIZE] = {[RXTX_SLL2_TYPE] = link->sll_pkttype, [RXTX_SLL2_ADDRESS_LENGTH] = link->sll_halen};
    uint16_t hardware = htons(link->sll_hatype);
    uint32_t index = htonl((uint32_t)link->sll_ifindex);

    if (header->tp_status & TP_STATUS_VLAN_VALID) {
        uint16_t tag[2] = {htons((uint16_t)header->hv1.tp_vlan_tci), protocol};
        prepend(out, tag, sizeof tag);
        protocol = tpid_of(header);
    }
    memcpy(sll, &protocol, sizeof protocol);
    memcpy(sll + RXTX_SLL2_INDEX, &index, sizeof index);
    memcpy(sll + RXTX_SLL2_HARDWARE, &hardware, sizeof hardware);
    memcpy(sll + RXTX_SLL2_ADDRESS, link->sll_addr, RXTX_SLL_ADDRESS_SIZE);
    prepend(out, sll, sizeof sll);
}

/* Moves what lies in front of the tag down and puts the tag into the gap. */
static void put_tag(rxtx_packet *out, const struct tpacket3_hdr *header, unsigned tag_offset)
{
    uint16_t tag[2] = {tpid_of(header), htons((uint16_t)header->hv1.tp_vlan_tci)};
    uint8_t *data = (uint8_t *)out->data - VLAN_TAG_SIZE;

    memmove(data, out->data, tag_offset);
    memcpy(data + tag_offset, tag, sizeof tag);
    out->data = data;
    out->caplen += VLAN_TAG_SIZE;
    out->len += VLAN_TAG_SIZE;
}

/* As libpcap gives CAN frames (pcap-linux.c): the id in network byte order, and marks that tell the three kinds of
 * frame apart, which the kernel does not set reliably. */
static void mend_can(rxtx_packet *out, const struct sockaddr_ll *link)
{
    uint8_t *frame = (uint8_t *)out->data;
    uint32_t id;

    if (out->caplen < CAN_HEADER_SIZE)
        return;
    memcpy(&id, frame, sizeof id);
    id = htonl(id);
    memcpy(frame, &id, sizeof id);
    if (link->sll_protocol == htons(ETH_P_CANFD))
        frame[CAN_FD_FLAGS] |= CAN_FD_MARK;
    else if (link->sll_protocol != htons(ETH_P_CANXL))
        frame[CAN_FD_FLAGS] &= (uint8_t)~CAN_FD_MARK;
}

/* What a SOCK_RAW socket has in front of the network header, as the kernel found it: behind a tag, if that is in the
 * frame (packet_parse_headers). A tag stays. */
static void skip_link(rxtx_packet *out, const struct tpacket3_hdr *header, const struct sockaddr_ll *link)
{
    bool ethernet = rxtx_link_of(link->sll_hatype)->rules.ethernet;
    uint32_t size = ethernet ? ETH_HLEN : header->tp_net > header->tp_mac ? header->tp_net - header->tp_mac : 0;
    uint32_t here = MIN(size, out->caplen);

    out->data += here;
    out->caplen -= here;
    out->len -= MIN(size, out->len);
}

/* The kernel leaves room in front of each packet: at least 16 bytes and RXTX_TPACKET_RESERVE before its network header.
 * What is skipped there is room too. */
static size_t skip_to_network(const struct tpacket3_hdr *header, const struct sockaddr_ll *link, rxtx_packet *out)
{
    const uint8_t *begin = out->data;

    skip_link(out, header, link);
    return header->tp_mac - HEADERS_SIZE + (size_t)(out->data - begin);
}

static void restore_sll2(const struct tpacket3_hdr *header, const struct sockaddr_ll *link, rxtx_packet *out)
{
    uint16_t protocol = protocol_of(out->data, out->caplen, link);

    if (skip_to_network(header, link, out) >= RXTX_SLL2_SIZE + VLAN_TAG_SIZE)
        put_sll2(out, protocol, header, link);
}

static void restore(const rxtx_frame_rules *rules, const struct tpacket3_hdr *header, const struct sockaddr_ll *link,
                    rxtx_packet *out)
{
    unsigned tag_offset = rules->cooked ? RXTX_SLL_PROTOCOL : ETHERNET_TAG_OFFSET;
    size_t tag = header->tp_status & TP_STATUS_VLAN_VALID ? VLAN_TAG_SIZE : 0;
    size_t room = rules->network ? skip_to_network(header, link, out) : (size_t)header->tp_mac - HEADERS_SIZE;

    if (rules->cooked && room >= RXTX_SLL_SIZE + tag)
        put_sll(out, link);
    if ((rules->cooked || rules->ethernet) && tag > 0 && room >= tag && out->caplen >= tag_offset)
        put_tag(out, header, tag_offset);
    if (rules->can)
        mend_can(out, link);
}

/* sll_pkttype -> direction and reception type (net/ethernet/eth.c: eth_skb_pkt_type). */
static uint32_t flags_of(const struct sockaddr_ll *link)
{
    static const uint32_t flags[] = {
        [PACKET_HOST] = RXTX_FLAG_INBOUND | RXTX_FLAG_UNICAST,
        [PACKET_BROADCAST] = RXTX_FLAG_INBOUND | RXTX_FLAG_BROADCAST,
        [PACKET_MULTICAST] = RXTX_FLAG_INBOUND | RXTX_FLAG_MULTICAST,
        [PACKET_OTHERHOST] = RXTX_FLAG_INBOUND | RXTX_FLAG_PROMISCUOUS,
        [PACKET_OUTGOING] = RXTX_FLAG_OUTBOUND,
    };

    return link->sll_pkttype < G_N_ELEMENTS(flags) ? flags[link->sll_pkttype] : 0;
}

/* Another CPU wrote it, so it is in that one's cache: to ask for it now saves a quarter of the walk. */
static void fetch_next(const rxtx_tpacket_walk *walk)
{
    enum { LINE = 64, LINES = 3 };

    if (walk->left > 0 && walk->offset + LINES * LINE <= walk->size)
        for (size_t line = 0; line < LINES; line++)
            __builtin_prefetch(walk->block + walk->offset + line * LINE);
}

static uint64_t time_of(const struct tpacket3_hdr *header)
{
    return (uint64_t)header->tp_sec * NS_PER_S + header->tp_nsec;
}

/* By insertion from behind, since almost all are where they belong. */
static void insert_place(GArray *places, rxtx_tpacket_place place)
{
    guint at = places->len;

    while (at > 0 && g_array_index(places, rxtx_tpacket_place, at - 1).ts_ns > place.ts_ns)
        at--;
    if (at == places->len)
        g_array_append_val(places, place);
    else
        g_array_insert_val(places, at, place);
}

void rxtx_tpacket_sort(rxtx_tpacket_walk *walk, GArray *places)
{
    struct tpacket3_hdr header;
    struct sockaddr_ll link;

    g_array_set_size(places, 0);
    while (walk->left > 0 && read_headers(walk, &header, &link)) {
        insert_place(places, (rxtx_tpacket_place){.ts_ns = time_of(&header), .offset = walk->offset});
        walk->left = header.tp_next_offset > 0 ? walk->left - 1 : 0;
        walk->offset += header.tp_next_offset;
    }
    walk->places = (const rxtx_tpacket_place *)(void *)places->data;
    walk->left = places->len;
}

bool rxtx_tpacket_next(rxtx_tpacket_walk *walk, rxtx_packet *out)
{
    const rxtx_frame_rules *rules = walk->rules;
    struct tpacket3_hdr header;
    struct sockaddr_ll link;

    if (walk->left > 0 && walk->places != NULL)
        walk->offset = walk->places++->offset;
    if (walk->left == 0 || !read_headers(walk, &header, &link))
        return false;
    *out = (rxtx_packet){
        .ts_ns = time_of(&header),
        .data = walk->block + walk->offset + header.tp_mac,
        .caplen = header.tp_snaplen,
        .len = header.tp_len,
        .flags = flags_of(&link),
        .ifindex = link.sll_ifindex,
    };
    if (rules->by_device)
        rules = &rxtx_link_of(link.sll_hatype)->rules;
    out->linktype = rules->linktype;
    out->wire_len = header.tp_len + (header.tp_status & TP_STATUS_VLAN_VALID ? VLAN_TAG_SIZE : 0);
    if (rules->cooked2)
        restore_sll2(&header, &link, out);
    else
        restore(rules, &header, &link, out);
    out->caplen = MIN(out->caplen, walk->rules->snaplen);
    walk->left = walk->places != NULL || header.tp_next_offset > 0 ? walk->left - 1 : 0;
    walk->offset += header.tp_next_offset;
    fetch_next(walk);
    return true;
}
