/* A packet as every room passes it on: bytes that belong to the engine, and what is known about them. */
#pragma once

#include <stdint.h>

/* Direction and reception type, as pcapng's epb_flags has them (draft-ietf-opsawg-pcapng, section 4.3.1). */
enum {
    RXTX_FLAG_INBOUND = 1,
    RXTX_FLAG_OUTBOUND = 2,
    RXTX_FLAG_UNICAST = 1 << 2,
    RXTX_FLAG_MULTICAST = 2 << 2,
    RXTX_FLAG_BROADCAST = 3 << 2,
    RXTX_FLAG_PROMISCUOUS = 4 << 2, /* for another host: seen only because the interface is promiscuous */
};

typedef struct {
    uint64_t ts_ns;      /* since 1970-01-01 UTC */
    const uint8_t *data; /* caplen bytes, borrowed until the stream is advanced */
    uint32_t caplen;     /* bytes here */
    uint32_t len;        /* bytes on the wire, with what was put back or in front */
    uint32_t wire_len;   /* the same without a header that is our own (LINUX_SLL, LINUX_SLL2) */
    uint32_t flags;      /* RXTX_FLAG_*; 0 in either part is unknown */
    int32_t ifindex;     /* of the interface that it passed */
    int32_t linktype;    /* what data begins with: LINKTYPE_* */
    uint64_t dropped;    /* packets lost on this stream right before this one */
} rxtx_packet;
