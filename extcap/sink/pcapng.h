/* pcapng blocks as bytes, in this machine's byte order (draft-ietf-opsawg-pcapng). Pure.
 *
 * What is written, and why, is in rxtxcpu/capture_format.h. The blocks that come once are appended to a GByteArray, the
 * packet block is written where the caller says.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"
#include "base/stats.h"
#include "sink/sink.h"

typedef struct {
    const char *hardware; /* each NULL = left out; long ones are clipped so that the block holds RXTX_SHB_MAX bytes */
    const char *os;
    const char *application;
} rxtx_pcapng_section;

typedef struct {
    int linktype;
    uint32_t snaplen;
    const char *name;        /* the device's own */
    const char *description; /* see rxtx_pcapng_description */
    const char *filter;      /* libpcap syntax; NULL = none */
    const char *comment;     /* NULL = none; clipped to 32 KiB */
} rxtx_pcapng_interface;

void rxtx_pcapng_put_section(GByteArray *out, const rxtx_pcapng_section *section);
void rxtx_pcapng_put_interface(GByteArray *out, const rxtx_pcapng_interface *interface);
/* Times: of the capture's start and end, ns since 1970. */
void rxtx_pcapng_put_statistics(GByteArray *out, uint32_t interface_id, const rxtx_stats *stats, uint64_t start_ns,
                                uint64_t end_ns);

/* Where a packet comes from, the same for many. */
typedef struct {
    uint32_t interface_id;
    const char *comment;   /* needs no NUL */
    size_t comment_length; /* 0 = none */
    int queue;             /* -1 = not known */
} rxtx_pcapng_origin;

/* No packet block is larger: RXTX_EPB_MAX for a packet of RXTX_SNAPLEN_MAX bytes and a comment of 64. */
size_t rxtx_pcapng_packet_max(const rxtx_packet *packet, size_t comment_length);
/* Writes at most rxtx_pcapng_packet_max() bytes and returns how many. */
size_t rxtx_pcapng_put_packet(uint8_t *at, const rxtx_pcapng_origin *origin, const rxtx_packet *packet);

/* What stands in a block that was written by the functions above. */
typedef struct {
    size_t size;
    bool is_packet;
    uint32_t interface_id;  /* of a packet */
    const uint8_t *comment; /* of a packet, in the block; NULL = none */
    size_t comment_length;
} rxtx_pcapng_view;
rxtx_pcapng_view rxtx_pcapng_view_block(const uint8_t *block);

/* "eth0 CPU 3 (rxtxcpu)", with " node 1" if the group's CPU has one, "eth0 queue unknown (rxtxcpu)"; of another host
 * "web1:eth0 CPU 3 (rxtxcpu)". What of the names would break the grammar (spaces, control characters) becomes '_'. Free
 * with g_free. */
char *rxtx_pcapng_description(const char *name, const rxtx_group_label *label);
/* "cpu=3", with " node=1" if the group's CPU has one; "queue=unknown". Free with g_free. */
char *rxtx_pcapng_comment(const rxtx_group_label *label);
