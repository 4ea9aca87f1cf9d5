/* What is known of a frame, by its number. What it costs is in test_analysis_memory.c. */
#include <malloc.h>
#include <string.h>

#include "history.h"

typedef rxtx_history history;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(history, rxtx_history_free)

static void set_lane(rxtx_history *past, guint32 frame, guint32 lane)
{
    rxtx_history_set(past, frame, &(rxtx_past){.lane = lane});
}

static void assert_nothing(const rxtx_history *past, guint32 frame)
{
    static const rxtx_past nothing = {0};
    rxtx_past found = rxtx_history_get(past, frame);

    g_assert_cmpmem(&found, sizeof found, &nothing, sizeof nothing);
}

static void of_a_frame_that_was_not_set_nothing_is_known(void)
{
    static const guint32 frames[] = {0, 1, 1023, 1024, 999999, G_MAXUINT32};
    g_autoptr(history) past = rxtx_history_new();

    for (gsize i = 0; i < G_N_ELEMENTS(frames); i++)
        assert_nothing(past, frames[i]);
    set_lane(past, 5000, 7);
    for (gsize i = 0; i < G_N_ELEMENTS(frames); i++)
        assert_nothing(past, frames[i]);
    assert_nothing(past, 4999);
    assert_nothing(past, 5001);
    assert_nothing(past, 5000 + 1024);
    assert_nothing(past, 5000 - 1024);
}

static void the_frames_around_one_that_was_set_are_all_zero(void)
{
    g_autoptr(history) past = rxtx_history_new();

    mallopt(M_PERTURB, 0xaa); /* memory that was not asked to be zero is not */
    set_lane(past, 5000, 7);
    mallopt(M_PERTURB, 0);
    for (guint32 frame = 1000; frame < 9000; frame++)
        if (frame != 5000)
            assert_nothing(past, frame);
}

static void what_was_set_is_found_again(void)
{
    g_autoptr(history) past = rxtx_history_new();

    for (guint32 frame = 1; frame < 5000; frame++)
        set_lane(past, frame, frame + 7);
    for (guint32 frame = 1; frame < 5000; frame++)
        g_assert_cmpuint(rxtx_history_get(past, frame).lane, ==, frame + 7);
    set_lane(past, 2500, 1);
    g_assert_cmpuint(rxtx_history_get(past, 2499).lane, ==, 2506);
    g_assert_cmpuint(rxtx_history_get(past, 2500).lane, ==, 1);
}

static void frames_may_come_in_any_order(void)
{
    g_autoptr(history) past = rxtx_history_new();

    for (guint32 frame = 100000; frame > 0; frame -= 100)
        set_lane(past, frame, frame - 1);
    for (guint32 frame = 1; frame <= 100000; frame++)
        g_assert_cmpuint(rxtx_history_get(past, frame).lane, ==, frame % 100 == 0 ? frame - 1 : 0);
}

static void the_highest_frame_number_is_one_as_any_other(void)
{
    g_autoptr(history) past = rxtx_history_new();

    set_lane(past, 1, 1);
    set_lane(past, G_MAXUINT32, 2);
    g_assert_cmpuint(rxtx_history_get(past, 1).lane, ==, 1);
    g_assert_cmpuint(rxtx_history_get(past, G_MAXUINT32).lane, ==, 2);
    assert_nothing(past, G_MAXUINT32 - 1);
    assert_nothing(past, 1u << 31);
}

static void a_packet_takes_16_bytes_and_holds_the_largest_of_everything(void)
{
    const rxtx_past full = {.lane = G_MAXUINT32,
                            .prev_frame = G_MAXUINT32,
                            .repeat_of = G_MAXUINT32,
                            .repeat = RXTX_REPEAT_MAX,
                            .prev_slot = RXTX_SLOTS_MAX,
                            .split = 1,
                            .reordered = 1,
                            .repeat_alarm = 1,
                            .late = 1};
    g_autoptr(history) past = rxtx_history_new();
    rxtx_past found;
    guint8 ones[16];

    memset(ones, 0xff, sizeof ones);
    rxtx_history_set(past, 7, &full);
    found = rxtx_history_get(past, 7);
    g_assert_cmpmem(&found, sizeof found, ones, sizeof ones);
}

static void no_history_can_be_freed(void)
{
    rxtx_history_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/of a frame that was not set nothing is known",
                    of_a_frame_that_was_not_set_nothing_is_known);
    g_test_add_func("/history/the frames around one that was set are all zero",
                    the_frames_around_one_that_was_set_are_all_zero);
    g_test_add_func("/history/what was set is found again", what_was_set_is_found_again);
    g_test_add_func("/history/frames may come in any order", frames_may_come_in_any_order);
    g_test_add_func("/history/the highest frame number is one as any other",
                    the_highest_frame_number_is_one_as_any_other);
    g_test_add_func("/history/a packet takes 16 bytes and holds the largest of everything",
                    a_packet_takes_16_bytes_and_holds_the_largest_of_everything);
    g_test_add_func("/history/no history can be freed", no_history_can_be_freed);
    return g_test_run();
}
