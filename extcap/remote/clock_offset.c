/* Arithmetic on four readings. Who takes them is far.c's and serve.c's. */
#include "remote/clock_offset.h"

/* Further apart than a century is no clock; and no sum of two overflows. */
static const uint64_t century_ns = 3155760000000000000ull;

static bool is_time(uint64_t ns)
{
    return ns > 0 && ns < century_ns;
}

void rxtx_clock_offset_take(rxtx_clock_offset *offset, uint64_t sent_ns, uint64_t there_ns, uint64_t back_ns,
                            uint64_t got_ns)
{
    int64_t home_ns, way_ns, error_ns;

    if (!is_time(sent_ns) || !is_time(there_ns) || !is_time(back_ns) || !is_time(got_ns) || got_ns < sent_ns ||
        back_ns < there_ns || back_ns - there_ns > got_ns - sent_ns)
        return;
    home_ns = (int64_t)back_ns - (int64_t)got_ns; /* the truth is this, and at most the way more */
    way_ns = (int64_t)((got_ns - sent_ns) - (back_ns - there_ns));
    error_ns = way_ns - way_ns / 2;
    if (!offset->known || error_ns < offset->error_ns)
        *offset = (rxtx_clock_offset){true, home_ns + way_ns / 2, error_ns};
}
