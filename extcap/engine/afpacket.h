/* The AF_PACKET engine: one TPACKET_V3 ring for each captured CPU, in one PACKET_FANOUT_CPU group.
 *
 * Needs CAP_NET_RAW. A packet can only come out of the ring of the CPU that the kernel handed it to the group on:
 * the group has a member for every possible CPU in their order, every member refuses everything until the group is
 * whole, and after that refuses what another CPU handled (fanout_demux_cpu, net/packet/af_packet.c: member = CPU number
 * modulo members).
 */
#pragma once

#include <glib.h>

#include "engine/engine.h"
#include "plan/plan.h"

/* Opens everything and captures nothing yet. The plan is borrowed for the call. NULL with *error: see
 * rxtx_device_probe; RXTX_ERROR_KERNEL with what was refused. */
rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, GError **error);
