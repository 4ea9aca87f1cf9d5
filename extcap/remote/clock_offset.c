/* Arithmetic on four readings. Who takes them is far.c's and serve.c's. */
#include "remote/clock_offset.h"

enum { DRIFT = 10000 };

/* Further apart than a century is no clock; and no sum of two overflows. */
static const uint64_t century_ns = 3155760000000000000ull;

static bool is_time(uint64_t ns)
{
    return ns > 0 && ns < century_ns;
}

int64_t rxtx_clock_offset_error(const rxtx_clock_offset *offset, uint64_t now_ns)
{
    return offset->error_ns + (now_ns > offset->at_ns ? (int64_t)((now_ns - offset->at_ns) / DRIFT) : 0);
}

static bool contradicts(const rxtx_clock_offset *offset, int64_t offset_ns, int64_t error_ns)
{
    int64_t apart_ns = offset_ns - offset->offset_ns;

    return (apart_ns < 0 ? -apart_ns : apart_ns) > error_ns;
}

static void take(rxtx_clock_offset *offset, int64_t offset_ns, int64_t error_ns, uint64_t now_ns)
{
    int64_t aged_ns = rxtx_clock_offset_error(offset, now_ns);

    if (offset->known && error_ns >= aged_ns && !contradicts(offset, offset_ns, error_ns + aged_ns))
        return;
    *offset = (rxtx_clock_offset){.known = true,
                                  .offset_ns = offset_ns,
                                  .error_ns = error_ns,
                                  .at_ns = now_ns,
                                  .first_ns = offset->known ? offset->first_ns : offset_ns,
                                  .first_error_ns = offset->known ? offset->first_error_ns : error_ns};
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
    take(offset, home_ns + way_ns / 2, error_ns, got_ns);
}
