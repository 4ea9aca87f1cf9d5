/* The sockets of one fan-out group on one device, one for each CPU or queue, each that is captured with its ring.
 *
 * Needs CAP_NET_RAW. A packet can only come out of the ring of its own CPU or queue: the group has a member for every
 * possible CPU in their order (fanout_demux_cpu, net/packet/af_packet.c: member = CPU number modulo members), or one
 * for every queue and one for "not known" behind them (fanout_demux_bpf: what the group's program says, modulo
 * members); every member refuses everything until the group is whole, and after that what is not its own.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/clock.h"
#include "engine/device.h"
#include "engine/ring.h"
#include "plan/plan.h"

typedef struct {
    const rxtx_plan *plan; /* borrowed */
    rxtx_clock *clock;     /* likewise */
    const char *interface; /* for messages */
    rxtx_device device;
    rxtx_frame_rules rules; /* what the rings do to frames */
    int *members;           /* the plan's n_members sockets, -1 = not open */
    rxtx_ring *rings;       /* its n_streams */
    GArray **programs;      /* one for each ring: what its socket accepts */
    GError **errors;        /* likewise: of what is done to all at the same time */
    unsigned group;         /* the kernel's id */
} rxtx_fanout;

/* Opens nothing yet. The plan and the clock must outlive it. */
void rxtx_fanout_init(rxtx_fanout *fanout, const rxtx_plan *plan, rxtx_clock *clock);

/* Opens everything, and accepts nothing yet. Errors: see rxtx_device_probe; RXTX_ERROR_KERNEL with what was refused.
 * Safe to clear also on failure. */
bool rxtx_fanout_open(rxtx_fanout *fanout, GError **error);

/* From here on each ring gets what is its own. */
bool rxtx_fanout_accept(rxtx_fanout *fanout, GError **error);
/* From here on no packet is accepted; those that were are counted. */
void rxtx_fanout_reject(rxtx_fanout *fanout);

/* Reads the kernel's counters. Has everything that was accepted, and not dropped, come out? */
bool rxtx_fanout_settled(rxtx_fanout *fanout);

/* Did the device go away for good? A socket has then lost its index (packet_notifier). */
bool rxtx_fanout_gone(const rxtx_fanout *fanout);

/* No ring is pending: gives everything back, and may be opened again. */
void rxtx_fanout_close(rxtx_fanout *fanout);
void rxtx_fanout_clear(rxtx_fanout *fanout);
