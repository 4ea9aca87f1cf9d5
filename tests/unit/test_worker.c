/* The loop and its ends: an engine played from a script, a sink that remembers what it got. */
#include "flow/worker.h"

#include "base/error.h"
#include "stream_script.h"

enum { N = 2 };

typedef struct {
    rxtx_engine engine; /* first */
    rxtx_stream *streams[N];
    script scripts[N];
    rxtx_stop *stop;
    guint64
        after_halt; /* packets that each stream still has in it when it is halted: they show up with the next wait */
    guint waits;
    rxtx_wait_result result; /* of each wait */
    bool halted;
} played;

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_stop *stop;
    GString *got;
    guint64 complete_ns; /* as told before the last flush */
    guint fails_at;      /* the so many-th packet, 0 = never */
    guint n, flushed, finished;
} remembering;

typedef struct {
    played engine;
    remembering sink;
    rxtx_stop stop;
    rxtx_stats stats[N];
    rxtx_worker worker;
} fixture;

static bool start(rxtx_engine *engine, GError **error)
{
    (void)engine;
    (void)error;
    return true;
}

/* Everything is complete by the time a wait is over; a wait that nothing will end is ended by the user. */
static rxtx_wait_result wait_for(rxtx_engine *engine, const rxtx_wait_for *what)
{
    played *p = (played *)engine;

    p->waits++;
    for (guint id = 0; id < N; id++) {
        p->scripts[id].complete_ns = 1000000;
        for (; p->halted && p->after_halt > id; p->after_halt--)
            script_push(&p->scripts[id], 2000 - p->after_halt);
    }
    if (what->timeout_ms < 0)
        rxtx_stop_request(p->stop, RXTX_STOP_USER);
    return p->result;
}

static void halt(rxtx_engine *engine)
{
    ((played *)engine)->halted = true;
}

static bool settled(rxtx_engine *engine)
{
    return ((played *)engine)->after_halt == 0;
}

static void add_stats(const rxtx_engine *engine, rxtx_stats *groups)
{
    for (guint id = 0; id < N; id++) {
        groups[id].accepted += ((const played *)engine)->scripts[id].times->len + 3;
        groups[id].dropped += 3;
    }
}

static const rxtx_engine_ops engine_ops = {
    .start = start, .wait = wait_for, .halt = halt, .settled = settled, .add_stats = add_stats};

static bool push(rxtx_sink *sink, unsigned id, const rxtx_packet *packet)
{
    remembering *r = (remembering *)sink;

    if (++r->n == r->fails_at) {
        rxtx_set_error(&sink->failure, RXTX_ERROR_OUTPUT, "full");
        rxtx_stop_request(r->stop, RXTX_STOP_OUTPUT_FAILED);
    }
    if (sink->failure != NULL)
        return false;
    g_string_append_printf(r->got, "%u@%u ", id, (guint)packet->ts_ns);
    return true;
}

static void flush(rxtx_sink *sink, bool more)
{
    (void)more;
    ((remembering *)sink)->flushed++;
    ((remembering *)sink)->complete_ns = sink->complete_ns;
}

static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    (void)stats;
    ((remembering *)sink)->finished++;
}

static const rxtx_sink_ops sink_ops = {.push = push, .flush = flush, .finish = finish};

static void set_up(fixture *f)
{
    *f = (fixture){.engine.engine.ops = &engine_ops, .sink.sink = {.ops = &sink_ops, .watch_fd = -1}};
    g_assert_true(rxtx_stop_init(&f->stop, NULL));
    f->engine.engine.settle_us = 300000;
    f->engine.engine.streams = f->engine.streams;
    f->engine.engine.n_streams = N;
    f->engine.stop = f->sink.stop = &f->stop;
    for (guint id = 0; id < N; id++) {
        script_init(&f->engine.scripts[id], id);
        f->engine.scripts[id].stream.group = id;
        f->engine.streams[id] = &f->engine.scripts[id].stream;
    }
    f->sink.got = g_string_new(NULL);
    f->worker = (rxtx_worker){.engine = &f->engine.engine,
                              .sink = &f->sink.sink,
                              .stop = &f->stop,
                              .n_groups = N,
                              .stats = f->stats};
}

static void tear_down(fixture *f)
{
    for (guint id = 0; id < N; id++)
        g_array_unref(f->engine.scripts[id].times);
    g_string_free(f->sink.got, TRUE);
    g_clear_error(&f->sink.sink.failure);
    rxtx_stop_clear(&f->stop);
}

/* Three packets on each stream: 0@10 1@15 0@20 1@25 0@30 1@35. */
static void fill(fixture *f)
{
    for (guint i = 0; i < 3; i++) {
        script_push(&f->engine.scripts[0], 10 + 10 * i);
        script_push(&f->engine.scripts[1], 15 + 10 * i);
    }
}

static void all_packets_go_out_in_order_and_are_counted(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 0@20 1@25 0@30 1@35 ");
    g_assert_cmpuint(f.stats[0].delivered, ==, 3);
    g_assert_cmpuint(f.stats[0].accepted, ==, 6);
    g_assert_cmpuint(f.stats[0].dropped, ==, 3);
    g_assert_cmpuint(f.sink.finished, ==, 1);
    g_assert_cmpuint(f.sink.flushed, >, 0);
    tear_down(&f);
}

static void a_count_is_exact(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    f.worker.count = 4;
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 0@20 1@25 ");
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_COUNT);
    g_assert_true(f.engine.halted);
    g_assert_cmpuint(f.sink.finished, ==, 1);
    tear_down(&f);
}

static void what_was_accepted_before_a_stop_is_delivered_after_it(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    f.engine.after_halt = 4;
    rxtx_stop_request(&f.stop, RXTX_STOP_DURATION);
    rxtx_worker_run(&f.worker);
    g_assert_true(f.engine.halted);
    g_assert_cmpuint(f.stats[0].delivered + f.stats[1].delivered, ==, 10);
    tear_down(&f);
}

static void nothing_more_is_pushed_into_a_sink_that_broke(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    f.sink.fails_at = 3;
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 ");
    g_assert_cmpuint(f.stats[0].delivered + f.stats[1].delivered, ==, 2);
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_OUTPUT_FAILED);
    tear_down(&f);
}

static void a_reader_that_leaves_while_nothing_happens_ends_the_capture(void)
{
    fixture f;

    set_up(&f);
    f.engine.result = RXTX_WAIT_READER_GONE;
    f.engine.engine.n_streams = 1;
    script_push(&f.engine.scripts[0], 5);
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@5 ");
    g_assert_cmpuint(f.engine.waits, ==, 1);
    tear_down(&f);
}

static void an_engine_that_fails_gives_what_it_has(void)
{
    fixture f;

    set_up(&f);
    f.engine.result = RXTX_WAIT_FAILED;
    f.engine.after_halt = 4;
    fill(&f);
    f.engine.scripts[0].complete_ns = f.engine.scripts[1].complete_ns = 20;
    rxtx_worker_run(&f.worker);
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_ENGINE_FAILED);
    g_assert_cmpuint(f.stats[0].delivered + f.stats[1].delivered, ==, 10);
    tear_down(&f);
}

/* What an engine knows of its counters only when all has come out, as one that hears them from other hosts. */
static void what_is_behind_a_count_is_read_where_counters_come_late(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    f.worker.count = 2;
    f.engine.after_halt = 4;
    f.engine.engine.counts_late = true;
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 "); /* read, but not delivered */
    for (guint id = 0; id < N; id++)
        g_assert_cmpuint(f.engine.scripts[id].next, ==, f.engine.scripts[id].times->len);
    g_assert_cmpuint(f.engine.after_halt, ==, 0);
    g_assert_cmpuint(f.stats[0].delivered + f.stats[1].delivered, ==, 2);
    g_assert_cmpuint(f.stats[0].directions[RXTX_TALLY_UNKNOWN].packets, ==, 1);
    g_assert_cmpuint(f.stats[0].accepted + f.stats[1].accepted, ==, 10 + 2 * 3);
    g_assert_cmpuint(f.stats[0].dropped, ==, 3);
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_COUNT);
    g_assert_cmpuint(f.sink.n, ==, 2);
    g_assert_cmpuint(f.sink.finished, ==, 1);
    tear_down(&f);
}

static void what_is_behind_a_count_is_left_where_counters_are_known(void)
{
    fixture f;

    set_up(&f);
    fill(&f);
    f.worker.count = 2;
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 ");
    g_assert_cmpuint(f.engine.scripts[0].next + f.engine.scripts[1].next, ==, 2);
    g_assert_cmpuint(f.engine.waits, ==, 0);
    tear_down(&f);
}

/* Nobody sees them, so they are no packets out of order, and no step of the clock. */
static void what_is_behind_a_count_is_neither_late_nor_a_step(void)
{
    const guint64 then = 100000000000;
    fixture f;

    set_up(&f);
    f.engine.engine.n_streams = 1;
    script_push(&f.engine.scripts[0], then);
    script_push(&f.engine.scripts[0], then - 1);
    script_push(&f.engine.scripts[0], then - 2);
    script_push(&f.engine.scripts[0], 1);
    f.worker.count = 2;
    f.engine.engine.counts_late = true;
    rxtx_worker_run(&f.worker);
    g_assert_cmpuint(f.engine.scripts[0].next, ==, 4);
    g_assert_cmpuint(f.worker.late, ==, 1);
    g_assert_cmpuint(f.worker.clock_steps, ==, 0);
    tear_down(&f);
}

/* An engine that never settles does not keep us. */
static void what_never_comes_is_not_waited_for_for_ever(void)
{
    gint64 begun;
    fixture f;

    set_up(&f);
    fill(&f);
    f.worker.count = 2;
    f.engine.after_halt = 1000000; /* more with each wait */
    f.engine.engine.settle_us = 0;
    f.engine.engine.counts_late = true;
    begun = g_get_monotonic_time();
    rxtx_worker_run(&f.worker);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 10 * G_USEC_PER_SEC);
    g_assert_cmpuint(f.engine.waits, ==, 0);
    g_assert_cmpuint(f.engine.scripts[0].next + f.engine.scripts[1].next, ==, 6); /* what was there */
    g_assert_cmpuint(f.sink.finished, ==, 1);
    tear_down(&f);
}

static void a_sink_knows_how_far_it_is_when_it_is_flushed(void)
{
    fixture f;

    set_up(&f);
    script_push(&f.engine.scripts[0], 10);
    script_push(&f.engine.scripts[1], 15);
    f.engine.scripts[0].complete_ns = 40;
    f.engine.scripts[1].complete_ns = 30;
    rxtx_worker_run(&f.worker);
    g_assert_cmpstr(f.sink.got->str, ==, "0@10 1@15 ");
    g_assert_cmpuint(f.sink.complete_ns, ==, 30);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/worker/all packets go out in order and are counted", all_packets_go_out_in_order_and_are_counted);
    g_test_add_func("/worker/a count is exact", a_count_is_exact);
    g_test_add_func("/worker/what was accepted before a stop is delivered after it",
                    what_was_accepted_before_a_stop_is_delivered_after_it);
    g_test_add_func("/worker/nothing more is pushed into a sink that broke",
                    nothing_more_is_pushed_into_a_sink_that_broke);
    g_test_add_func("/worker/a reader that leaves while nothing happens ends the capture",
                    a_reader_that_leaves_while_nothing_happens_ends_the_capture);
    g_test_add_func("/worker/an engine that fails gives what it has", an_engine_that_fails_gives_what_it_has);
    g_test_add_func("/worker/what is behind a count is read where counters come late",
                    what_is_behind_a_count_is_read_where_counters_come_late);
    g_test_add_func("/worker/what is behind a count is left where counters are known",
                    what_is_behind_a_count_is_left_where_counters_are_known);
    g_test_add_func("/worker/what is behind a count is neither late nor a step",
                    what_is_behind_a_count_is_neither_late_nor_a_step);
    g_test_add_func("/worker/what never comes is not waited for for ever", what_never_comes_is_not_waited_for_for_ever);
    g_test_add_func("/worker/a sink knows how far it is when it is flushed",
                    a_sink_knows_how_far_it_is_when_it_is_flushed);
    return g_test_run();
}
