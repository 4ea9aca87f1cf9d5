/* A heap over the streams that have a packet and a list of those that have none. When to wait, and for what, is the
 * worker's business; when a stream is complete is the engine's. */
#include "flow/merge.h"

#include "rxtxcpu/capture_format.h"

static bool before(const rxtx_merge_entry *a, const rxtx_merge_entry *b)
{
    return a->ts_ns < b->ts_ns || (a->ts_ns == b->ts_ns && a->stream->id < b->stream->id);
}

static void sift_up(rxtx_merge *merge, rxtx_merge_entry entry)
{
    unsigned at = merge->n_heap++;

    for (; at > 0 && before(&entry, &merge->heap[(at - 1) / 2]); at = (at - 1) / 2)
        merge->heap[at] = merge->heap[(at - 1) / 2];
    merge->heap[at] = entry;
}

/* Puts entry in the place of the first. */
static void sift_down(rxtx_merge *merge, rxtx_merge_entry entry)
{
    unsigned at = 0;

    for (;;) {
        unsigned child = 2 * at + 1;
        if (child >= merge->n_heap)
            break;
        if (child + 1 < merge->n_heap && before(&merge->heap[child + 1], &merge->heap[child]))
            child++;
        if (!before(&merge->heap[child], &entry))
            break;
        merge->heap[at] = merge->heap[child];
        at = child;
    }
    merge->heap[at] = entry;
}

static void add_idle(rxtx_merge *merge, rxtx_stream *stream)
{
    merge->idle[merge->n_idle++] = stream;
    merge->frontier_ns = MIN(merge->frontier_ns, stream->complete_ns);
}

/* Looks again at the idle streams that are not complete up to `until_ns`, and reckons the frontier anew. Streams that
 * are complete beyond it need no look: their answer would change nothing. */
static void refresh_idle(rxtx_merge *merge, uint64_t until_ns)
{
    unsigned n = merge->n_idle;

    merge->n_idle = 0;
    merge->frontier_ns = UINT64_MAX;
    for (unsigned i = 0; i < n; i++) {
        rxtx_stream *stream = merge->idle[i];
        if (stream->complete_ns < until_ns)
            stream->ops->refresh(stream);
        if (stream->pending)
            sift_up(merge, (rxtx_merge_entry){stream->head.ts_ns, stream});
        else
            add_idle(merge, stream);
    }
}

void rxtx_merge_init(rxtx_merge *merge, rxtx_stream *const *streams, unsigned n)
{
    *merge = (rxtx_merge){.heap = g_new(rxtx_merge_entry, n), .idle = g_new(rxtx_stream *, n)};
    merge->frontier_ns = UINT64_MAX;
    for (unsigned i = 0; i < n; i++) {
        if (streams[i]->pending)
            sift_up(merge, (rxtx_merge_entry){streams[i]->head.ts_ns, streams[i]});
        else
            add_idle(merge, streams[i]);
    }
}

void rxtx_merge_clear(rxtx_merge *merge)
{
    g_clear_pointer(&merge->heap, g_free);
    g_clear_pointer(&merge->idle, g_free);
}

void rxtx_merge_refresh(rxtx_merge *merge)
{
    refresh_idle(merge, UINT64_MAX);
}

rxtx_stream *rxtx_merge_next(rxtx_merge *merge, bool all)
{
    if (merge->n_heap == 0 || merge->heap[0].ts_ns > merge->frontier_ns)
        refresh_idle(merge, merge->n_heap > 0 ? merge->heap[0].ts_ns : UINT64_MAX);
    if (merge->n_heap == 0 || (merge->heap[0].ts_ns > merge->frontier_ns && !all))
        return NULL;
    return merge->heap[0].stream;
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
    rxtx_stream *stream = merge->heap[0].stream;

    count_order(merge, merge->heap[0].ts_ns);
    stream->ops->advance(stream);
    if (stream->pending) {
        sift_down(merge, (rxtx_merge_entry){stream->head.ts_ns, stream});
        return;
    }
    if (--merge->n_heap > 0)
        sift_down(merge, merge->heap[merge->n_heap]);
    add_idle(merge, stream);
}

bool rxtx_merge_holds(const rxtx_merge *merge)
{
    return merge->n_heap > 0;
}
