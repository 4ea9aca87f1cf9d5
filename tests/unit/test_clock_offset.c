/* How far clocks are apart, by readings of journeys whose truth is known. */
#include "remote/clock_offset.h"

#include <glib.h>

static const guint64 now = 1700000000000000000, century = 3155760000000000000;

/* A journey: there in `out`, a while there, and back in `home`; the other clock shows `ahead` more. */
static void travel(rxtx_clock_offset *offset, gint64 ahead, guint64 out, guint64 there, guint64 home)
{
    guint64 arrives = (guint64)((gint64)(now + out) + ahead);

    rxtx_clock_offset_take(offset, now, arrives, arrives + there, now + out + there + home);
}

static void assert_offset(const rxtx_clock_offset *offset, gint64 offset_ns, gint64 error_ns)
{
    g_assert_true(offset->known);
    g_assert_cmpint(offset->offset_ns, ==, offset_ns);
    g_assert_cmpint(offset->error_ns, ==, error_ns);
}

/* However long the answer took to be made. */
static void a_journey_as_long_out_as_home_tells_the_truth(void)
{
    static const gint64 aheads[] = {0, 1, -1, 5000, -5000, 86400000000000, -86400000000000};

    for (gsize i = 0; i < G_N_ELEMENTS(aheads); i++)
        for (guint64 there = 0; there <= 1000000000000; there = there * 1000 + 1) {
            rxtx_clock_offset offset = {0};
            travel(&offset, aheads[i], 700, there, 700);
            assert_offset(&offset, aheads[i], 700);
        }
}

static void a_journey_that_is_longer_one_way_errs_by_half_the_difference(void)
{
    rxtx_clock_offset out = {0}, home = {0};

    travel(&out, 1000, 900, 50, 100);
    travel(&home, 1000, 100, 50, 900);
    assert_offset(&out, 1400, 500);
    assert_offset(&home, 600, 500);
}

static void clocks_that_change_places_change_the_sign(void)
{
    rxtx_clock_offset ahead = {0}, behind = {0};

    travel(&ahead, 123456, 300, 50, 700);
    travel(&behind, -123456, 700, 50, 300);
    g_assert_cmpint(ahead.offset_ns, ==, -behind.offset_ns);
    g_assert_cmpint(ahead.error_ns, ==, behind.error_ns);
}

/* To the nanosecond, also where halves are. */
static void the_truth_is_never_further_off_than_the_error(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (int i = 0; i < 20000; i++) {
        gint64 ahead = g_rand_int_range(random, -1000, 1000);
        guint64 out = (guint64)g_rand_int_range(random, 0, 12), home = (guint64)g_rand_int_range(random, 0, 12);
        rxtx_clock_offset offset = {0};
        travel(&offset, ahead, out, 5, home);
        g_test_message("%" G_GINT64_FORMAT " ahead, %" G_GUINT64_FORMAT " out, %" G_GUINT64_FORMAT " home", ahead, out,
                       home);
        g_assert_true(offset.known);
        g_assert_cmpint(offset.error_ns, <=, (gint64)(out + home + 1) / 2);
        g_assert_cmpint(ABS(offset.offset_ns - ahead), <=, offset.error_ns);
    }
}

static void the_shortest_journey_tells(void)
{
    rxtx_clock_offset offset = {0};

    travel(&offset, 1000, 800, 10, 800);
    assert_offset(&offset, 1000, 800);
    travel(&offset, 2000, 900, 10, 900); /* longer */
    assert_offset(&offset, 1000, 800);
    travel(&offset, 2000, 800, 10, 800); /* as long: the first stays */
    assert_offset(&offset, 1000, 800);
    travel(&offset, 3000, 100, 99999, 100); /* the stay there does not count */
    assert_offset(&offset, 3000, 100);
}

static void no_journey_is_shorter_than_one_of_no_time(void)
{
    rxtx_clock_offset offset = {0};

    travel(&offset, -42, 0, 7, 0);
    assert_offset(&offset, -42, 0);
    travel(&offset, -40, 3, 0, 3);
    assert_offset(&offset, -42, 0);
}

/* A clock was set: the best journey of before tells of another time. */
static void a_journey_that_contradicts_the_best_one_replaces_it(void)
{
    rxtx_clock_offset offset = {0};

    travel(&offset, 1000, 50, 0, 50);
    travel(&offset, 1000000, 5000, 0, 5000);
    assert_offset(&offset, 1000000, 5000);
    g_assert_cmpint(offset.first_ns, ==, 1000);
}

/* 100 us in a second: after ten of them, one that may err by 900 us is better than one that erred by 50 us. */
static void what_was_told_grows_old(void)
{
    const guint64 later = now + 10 * G_GUINT64_CONSTANT(1000000000);
    rxtx_clock_offset offset = {0};

    travel(&offset, 1000, 50000, 0, 50000);
    g_assert_cmpint(rxtx_clock_offset_error(&offset, now + 100000), ==, 50000);
    g_assert_cmpint(rxtx_clock_offset_error(&offset, later + 100000), ==, 1050000);
    rxtx_clock_offset_take(&offset, later, later + 900000 + 7, later + 900000 + 7, later + 1800000);
    assert_offset(&offset, 7, 900000);
    rxtx_clock_offset_take(&offset, later, later + 950000, later + 950000, later + 1900000);
    assert_offset(&offset, 7, 900000);
}

static void readings_that_contradict_each_other_are_left_out(void)
{
    const guint64 readings[][4] = {
        {now, now, now, now - 1},       /* the answer came before the question */
        {now, now + 1, now, now + 10},  /* it left before the question came */
        {now, now, now + 11, now + 10}, /* it took longer to make than to wait for */
        {now, now + 1000000, now + 1000011, now + 10},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(readings); i++) {
        const guint64 *r = readings[i];
        rxtx_clock_offset offset = {0}, known = {.known = true, .offset_ns = 5, .error_ns = 1000, .at_ns = now};
        rxtx_clock_offset_take(&offset, r[0], r[1], r[2], r[3]);
        rxtx_clock_offset_take(&known, r[0], r[1], r[2], r[3]);
        g_assert_false(offset.known);
        assert_offset(&known, 5, 1000);
    }
}

/* 0 is what stands for none: before the first PING, nothing was read. */
static void times_that_no_clock_shows_are_left_out(void)
{
    const guint64 absurd[] = {0, century, G_MAXINT64, (guint64)G_MAXINT64 + 1, G_MAXUINT64};

    for (gsize i = 0; i < G_N_ELEMENTS(absurd); i++)
        for (guint which = 0; which < 16; which++) {
            guint64 r[] = {now, now + 10, now + 20, now + 30};
            rxtx_clock_offset offset = {0};
            for (guint bit = 0; bit < 4; bit++)
                r[bit] = which >> bit & 1 ? absurd[i] : r[bit];
            rxtx_clock_offset_take(&offset, r[0], r[1], r[2], r[3]);
            g_assert_cmpint(offset.known, ==, which == 0);
        }
}

static void clocks_a_century_apart_do_not_overflow(void)
{
    const gint64 widest = (gint64)century - 2;
    rxtx_clock_offset ahead = {0}, behind = {0}, slow = {0};

    rxtx_clock_offset_take(&ahead, 1, century - 1, century - 1, 1);
    assert_offset(&ahead, widest, 0);
    rxtx_clock_offset_take(&behind, century - 1, 1, 1, century - 1);
    assert_offset(&behind, -widest, 0);
    rxtx_clock_offset_take(&slow, 1, 1, 1, century - 1);
    assert_offset(&slow, -widest / 2, widest / 2);
    rxtx_clock_offset_take(&slow, 1, century - 1, century - 1, century - 1);
    g_assert_cmpint(slow.error_ns, ==, widest / 2);
}

/* Whatever a hostile host says: what is known is in bounds. */
static void any_readings_leave_a_sane_offset(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    const guint64 edges[] = {0, 1, 2, now, century - 1, century, G_MAXINT64, G_MAXUINT64 - 1, G_MAXUINT64};
    rxtx_clock_offset offset = {0};

    for (int i = 0; i < 100000; i++) {
        guint64 r[4];
        for (int k = 0; k < 4; k++)
            r[k] = edges[g_rand_int_range(random, 0, G_N_ELEMENTS(edges))] + (guint64)g_rand_int_range(random, 0, 2);
        rxtx_clock_offset_take(&offset, r[0], r[1], r[2], r[3]);
        g_assert_cmpint(offset.error_ns, >=, 0);
        g_assert_cmpint(offset.error_ns, <, (gint64)century);
        g_assert_cmpint(ABS(offset.offset_ns), <, (gint64)century);
    }
    g_assert_true(offset.known);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock_offset/a journey as long out as home tells the truth",
                    a_journey_as_long_out_as_home_tells_the_truth);
    g_test_add_func("/clock_offset/a journey that is longer one way errs by half the difference",
                    a_journey_that_is_longer_one_way_errs_by_half_the_difference);
    g_test_add_func("/clock_offset/clocks that change places change the sign",
                    clocks_that_change_places_change_the_sign);
    g_test_add_func("/clock_offset/the truth is never further off than the error",
                    the_truth_is_never_further_off_than_the_error);
    g_test_add_func("/clock_offset/the shortest journey tells", the_shortest_journey_tells);
    g_test_add_func("/clock_offset/no journey is shorter than one of no time",
                    no_journey_is_shorter_than_one_of_no_time);
    g_test_add_func("/clock_offset/readings that contradict each other are left out",
                    readings_that_contradict_each_other_are_left_out);
    g_test_add_func("/clock_offset/a journey that contradicts the best one replaces it",
                    a_journey_that_contradicts_the_best_one_replaces_it);
    g_test_add_func("/clock_offset/what was told grows old", what_was_told_grows_old);
    g_test_add_func("/clock_offset/times that no clock shows are left out", times_that_no_clock_shows_are_left_out);
    g_test_add_func("/clock_offset/clocks a century apart do not overflow", clocks_a_century_apart_do_not_overflow);
    g_test_add_func("/clock_offset/any readings leave a sane offset", any_readings_leave_a_sane_offset);
    return g_test_run();
}
