/* The AF_PACKET engine: one TPACKET_V3 ring for each captured CPU or queue, in one fan-out group.
 *
 * Needs CAP_NET_RAW. A packet can only come out of the ring of its own CPU or queue: the group has a member for every
 * possible CPU in their order (fanout_demux_cpu, net/packet/af_packet.c: member = CPU number modulo members), or one
 * for every queue and one for "not known" behind them (fanout_demux_bpf: what the group's program says, modulo
 * members); every member refuses everything until the group is whole, and after that what is not its own.
 */
#pragma once

#include <glib.h>

#include "engine/engine.h"
#include "plan/plan.h"

/* Opens everything and captures nothing yet. The plan is borrowed for the call. NULL with *error: see
 * rxtx_device_probe; RXTX_ERROR_KERNEL with what was refused. */
rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, GError **error);
