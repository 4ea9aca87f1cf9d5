/* Several far ends as one engine. The conversation with each is far.c's. */
#include "remote/remote.h"

#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "remote/far.h"
#include "rxtxcpu/capture_format.h"
#include "rxtxcpu/remote_protocol.h"

enum {
    PING_MS = 1000,
    LOOK_MS = 500,
    US_PER_MS = 1000,
    NS_PER_US = 1000,
    EXCHANGES = 4, /* of the clocks' readings before the start */
};

struct rxtx_remote {
    rxtx_engine engine; /* first */
    const rxtx_options *options;
    rxtx_far *fars; /* n_fars */
    unsigned n_fars;
    rxtx_source *sources;  /* one for each */
    GPtrArray *interfaces; /* of rxtx_far_interface */
    struct pollfd *polls;
    guint ping;       /* GLib's id of the timer, 0 = none */
    gint64 pinged_us; /* monotonic: when all were pinged last */
    bool halted;
};

/* ---- reading them all ---- */

static gint64 silence_us(const rxtx_remote *r)
{
    return (gint64)r->options->remote_timeout * G_USEC_PER_SEC;
}

/* Who must wait for us is not silent. */
static void read_far(rxtx_remote *r, rxtx_far *far, bool room)
{
    if (far->failure != NULL)
        return;
    if (!room)
        far->heard_us = g_get_monotonic_time();
    rxtx_far_read(far);
    if (room && !far->stream.pending)
        rxtx_far_check_silence(far, silence_us(r));
}

/* Waits for what the far ends say and for two other descriptors, and takes it. False = one of those two. */
static bool wait_and_read(rxtx_remote *r, int stop_fd, int output_fd, int timeout_ms)
{
    nfds_t n = 2;

    r->polls[0] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
    r->polls[1] = (struct pollfd){.fd = output_fd};
    for (unsigned i = 0; i < r->n_fars; i++) {
        bool room = rxtx_far_has_room(&r->fars[i]) && r->fars[i].failure == NULL;
        r->polls[n++] = (struct pollfd){.fd = room ? r->fars[i].ssh.out : -1, .events = POLLIN};
        r->polls[n++] = (struct pollfd){.fd = room ? r->fars[i].ssh.err : -1, .events = POLLIN};
    }
    if (poll(r->polls, n, timeout_ms) < 0)
        return true; /* EINTR */
    for (unsigned i = 0; i < r->n_fars; i++)
        read_far(r, &r->fars[i], r->polls[2 + 2 * i].fd >= 0);
    return r->polls[1].revents == 0;
}

static bool copy_failure(const rxtx_far *far, GError **error)
{
    if (far->failure != NULL)
        g_propagate_error(error, g_error_copy(far->failure));
    return far->failure == NULL;
}

/* ---- connecting ---- */

static void ping_all(const rxtx_remote *r)
{
    for (rxtx_far *far = r->fars; far < r->fars + r->n_fars; far++)
        if (far->asked)
            rxtx_far_ping(far);
}

/* Who waits for others, or for a link, is told now and then that we are there, and what it says is heard. */
static void tend(gpointer data)
{
    rxtx_remote *r = data;
    gint64 now_us = g_get_monotonic_time();

    for (rxtx_far *far = r->fars; far < r->fars + r->n_fars; far++)
        if (far->asked && far->failure == NULL) {
            rxtx_far_read(far);
            rxtx_far_look(far);
        }
    if (now_us - r->pinged_us < PING_MS * US_PER_MS)
        return;
    r->pinged_us = now_us;
    ping_all(r);
    for (rxtx_far *far = r->fars; far < r->fars + r->n_fars; far++)
        rxtx_far_show_said(far);
}

/* Waits until `done`, at most until a time; G_MAXINT64 = a person may have to do something first. */
static bool await(rxtx_remote *r, rxtx_far *far, bool (*done)(const rxtx_far *far), gint64 deadline_us, GError **error)
{
    rxtx_far_look(far);
    while (!done(far) && far->failure == NULL) {
        wait_and_read(r, -1, -1, LOOK_MS);
        tend(r);
        if (g_get_monotonic_time() > deadline_us && !done(far) && far->failure == NULL)
            return rxtx_set_error(error, RXTX_ERROR_REMOTE,
                                  "%s: The other end does not do what it should.\nTo wait longer: --remote-timeout "
                                  "SECONDS",
                                  far->label);
    }
    return copy_failure(far, error);
}

static gint64 soon_us(const rxtx_remote *r)
{
    return g_get_monotonic_time() + silence_us(r);
}

static bool is_greeted(const rxtx_far *far)
{
    return far->greeted || far->text != NULL || far->over;
}

static bool has_answered(const rxtx_far *far)
{
    return far->answers > 0 || far->over;
}

static bool connect_to(rxtx_remote *r, unsigned number, rxtx_event_tell tell, gpointer data, GError **error)
{
    rxtx_far *far = &r->fars[r->n_fars++];

    far->tell = tell;
    far->tell_data = data;
    if (!rxtx_far_start(far, r->options, number, r->interfaces, &(rxtx_far_tick){tend, r}, error))
        return false;
    return await(r, far, is_greeted, G_MAXINT64, error);
}

/* A few round trips one after another; what is sent together waits for each other. What was said while others were
 * waited for told nothing of the way. */
static bool compare_clocks(rxtx_remote *r, rxtx_far *far, GError **error)
{
    rxtx_far_read(far);
    rxtx_far_look(far);
    far->clock = (rxtx_clock_offset){0};
    for (unsigned i = 0; i < EXCHANGES; i++) {
        r->pinged_us = g_get_monotonic_time(); /* no other ping in between */
        far->answers = 0;
        rxtx_far_ping(far);
        if (!await(r, far, has_answered, soon_us(r), error))
            return false;
    }
    far->clock.first_ns = far->clock.offset_ns;
    far->clock.first_error_ns = far->clock.error_ns;
    return true;
}

/* ---- one order for all ---- */

static const char *sign_of(int64_t ns)
{
    return ns < 0 ? "behind" : "ahead of";
}

/* How far two clocks are apart at least. */
static int64_t apart_ns(const rxtx_clock_offset *a, const rxtx_clock_offset *b)
{
    int64_t apart = ABS(a->offset_ns - b->offset_ns) - a->error_ns - b->error_ns;

    return a->known && b->known ? MAX(apart, 0) : 0;
}

/* So far apart, packets would wait for others longer than they can be kept. */
static bool check_clocks(const rxtx_remote *r, GError **error)
{
    for (const rxtx_far *a = r->fars; a < r->fars + r->n_fars; a++)
        for (const rxtx_far *b = a + 1; b < r->fars + r->n_fars; b++)
            if (apart_ns(&a->clock, &b->clock) > (int64_t)RXTX_CLOCK_STEP_NS)
                return rxtx_set_error(error, RXTX_ERROR_REMOTE,
                                      "The clock of %s is %.3f s %s that of %s: their packets have no common order.\n"
                                      "Set the clocks there (for instance: chronyc makestep), or capture each host "
                                      "alone",
                                      b->label, (double)ABS(b->clock.offset_ns - a->clock.offset_ns) / 1e9,
                                      sign_of(b->clock.offset_ns - a->clock.offset_ns), a->label);
    return true;
}

static void refresh(rxtx_stream *stream)
{
    rxtx_far *far = (rxtx_far *)stream;

    rxtx_far_look(far);
    stream->complete_ns = far->over || far->failure != NULL ? UINT64_MAX : far->complete_ns;
}

static void advance(rxtx_stream *stream)
{
    uint64_t ts_ns = stream->head.ts_ns;

    stream->pending = false;
    refresh(stream);
    if (!stream->pending)
        stream->complete_ns = MAX(stream->complete_ns, ts_ns);
}

static const rxtx_stream_ops stream_ops = {.advance = advance, .refresh = refresh};

/* ---- sources ---- */

static char *name_there(const rxtx_source *source, int32_t ifindex)
{
    const rxtx_remote *r = source->data;
    const rxtx_far_interface *interface =
        (guint)ifindex - 1 < r->interfaces->len ? g_ptr_array_index(r->interfaces, (guint)ifindex - 1) : NULL;

    return interface != NULL ? g_strdup(interface->name) : NULL;
}

static char *clock_text(const rxtx_clock_offset *clock)
{
    if (!clock->known)
        return g_strdup("");
    return g_strdup_printf("\nclock: %.6f s %s the capturing host's (+- %.6f s)", (double)ABS(clock->offset_ns) / 1e9,
                           sign_of(clock->offset_ns), (double)clock->error_ns / 1e9);
}

static char *comment_there(const rxtx_source *source, const char *name)
{
    const rxtx_remote *r = source->data;
    const rxtx_far *far = &r->fars[source - r->sources];
    gpointer place = g_hash_table_lookup(far->names, name);
    const rxtx_far_interface *interface =
        place != NULL ? g_ptr_array_index(r->interfaces, GPOINTER_TO_UINT(place) - 1) : NULL;
    g_autofree char *clock = clock_text(&far->clock);

    return g_strconcat(interface != NULL && interface->comment != NULL ? interface->comment : "steering: not told",
                       clock, NULL);
}

static void make_source(rxtx_remote *r, unsigned i)
{
    const rxtx_far *far = &r->fars[i];

    r->sources[i] = (rxtx_source){
        .host = far->label,
        .interface = r->options->interface,
        .linktype = rxtx_far_linktype(far),
        .filter = rxtx_far_fact(far, "filter"),
        .clock_offset_ns = far->clock.known ? far->clock.offset_ns : 0,
        .name = name_there,
        .comment = comment_there,
        .data = r,
    };
}

const rxtx_source *rxtx_remote_sources(const rxtx_remote *remote)
{
    return remote->sources;
}

/* ---- the engine ---- */

static bool is_ready(const rxtx_far *far)
{
    unsigned due = 0;

    for (guint i = 0; i < far->groups->len; i++)
        due += g_array_index(far->groups, rxtx_plan_group, i).due;
    return far->over || far->stream.pending ||
           (far->decoder.in_section && (far->options->interface == NULL || far->decoder.n_interfaces >= due));
}

static gboolean on_ping(gpointer data)
{
    ping_all(data);
    return G_SOURCE_CONTINUE;
}

static bool remote_start(rxtx_engine *engine, GError **error)
{
    rxtx_remote *r = (rxtx_remote *)engine;

    for (unsigned i = 0; i < r->n_fars; i++)
        rxtx_far_say(&r->fars[i], RXTX_BLOCK_START, NULL);
    for (unsigned i = 0; i < r->n_fars; i++)
        if (!await(r, &r->fars[i], is_ready, soon_us(r), error))
            return false;
    r->ping = g_timeout_add(PING_MS, on_ping, r);
    return true;
}

/* A far end that failed ends the capture of all: half an answer would look like a whole one. */
static bool take_failure(rxtx_remote *r)
{
    for (unsigned i = 0; i < r->n_fars && r->engine.failure == NULL; i++)
        if (r->fars[i].failure != NULL && !r->fars[i].stream.pending)
            r->engine.failure = g_error_copy(r->fars[i].failure);
    return r->engine.failure != NULL;
}

static bool settled(rxtx_engine *engine)
{
    const rxtx_remote *r = (const rxtx_remote *)engine;
    bool all = true;

    engine->downs = 0;
    for (unsigned i = 0; i < r->n_fars; i++) {
        all = all && (r->fars[i].over || r->fars[i].failure != NULL);
        engine->downs += r->fars[i].downs;
    }
    return all;
}

/* END, and nobody had said STOP. */
static void note_end(rxtx_remote *r)
{
    for (unsigned i = 0; i < r->n_fars && r->engine.failure == NULL; i++)
        if (r->fars[i].over && !r->fars[i].stream.pending)
            rxtx_set_error(&r->engine.failure, RXTX_ERROR_REMOTE, "%s: The capture was ended at the other end",
                           r->fars[i].label);
}

/* A block that grows is a sign of life too: it may be long, and the way there slow. */
static void note_growth(rxtx_remote *r, rxtx_far *far)
{
    size_t rest = far->stream.pending ? 0 : far->end - far->begin;

    if (rest > far->rest)
        r->engine.moved_us = g_get_monotonic_time();
    far->rest = rest;
}

static rxtx_wait_result remote_wait(rxtx_engine *engine, const rxtx_wait_for *what)
{
    rxtx_remote *r = (rxtx_remote *)engine;
    int timeout_ms = what->timeout_ms < 0 || what->timeout_ms > LOOK_MS ? LOOK_MS : what->timeout_ms;

    if (!wait_and_read(r, what->stop_fd, what->output_fd, timeout_ms))
        return RXTX_WAIT_READER_GONE;
    for (unsigned i = 0; i < r->n_fars; i++)
        if (!r->fars[i].stream.pending) {
            refresh(&r->fars[i].stream);
            note_growth(r, &r->fars[i]);
        }
    if (!take_failure(r) && !r->halted)
        note_end(r);
    if (r->engine.failure == NULL && !r->halted)
        check_clocks(r, &r->engine.failure); /* one may have been set meanwhile */
    return engine->failure != NULL && !r->halted ? RXTX_WAIT_FAILED : RXTX_WAIT_GO_ON;
}

static void remote_halt(rxtx_engine *engine)
{
    rxtx_remote *r = (rxtx_remote *)engine;

    r->halted = true;
    for (unsigned i = 0; i < r->n_fars; i++)
        rxtx_far_say(&r->fars[i], RXTX_BLOCK_STOP, NULL);
}

static void add_stats(const rxtx_engine *engine, rxtx_stats *groups)
{
    const rxtx_remote *r = (const rxtx_remote *)engine;

    for (unsigned i = 0; i < r->n_fars; i++)
        for (guint g = 0; g < r->fars[i].groups->len; g++) {
            rxtx_stats *group = &groups[r->fars[i].first_group + g];
            rxtx_stats_add(group, &r->fars[i].counted[g]);
            group->accepted = MAX(group->accepted, group->delivered + group->dropped); /* if it could not tell us */
        }
}

static void remote_free(rxtx_engine *engine)
{
    rxtx_remote_free((rxtx_remote *)engine);
}

rxtx_engine *rxtx_remote_engine(rxtx_remote *remote)
{
    return &remote->engine;
}

const char *rxtx_remote_unsettled(const rxtx_remote *remote)
{
    for (unsigned i = 0; i < remote->n_fars; i++)
        if (!remote->fars[i].over && remote->fars[i].failure == NULL)
            return remote->fars[i].label;
    return NULL;
}

rxtx_clock_offset *rxtx_remote_clocks(const rxtx_remote *remote)
{
    rxtx_clock_offset *clocks = g_new(rxtx_clock_offset, remote->n_fars);

    for (unsigned i = 0; i < remote->n_fars; i++) {
        clocks[i] = remote->fars[i].clock;
        clocks[i].error_ns = rxtx_clock_offset_error(&clocks[i], (uint64_t)g_get_real_time() * NS_PER_US);
    }
    return clocks;
}

/* ---- all together ---- */

static void free_interface(gpointer data)
{
    rxtx_far_interface *interface = data;

    g_free(interface->name);
    g_free(interface->comment);
    g_free(interface);
}

static rxtx_remote *new_remote(const rxtx_options *options)
{
    static const rxtx_engine_ops ops = {.start = remote_start,
                                        .wait = remote_wait,
                                        .halt = remote_halt,
                                        .settled = settled,
                                        .add_stats = add_stats,
                                        .free = remote_free};
    rxtx_remote *r = g_new0(rxtx_remote, 1);
    guint n = g_strv_length(options->remote_hosts);

    r->engine =
        (rxtx_engine){.ops = &ops, .settle_us = (gint64)options->remote_timeout * G_USEC_PER_SEC, .counts_late = true};
    r->options = options;
    r->fars = g_new0(rxtx_far, n);
    r->sources = g_new0(rxtx_source, n);
    r->polls = g_new0(struct pollfd, 2 * n + 2);
    r->interfaces = g_ptr_array_new_with_free_func(free_interface);
    return r;
}

/* Once all are known. */
static void number_groups(rxtx_remote *r)
{
    unsigned n = 0;

    r->engine.streams = g_new(rxtx_stream *, r->n_fars);
    r->engine.n_streams = r->n_fars;
    for (unsigned i = 0; i < r->n_fars; i++) {
        r->fars[i].first_group = n;
        n += r->fars[i].groups->len; /* NOLINT(clang-analyzer-core.NullDereference): each has said hello */
        r->fars[i].stream.ops = &stream_ops;
        r->engine.streams[i] = &r->fars[i].stream;
        make_source(r, i);
    }
}

rxtx_remote *rxtx_remote_connect(const rxtx_options *options, rxtx_event_tell tell, gpointer data, GError **error)
{
    g_autoptr(rxtx_remote) r = new_remote(options);

    for (unsigned i = 0; options->remote_hosts[i] != NULL; i++) {
        if (!connect_to(r, i, tell, data, error))
            return NULL;
        if (!r->fars[i].greeted) {
            rxtx_set_error(error, RXTX_ERROR_REMOTE, "%s: The other end ended before it began", r->fars[i].label);
            return NULL;
        }
    }
    for (unsigned i = 0; i < r->n_fars; i++)
        if (!compare_clocks(r, &r->fars[i], error))
            return NULL;
    if (!check_clocks(r, error))
        return NULL;
    number_groups(r);
    return g_steal_pointer(&r);
}

rxtx_plan *rxtx_remote_plan(rxtx_remote *remote, GError **error)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(rxtx_plan_group));
    g_auto(GStrv) hosts = g_new0(char *, remote->n_fars + 1);

    for (unsigned i = 0; i < remote->n_fars; i++) {
        const GArray *own = remote->fars[i].groups;
        g_array_append_vals(groups, own->data, own->len);
        hosts[i] = g_strdup(remote->fars[i].label);
    }
    return rxtx_plan_of_hosts(remote->options, g_steal_pointer(&hosts), (const rxtx_plan_group *)(void *)groups->data,
                              groups->len, error);
}

char *rxtx_remote_ask(const rxtx_options *options, unsigned host, GError **error)
{
    g_autoptr(rxtx_remote) r = new_remote(options);

    if (!connect_to(r, host, NULL, NULL, error))
        return NULL;
    if (r->fars[0].text == NULL)
        rxtx_set_error(error, RXTX_ERROR_REMOTE, "%s: The other end did not answer", r->fars[0].label);
    return g_steal_pointer(&r->fars[0].text);
}

void rxtx_remote_free(rxtx_remote *remote)
{
    if (remote == NULL)
        return;
    if (remote->ping != 0)
        g_source_remove(remote->ping);
    for (unsigned i = 0; i < remote->n_fars; i++)
        rxtx_far_clear(&remote->fars[i]);
    g_clear_error(&remote->engine.failure);
    g_ptr_array_unref(remote->interfaces);
    g_free(remote->engine.streams);
    g_free(remote->sources);
    g_free(remote->polls);
    g_free(remote->fars);
    g_free(remote);
}
