/* The far end's bytes, decoded block by block. Pure.
 *
 * They are hostile until shown otherwise: a block that is not exactly as rxtxcpu/capture_format.h and
 * rxtxcpu/remote_protocol.h have it is an error and ends the conversation, nothing is guessed and nothing is read
 * beyond the bytes given. What is decoded is what is re-emitted: options that are not of the contract are left out
 * (but if_tsoffset, without which the times would be others, is an error), and so is a packet's comment, which whoever
 * writes the packet again makes anew. Options of the contract come once. Texts are valid UTF-8 without control
 * characters (but newlines and tabs in comments), where '?' and U+FFFD stand for what was not; they are clipped at a
 * character's start. Numbers are in range.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"

/* One for each connection; all zero is the beginning. */
typedef struct {
    bool begun;            /* the byte order is known, from the first block, which is a message or a section header */
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
        char *name;        /* if_name: 1 to 15 bytes that a device's name may have (dev_valid_name, net/core/dev.c) and
                            * no control characters; made valid UTF-8, so that it may be 45 bytes here */
        char *description; /* 1 to 1024 bytes; NULL = none. All four are owned, see rxtx_decoded_clear */
        char *filter;      /* a libpcap expression of 1 to 1024 bytes; NULL = none, too long, or not an expression */
        char *comment;     /* 1 to 32768 bytes; NULL = none */
    } interface;
    struct {
        uint32_t interface_id; /* less than decoder->n_interfaces */
        rxtx_packet packet;    /* data points into the bytes; ifindex 0, linktype the interface's, wire_len = len */
        int queue;             /* 0 to INT_MAX; -1 = not known */
    } packet;
    struct {
        uint32_t type;       /* RXTX_BLOCK_HELLO to _END: those of the far end */
        const uint8_t *body; /* in the bytes, aligned as they are; in the byte order of decoder->swapped, not checked */
        size_t size;         /* as the block says, padding included */
    } message;
} rxtx_decoded;

/* Decodes the block that `bytes` begins with. *decoded is all set anew, and is to be cleared before it is used again.
 * MORE and BAD leave the decoder as it was. `bytes` may be aligned as they like, and NULL if `size`, which may be
 * anything, is 0.
 *
 * A packet has at most RXTX_SNAPLEN_MAX bytes, its len is not less than its caplen and its time not above INT64_MAX;
 * flags are those of base/packet.h, all else in them is left out. The order of blocks is checked: section, then
 * interfaces before their packets and statistics; messages anywhere. Which messages come when, and that statistics come
 * once and last, is not. A block that is larger than its kind may be (RXTX_SHB_MAX, RXTX_IDB_MAX also for statistics,
 * RXTX_EPB_MAX, RXTX_MESSAGE_MAX) is BAD as soon as its length is read. The error is RXTX_ERROR_REMOTE and a sentence
 * that begins "The far end sent"; it may have a hint behind a newline, and of what it quotes no control characters. */
void rxtx_decode_block(rxtx_decoder *decoder, const uint8_t *bytes, size_t size, rxtx_decoded *decoded, GError **error);

void rxtx_decoded_clear(rxtx_decoded *decoded);
void rxtx_decoder_clear(rxtx_decoder *decoder);
