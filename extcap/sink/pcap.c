/* The encoder: values in, bytes out. Which file they go to is sink_files.c's. */
#include "sink/pcap.h"

#include <string.h>

enum { MAGIC_NS = (int)0xA1B23C4D, VERSION_MAJOR = 2, VERSION_MINOR = 4, NS_PER_S = 1000000000 };

void rxtx_pcap_put_header(uint8_t *at, int linktype, uint32_t snaplen)
{
    const uint16_t version[2] = {VERSION_MAJOR, VERSION_MINOR};
    uint32_t words[6] = {(uint32_t)MAGIC_NS, 0, 0, 0, snaplen, (uint32_t)linktype};

    memcpy(&words[1], version, sizeof version);
    memcpy(at, words, sizeof words);
}

size_t rxtx_pcap_put_packet(uint8_t *at, const rxtx_packet *packet)
{
    const uint32_t words[4] = {(uint32_t)(packet->ts_ns / NS_PER_S), (uint32_t)(packet->ts_ns % NS_PER_S),
                               packet->caplen, packet->len};

    memcpy(at, words, sizeof words);
    memcpy(at + sizeof words, packet->data, packet->caplen);
    return sizeof words + packet->caplen;
}

size_t rxtx_pcap_record_size(const uint8_t *record)
{
    uint32_t words[3];

    memcpy(words, record, sizeof words);
    return RXTX_PCAP_RECORD_SIZE + words[2];
}
