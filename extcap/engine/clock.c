/* How the watermark's clock follows a realtime clock that jumps. Reading the clocks is the engine's business. */
#include "engine/clock.h"

#include <glib.h>
#include <stdbool.h>

static const uint64_t slack_least_ns = 1000000;
static const uint64_t slack_most_ns = 20000000;
/* Longer than any packet is held: twice a block's time-out, and a busy machine. */
static const uint64_t fall_after_ns = 100000000;

void rxtx_clock_init(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns)
{
    *clock = (rxtx_clock){.offset_ns = (int64_t)(realtime_ns - monotonic_ns), .slack_ns = slack_least_ns};
}

uint64_t rxtx_clock_complete(rxtx_clock *clock, uint64_t monotonic_ns, uint64_t realtime_ns)
{
    int64_t offset_ns = (int64_t)(realtime_ns - monotonic_ns);
    bool low_for_long = clock->lower_since_ns != 0 && monotonic_ns - clock->lower_since_ns >= fall_after_ns;

    if (offset_ns >= clock->offset_ns || low_for_long) {
        clock->lower_since_ns = 0;
        clock->offset_ns = offset_ns;
    } else if (clock->lower_since_ns == 0) {
        clock->lower_since_ns = monotonic_ns;
    }
    return monotonic_ns + (uint64_t)clock->offset_ns - clock->slack_ns;
}

void rxtx_clock_widen(rxtx_clock *clock, uint64_t late_ns)
{
    clock->slack_ns = MIN(clock->slack_ns + MIN(late_ns, slack_most_ns), slack_most_ns);
}
