/* The stream record of a packet, decoded: which CPU, queue and NUMA node handled it.
 *
 * A record is written in two forms, both by the grammar of rxtxcpu/capture_format.h: the description of the packet's
 * interface, or a comment on the packet. What is read here came out of a file, so nothing is believed that is not
 * exactly of that form. Beyond the letter of the grammar, a text that gives one key twice is refused, since nobody
 * could say which is true. Nothing is allocated, nothing is kept; any thread may call.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What the first pair of a description named. OTHER is a key that this reader does not know. */
typedef enum {
    RXTX_STREAM_NONE,
    RXTX_STREAM_CPU,
    RXTX_STREAM_QUEUE,
    RXTX_STREAM_NODE,
    RXTX_STREAM_OTHER,
} rxtx_stream_kind;

/* ABSENT: nothing was written. UNKNOWN: the word `unknown` was written. Both have the number 0. */
typedef enum {
    RXTX_ABSENT,
    RXTX_UNKNOWN,
    RXTX_KNOWN,
} rxtx_presence;

typedef struct {
    rxtx_presence presence;
    guint32 number;
} rxtx_number;

/* All zero is "no record". */
typedef struct {
    rxtx_stream_kind stream;
    rxtx_number cpu, queue, node;
    rxtx_number hash; /* of the packet's flow, as the writer knew it; in comments only */
    gsize host_len;   /* bytes of the description that are the host's name; 0 where none is given */
} rxtx_record;

/* The longest description that is read, in bytes. A host name (253), a device (15) and all keys need less than 400. */
#define RXTX_DESCRIPTION_MAX 1024

/* Decodes an interface's description. if_name is the interface's if_name, NULL where it has none (then a host is not
 * told from a name, and host_len is 0). Returns false and leaves *record all zero for NULL and for any text that is
 * not exactly of the grammar. */
bool rxtx_record_decode(rxtx_record *record, const char *description, const char *if_name);

/* Decodes a packet's comment. It is ours if every word is KEY=VALUE with a lower-case key and one of them is a CPU's
 * number, so that a sentence somebody wrote is not taken for one. Otherwise returns false, *record all zero. */
bool rxtx_record_decode_comment(rxtx_record *record, const char *comment);

/* Takes over from other each number that record does not know, and the stream if record has none. */
void rxtx_record_complete(rxtx_record *record, const rxtx_record *other);
