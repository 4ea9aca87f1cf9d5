/* The protocol "rxtxcpu": what a packet's record says of its stream, as fields to filter, to graph and to show.
 *
 *     rxtxcpu.cpu, rxtxcpu.queue, rxtxcpu.node    numbers; what is not known is absent, never 0
 *     rxtxcpu.direction                           1 received, 2 sent; absent if the capture does not say
 *     rxtxcpu.late                                present only when the packet is late
 */
#pragma once

#define RXTX_FIELD_CPU "rxtxcpu.cpu"

/* Called once, at Wireshark's start, in this order. */
void rxtx_packet_register(void);
void rxtx_packet_handoff(void);
