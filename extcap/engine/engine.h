/* The engine: where packets come from, and the promises that merge and worker build on.
 *
 * An engine owns one stream for each CPU or queue it was asked for, or for each host. A stream is read by pulling:
 *
 *     pending        head is the stream's oldest packet, its bytes borrowed until advance()
 *     not pending    nothing older than complete_ns will ever come out of this stream
 *
 * One thread, the worker's, calls everything here but open and free, which happen before it starts and after it ended.
 * No function of a stream fails: an engine that breaks remembers why in `failure` and its wait() says so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/packet.h"
#include "base/stats.h"

typedef struct rxtx_stream rxtx_stream;
typedef struct rxtx_engine rxtx_engine;

typedef struct {
    /* The stream is pending: gives the head back and goes on to the next packet, or to not pending with a complete_ns
     * that is at least the time of the packet given back. */
    void (*advance)(rxtx_stream *stream);
    /* The stream is not pending: looks again. It becomes pending, or complete_ns is brought up to date. */
    void (*refresh)(rxtx_stream *stream);
} rxtx_stream_ops;

struct rxtx_stream {
    const rxtx_stream_ops *ops;
    unsigned id; /* its index in the engine's streams; orders packets of the same nanosecond */
    bool pending;
    unsigned group; /* of head: whose packet it is */
    rxtx_packet head;
    uint64_t
        complete_ns; /* ns since 1970-01-01 UTC, comparable with head.ts_ns; goes back when the clock is set back */
};

/* What woke the worker. */
typedef enum {
    RXTX_WAIT_GO_ON,       /* packets, a stop or the time-out: look */
    RXTX_WAIT_READER_GONE, /* nobody reads the output any more */
    RXTX_WAIT_FAILED,      /* engine->failure says why; what was captured before is still to be had */
} rxtx_wait_result;

/* What to watch beside the streams. */
typedef struct {
    int stop_fd;    /* readable = return at once; -1 = none */
    int output_fd;  /* the writing end of a pipe, watched for its reader's end; -1 = none */
    int timeout_ms; /* -1 = none */
} rxtx_wait_for;

typedef struct {
    /* From here on packets are accepted. */
    bool (*start)(rxtx_engine *engine, GError **error);
    /* Sleeps until a stream that is not pending has packets, or one of the other reasons. Streams that are pending are
     * not waited for. */
    rxtx_wait_result (*wait)(rxtx_engine *engine, const rxtx_wait_for *what);
    /* From here on no packet is accepted; those accepted before come out of the streams within milliseconds. */
    void (*halt)(rxtx_engine *engine);
    /* After halt: have all accepted packets come out? Also brings the counters up to date. */
    bool (*settled)(rxtx_engine *engine);
    /* The clock that the packets' times are of, as it is now, ns since 1970; NULL = it is not ours to read. */
    uint64_t (*now_ns)(void);
    /* Adds what the engine counted to the groups' counters: accepted and dropped; the rest is not its to know. */
    void (*add_stats)(const rxtx_engine *engine, rxtx_stats *groups);
    void (*free)(rxtx_engine *engine);
} rxtx_engine_ops;

struct rxtx_engine {
    const rxtx_engine_ops *ops;
    rxtx_stream **streams; /* n_streams, in the order of their ids */
    unsigned n_streams;
    int linktype;     /* of all packets: LINKTYPE_*, not DLT_*; 0 = each packet has its own */
    unsigned group;   /* the kernel's id of the fan-out group */
    uint64_t downs;   /* behind a network: how often an interface went down there */
    gint64 settle_us; /* after halt(): how long none may come out before the rest is given up */
    gint64 moved_us;  /* monotonic: when a part of a packet came last; only behind a network */
    bool counts_late; /* what was accepted is known only when all of it has come out */
    GError *failure;  /* NULL = none */
};
