/* The order in which packets of several streams come out. */
#include <string.h>

#include "flow/merge.h"
#include "rxtxcpu/capture_format.h"
#include "stream_script.h"

typedef struct {
    rxtx_merge merge;
    script *scripts;
    rxtx_stream **streams;
    unsigned n;
    char *said;
} fixture;

static guint64 now_ns; /* of the clock that tells what is from before it was set back */

static guint64 read_now(void)
{
    return now_ns;
}

static void set_up(fixture *f, unsigned n)
{
    *f = (fixture){.scripts = g_new0(script, n), .streams = g_new0(rxtx_stream *, n), .n = n};
    for (unsigned i = 0; i < n; i++) {
        script_init(&f->scripts[i], i);
        f->streams[i] = &f->scripts[i].stream;
    }
    rxtx_merge_init(&f->merge, f->streams, n, now_ns != 0 ? read_now : NULL);
}

static void tear_down(fixture *f)
{
    for (unsigned i = 0; i < f->n; i++)
        g_array_unref(f->scripts[i].times);
    rxtx_merge_clear(&f->merge);
    g_free(f->scripts);
    g_free(f->streams);
    g_free(f->said);
}

static void push(fixture *f, unsigned id, guint64 ts_ns)
{
    script_push(&f->scripts[id], ts_ns);
}

static void complete(fixture *f, unsigned id, guint64 ts_ns)
{
    f->scripts[id].complete_ns = ts_ns;
}

/* What comes out now: "STREAM@TIME STREAM@TIME". */
static const char *take(fixture *f, bool all)
{
    GString *text = g_string_new(NULL);
    rxtx_stream *stream;

    while ((stream = rxtx_merge_next(&f->merge, all)) != NULL) {
        g_string_append_printf(text, "%s%u@%" G_GUINT64_FORMAT, text->len > 0 ? " " : "", stream->id,
                               (guint64)stream->head.ts_ns);
        rxtx_merge_step(&f->merge);
    }
    g_free(f->said);
    f->said = g_string_free(text, FALSE);
    return f->said;
}

static const char *order(fixture *f)
{
    return take(f, false);
}

static void a_packet_waits_until_every_other_stream_has_spoken(void)
{
    fixture f;

    set_up(&f, 2);
    push(&f, 0, 30);
    g_assert_cmpstr(order(&f), ==, ""); /* stream 1 has not spoken */
    g_assert_true(rxtx_merge_holds(&f.merge));
    push(&f, 1, 20);
    complete(&f, 0, 31);
    complete(&f, 1, 31);
    g_assert_cmpstr(order(&f), ==, "1@20 0@30");
    g_assert_false(rxtx_merge_holds(&f.merge));
    g_assert_cmpuint(f.merge.late, ==, 0);
    tear_down(&f);
}

static void an_idle_stream_that_is_complete_holds_nobody_back(void)
{
    fixture f;

    set_up(&f, 3);
    complete(&f, 1, 100);
    complete(&f, 2, 100);
    for (guint64 t = 10; t <= 100; t += 45)
        push(&f, 0, t);
    g_assert_cmpstr(order(&f), ==, "0@10 0@55 0@100");
    push(&f, 0, 101);
    g_assert_cmpstr(order(&f), ==, "");
    complete(&f, 1, 101);
    g_assert_cmpstr(order(&f), ==, ""); /* stream 2 still may have an older one */
    complete(&f, 2, 101);
    g_assert_cmpstr(order(&f), ==, "0@101");
    tear_down(&f);
}

static void packets_of_one_time_go_by_the_number_of_their_stream(void)
{
    fixture f;

    set_up(&f, 3);
    for (int id = 2; id >= 0; id--) {
        push(&f, (unsigned)id, 7);
        complete(&f, (unsigned)id, 7);
    }
    g_assert_cmpstr(order(&f), ==, "0@7 1@7 2@7");
    g_assert_cmpuint(f.merge.late, ==, 0);
    tear_down(&f);
}

static void a_late_packet_comes_out_and_is_counted(void)
{
    fixture f;

    set_up(&f, 2);
    push(&f, 0, 50);
    complete(&f, 0, 60);
    complete(&f, 1, 60);
    g_assert_cmpstr(order(&f), ==, "0@50");
    push(&f, 1, 40); /* in spite of what it had said */
    push(&f, 1, 45);
    push(&f, 1, 55);
    g_assert_cmpstr(order(&f), ==, "1@40 1@45 1@55");
    g_assert_cmpuint(f.merge.late, ==, 2);
    g_assert_cmpuint(f.merge.clock_steps, ==, 0);
    tear_down(&f);
}

static void a_clock_that_is_set_back_is_one_step_and_no_late_packet(void)
{
    const guint64 then = 10 * RXTX_CLOCK_STEP_NS;
    fixture f;

    set_up(&f, 1);
    push(&f, 0, then);
    push(&f, 0, then - RXTX_CLOCK_STEP_NS);
    push(&f, 0, then - RXTX_CLOCK_STEP_NS + 1);
    order(&f);
    g_assert_cmpuint(f.merge.clock_steps, ==, 1);
    g_assert_cmpuint(f.merge.late, ==, 0);
    tear_down(&f);
}

/* Stream 1 was complete far into the future of the clock that was then set back, and stream 0 never runs dry: unless it
 * is asked again, stream 1 is never heard. */
static void a_stream_does_not_starve_behind_a_clock_that_was_set_back(void)
{
    fixture f;

    set_up(&f, 2);
    push(&f, 0, 1000);
    complete(&f, 1, 1000);
    g_assert_nonnull(rxtx_merge_next(&f.merge, false));
    push(&f, 0, 10);
    push(&f, 0, 12);
    push(&f, 0, 900);
    push(&f, 1, 11);
    rxtx_merge_step(&f.merge);
    rxtx_merge_refresh(&f.merge);
    complete(&f, 0, 1000);
    g_assert_cmpstr(order(&f), ==, "0@10 1@11 0@12 0@900");
    tear_down(&f);
}

/* Stream 1 has packets from before the step when stream 0, which never runs dry, goes on behind it: they are older, and
 * the clock was set once, even if one of them comes later still. */
static void what_was_stamped_before_a_step_back_is_older_than_what_was_stamped_since(void)
{
    const guint64 hour = 3600 * RXTX_CLOCK_STEP_NS, then = 2 * hour;
    fixture f;

    now_ns = then;
    set_up(&f, 2);
    push(&f, 1, then - 20);
    push(&f, 1, then - 10);
    g_assert_cmpstr(order(&f), ==, ""); /* stream 0 has not spoken */
    now_ns = then - hour;
    push(&f, 0, then - 15);
    push(&f, 0, now_ns - 8);
    push(&f, 0, now_ns - 7);
    push(&f, 1, now_ns - 6);
    complete(&f, 0, now_ns);
    complete(&f, 1, now_ns);
    rxtx_merge_refresh(&f.merge);
    g_assert_cmpstr(order(&f), ==,
                    "1@7199999999980 0@7199999999985 1@7199999999990 "
                    "0@3599999999992 0@3599999999993 1@3599999999994");
    push(&f, 0, then - 5);
    push(&f, 0, now_ns - 4);
    g_assert_cmpstr(order(&f), ==, "0@7199999999995 0@3599999999996");
    g_assert_cmpuint(f.merge.clock_steps, ==, 1);
    g_assert_cmpuint(f.merge.late, ==, 0);
    tear_down(&f);
    now_ns = 0;
}

static void at_the_end_everything_comes_out_in_order(void)
{
    fixture f;

    set_up(&f, 3);
    push(&f, 2, 9);
    push(&f, 0, 8);
    push(&f, 2, 10);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_cmpstr(take(&f, true), ==, "0@8 2@9 2@10");
    tear_down(&f);
}

/* All the times of 1,000 streams, dealt out at random, come out sorted. */
static void a_thousand_streams_come_out_in_one_order(void)
{
    enum { N = 1000, PACKETS = 50000 };
    g_autoptr(GRand) random = g_rand_new_with_seed(42);
    guint64 last = 0;
    guint count = 0;
    rxtx_stream *stream;
    fixture f;

    set_up(&f, N);
    for (guint64 t = 1; t <= PACKETS; t++)
        push(&f, (unsigned)g_rand_int_range(random, 0, N), t);
    for (unsigned id = 0; id < N; id++)
        complete(&f, id, PACKETS);
    while ((stream = rxtx_merge_next(&f.merge, false)) != NULL) {
        g_assert_cmpuint(stream->head.ts_ns, ==, last + 1);
        last = stream->head.ts_ns;
        count++;
        rxtx_merge_step(&f.merge);
    }
    g_assert_cmpuint(count, ==, PACKETS);
    g_assert_cmpuint(f.merge.late, ==, 0);
    tear_down(&f);
}

static void only_streams_that_hold_it_up_are_asked_again(void)
{
    fixture f;

    set_up(&f, 3);
    complete(&f, 1, 100);
    complete(&f, 2, 10);
    push(&f, 0, 5);
    g_assert_cmpstr(order(&f), ==, "0@5");
    f.scripts[1].refreshed = f.scripts[2].refreshed = 0;
    push(&f, 0, 50);
    rxtx_merge_refresh(&f.merge);
    f.scripts[1].refreshed = f.scripts[2].refreshed = 0;
    g_assert_null(rxtx_merge_next(&f.merge, false));
    g_assert_cmpuint(f.scripts[1].refreshed, ==, 0);
    g_assert_cmpuint(f.scripts[2].refreshed, ==, 1);
    tear_down(&f);
}

/* An empty ring is complete up to now, a little later each time: to ask it until that is enough would burn a CPU. */
static void streams_that_need_time_are_not_asked_for_ever(void)
{
    fixture f;

    set_up(&f, 3);
    f.scripts[1].tick_ns = f.scripts[2].tick_ns = 1;
    push(&f, 0, 1000000);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_true(rxtx_merge_needs_time(&f.merge));
    g_assert_cmpuint(f.scripts[1].refreshed + f.scripts[2].refreshed, <, 10);
    complete(&f, 1, 1000000);
    complete(&f, 2, 999999);
    f.scripts[2].tick_ns = 0;
    order(&f);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_false(rxtx_merge_needs_time(&f.merge)); /* stream 2 stands still: it has packets under way */
    tear_down(&f);
}

/* ---- how far it is ---- */

static void it_is_complete_up_to_the_stream_that_is_least_so(void)
{
    fixture f;

    set_up(&f, 3);
    complete(&f, 0, 300);
    complete(&f, 1, 100);
    complete(&f, 2, 200);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 100);
    complete(&f, 1, 1000);
    order(&f);
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 200);
    tear_down(&f);
}

/* It may come out next; what waits behind an idle stream is complete no further than that one. */
static void a_packet_that_waits_is_not_complete_yet(void)
{
    fixture f;

    set_up(&f, 2);
    push(&f, 0, 50);
    complete(&f, 1, 20);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 20);
    complete(&f, 1, 50);
    g_assert_nonnull(rxtx_merge_next(&f.merge, false));
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 50);
    complete(&f, 0, 70);
    complete(&f, 1, 60);
    g_assert_cmpstr(order(&f), ==, "0@50");
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 60);
    tear_down(&f);
}

/* Complete for ever, as a stream is that is over; and not at all, as one that never spoke. */
static void streams_at_the_ends_of_time_are_told_as_they_are(void)
{
    fixture f;

    set_up(&f, 2);
    complete(&f, 0, G_MAXUINT64);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, 0);
    complete(&f, 1, G_MAXUINT64);
    g_assert_cmpstr(order(&f), ==, "");
    g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, G_MAXUINT64);
    tear_down(&f);
}

/* Streams that keep their word: at every moment, what was said holds for all that comes out later. */
static void nothing_older_than_it_said_comes_out(void)
{
    enum { N = 5, ROUNDS = 3000 };
    g_autoptr(GRand) random = g_rand_new_with_seed(5);
    guint64 clocks[N] = {0}, said = 0;
    guint count = 0;
    fixture f;

    set_up(&f, N);
    for (guint round = 0; round < ROUNDS; round++) {
        unsigned id = (unsigned)g_rand_int_range(random, 0, N);
        rxtx_stream *stream;
        clocks[id] += (guint64)g_rand_int_range(random, 0, 30);
        complete(&f, id, clocks[id]);
        if (g_rand_boolean(random))
            push(&f, id, clocks[id]);
        for (; (stream = rxtx_merge_next(&f.merge, false)) != NULL; rxtx_merge_step(&f.merge), count++) {
            g_assert_cmpuint(stream->head.ts_ns, >=, said);
            g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), ==, stream->head.ts_ns);
        }
        g_assert_cmpuint(rxtx_merge_complete_ns(&f.merge), >=, said);
        said = rxtx_merge_complete_ns(&f.merge);
    }
    g_assert_cmpuint(said, >, 0);
    g_assert_cmpuint(count, >, ROUNDS / 4);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/merge/a packet waits until every other stream has spoken",
                    a_packet_waits_until_every_other_stream_has_spoken);
    g_test_add_func("/merge/an idle stream that is complete holds nobody back",
                    an_idle_stream_that_is_complete_holds_nobody_back);
    g_test_add_func("/merge/packets of one time go by the number of their stream",
                    packets_of_one_time_go_by_the_number_of_their_stream);
    g_test_add_func("/merge/a late packet comes out and is counted", a_late_packet_comes_out_and_is_counted);
    g_test_add_func("/merge/a clock that is set back is one step and no late packet",
                    a_clock_that_is_set_back_is_one_step_and_no_late_packet);
    g_test_add_func("/merge/a stream does not starve behind a clock that was set back",
                    a_stream_does_not_starve_behind_a_clock_that_was_set_back);
    g_test_add_func("/merge/what was stamped before a step back is older than what was stamped since",
                    what_was_stamped_before_a_step_back_is_older_than_what_was_stamped_since);
    g_test_add_func("/merge/at the end everything comes out in order", at_the_end_everything_comes_out_in_order);
    g_test_add_func("/merge/a thousand streams come out in one order", a_thousand_streams_come_out_in_one_order);
    g_test_add_func("/merge/streams that need time are not asked for ever",
                    streams_that_need_time_are_not_asked_for_ever);
    g_test_add_func("/merge/only streams that hold it up are asked again",
                    only_streams_that_hold_it_up_are_asked_again);
    g_test_add_func("/merge/it is complete up to the stream that is least so",
                    it_is_complete_up_to_the_stream_that_is_least_so);
    g_test_add_func("/merge/a packet that waits is not complete yet", a_packet_that_waits_is_not_complete_yet);
    g_test_add_func("/merge/streams at the ends of time are told as they are",
                    streams_at_the_ends_of_time_are_told_as_they_are);
    g_test_add_func("/merge/nothing older than it said comes out", nothing_older_than_it_said_comes_out);
    return g_test_run();
}
