/* When a turn ends, what is true of each, and which files stay. What is in a file is the inner sink's. */
#include "sink/sink_ring.h"

#include <unistd.h>

/* The clock is read with every so many packets. */
enum { CLOCK_PACKETS = 256 };

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_sink_ring_limits limits;
    bool numbered; /* there may be a second turn */
    rxtx_sink_ring_open open;
    gpointer data;
    rxtx_stop *stop;
    rxtx_sink *inner; /* NULL = the next turn could not be opened */
    unsigned number;
    guint64 packets;   /* of this turn */
    bool full;         /* nothing more is taken */
    GQueue past;       /* of GPtrArray: the files of the turns that stay */
    unsigned n;        /* groups */
    rxtx_stats *turn;  /* n, of this turn: delivered and dropped */
    rxtx_stats *told;  /* n, of the turns that are closed: what their files say */
    uint64_t *missing; /* n: taken by inner sinks and not in their files after all */
} sink_ring;

static bool open_turn(sink_ring *s, GError **error)
{
    rxtx_file_turn turn = {.number = s->numbered ? s->number + 1 : 0, .begun_us = g_get_real_time()};

    s->inner = s->open(s->data, &turn, error);
    if (s->inner == NULL)
        return false;
    s->number++;
    s->packets = 0;
    s->sink.watch_fd = s->inner->watch_fd;
    if (s->limits.file_us > 0)
        s->sink.due_us = g_get_monotonic_time() + (gint64)s->limits.file_us;
    return true;
}

static void take_failure(sink_ring *s)
{
    if (s->inner->failure != NULL && s->sink.failure == NULL)
        s->sink.failure = g_error_copy(s->inner->failure);
}

static void close_inner(sink_ring *s)
{
    take_failure(s);
    if (s->inner->files != NULL && s->limits.keep > 0)
        g_queue_push_tail(&s->past, g_ptr_array_ref(s->inner->files));
    s->inner->ops->free(s->inner);
    s->inner = NULL;
}

/* A turn that is closed before the end accepted what it delivered and what its packets say was lost. */
static void close_turn(sink_ring *s)
{
    for (unsigned i = 0; i < s->n; i++)
        s->turn[i].accepted = s->turn[i].delivered + s->turn[i].dropped;
    for (unsigned i = 0; i < s->n; i++)
        s->missing[i] += s->turn[i].delivered;
    s->inner->ops->finish(s->inner, s->turn);
    for (unsigned i = 0; i < s->n; i++) {
        s->missing[i] -= s->turn[i].delivered;
        rxtx_stats_add(&s->told[i], &s->turn[i]);
        s->turn[i] = (rxtx_stats){0};
    }
    close_inner(s);
}

/* What we made ourselves in this capture, and nothing else. */
static void delete_oldest(sink_ring *s)
{
    while (s->limits.keep > 0 && g_queue_get_length(&s->past) >= s->limits.keep) {
        g_autoptr(GPtrArray) files = g_queue_pop_head(&s->past);
        for (guint i = 0; i < files->len; i++)
            (void)unlink(g_ptr_array_index(files, i));
    }
}

static void stop_full(sink_ring *s)
{
    s->full = true;
    rxtx_stop_request(s->stop, RXTX_STOP_SIZE);
}

static void next_turn(sink_ring *s)
{
    GError *error = NULL;

    if (s->limits.turns > 0 && s->number >= s->limits.turns) {
        stop_full(s);
        return;
    }
    close_turn(s);
    delete_oldest(s);
    if (s->sink.failure == NULL && !open_turn(s, &error))
        s->sink.failure = g_steal_pointer(&error);
    if (s->sink.failure != NULL)
        rxtx_stop_request(s->stop, RXTX_STOP_OUTPUT_FAILED);
}

static bool reached(guint64 value, guint64 limit)
{
    return limit > 0 && value >= limit;
}

static bool is_due(const sink_ring *s)
{
    return s->limits.file_us > 0 && g_get_monotonic_time() >= s->sink.due_us;
}

static void look_at_limits(sink_ring *s)
{
    if (reached(s->inner->size, s->limits.last_bytes))
        stop_full(s);
    else if (reached(s->inner->size, s->limits.file_bytes) || reached(s->packets, s->limits.file_packets) ||
             (s->packets % CLOCK_PACKETS == 0 && is_due(s)))
        next_turn(s);
}

static bool push(rxtx_sink *sink, unsigned group, const rxtx_packet *packet)
{
    sink_ring *s = (sink_ring *)sink;

    if (s->full || s->inner == NULL || !s->inner->ops->push(s->inner, group, packet))
        return false;
    s->turn[group].delivered++;
    s->turn[group].dropped += packet->dropped;
    s->packets++;
    look_at_limits(s);
    return true;
}

static void flush(rxtx_sink *sink, bool more)
{
    sink_ring *s = (sink_ring *)sink;

    if (s->inner != NULL)
        s->inner->ops->flush(s->inner, more);
    if (s->inner != NULL && !s->full && is_due(s))
        next_turn(s);
}

/* The last turn has what the others have not told. */
static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    sink_ring *s = (sink_ring *)sink;

    for (unsigned i = 0; i < s->n; i++) {
        s->turn[i].accepted = stats[i].accepted - s->told[i].accepted;
        s->turn[i].dropped = stats[i].dropped - s->told[i].dropped;
        s->missing[i] += s->turn[i].delivered;
    }
    if (s->inner != NULL) {
        s->inner->ops->finish(s->inner, s->turn);
        take_failure(s);
    }
    for (unsigned i = 0; i < s->n; i++)
        stats[i].delivered -= s->missing[i] - s->turn[i].delivered;
}

static void free_sink(rxtx_sink *sink)
{
    sink_ring *s = (sink_ring *)sink;

    if (s->inner != NULL)
        s->inner->ops->free(s->inner);
    g_queue_clear_full(&s->past, (GDestroyNotify)g_ptr_array_unref);
    g_clear_error(&sink->failure);
    g_free(s->turn);
    g_free(s->told);
    g_free(s->missing);
    g_free(s);
}

rxtx_sink *rxtx_sink_ring_new(const rxtx_sink_ring_limits *limits, unsigned n, rxtx_sink_ring_open open, gpointer data,
                              rxtx_stop *stop, GError **error)
{
    static const rxtx_sink_ops ops = {.push = push, .flush = flush, .finish = finish, .free = free_sink};
    sink_ring *s = g_new0(sink_ring, 1);

    *s = (sink_ring){.sink = {.ops = &ops}, .limits = *limits, .open = open, .data = data, .stop = stop, .n = n};
    s->numbered = limits->file_bytes > 0 || limits->file_packets > 0 || limits->file_us > 0;
    s->turn = g_new0(rxtx_stats, n);
    s->told = g_new0(rxtx_stats, n);
    s->missing = g_new0(uint64_t, n);
    if (open_turn(s, error))
        return &s->sink;
    free_sink(&s->sink);
    return NULL;
}
