/* Finds the TCP segment in the bytes of a frame: where it stands in its stream.
 *
 * Only what is certain from the outermost headers: Ethernet with VLAN tags, Linux cooked or raw IP, then IPv4 or IPv6,
 * no fragment, then TCP. For anything else, and for headers that are cut off, the answer is no. The bytes are hostile.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What a frame begins with. */
typedef enum {
    RXTX_LINK_OTHER,
    RXTX_LINK_ETHERNET,
    RXTX_LINK_RAW_IP,
    RXTX_LINK_SLL,
    RXTX_LINK_SLL2,
} rxtx_link;

typedef struct {
    guint16 src_port, dst_port;
    guint32 seq;
    guint32 len; /* in sequence space: data, and one each for SYN and FIN */
} rxtx_segment;

/* Returns false and leaves *segment alone if there is none. */
bool rxtx_segment_find(rxtx_segment *segment, rxtx_link link, const guint8 *bytes, gsize len);
