/* Pull, push, wait: the one loop on the path of a packet, and how it ends. Order is merge.c's, bytes are the sink's,
 * when to stop is decided by whoever raises the stop event. */
#include "flow/worker.h"

#include "flow/merge.h"

/* While packets are held back by a stream that has none: until an empty ring is complete beyond them, and, when that
 * ring is being filled, at most until it is handed over, which wakes us. */
static const int time_wait_ms = 2;
static const int fill_wait_ms = 50;

static bool deliver(rxtx_worker *worker, rxtx_merge *merge, rxtx_stream *stream)
{
    unsigned group = stream->group;
    bool taken = worker->sink->ops->push(worker->sink, group, &stream->head);

    if (taken)
        rxtx_stats_count(&worker->stats[group], &stream->head);
    rxtx_merge_step(merge);
    return taken;
}

/* Everything that may go out now; returns how many did. */
static uint64_t deliver_ready(rxtx_worker *worker, rxtx_merge *merge, uint64_t limit, bool all)
{
    uint64_t n = 0;
    rxtx_stream *stream;

    if (rxtx_merge_holds(merge))
        rxtx_merge_refresh(merge);
    while (n < limit && (stream = rxtx_merge_next(merge, all)) != NULL)
        if (!deliver(worker, merge, stream))
            break;
        else
            n++;
    return n;
}

/* Until the sink wants to be called; -1 = it does not. Rounded up, or it would be called for nothing. */
static int until_due_ms(const rxtx_sink *sink)
{
    gint64 left_us = sink->due_us - g_get_monotonic_time();

    return sink->due_us == 0 ? -1 : (int)CLAMP(left_us / 1000 + 1, 0, G_MAXINT);
}

static int timeout_of(const rxtx_worker *worker, const rxtx_merge *merge)
{
    int due_ms = until_due_ms(worker->sink);
    int wait_ms = !rxtx_merge_holds(merge) ? -1 : rxtx_merge_needs_time(merge) ? time_wait_ms : fill_wait_ms;

    return due_ms >= 0 && (wait_ms < 0 || due_ms < wait_ms) ? due_ms : wait_ms;
}

/* False when there is nothing more to wait for. */
static bool wait_for_more(rxtx_worker *worker, int stop_fd, int timeout_ms)
{
    rxtx_wait_for what = {.stop_fd = stop_fd, .output_fd = worker->sink->watch_fd, .timeout_ms = timeout_ms};

    switch (worker->engine->ops->wait(worker->engine, &what)) {
    case RXTX_WAIT_GO_ON:
        return true;
    case RXTX_WAIT_READER_GONE:
        rxtx_stop_request(worker->stop, RXTX_STOP_READER_GONE);
        return false;
    case RXTX_WAIT_FAILED:
        rxtx_stop_request(worker->stop, RXTX_STOP_ENGINE_FAILED);
        return true;
    }
    g_assert_not_reached();
}

/* A batch bounds how long a stop can go unseen. */
static void run_until_stopped(rxtx_worker *worker, rxtx_merge *merge)
{
    static const uint64_t batch = 1024;
    uint64_t left = worker->count > 0 ? worker->count : UINT64_MAX;

    while (rxtx_stop_why(worker->stop) == RXTX_STOP_NONE) {
        uint64_t limit = MIN(left, batch);
        uint64_t n = deliver_ready(worker, merge, limit, false);

        left -= worker->count > 0 ? n : 0;
        if (left == 0)
            rxtx_stop_request(worker->stop, RXTX_STOP_COUNT);
        else if (n < limit) {
            worker->sink->complete_ns = rxtx_merge_complete_ns(merge);
            worker->sink->ops->flush(worker->sink, rxtx_merge_holds(merge));
            wait_for_more(worker, worker->stop->fd, timeout_of(worker, merge));
        }
    }
}

/* Has this end left anything in the rings that is to be delivered? */
static bool has_rest(rxtx_stop_reason why)
{
    return why == RXTX_STOP_USER || why == RXTX_STOP_DURATION || why == RXTX_STOP_ENGINE_FAILED;
}

static void deliver_rest(rxtx_worker *worker, rxtx_merge *merge)
{
    gint64 deadline = g_get_monotonic_time() + worker->engine->settle_us;

    while (worker->sink->failure == NULL && !rxtx_stop_hurry(worker->stop)) {
        if (deliver_ready(worker, merge, UINT64_MAX, false) > 0)
            deadline = g_get_monotonic_time() + worker->engine->settle_us;
        deadline = MAX(deadline, worker->engine->moved_us + worker->engine->settle_us);
        if ((!rxtx_merge_holds(merge) && worker->engine->ops->settled(worker->engine)) ||
            g_get_monotonic_time() >= deadline || !wait_for_more(worker, -1, time_wait_ms))
            break;
    }
    deliver_ready(worker, merge, UINT64_MAX, true);
}

/* Behind an exact count: nobody gets it, but how much it was is to be known. */
static void discard_rest(rxtx_worker *worker, rxtx_merge *merge)
{
    gint64 deadline = g_get_monotonic_time() + worker->engine->settle_us;

    do
        for (; rxtx_merge_next(merge, true) != NULL; rxtx_merge_step(merge))
            deadline = g_get_monotonic_time() + worker->engine->settle_us;
    while (!worker->engine->ops->settled(worker->engine) && g_get_monotonic_time() < deadline &&
           !rxtx_stop_hurry(worker->stop) && wait_for_more(worker, -1, time_wait_ms));
}

/* What the kernel counted replaces what the packets told, and what the sink could not bring out is not delivered. On a
 * copy, for others may be reading. */
static void close_books(rxtx_worker *worker)
{
    rxtx_engine *engine = worker->engine;
    g_autofree rxtx_stats *stats = g_memdup2(worker->stats, worker->n_groups * sizeof *stats);

    engine->ops->settled(engine);
    for (unsigned group = 0; group < worker->n_groups; group++)
        stats[group].dropped = 0;
    engine->ops->add_stats(engine, stats);
    worker->sink->ops->finish(worker->sink, stats);
    for (unsigned group = 0; group < worker->n_groups; group++)
        rxtx_stats_write(&worker->stats[group], &stats[group]);
}

void rxtx_worker_run(rxtx_worker *worker)
{
    rxtx_engine *engine = worker->engine;
    rxtx_merge merge;

    rxtx_merge_init(&merge, engine->streams, engine->n_streams, engine->ops->now_ns);
    run_until_stopped(worker, &merge);
    engine->ops->halt(engine);
    if (has_rest(rxtx_stop_why(worker->stop)))
        deliver_rest(worker, &merge);
    worker->late = merge.late;
    worker->clock_steps = merge.clock_steps;
    if (rxtx_stop_why(worker->stop) == RXTX_STOP_COUNT && engine->counts_late)
        discard_rest(worker, &merge);
    rxtx_merge_clear(&merge);
    close_books(worker);
}
