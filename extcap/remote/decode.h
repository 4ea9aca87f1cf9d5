/* The far end's bytes, decoded block by block. Pure.
 *
 * They are hostile until shown otherwise: a block that is not exactly as rxtxcpu/capture_format.h and
 * rxtxcpu/remote_protocol.h have it is an error and ends the conversation, nothing is guessed and nothing is read
 * beyond the bytes given. What is decoded is what is re-emitted: options that are not of the contract are left out,
 * texts are valid UTF-8 without control characters (but newlines and tabs in comments), numbers are in range.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"

/* One for each connection; all zero is the beginning. */
typedef struct {
    bool begun;            /* the byte order is known, from the first block */
    bool swapped;          /* it is not ours */
    bool in_section;       /* the section header came; it comes once and before all other pcapng blocks */
    uint32_t n_interfaces; /* interface blocks that came */
    GArray *linktypes;     /* of int32_t, one for each; see rxtx_decoder_clear */
} rxtx_decoder;

typedef enum {
    RXTX_DECODED_MORE,       /* the block is not whole: come again with more bytes */
    RXTX_DECODED_SECTION,    /* nothing in it is kept */
    RXTX_DECODED_INTERFACE,  /* `interface` */
    RXTX_DECODED_PACKET,     /* `packet` */
    RXTX_DECODED_STATISTICS, /* nothing in it is kept: a STATUS says it too */
    RXTX_DECODED_MESSAGE,    /* `message` */
    RXTX_DECODED_BAD,        /* *error says why, in words for a user who does not know what a block is */
} rxtx_decoded_kind;

typedef struct {
    rxtx_decoded_kind kind;
    size_t size; /* bytes of the block; 0 for MORE and BAD */
    struct {
        int32_t linktype;  /* 0 to 65535 */
        char *name;        /* if_name, 1 to 15 bytes that a device's name may have (dev_valid_name, net/core/dev.c)... */
        char *description; /* ...cleaned as said above; 1 to 1024 bytes; NULL = none. All four are owned, see clear */
        char *filter;      /* a libpcap expression; NULL = none */
        char *comment;     /* at most 32 KiB; NULL = none */
    } interface;
    struct {
        uint32_t interface_id; /* less than decoder->n_interfaces */
        rxtx_packet packet;    /* data points into the bytes; ifindex 0, linktype the interface's, wire_len = len */
        int queue;             /* -1 = not known */
    } packet;
    struct {
        uint32_t type;       /* RXTX_BLOCK_* */
        const uint8_t *body; /* in the bytes; as long as the block says, padding included */
        size_t size;
    } message;
} rxtx_decoded;

/* Decodes the block that `bytes` begins with. *decoded is all set anew, and is to be cleared before it is used again.
 * A packet has at most RXTX_SNAPLEN_MAX bytes and its len is not less than its caplen; flags are those of
 * base/packet.h, all else in them is left out. The order of blocks is checked: section, then interfaces before their
 * packets; messages anywhere. `size` may be anything; a block that is larger than its kind may be (RXTX_SHB_MAX,
 * RXTX_IDB_MAX, RXTX_EPB_MAX, RXTX_MESSAGE_MAX) is BAD as soon as its length is read. */
void rxtx_decode_block(rxtx_decoder *decoder, const uint8_t *bytes, size_t size, rxtx_decoded *decoded,
                       GError **error);

void rxtx_decoded_clear(rxtx_decoded *decoded);
void rxtx_decoder_clear(rxtx_decoder *decoder);
