/* The classic capture file as bytes, with nanoseconds, in this machine's byte order (draft-ietf-opsawg-pcap). Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/packet.h"

enum { RXTX_PCAP_HEADER_SIZE = 24, RXTX_PCAP_RECORD_SIZE = 16 };

/* Writes RXTX_PCAP_HEADER_SIZE bytes. linktype: LINKTYPE_*. */
void rxtx_pcap_put_header(uint8_t *at, int linktype, uint32_t snaplen);

/* Writes RXTX_PCAP_RECORD_SIZE bytes and the packet's; returns how many. */
size_t rxtx_pcap_put_packet(uint8_t *at, const rxtx_packet *packet);

/* How many bytes a record takes that was written by the function above. */
size_t rxtx_pcap_record_size(const uint8_t *record);
