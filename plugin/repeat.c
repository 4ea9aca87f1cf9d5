/* The frames of the last window, by their hash, the one that was not seen for longest first. */
#include "repeat.h"

#define XXH_INLINE_ALL
#define XXH_NO_INLINE_HINTS 1 /* the compiler may refuse to, without optimisation */
#include <xxhash.h>

/* A run. It is its own key in the table: a GHashTable compares by what it points to. */
typedef struct {
    XXH128_hash_t hash;
    guint64 last_ns;
    guint64 window_begin_ns;
    guint32 original; /* its frame */
    guint32 count;    /* repeats */
    guint32 in_window;
    bool alarmed;
    GList link; /* in repeats->by_age */
} run;

struct rxtx_repeats {
    guint64 key, window_ns;
    guint32 rate;
    GHashTable *runs; /* a set, which owns them */
    GQueue by_age;    /* of run, the oldest last_ns at its head */
};

static guint hash_run(gconstpointer pointer)
{
    return (guint)((const run *)pointer)->hash.low64;
}

static gboolean equal_runs(gconstpointer a, gconstpointer b)
{
    return XXH128_isEqual(((const run *)a)->hash, ((const run *)b)->hash);
}

/* The scope is part of the key of the bytes' hash. */
static XXH128_hash_t hash_frame(const rxtx_repeats *repeats, const rxtx_repeat_scope *scope, const guint8 *bytes,
                                gsize caplen)
{
    return XXH3_128bits_withSeed(bytes, caplen, XXH3_64bits_withSeed(scope, sizeof *scope, repeats->key));
}

static void forget(rxtx_repeats *repeats, run *one)
{
    g_queue_unlink(&repeats->by_age, &one->link);
    g_hash_table_remove(repeats->runs, one); /* frees it */
}

static void forget_all(rxtx_repeats *repeats)
{
    g_queue_init(&repeats->by_age);
    g_hash_table_remove_all(repeats->runs);
}

static run *oldest(const rxtx_repeats *repeats)
{
    return repeats->by_age.head != NULL ? (run *)repeats->by_age.head->data : NULL;
}

static run *newest(const rxtx_repeats *repeats)
{
    return repeats->by_age.tail != NULL ? (run *)repeats->by_age.tail->data : NULL;
}

static void forget_old(rxtx_repeats *repeats, guint64 now_ns)
{
    if (newest(repeats) != NULL && now_ns < newest(repeats)->last_ns)
        forget_all(repeats);
    while (oldest(repeats) != NULL && now_ns - oldest(repeats)->last_ns > repeats->window_ns)
        forget(repeats, oldest(repeats));
}

static void begin(rxtx_repeats *repeats, XXH128_hash_t hash, guint32 frame, guint64 now_ns)
{
    run *one = g_new(run, 1);

    if (g_hash_table_size(repeats->runs) >= RXTX_REPEATS_MAX)
        forget(repeats, oldest(repeats));
    *one = (run){.hash = hash, .last_ns = now_ns, .window_begin_ns = now_ns, .original = frame, .link = {.data = one}};
    g_hash_table_add(repeats->runs, one);
    g_queue_push_tail_link(&repeats->by_age, &one->link);
}

/* Whether this repeat is the one that makes the run an alarm. */
static bool alarms(const rxtx_repeats *repeats, run *one, guint64 now_ns)
{
    if (now_ns - one->window_begin_ns > repeats->window_ns) {
        one->window_begin_ns = now_ns;
        one->in_window = 0;
    }
    one->in_window++;
    if (one->alarmed || one->in_window < repeats->rate)
        return false;
    one->alarmed = true;
    return true;
}

static void go_on(rxtx_repeats *repeats, run *one, guint64 now_ns, rxtx_past *past)
{
    one->last_ns = now_ns;
    one->count++;
    g_queue_unlink(&repeats->by_age, &one->link);
    g_queue_push_tail_link(&repeats->by_age, &one->link);
    past->repeat = one->count & RXTX_REPEAT_MAX;
    past->repeat_of = one->original;
    past->repeat_alarm = alarms(repeats, one, now_ns);
}

void rxtx_repeats_next(rxtx_repeats *repeats, guint32 frame, guint64 time_ns, const rxtx_repeat_scope *scope,
                       const guint8 *bytes, gsize caplen, rxtx_past *past)
{
    run wanted = {.hash = hash_frame(repeats, scope, bytes, caplen)};
    run *found;

    forget_old(repeats, time_ns);
    found = (run *)g_hash_table_lookup(repeats->runs, &wanted);
    if (found != NULL && found->count == RXTX_REPEAT_MAX) { /* the count is full: it begins anew */
        forget(repeats, found);
        found = NULL;
    }
    if (found != NULL)
        go_on(repeats, found, time_ns, past);
    else
        begin(repeats, wanted.hash, frame, time_ns);
}

rxtx_repeats *rxtx_repeats_new(guint64 key, guint64 window_ns, guint32 rate)
{
    rxtx_repeats *repeats = g_new0(rxtx_repeats, 1);

    *repeats = (rxtx_repeats){.key = key,
                              .window_ns = window_ns,
                              .rate = rate,
                              .runs = g_hash_table_new_full(hash_run, equal_runs, g_free, NULL)};
    return repeats;
}

void rxtx_repeats_free(rxtx_repeats *repeats)
{
    if (repeats == NULL)
        return;
    g_hash_table_unref(repeats->runs);
    g_free(repeats);
}
