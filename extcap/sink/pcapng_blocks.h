/* The numbers of pcapng (draft-ietf-opsawg-pcapng) that we write and read: blocks, options, and how large our texts
 * get. */
#pragma once

enum {
    BLOCK_SECTION = 0x0A0D0D0A, /* the same in both byte orders */
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,

    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    VERSION_MAJOR = 1,
    VERSION_MINOR = 0,

    OPT_END = 0,
    OPT_COMMENT = 1,
    IF_NAME = 2,
    IF_DESCRIPTION = 3,
    IF_TSRESOL = 9,
    IF_FILTER = 11,
    EPB_FLAGS = 2,
    EPB_DROPCOUNT = 4,
    EPB_QUEUE = 6,

    TSRESOL_NS = 9,
    IF_FILTER_STRING = 0, /* first byte of if_filter: a libpcap expression follows */

    COMMENT_MAX = 32768,
    TEXT_MAX = 1024,
};
