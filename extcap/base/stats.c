/* Counting, by one thread, so that others can look on: relaxed stores of whole words. What the numbers mean to a reader
 * is ui/'s. */
#include "base/stats.h"

#include <glib.h>

static void set(uint64_t *at, uint64_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELAXED);
}

void rxtx_stats_count(rxtx_stats *stats, const rxtx_packet *packet)
{
    /* The low bits of the flags are RXTX_FLAG_INBOUND or _OUTBOUND, or neither. */
    rxtx_tally *tally = &stats->directions[(packet->flags & 3) % RXTX_TALLIES];

    if (tally->packets == 0 || packet->ts_ns < tally->first_ns)
        set(&tally->first_ns, packet->ts_ns);
    if (packet->ts_ns > tally->last_ns)
        set(&tally->last_ns, packet->ts_ns);
    set(&tally->bytes, tally->bytes + packet->wire_len);
    set(&tally->packets, tally->packets + 1);
    set(&stats->delivered, stats->delivered + 1);
    if (packet->dropped != 0)
        set(&stats->dropped, stats->dropped + packet->dropped);
}

enum { WORDS = sizeof(rxtx_stats) / sizeof(uint64_t) };
G_STATIC_ASSERT(sizeof(rxtx_stats) == WORDS * sizeof(uint64_t));

void rxtx_stats_write(rxtx_stats *stats, const rxtx_stats *from)
{
    for (size_t i = 0; i < WORDS; i++)
        set((uint64_t *)stats + i, ((const uint64_t *)from)[i]);
}

void rxtx_stats_read(rxtx_stats *copy, const rxtx_stats *stats)
{
    const uint64_t *from = (const uint64_t *)stats;
    uint64_t *to = (uint64_t *)copy;

    for (size_t i = 0; i < WORDS; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

bool rxtx_stats_agree(const rxtx_stats *stats)
{
    uint64_t packets = 0;

    for (int i = 0; i < RXTX_TALLIES; i++)
        packets += stats->directions[i].packets;
    return packets == stats->delivered;
}

uint64_t rxtx_stats_bytes(const rxtx_stats *stats)
{
    uint64_t bytes = 0;

    for (int i = 0; i < RXTX_TALLIES; i++)
        bytes += stats->directions[i].bytes;
    return bytes;
}

static void add_tally(rxtx_tally *sum, const rxtx_tally *tally)
{
    if (tally->packets == 0)
        return;
    sum->first_ns = sum->packets == 0 ? tally->first_ns : MIN(sum->first_ns, tally->first_ns);
    sum->last_ns = MAX(sum->last_ns, tally->last_ns);
    sum->packets += tally->packets;
    sum->bytes += tally->bytes;
}

void rxtx_stats_add(rxtx_stats *sum, const rxtx_stats *stats)
{
    sum->accepted += stats->accepted;
    sum->dropped += stats->dropped;
    sum->delivered += stats->delivered;
    for (int i = 0; i < RXTX_TALLIES; i++)
        add_tally(&sum->directions[i], &stats->directions[i]);
}
