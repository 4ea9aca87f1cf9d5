/* The watermark's clock, while the realtime clock behaves and while it does not. */
#include "engine/clock.h"

#include <glib.h>

enum { MS = 1000000 };
#define SECOND (1000ull * MS)

/* A realtime clock that is `ahead` of the monotonic one. */
static guint64 complete(rxtx_clock *clock, guint64 monotonic, guint64 ahead)
{
    return rxtx_clock_complete(clock, monotonic, monotonic + ahead);
}

static void an_empty_ring_is_complete_up_to_a_millisecond_ago(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, 5 * SECOND, 100 * SECOND);
    g_assert_cmpuint(complete(&clock, 6 * SECOND, 95 * SECOND), ==, 101 * SECOND - MS);
}

static void a_step_forward_counts_at_once(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, SECOND, 100 * SECOND);
    g_assert_cmpuint(complete(&clock, SECOND + 1, 199 * SECOND), ==, 200 * SECOND + 1 - MS);
}

static void a_step_back_does_not_hold_the_packets_from_before_it(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, SECOND, 100 * SECOND);
    /* A packet stamped 100 s waits. The clock goes back by 50 s: 2 ms later that packet is free all the same. */
    g_assert_cmpuint(complete(&clock, SECOND + 2 * MS, 49 * SECOND), >=, 100 * SECOND);
}

static void a_step_back_is_followed_in_the_end(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, SECOND, 100 * SECOND);
    complete(&clock, SECOND + 2 * MS, 49 * SECOND);
    g_assert_cmpuint(complete(&clock, SECOND + 200 * MS, 49 * SECOND), ==, 50 * SECOND + 200 * MS - MS);
}

static void a_step_back_that_is_taken_back_is_forgotten(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, SECOND, 100 * SECOND);
    complete(&clock, SECOND + 2 * MS, 98 * SECOND);
    complete(&clock, SECOND + 4 * MS, 99 * SECOND);
    g_assert_cmpuint(complete(&clock, SECOND + 200 * MS, 98 * SECOND), ==, 100 * SECOND + 200 * MS - MS);
}

static void a_broken_promise_makes_it_more_careful(void)
{
    rxtx_clock clock;

    rxtx_clock_init(&clock, SECOND, 100 * SECOND);
    rxtx_clock_widen(&clock, 3 * MS);
    g_assert_cmpuint(complete(&clock, SECOND, 99 * SECOND), ==, 100 * SECOND - 4 * MS);
    rxtx_clock_widen(&clock, 500 * SECOND); /* a clock that was set back, not a backlog */
    g_assert_cmpuint(complete(&clock, SECOND, 99 * SECOND), ==, 100 * SECOND - 20 * MS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock/an empty ring is complete up to a millisecond ago",
                    an_empty_ring_is_complete_up_to_a_millisecond_ago);
    g_test_add_func("/clock/a step forward counts at once", a_step_forward_counts_at_once);
    g_test_add_func("/clock/a step back does not hold the packets from before it",
                    a_step_back_does_not_hold_the_packets_from_before_it);
    g_test_add_func("/clock/a step back is followed in the end", a_step_back_is_followed_in_the_end);
    g_test_add_func("/clock/a step back that is taken back is forgotten", a_step_back_that_is_taken_back_is_forgotten);
    g_test_add_func("/clock/a broken promise makes it more careful", a_broken_promise_makes_it_more_careful);
    return g_test_run();
}
