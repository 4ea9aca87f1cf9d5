/* Tells late packets from the order of the times in a file. Where the times come from, and what a late packet looks
 * like, is packet-rxtxcpu.c's. */
#include "late.h"

#include "rxtxcpu/capture_format.h"

#define NS_PER_SEC 1000000000ull

/* How far the newest time is ahead, in ns. The difference of the seconds is taken without a sign, where it cannot
 * overflow whatever a file says; of anything that long only "longer than a step" matters. */
static guint64 ns_behind(const rxtx_late *late, gint64 secs, int nsecs)
{
    guint64 whole = (guint64)late->secs - (guint64)secs;

    if (whole > RXTX_CLOCK_STEP_NS / NS_PER_SEC + 1)
        return G_MAXUINT64;
    return whole * NS_PER_SEC + (guint64)late->nsecs - (guint64)nsecs;
}

bool rxtx_late_next(rxtx_late *late, gint64 secs, int nsecs)
{
    bool behind = late->started && (secs < late->secs || (secs == late->secs && nsecs < late->nsecs));

    if (behind && ns_behind(late, secs, nsecs) < RXTX_CLOCK_STEP_NS)
        return true;
    *late = (rxtx_late){.started = true, .secs = secs, .nsecs = nsecs};
    return false;
}
