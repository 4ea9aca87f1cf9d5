/* Builds a TPACKET_V3 block as the kernel would (tpacket_rcv, net/packet/af_packet.c), for tests of the walk. */
#pragma once

#include <arpa/inet.h>
#include <glib.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

enum { BUILDER_SIZE = 65536, BUILDER_MAC = 86 };

typedef struct {
    guint8 bytes[BUILDER_SIZE] __attribute__((aligned(16)));
    gsize at;   /* of the next packet */
    gsize last; /* of the last, 0 = none */
} block_builder;

static inline void builder_init(block_builder *b)
{
    struct tpacket_block_desc desc = {.hdr.bh1.offset_to_first_pkt = 48};

    memset(b, 0, sizeof *b);
    memcpy(b->bytes, &desc, sizeof desc);
    b->at = 48;
}

static inline struct tpacket3_hdr *builder_last(block_builder *b)
{
    return (struct tpacket3_hdr *)(void *)(b->bytes + b->last);
}

/* Returns the packet's header, to be changed by the test. */
static inline struct tpacket3_hdr *builder_add(block_builder *b, guint8 pkttype, const void *data, guint32 caplen)
{
    struct tpacket_block_desc *desc = (struct tpacket_block_desc *)(void *)b->bytes;
    struct sockaddr_ll link = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_IP),
                               .sll_hatype = 1,
                               .sll_pkttype = pkttype,
                               .sll_halen = 6,
                               .sll_addr = {2, 0, 0, 0, 0, 1}};
    struct tpacket3_hdr header = {.tp_sec = 1700000000,
                                  .tp_nsec = 5,
                                  .tp_snaplen = caplen,
                                  .tp_len = caplen,
                                  .tp_mac = BUILDER_MAC,
                                  .tp_net = BUILDER_MAC + 14};

    if (b->last != 0)
        builder_last(b)->tp_next_offset = (guint32)(b->at - b->last);
    b->last = b->at;
    memcpy(b->bytes + b->at, &header, sizeof header);
    memcpy(b->bytes + b->at + TPACKET_ALIGN(sizeof header), &link, sizeof link);
    memcpy(b->bytes + b->at + BUILDER_MAC, data, caplen);
    b->at += TPACKET_ALIGN(BUILDER_MAC + caplen);
    desc->hdr.bh1.num_pkts++;
    return builder_last(b);
}
