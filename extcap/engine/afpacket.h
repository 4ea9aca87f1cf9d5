/* The AF_PACKET engine: one TPACKET_V3 ring for each captured CPU or queue, in one fan-out group.
 *
 * What keeps a packet in the ring of its own CPU stands in fanout.h.
 */
#pragma once

#include <glib.h>

#include "base/event.h"
#include "engine/engine.h"
#include "plan/plan.h"

/* Opens everything and captures nothing yet. The plan is borrowed, until it is freed. tell: called by the worker's
 * thread, with --persist alone. NULL with *error: see rxtx_device_probe; RXTX_ERROR_KERNEL with what was refused. */
rxtx_engine *rxtx_afpacket_open(const rxtx_plan *plan, rxtx_event_tell tell, gpointer data, GError **error);
