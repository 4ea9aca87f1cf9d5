/* A tournament of streams, those that have a packet and those that are in the way of one. When to wait, and for what,
 * is the worker's business; when a stream is complete is the engine's. */
#include "flow/merge.h"

#include "rxtxcpu/capture_format.h"

/* Not a stream, or one that is over: loses against all. */
static const uint64_t never = UINT64_MAX;
/* Keys below this are those of packets from before the clock was set back. */
static const uint64_t since_step = 1ull << 62;

static rxtx_merge_rank rank(uint64_t key, uint64_t id)
{
    return (rxtx_merge_rank)key << 64 | id;
}

/* Stamped before the clock was set back. Without this it would wait until the clock is there again. */
static bool is_from_before(rxtx_merge *merge, const rxtx_stream *stream)
{
    uint64_t ts_ns = stream->head.ts_ns;

    if (!stream->pending || merge->clock == NULL || ts_ns < merge->now_ns + RXTX_CLOCK_STEP_NS)
        return false;
    merge->now_ns = merge->clock();
    return ts_ns >= merge->now_ns + RXTX_CLOCK_STEP_NS;
}

static uint64_t key_of(rxtx_merge *merge, const rxtx_stream *stream)
{
    uint64_t ts_ns = stream->pending ? stream->head.ts_ns : stream->complete_ns;

    if (is_from_before(merge, stream))
        return MIN(ts_ns, since_step - 1);
    return since_step + (MIN(ts_ns, ((never - since_step) >> 1) - 1) << 1) + !stream->pending;
}

static rxtx_stream *winner(const rxtx_merge *merge)
{
    return merge->streams[(uint64_t)merge->winner];
}

/* The winner's key changes: it plays again against those who lost on its way. */
static void replay_winner(rxtx_merge *merge, uint64_t key)
{
    uint64_t id = (uint64_t)merge->winner;
    rxtx_merge_rank best = rank(key, id);

    for (uint64_t at = (merge->n_leaves + id) / 2; at > 0; at /= 2) {
        rxtx_merge_rank other = merge->losers[at];
        merge->losers[at] = MAX(best, other);
        best = MIN(best, other);
    }
    merge->winner = best;
}

/* Plays out the part below a node and returns who wins it; as deep as a tree of all streams is high. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static rxtx_merge_rank play(rxtx_merge *merge, unsigned node)
{
    rxtx_merge_rank left, right;

    if (node >= merge->n_leaves) {
        unsigned id = node - merge->n_leaves;
        return rank(id < merge->n_streams ? key_of(merge, merge->streams[id]) : never, id);
    }
    left = play(merge, 2 * node);
    right = play(merge, 2 * node + 1);
    merge->losers[node] = MAX(left, right);
    return MIN(left, right);
}

static void play_all(rxtx_merge *merge)
{
    merge->n_pending = 0;
    for (unsigned id = 0; id < merge->n_streams; id++)
        merge->n_pending += merge->streams[id]->pending;
    merge->winner = play(merge, 1);
}

void rxtx_merge_init(rxtx_merge *merge, rxtx_stream *const *streams, unsigned n, uint64_t (*clock)(void))
{
    *merge = (rxtx_merge){.streams = streams, .n_streams = n, .n_leaves = 1, .clock = clock};
    while (merge->n_leaves < n)
        merge->n_leaves *= 2;
    merge->losers = g_new0(rxtx_merge_rank, merge->n_leaves);
    play_all(merge);
}

void rxtx_merge_clear(rxtx_merge *merge)
{
    g_clear_pointer(&merge->losers, g_free);
}

void rxtx_merge_refresh(rxtx_merge *merge)
{
    if (merge->clock != NULL)
        merge->now_ns = merge->clock();
    for (unsigned id = 0; id < merge->n_streams; id++)
        if (!merge->streams[id]->pending)
            merge->streams[id]->ops->refresh(merge->streams[id]);
    play_all(merge);
}

/* A stream without a packet is in the way. False when it stays there. */
static bool look_again(rxtx_merge *merge, rxtx_stream *stream, bool all)
{
    uint64_t complete_ns = stream->complete_ns;

    stream->ops->refresh(stream);
    merge->n_pending += stream->pending;
    replay_winner(merge, all && !stream->pending ? never : key_of(merge, stream));
    merge->needs_time = stream->complete_ns > complete_ns;
    return stream->pending || winner(merge) != stream;
}

/* Asked in turn, streams that need time would be asked for ever: each moves on a little while the others are. Once they
 * all have been, it is time to wait. */
rxtx_stream *rxtx_merge_next(rxtx_merge *merge, bool all)
{
    unsigned looks = merge->n_streams;

    if (merge->n_pending == 0)
        rxtx_merge_refresh(merge);
    while (merge->n_pending > 0) {
        rxtx_stream *stream = winner(merge);
        if (stream->pending)
            return stream;
        if (looks-- == 0 || !look_again(merge, stream, all))
            return NULL;
    }
    return NULL;
}

/* A packet from before the clock was set back that comes behind one from after that: the clock was set once only. */
static bool is_straggler(rxtx_merge *merge, const rxtx_stream *stream)
{
    return merge->clock_steps > 0 && stream->head.ts_ns >= merge->newest_ns + RXTX_CLOCK_STEP_NS &&
           is_from_before(merge, stream);
}

static void count_order(rxtx_merge *merge, uint64_t ts_ns)
{
    if (ts_ns < merge->newest_ns && merge->newest_ns - ts_ns < RXTX_CLOCK_STEP_NS) {
        merge->late++;
        return;
    }
    merge->clock_steps += ts_ns < merge->newest_ns;
    merge->newest_ns = ts_ns;
}

void rxtx_merge_step(rxtx_merge *merge)
{
    rxtx_stream *stream = winner(merge);

    if (!is_straggler(merge, stream))
        count_order(merge, stream->head.ts_ns);
    stream->ops->advance(stream);
    merge->n_pending -= !stream->pending;
    replay_winner(merge, key_of(merge, stream));
}

uint64_t rxtx_merge_complete_ns(const rxtx_merge *merge)
{
    const rxtx_stream *stream = winner(merge);

    return stream->pending ? stream->head.ts_ns : stream->complete_ns;
}

bool rxtx_merge_holds(const rxtx_merge *merge)
{
    return merge->n_pending > 0;
}

bool rxtx_merge_needs_time(const rxtx_merge *merge)
{
    return merge->needs_time;
}
