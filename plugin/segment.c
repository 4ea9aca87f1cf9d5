/* Walks the headers down to TCP. Whose segment it is, and what follows from it, is flow.c's. */
#include "segment.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_TCP 6
#define PROTOCOL_ROUTING 43
#define PROTOCOL_DESTINATION 60
#define TCP_FIN 1
#define TCP_SYN 2

/* What is left of the frame. */
typedef struct {
    const guint8 *at;
    gsize len;
} bytes_left;

static guint16 u16(const guint8 *at)
{
    return (guint16)(at[0] << 8 | at[1]);
}

static guint32 u32(const guint8 *at)
{
    return (guint32)u16(at) << 16 | u16(at + 2);
}

static bool skip(bytes_left *left, gsize len)
{
    if (left->len < len)
        return false;
    left->at += len;
    left->len -= len;
    return true;
}

static bool is_vlan(guint16 ethertype)
{
    return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

/* A tag is two bytes of its own and the type of what follows. */
static bool skip_vlans(bytes_left *left, guint16 *ethertype)
{
    while (is_vlan(*ethertype)) {
        if (left->len < 4)
            return false;
        *ethertype = u16(left->at + 2);
        skip(left, 4);
    }
    return true;
}

/* Where the type of what follows stands in each link header, and how long that is. */
static bool skip_link(bytes_left *left, rxtx_link link, guint16 *ethertype)
{
    static const struct {
        guint8 type_at, len;
    } links[] = {
        [RXTX_LINK_ETHERNET] = {12, 14},
        [RXTX_LINK_SLL] = {14, 16},
        [RXTX_LINK_SLL2] = {0, 20},
    };

    if (link == RXTX_LINK_OTHER || left->len == 0)
        return false;
    if (link == RXTX_LINK_RAW_IP) {
        *ethertype = left->at[0] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
        return true;
    }
    if (left->len < links[link].len)
        return false;
    *ethertype = u16(left->at + links[link].type_at);
    skip(left, links[link].len);
    return skip_vlans(left, ethertype);
}

/* The total length may be less than what was captured (padding of short frames), more (a snapshot), or 0 (segments that
 * were put together to more than 64 KiB): then it is what the frame has. */
static bool skip_ipv4(bytes_left *left, gsize *payload)
{
    gsize header, total;

    if (left->len < 20 || left->at[0] >> 4 != 4 || left->at[9] != PROTOCOL_TCP)
        return false;
    header = (left->at[0] & 15) * 4u;
    total = u16(left->at + 2) != 0 ? u16(left->at + 2) : left->len;
    if (header < 20 || total < header || (u16(left->at + 6) & 0x3fff) != 0) /* more fragments, or an offset */
        return false;
    *payload = total - header;
    return skip(left, header);
}

static bool is_extension(guint8 protocol)
{
    return protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING || protocol == PROTOCOL_DESTINATION;
}

static bool skip_ipv6(bytes_left *left, gsize *payload)
{
    guint8 protocol;
    gsize extension;

    if (left->len < 40 || left->at[0] >> 4 != 6)
        return false;
    protocol = left->at[6];
    *payload = u16(left->at + 4) != 0 ? u16(left->at + 4) : left->len - 40;
    skip(left, 40);
    while (is_extension(protocol)) {
        if (left->len < 8)
            return false;
        protocol = left->at[0];
        extension = (left->at[1] + 1u) * 8;
        if (*payload < extension || !skip(left, extension))
            return false;
        *payload -= extension;
    }
    return protocol == PROTOCOL_TCP;
}

static bool take_tcp(rxtx_segment *segment, const bytes_left *left, gsize payload)
{
    gsize header;
    guint8 flags;

    if (left->len < 20)
        return false;
    header = (left->at[12] >> 4) * 4u;
    flags = left->at[13];
    if (header < 20 || payload < header)
        return false;
    *segment = (rxtx_segment){.src_port = u16(left->at),
                              .dst_port = u16(left->at + 2),
                              .seq = u32(left->at + 4),
                              .len = (guint32)(payload - header) + ((flags & TCP_SYN) != 0) + ((flags & TCP_FIN) != 0)};
    return true;
}

bool rxtx_segment_find(rxtx_segment *segment, rxtx_link link, const guint8 *bytes, gsize len)
{
    bytes_left left = {bytes, len};
    guint16 ethertype;
    gsize payload;

    if (!skip_link(&left, link, &ethertype))
        return false;
    if (ethertype == ETHERTYPE_IPV4 ? !skip_ipv4(&left, &payload)
                                    : ethertype != ETHERTYPE_IPV6 || !skip_ipv6(&left, &payload))
        return false;
    return take_tcp(segment, &left, payload);
}
