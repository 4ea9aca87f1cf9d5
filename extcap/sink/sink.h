/* A sink: where packets go. Called by the worker's thread alone.
 *
 * No function fails in the caller's face: a sink that breaks remembers why in `failure`, requests a stop and takes
 * nothing more.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/packet.h"
#include "base/stats.h"

/* Where packets come from: an interface, or all those of a host. Borrowed by the sinks, which it outlives. */
typedef struct rxtx_source rxtx_source;
struct rxtx_source {
    const char *host;        /* NULL = this one */
    const char *interface;   /* NULL = all: each packet says which, and what link type it has */
    int linktype;            /* of that interface */
    const char *filter;      /* what the packets passed; NULL = none */
    int64_t clock_offset_ns; /* what the clock of its packets' times shows more than ours */
    /* The name of the interface that a packet of all passed; NULL when it is gone. Free with g_free. */
    char *(*name)(const rxtx_source *source, int32_t ifindex);
    /* The comment of the interface's first block; NULL = none. Free with g_free. */
    char *(*comment)(const rxtx_source *source, const char *name);
    gpointer data; /* the two functions' */
};

/* What a sink has to know of a group of packets. */
typedef struct {
    const char *key; /* RXTX_KEY_CPU, _QUEUE or _NODE of rxtxcpu/capture_format.h */
    int number;      /* -1 = not known */
    int node;        /* of a CPU; -1 = not known, or the machine has but one */
    bool due;        /* to be shown from the beginning; the others when their first packet comes */
    const rxtx_source *source;
} rxtx_group_label;

typedef struct rxtx_sink rxtx_sink;

typedef struct {
    /* Takes a packet of a group: true = it will be in the output. Does not keep packet->data. */
    bool (*push)(rxtx_sink *sink, unsigned group, const rxtx_packet *packet);
    /* What was taken is to be seen by the reader now. With `more`, packets are under way: who pays by the piece may
     * wait for them a moment. */
    void (*flush)(rxtx_sink *sink, bool more);
    /* The capture is over; stats has one entry for each group. The sink may lower what was delivered, when the output
     * turns out not to hold it. */
    void (*finish)(rxtx_sink *sink, rxtx_stats *stats);
    void (*free)(rxtx_sink *sink);
} rxtx_sink_ops;

struct rxtx_sink {
    const rxtx_sink_ops *ops;
    int watch_fd;         /* to be watched for its reader's end while waiting; -1 = none */
    gint64 due_us;        /* monotonic: flush is to be called then, packets or not; 0 = never */
    uint64_t complete_ns; /* set before a flush: no older packet will be pushed, but for late ones */
    uint64_t size;        /* bytes of its largest file */
    GPtrArray *files;     /* the names of the files that it made, owned; NULL = it makes none */
    GError *failure;      /* NULL = none */
};
