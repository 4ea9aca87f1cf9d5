/* A walk over the packets of one retired TPACKET_V3 block. Pure: a block is bytes, and any bytes are safe.
 *
 *     tpacket_block_desc | tpacket3_hdr, sockaddr_ll, .. room .., packet | tpacket3_hdr, ..
 *                          ^ offset_to_first_pkt                           ^ + tp_next_offset
 *
 * Source: linux/if_packet.h, tpacket_rcv in net/packet/af_packet.c.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"
#include "engine/link.h"

/* Where a packet of a block lies. */
typedef struct {
    uint64_t ts_ns;
    size_t offset;
} rxtx_tpacket_place;

typedef struct {
    const rxtx_frame_rules *rules;
    uint8_t *block;
    size_t size;
    size_t offset; /* of the next packet's header */
    uint32_t left;
    const rxtx_tpacket_place *places; /* `left` of them, in the order of the walk; NULL = as they lie */
} rxtx_tpacket_walk;

/* Room to ask for in front of each packet (PACKET_RESERVE), so that what is put back never meets the headers. */
enum { RXTX_TPACKET_RESERVE = 8 };

/* Borrows rules and block, into which the walk writes: tags and cooked headers are put in front of their packets. */
void rxtx_tpacket_begin(rxtx_tpacket_walk *walk, const rxtx_frame_rules *rules, void *block, size_t size);

/* For a block that several CPUs filled: the kernel stamps a packet only after it has given it its place (tpacket_rcv),
 * so neighbours may lie the wrong way round. From here on the walk goes by time, by places (of rxtx_tpacket_place),
 * which is emptied, filled, and borrowed until the walk is over. */
void rxtx_tpacket_sort(rxtx_tpacket_walk *walk, GArray *places);

/* False at the end of the block, which a broken header is too. out->data points into the block; out->dropped is 0. */
bool rxtx_tpacket_next(rxtx_tpacket_walk *walk, rxtx_packet *out);
