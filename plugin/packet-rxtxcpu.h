/* The protocol "rxtxcpu": what is known of a packet, as fields to filter, to graph and to show, as expert notes, and as
 * what the tap RXTX_TAP hands to statistics.
 *
 *     rxtxcpu.host                  the name of the host that captured; absent if the description has none
 *     rxtxcpu.cpu, .queue, .node    numbers; what is not known is absent, never 0
 *     rxtxcpu.direction             1 received, 2 sent; absent if the capture does not say
 *     rxtxcpu.drops, .hash          absent if the file has none
 *     rxtxcpu.flow, .flow.cpus      numbers; .flow.prev_cpu from the second packet of a direction on
 *     rxtxcpu.late, .flow.moved (with .flow.prev_frame), .flow.split, .flow.reordered_by_move
 *                                   present only when it is so
 *     rxtxcpu.repeat, .repeat.of    present only on a repeat
 */
#pragma once

#include "analysis.h"

#define RXTX_FIELD_CPU "rxtxcpu.cpu"
#define RXTX_FIELD_HOST "rxtxcpu.host"

/* Each packet of ours, once a dissection, as a const rxtx_packet * that lives as long as the packet is dissected. */
#define RXTX_TAP "rxtxcpu"

/* Called once, at Wireshark's start, in this order. */
void rxtx_packet_register(void);
void rxtx_packet_handoff(void);
