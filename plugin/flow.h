/* Flows and the CPUs that handled them: which CPU had the packet before, did the flow move, do its directions meet.
 *
 * A *flow* is both directions between two endpoints on one host. A *lane* is what can be compared: the packets of a
 * flow with the same source, the same way (received, sent or not said) on the same device. A box that forwards receives
 * both directions, and on `lo` each packet is seen twice, sent and received: that is no move.
 *
 * The packets are given in file order, each once. A late one is not compared with others, nor others with it: the
 * packet before it in the file is not the one before it in time.
 *
 * Memory: 52 bytes a flow and at most 11 for its place in the index, and 32 a lane: less than 200 with the four lanes
 * of a flow that is received and sent in both directions on a device; 12 for each further CPU of a lane; of each kind
 * up to a chunk more. Of one flow RXTX_LANES_MAX lanes are followed, of a file RXTX_SLOTS_MAX different CPUs
 * (history.h): what is beyond has no answer. Flows and lanes are numbered from 1. One thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "history.h"
#include "record.h"
#include "segment.h"

typedef enum {
    RXTX_WAY_UNKNOWN,
    RXTX_WAY_RECEIVED,
    RXTX_WAY_SENT,
} rxtx_way;

#define RXTX_ADDRESS_MAX 16
#define RXTX_LANES_MAX 4096

/* The bytes of an address, zeros behind them. */
typedef struct {
    guint8 bytes[RXTX_ADDRESS_MAX];
} rxtx_address;

typedef struct {
    rxtx_address src, dst;
    guint16 src_port, dst_port;       /* 0 where port_type is 0 */
    guint8 address_type, address_len; /* of both */
    guint8 port_type;                 /* below 8 */
} rxtx_endpoints;

typedef struct {
    guint32 frame;
    guint16 host, device; /* numbers that differ where the host, or the device, does (interface.h) */
    rxtx_way way;
    rxtx_number cpu; /* not RXTX_KNOWN: the packet gets the number of its flow and changes nothing */
    rxtx_endpoints endpoints;
    guint32 conversation; /* tells two flows with the same endpoints apart; 0 where nothing does */
    guint64 time_ns;      /* only differences of less than three days are told */
    bool late;
    bool has_segment;
    rxtx_segment segment;
} rxtx_flow_packet;

typedef struct rxtx_flows rxtx_flows;

/* A segment counts as reordered by a move up to window_ns (less than 2^48) behind the later one of another CPU. */
rxtx_flows *rxtx_flows_new(guint64 window_ns);
void rxtx_flows_free(rxtx_flows *flows);

/* Takes the next packet and fills in lane, prev_frame, prev_slot, split and reordered of *past, as far as they are
 * known; the rest is left alone. */
void rxtx_flows_next(rxtx_flows *flows, const rxtx_flow_packet *packet, rxtx_past *past);

/* Of a lane that rxtx_flows_next() has given: the number of its flow, and how many CPUs had handled it up to a frame.
 */
guint32 rxtx_flows_number(const rxtx_flows *flows, guint32 lane);
guint32 rxtx_flows_cpus(const rxtx_flows *flows, guint32 lane, guint32 frame);

/* Whether a CPU is among those that are followed. */
bool rxtx_flows_follows(const rxtx_flows *flows, const rxtx_number *cpu);

/* The first packet of the lane's flow that was split; 0 if none was. */
guint32 rxtx_flows_first_split(const rxtx_flows *flows, guint32 lane);

/* The two ends of the lane's flow, src being the lower one in a fixed order of addresses and ports. */
rxtx_endpoints rxtx_flows_endpoints(const rxtx_flows *flows, guint32 lane);

/* Whether the lane is of the direction from endpoints.src to endpoints.dst. */
bool rxtx_flows_forward(const rxtx_flows *flows, guint32 lane);

/* The device of the lane's packets. */
guint16 rxtx_flows_device(const rxtx_flows *flows, guint32 lane);

/* The CPU behind past->prev_slot, which is not 0. */
guint32 rxtx_flows_cpu(const rxtx_flows *flows, guint prev_slot);
