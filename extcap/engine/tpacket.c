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

static void put_sll(uint8_t *at, const struct sockaddr_ll *link)
{
    uint16_t words[3] = {htons(link->sll_pkttype), htons(link->sll_hatype), htons(link->sll_halen)};

    memcpy(at, words, sizeof words);
    memcpy(at + RXTX_SLL_ADDRESS, link->sll_addr, RXTX_SLL_ADDRESS_SIZE);
    memcpy(at + RXTX_SLL_PROTOCOL, &link->sll_protocol, 2);
}

/* Moves what lies in front of the tag down and puts the tag into the gap. */
static void put_tag(rxtx_packet *out, const struct tpacket3_hdr *header, unsigned tag_offset)
{
    bool has_tpid = header->tp_status & TP_STATUS_VLAN_TPID_VALID;
    uint16_t tag[2] = {htons(has_tpid ? header->hv1.tp_vlan_tpid : ETH_P_8021Q),
                       htons((uint16_t)header->hv1.tp_vlan_tci)};
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

/* The kernel leaves room in front of each packet: at least 16 bytes and RXTX_TPACKET_RESERVE. */
static void restore(const rxtx_frame_rules *rules, const struct tpacket3_hdr *header, const struct sockaddr_ll *link,
                    rxtx_packet *out)
{
    unsigned room = header->tp_mac - HEADERS_SIZE;
    unsigned tag_offset = ETHERNET_TAG_OFFSET;

    if (rules->cooked && room >= RXTX_SLL_SIZE) {
        out->data -= RXTX_SLL_SIZE;
        out->caplen += RXTX_SLL_SIZE;
        out->len += RXTX_SLL_SIZE;
        room -= RXTX_SLL_SIZE;
        put_sll((uint8_t *)out->data, link);
        tag_offset = RXTX_SLL_PROTOCOL;
    }
    if ((rules->cooked || rules->ethernet) && (header->tp_status & TP_STATUS_VLAN_VALID) && room >= VLAN_TAG_SIZE &&
        out->caplen >= tag_offset)
        put_tag(out, header, tag_offset);
    if (rules->can)
        mend_can(out, link);
    out->caplen = MIN(out->caplen, rules->snaplen);
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

bool rxtx_tpacket_next(rxtx_tpacket_walk *walk, rxtx_packet *out)
{
    struct tpacket3_hdr header;
    struct sockaddr_ll link;

    if (walk->left == 0 || !read_headers(walk, &header, &link))
        return false;
    *out = (rxtx_packet){
        .ts_ns = (uint64_t)header.tp_sec * NS_PER_S + header.tp_nsec,
        .data = walk->block + walk->offset + header.tp_mac,
        .caplen = header.tp_snaplen,
        .len = header.tp_len,
        .flags = flags_of(&link),
    };
    restore(walk->rules, &header, &link, out);
    walk->left = header.tp_next_offset > 0 ? walk->left - 1 : 0;
    walk->offset += header.tp_next_offset;
    fetch_next(walk);
    return true;
}
