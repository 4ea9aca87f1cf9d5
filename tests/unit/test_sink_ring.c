/* Files one after another, with inner sinks that remember. */
#include "sink/sink_ring.h"

#include <string.h>

#include "base/error.h"

enum { GROUPS = 2, PACKET_BYTES = 100 };

/* What all turns did, in words. */
typedef struct {
    GString *story;
    unsigned fail_at; /* the turn that cannot be opened; 0 = none */
    unsigned forget;  /* packets that each inner sink does not bring out after all */
    rxtx_stop stop;
    rxtx_sink *ring;
} fixture;

typedef struct {
    rxtx_sink sink; /* first */
    fixture *f;
} inner;

static bool inner_push(rxtx_sink *sink, unsigned group, const rxtx_packet *packet)
{
    sink->size += packet->len;
    g_string_append_printf(((inner *)sink)->f->story, "%u", group);
    return true;
}

static void inner_flush(rxtx_sink *sink, bool more)
{
    (void)sink;
    (void)more;
}

static void inner_finish(rxtx_sink *sink, rxtx_stats *stats)
{
    fixture *f = ((inner *)sink)->f;

    stats[0].delivered -= MIN(f->forget, stats[0].delivered);
    for (unsigned i = 0; i < GROUPS; i++)
        g_string_append_printf(f->story, " %u/%u/%u", (unsigned)stats[i].accepted, (unsigned)stats[i].dropped,
                               (unsigned)stats[i].delivered);
    g_string_append(f->story, ") ");
}

static void inner_free(rxtx_sink *sink)
{
    g_clear_pointer(&sink->files, g_ptr_array_unref);
    g_free(sink);
}

static rxtx_sink *open_inner(gpointer data, const rxtx_file_turn *turn, GError **error)
{
    static const rxtx_sink_ops ops = {
        .push = inner_push, .flush = inner_flush, .finish = inner_finish, .free = inner_free};
    fixture *f = data;
    inner *i;

    if (turn->number != 0 && turn->number == f->fail_at) {
        rxtx_set_error(error, RXTX_ERROR_OUTPUT, "no more");
        return NULL;
    }
    i = g_new0(inner, 1);
    *i = (inner){.sink = {.ops = &ops, .watch_fd = -1}, .f = f};
    g_string_append_printf(f->story, "%u(", turn->number);
    return &i->sink;
}

static void set_up(fixture *f, const rxtx_sink_ring_limits *limits)
{
    *f = (fixture){.story = g_string_new(NULL)};
    g_assert_true(rxtx_stop_init(&f->stop, NULL));
    f->ring = rxtx_sink_ring_new(limits, GROUPS, open_inner, f, &f->stop, NULL);
}

static void tear_down(fixture *f)
{
    f->ring->ops->free(f->ring);
    g_string_free(f->story, TRUE);
    rxtx_stop_clear(&f->stop);
}

static bool push(fixture *f, unsigned group, uint64_t dropped)
{
    return f->ring->ops->push(f->ring, group, &(rxtx_packet){.len = PACKET_BYTES, .dropped = dropped});
}

static void a_turn_ends_with_the_packet_that_fills_a_file(void)
{
    rxtx_stats stats[GROUPS] = {{.accepted = 3, .delivered = 3}, {.accepted = 2, .delivered = 2}};
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_bytes = 2 * PACKET_BYTES});
    for (unsigned i = 0; i < 5; i++)
        g_assert_true(push(&f, i % 2, 0));
    f.ring->ops->finish(f.ring, stats);
    g_assert_cmpstr(f.story->str, ==, "1(01 1/0/1 1/0/1) 2(01 1/0/1 1/0/1) 3(0 1/0/1 0/0/0) ");
    tear_down(&f);
}

/* What the packets did not tell of is the last file's to say. */
static void the_counters_of_all_files_add_up_to_those_of_the_capture(void)
{
    rxtx_stats stats[GROUPS] = {{.accepted = 20, .dropped = 17, .delivered = 3}, {.accepted = 1, .delivered = 1}};
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_packets = 2});
    push(&f, 0, 0);
    push(&f, 0, 10);
    push(&f, 0, 5);
    push(&f, 1, 0);
    f.ring->ops->finish(f.ring, stats);
    g_assert_cmpstr(f.story->str, ==, "1(00 12/10/2 0/0/0) 2(01 6/5/1 1/0/1) 3( 2/2/0 0/0/0) ");
    tear_down(&f);
}

static void what_a_file_did_not_bring_out_is_not_delivered(void)
{
    rxtx_stats stats[GROUPS] = {{.accepted = 4, .delivered = 4}, {0}};
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_packets = 3});
    f.forget = 1;
    for (unsigned i = 0; i < 4; i++)
        push(&f, 0, 0);
    f.ring->ops->finish(f.ring, stats);
    g_assert_cmpuint(stats[0].delivered, ==, 2);
    tear_down(&f);
}

static void the_last_file_is_the_end(void)
{
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_packets = 2, .turns = 2});
    for (unsigned i = 0; i < 4; i++)
        g_assert_true(push(&f, 0, 0));
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_SIZE);
    g_assert_false(push(&f, 0, 0));
    g_assert_cmpstr(f.story->str, ==, "1(00 2/0/2 0/0/0) 2(00");
    tear_down(&f);
}

static void a_full_file_without_a_ring_is_the_end_and_has_no_number(void)
{
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.last_bytes = 2 * PACKET_BYTES});
    g_assert_true(push(&f, 0, 0));
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_NONE);
    g_assert_true(push(&f, 1, 0));
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_SIZE);
    g_assert_false(push(&f, 1, 0));
    g_assert_cmpstr(f.story->str, ==, "0(01");
    tear_down(&f);
}

static void time_ends_a_turn_without_any_packet(void)
{
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_us = 1});
    g_assert_cmpint(f.ring->due_us, >, 0);
    while (g_get_monotonic_time() < f.ring->due_us)
        ;
    f.ring->ops->flush(f.ring, false);
    g_assert_cmpstr(f.story->str, ==, "1( 0/0/0 0/0/0) 2(");
    tear_down(&f);
}

static void a_file_that_cannot_be_opened_ends_the_capture(void)
{
    fixture f;

    set_up(&f, &(rxtx_sink_ring_limits){.file_packets = 1});
    f.fail_at = 2;
    g_assert_true(push(&f, 0, 0));
    g_assert_false(push(&f, 0, 0));
    g_assert_error(f.ring->failure, RXTX_ERROR, RXTX_ERROR_OUTPUT);
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_OUTPUT_FAILED);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sink_ring/a turn ends with the packet that fills a file",
                    a_turn_ends_with_the_packet_that_fills_a_file);
    g_test_add_func("/sink_ring/the counters of all files add up to those of the capture",
                    the_counters_of_all_files_add_up_to_those_of_the_capture);
    g_test_add_func("/sink_ring/what a file did not bring out is not delivered",
                    what_a_file_did_not_bring_out_is_not_delivered);
    g_test_add_func("/sink_ring/the last file is the end", the_last_file_is_the_end);
    g_test_add_func("/sink_ring/a full file without a ring is the end and has no number",
                    a_full_file_without_a_ring_is_the_end_and_has_no_number);
    g_test_add_func("/sink_ring/time ends a turn without any packet", time_ends_a_turn_without_any_packet);
    g_test_add_func("/sink_ring/a file that cannot be opened ends the capture",
                    a_file_that_cannot_be_opened_ends_the_capture);
    return g_test_run();
}
