/* Adds up packets for the statistics: for each CPU, for each flow, and for each CPU's share of a flow's directions.
 *
 * What is added up is what a display filter lets through; moves, splits and repeats are what they are in the whole
 * file. CPUs of two hosts are two; hosts are told apart by their names, and those without one are one host.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "flow.h"

/* A packet, as it is counted. */
typedef struct {
    const char *host; /* its name; NULL for none */
    rxtx_number cpu, node;
    rxtx_way way;
    guint16 device;
    guint32 bytes;
    guint64 drops;
    bool drops_of_cpu; /* or of another stream, a queue or a node: then they are the unknown CPU's */
    bool repeat, split;
    bool moved;
    guint32 prev_cpu; /* if it moved */
    guint32 flow;     /* 0: none */
    bool forward;     /* if it has a flow: from endpoints.src to endpoints.dst */
} rxtx_tally_packet;

/* One CPU's row; of each host the packets whose CPU is not known have one together. */
typedef struct {
    const char *host; /* here and below the tally's own, and "" for none: equal pointers for equal names */
    rxtx_number cpu, node;
    guint64 packets, bytes, received, sent, repeats, drops, moves_in, moves_out;
    guint32 flows;
} rxtx_cpu_row;

typedef struct {
    guint32 flow;
    const char *host;
    rxtx_endpoints endpoints;
    guint64 packets, moves, splits;
    guint32 cpus; /* of both directions, however they were handled */
} rxtx_flow_row;

/* What one CPU handled of a flow; in a lane's row, of one direction of it, received, sent or not said, on one device.
 */
typedef struct {
    guint32 flow;
    const char *host;
    rxtx_number cpu;
    bool forward; /* this and the next two are in a lane's row */
    rxtx_way way;
    guint16 device;
    guint64 packets, bytes;
} rxtx_share_row;

typedef struct rxtx_tally rxtx_tally;

rxtx_tally *rxtx_tally_new(void);
void rxtx_tally_free(rxtx_tally *tally);

/* endpoints: of the packet's flow, read when it is new here; NULL if it has none. */
void rxtx_tally_add(rxtx_tally *tally, const rxtx_tally_packet *packet, const rxtx_endpoints *endpoints);

/* The rows so far, each a GPtrArray of the struct named, to be unreferenced; the rows are the tally's.
 * CPUs by host and number, the unknown one last. Shares by CPU in that order, of each the one with most bytes first.
 * Lanes by flow, direction, way and CPU. */
GPtrArray *rxtx_tally_cpus(const rxtx_tally *tally);   /* rxtx_cpu_row */
GPtrArray *rxtx_tally_shares(const rxtx_tally *tally); /* rxtx_share_row */
GPtrArray *rxtx_tally_lanes(const rxtx_tally *tally);  /* rxtx_share_row */

guint32 rxtx_tally_flow_count(const rxtx_tally *tally);

/* The bytes of the longest host's name if there were packets of several hosts, else 0. */
guint rxtx_tally_host_width(const rxtx_tally *tally);

/* The row of a flow, which is in the tally. */
const rxtx_flow_row *rxtx_tally_flow(const rxtx_tally *tally, guint32 flow);
