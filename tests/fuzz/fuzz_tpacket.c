/* Any bytes as a TPACKET_V3 block: the walk stays inside it, ends, and gives out packets that lie wholly in it. */
#include <glib.h>
#include <string.h>

#include "engine/tpacket.h"
#include "rxtxcpu/capture_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_all(const uint8_t *data, size_t size, const rxtx_frame_rules *rules, bool sorted)
{
    g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(rxtx_tpacket_place));
    g_autofree uint8_t *block = g_memdup2(data, size); /* exactly as large, and written to */
    rxtx_tpacket_walk walk;
    rxtx_packet packet;
    unsigned sum = 0;

    if (size < sizeof(uint64_t) * 6)
        return; /* the kernel's blocks are never smaller than their header */
    rxtx_tpacket_begin(&walk, rules, block, size);
    if (sorted)
        rxtx_tpacket_sort(&walk, places);
    while (rxtx_tpacket_next(&walk, &packet)) {
        g_assert(packet.data >= block && packet.data + packet.caplen <= block + size);
        g_assert(packet.caplen <= rules->snaplen);
        for (uint32_t i = 0; i < packet.caplen; i += 61)
            sum += packet.data[i];
    }
    (void)*(volatile unsigned *)&sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const rxtx_frame_rules rules[] = {{.ethernet = true, .snaplen = RXTX_SNAPLEN_MAX},
                                             {.cooked = true, .snaplen = RXTX_SNAPLEN_MAX},
                                             {.network = true, .cooked2 = true, .snaplen = RXTX_SNAPLEN_MAX},
                                             {.by_device = true, .snaplen = RXTX_SNAPLEN_MAX},
                                             {.snaplen = 64}};

    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rules); i++)
        walk_all(data, size, &rules[i / 2], i % 2);
    return 0;
}
