/* The far end's side of the conversation. What is captured and how is session.c's and the engine's. */
#include "remote/serve.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/device.h"
#include "remote/message.h"
#include "remote/own_traffic.h"
#include "rxtxcpu/remote_protocol.h"

enum {
    NS_PER_US = 1000,
    MS_PER_S = 1000,
    LOOK_MS = 500,
    US_PER_MS = 1000,
    TEXT_MAX = 200000,
    FILTER_MAX = 32768,
    PUSHES_A_LOOK = 1024
};

struct rxtx_serve {
    int in, out;
    GByteArray *heard;     /* on standard input, not understood yet */
    gint64 heard_us;       /* monotonic: when the last of it came */
    gint64 idle_us;        /* monotonic: when we said last that we wait */
    bool gone;             /* the near end is, or says what is none of ours */
    rxtx_options *options; /* the request; NULL = none yet */
    rxtx_stop *stop;
    guint watch, timer;    /* GLib's ids, 0 = none */
    pthread_mutex_t mutex; /* of what follows */
    uint64_t ping_ns, ping_read_ns;
    GByteArray *events; /* messages that wait for their turn */
};

static uint64_t now_ns(void)
{
    return (uint64_t)g_get_real_time() * NS_PER_US;
}

static gint64 patience_us(const rxtx_serve *s)
{
    return (gint64)(s->options != NULL ? s->options->remote_timeout : 30) * G_USEC_PER_SEC;
}

/* ---- saying ---- */

/* A pipe that poll finds writable takes PIPE_BUF bytes without blocking. */
static void say_bytes(rxtx_serve *s, const GByteArray *bytes)
{
    struct pollfd out = {.fd = s->out, .events = POLLOUT};

    for (guint at = 0; at < bytes->len && !s->gone;) {
        ssize_t n = poll(&out, 1, (int)(patience_us(s) / US_PER_MS)) > 0
                        ? write(s->out, bytes->data + at, MIN(bytes->len - at, PIPE_BUF))
                        : -1;
        s->gone = n < 0 && errno != EINTR;
        at += (guint)MAX(n, 0);
    }
}

static void say(rxtx_serve *s, uint32_t type, GVariant *body)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    rxtx_message_put(bytes, type, body);
    say_bytes(s, bytes);
}

static GVariant *status(rxtx_serve *s, uint64_t complete_ns, bool over, const rxtx_stats *stats, unsigned n)
{
    GVariantBuilder counters;
    uint64_t asked, read_at;

    pthread_mutex_lock(&s->mutex);
    asked = s->ping_ns;
    read_at = s->ping_read_ns;
    pthread_mutex_unlock(&s->mutex);
    g_variant_builder_init(&counters, G_VARIANT_TYPE("a(ttt)"));
    for (unsigned i = 0; i < n; i++) {
        rxtx_stats now;
        rxtx_stats_read(&now, &stats[i]);
        g_variant_builder_add(&counters, "(ttt)", MAX(now.accepted, now.delivered + now.dropped), now.dropped,
                              now.delivered);
    }
    return g_variant_new("(ttttba(ttt))", asked, read_at, now_ns(), complete_ns, over, &counters);
}

void rxtx_serve_text(rxtx_serve *serve, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    if (strlen(valid) > TEXT_MAX) /* cut behind a line; a host has to have thousands of interfaces for it */
        *(g_strrstr_len(valid, TEXT_MAX, "\n") + 1) = '\0';
    say(serve, RXTX_BLOCK_TEXT, g_variant_new("(s)", valid));
}

void rxtx_serve_warn(rxtx_serve *serve, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    say(serve, RXTX_BLOCK_WARNING, g_variant_new("(s)", valid));
}

void rxtx_serve_event(rxtx_serve *serve, const rxtx_event *event)
{
    g_autofree char *text = g_utf8_make_valid(event->text, -1);

    pthread_mutex_lock(&serve->mutex);
    rxtx_message_put(serve->events, RXTX_BLOCK_EVENT,
                     g_variant_new("(tsis)", event->time_ns, rxtx_event_name(event->kind), event->cpu, text));
    pthread_mutex_unlock(&serve->mutex);
}

/* Those that wait; free with g_byte_array_unref. */
static GByteArray *take_events(rxtx_serve *s)
{
    GByteArray *events;

    pthread_mutex_lock(&s->mutex);
    events = s->events;
    s->events = g_byte_array_new();
    pthread_mutex_unlock(&s->mutex);
    return events;
}

void rxtx_serve_end(rxtx_serve *serve, const GError *error, uint64_t clock_steps, uint64_t downs, uint64_t late)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *path = g_utf8_make_valid(self != NULL ? self : "rxtxcpu", -1);
    g_autofree char *text = g_utf8_make_valid(error != NULL ? error->message : "", -1);
    g_autoptr(GByteArray) events = take_events(serve);

    say_bytes(serve, events);
    if (error != NULL)
        say(serve, RXTX_BLOCK_ERROR, g_variant_new("(uss)", (guint32)error->code, text, path));
    else
        say(serve, RXTX_BLOCK_END, g_variant_new("(ttt)", clock_steps, downs, late));
}

/* ---- hearing ---- */

rxtx_serve *rxtx_serve_new(void)
{
    rxtx_serve *s = g_new0(rxtx_serve, 1);

    s->in = STDIN_FILENO;
    s->out = dup(STDOUT_FILENO);
    s->heard = g_byte_array_new();
    s->heard_us = g_get_monotonic_time();
    pthread_mutex_init(&s->mutex, NULL);
    s->events = g_byte_array_new();
    return s;
}

/* Takes what is there; it does not block behind a poll that found something. */
static void hear(rxtx_serve *s)
{
    guint8 piece[4096];
    ssize_t n = read(s->in, piece, sizeof piece);

    if (n > 0) {
        g_byte_array_append(s->heard, piece, (guint)n);
        s->heard_us = g_get_monotonic_time();
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        s->gone = true;
    }
}

/* The next message, of which `type` is one the caller knows. NULL = none yet, or the near end is gone. */
static GVariant *next_message(rxtx_serve *s, uint32_t *type)
{
    rxtx_message_view view;
    rxtx_message_state state = rxtx_message_view_next(s->heard->data, s->heard->len, &view);
    GVariant *body;

    s->gone = s->gone || state == RXTX_MESSAGE_BAD;
    if (state != RXTX_MESSAGE_WHOLE)
        return NULL;
    *type = view.type;
    body = rxtx_message_body(view.type, view.body, view.size, view.swapped, NULL);
    s->gone = s->gone || body == NULL;
    g_byte_array_remove_range(s->heard, 0, (guint)view.block);
    return body;
}

/* Waits for something, and says whether the near end is still there. */
static bool await(rxtx_serve *s, int timeout_ms)
{
    struct pollfd in = {.fd = s->in, .events = POLLIN};

    if (poll(&in, 1, timeout_ms) > 0)
        hear(s);
    if (g_get_monotonic_time() - s->heard_us > patience_us(s))
        s->gone = true;
    return !s->gone;
}

/* ---- the request ---- */

/* It stands first in each version's request, so it can be told that it is another one. */
static bool check_version(const rxtx_serve *s, GError **error)
{
    rxtx_message_view view;
    guint32 words[2] = {0};

    if (rxtx_message_view_next(s->heard->data, s->heard->len, &view) != RXTX_MESSAGE_WHOLE || view.size < sizeof words)
        return true;
    memcpy(words, view.body, sizeof words);
    words[1] = view.swapped ? GUINT32_SWAP_LE_BE(words[1]) : words[1];
    return view.type != RXTX_BLOCK_REQUEST || words[1] == RXTX_REMOTE_PROTOCOL ||
           rxtx_set_error(error, RXTX_ERROR_REMOTE,
                          "The rxtxcpu there (version " RXTX_VERSION ") speaks protocol %d, this one protocol %u.\n"
                          "Update the older one, or bring ours along: --remote-deploy",
                          RXTX_REMOTE_PROTOCOL, words[1]);
}

static bool take_request(rxtx_serve *s, GVariant *body, uint32_t type, GError **error)
{
    g_autoptr(GVariant) pairs = NULL;

    if (type != RXTX_BLOCK_REQUEST)
        return rxtx_set_error(error, RXTX_ERROR_REMOTE, "The first message was no request");
    pairs = g_variant_get_child_value(body, 1);
    s->options = rxtx_options_from_request(pairs, error);
    return s->options != NULL;
}

const rxtx_options *rxtx_serve_request(rxtx_serve *serve, GError **error)
{
    g_autoptr(GVariant) body = NULL;
    uint32_t type = 0;

    while (body == NULL && await(serve, LOOK_MS)) {
        if (!check_version(serve, error))
            return NULL;
        body = next_message(serve, &type);
    }
    if (body == NULL)
        rxtx_set_error(error, RXTX_ERROR_REMOTE,
                       "There came no request that this rxtxcpu (version " RXTX_VERSION ") understands");
    return body != NULL && take_request(serve, body, type, error) ? serve->options : NULL;
}

/* ---- our own connection ---- */

static bool probe(const rxtx_options *options, const char *filter, GError **error)
{
    g_auto(rxtx_device) device = {0};

    if (options->interface == NULL)
        return rxtx_device_probe_all(&device, options->one_linktype, filter, error);
    return rxtx_device_probe(&device, options->interface, filter, error);
}

/* The filter that was asked for is tried alone first: it has to be one itself, and errors are about it. */
bool rxtx_serve_leave_out_ourselves(rxtx_serve *serve, GError **error)
{
    rxtx_options *options = serve->options;
    g_autofree char *connection = options->remote_own_traffic ? NULL : rxtx_own_connection();
    g_autofree char *own = connection != NULL ? rxtx_own_connection_filter(connection) : NULL;
    g_autofree char *joined = rxtx_own_connection_join(own, options->filter);

    if (!probe(options, options->filter, error))
        return false;
    if (own != NULL && probe(options, joined, NULL)) {
        g_free(options->filter);
        options->filter = g_steal_pointer(&joined);
    } else if (!options->remote_own_traffic && (connection == NULL || own != NULL)) {
        rxtx_serve_warn(serve, "Our own ssh connection is not left out: it is not known here, or has no filter.");
    }
    if (own != NULL && rxtx_own_connection_is_local(connection) && g_strcmp0(options->interface, "lo") != 0)
        rxtx_serve_warn(serve, "The ssh connection comes through another program of that host: what that one sends and "
                               "receives is not left out.");
    return true;
}

/* ---- the capture ---- */

static GVariant *hello(const rxtx_plan *plan, int linktype)
{
    const rxtx_options *options = plan->options;
    g_autofree char *type = g_strdup_printf("%d", linktype);
    g_autofree char *filter =
        options->filter != NULL && strlen(options->filter) < FILTER_MAX ? g_utf8_make_valid(options->filter, -1) : NULL;
    const struct {
        const char *name, *value;
    } facts[] = {{"version", RXTX_VERSION}, {"linktype", type}, {"filter", filter}};
    GVariantBuilder told, groups;

    g_variant_builder_init(&told, G_VARIANT_TYPE("a(ss)"));
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++)
        if (facts[i].value != NULL)
            g_variant_builder_add(&told, "(ss)", facts[i].name, facts[i].value);
    g_variant_builder_init(&groups, G_VARIANT_TYPE("a(iib)"));
    for (unsigned i = 0; i < plan->n_groups; i++)
        g_variant_builder_add(&groups, "(iib)", plan->groups[i].number, plan->groups[i].node, plan->groups[i].due);
    return g_variant_new("(ua(ss)a(iib))", RXTX_REMOTE_PROTOCOL, &told, &groups);
}

static void take_ping(rxtx_serve *s, GVariant *body)
{
    pthread_mutex_lock(&s->mutex);
    g_variant_get(body, RXTX_PING_TYPE, &s->ping_ns);
    s->ping_read_ns = now_ns();
    pthread_mutex_unlock(&s->mutex);
}

/* The near end is gone, or says what it should not: there is nobody to capture for. */
static gboolean look(rxtx_serve *s)
{
    if (g_get_monotonic_time() - s->heard_us > patience_us(s))
        s->gone = true;
    if (s->gone) {
        s->watch = s->timer = 0;
        rxtx_stop_abandon(s->stop);
    }
    return s->gone ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean on_timer(gpointer data)
{
    rxtx_serve *s = data;
    guint watch = s->watch;
    gboolean on = look(s);

    if (!on && watch != 0)
        g_source_remove(watch);
    return on;
}

static gboolean on_heard(gint fd, GIOCondition condition, gpointer data)
{
    rxtx_serve *s = data;
    guint timer = s->timer;
    GVariant *body;
    uint32_t type;
    gboolean on;

    (void)fd;
    (void)condition;
    hear(s);
    while ((body = next_message(s, &type)) != NULL) {
        if (type == RXTX_BLOCK_PING)
            take_ping(s, body);
        else if (type == RXTX_BLOCK_STOP)
            rxtx_stop_request(s->stop, RXTX_STOP_USER);
        else
            s->gone = true;
        g_variant_unref(body);
    }
    on = look(s);
    if (!on && timer != 0)
        g_source_remove(timer);
    return on;
}

/* START = 1, another end = -1, 0 = wait on. */
static int take_before_start(rxtx_serve *s)
{
    for (;;) {
        uint32_t type;
        g_autoptr(GVariant) body = next_message(s, &type);

        if (body == NULL)
            return s->gone ? -1 : 0;
        if (type == RXTX_BLOCK_START)
            return 1;
        if (type != RXTX_BLOCK_PING)
            return -1;
        take_ping(s, body);
        say(s, RXTX_BLOCK_STATUS, status(s, 0, false, NULL, 0));
    }
}

bool rxtx_serve_idle(rxtx_serve *serve, int timeout_ms)
{
    if (!await(serve, timeout_ms) || take_before_start(serve) != 0)
        return false;
    if (g_get_monotonic_time() - serve->idle_us >= LOOK_MS * US_PER_MS) {
        serve->idle_us = g_get_monotonic_time();
        say(serve, RXTX_BLOCK_STATUS, status(serve, 0, false, NULL, 0));
    }
    return !serve->gone;
}

bool rxtx_serve_hello(rxtx_serve *serve, const rxtx_plan *plan, int linktype, rxtx_stop *stop)
{
    int next = 0;

    serve->stop = stop;
    say(serve, RXTX_BLOCK_HELLO, hello(plan, linktype));
    while (next == 0 && rxtx_stop_why(stop) == RXTX_STOP_NONE)
        next = await(serve, LOOK_MS) ? take_before_start(serve) : -1;
    if (next != 1)
        return false;
    serve->watch = g_unix_fd_add(serve->in, G_IO_IN | G_IO_HUP | G_IO_ERR, on_heard, serve);
    serve->timer = g_timeout_add(LOOK_MS, on_timer, serve);
    return true;
}

/* ---- the sink ---- */

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_sink *inner;
    rxtx_output *output;
    rxtx_serve *serve;
    const rxtx_stats *stats;
    unsigned n_groups;
    unsigned pushed;
} telling;

/* What happens to the inner one happens to us. */
static void follow(telling *t)
{
    if (t->inner->failure != NULL && t->sink.failure == NULL)
        t->sink.failure = g_error_copy(t->inner->failure);
    t->sink.size = t->inner->size;
}

static void put_status(telling *t, bool over, const rxtx_stats *stats)
{
    g_autoptr(GByteArray) messages = take_events(t->serve);
    rxtx_message_view message;

    rxtx_message_put(messages, RXTX_BLOCK_STATUS, status(t->serve, t->sink.complete_ns, over, stats, t->n_groups));
    for (const uint8_t *at = messages->data, *end = at + messages->len; at < end; at += message.block) {
        uint8_t *place;
        rxtx_message_view_next(at, (size_t)(end - at), &message);
        place = rxtx_output_reserve(t->output, message.block);
        if (place == NULL)
            return;
        memcpy(place, at, message.block);
        rxtx_output_commit(t->output, message.block);
    }
    t->sink.due_us = g_get_monotonic_time() + RXTX_REMOTE_STATUS_MS * US_PER_MS;
}

static bool push(rxtx_sink *sink, unsigned group, const rxtx_packet *packet)
{
    telling *t = (telling *)sink;
    bool taken = t->inner->ops->push(t->inner, group, packet);

    if (!taken)
        follow(t);
    else if (++t->pushed % PUSHES_A_LOOK == 0 && g_get_monotonic_time() >= sink->due_us)
        put_status(t, false, t->stats); /* who is never idle is not flushed */
    return taken;
}

static void flush(rxtx_sink *sink, bool more)
{
    telling *t = (telling *)sink;

    if (g_get_monotonic_time() >= sink->due_us)
        put_status(t, false, t->stats);
    t->inner->ops->flush(t->inner, more);
    follow(t);
}

static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    telling *t = (telling *)sink;

    t->inner->ops->finish(t->inner, stats);
    if (rxtx_output_failure(t->output) == NULL)
        put_status(t, true, stats);
    t->inner->ops->flush(t->inner, false);
    follow(t);
}

static void free_sink(rxtx_sink *sink)
{
    telling *t = (telling *)sink;

    t->inner->ops->free(t->inner);
    g_clear_error(&sink->failure);
    g_free(t);
}

rxtx_sink *rxtx_serve_sink(rxtx_serve *serve, rxtx_sink *inner, rxtx_output *output, const rxtx_stats *stats,
                           unsigned n_groups)
{
    static const rxtx_sink_ops ops = {.push = push, .flush = flush, .finish = finish, .free = free_sink};
    telling *t = g_new0(telling, 1);

    t->sink = (rxtx_sink){.ops = &ops, .watch_fd = inner->watch_fd, .due_us = g_get_monotonic_time()};
    t->inner = inner;
    t->output = output;
    t->serve = serve;
    t->stats = stats;
    t->n_groups = n_groups;
    rxtx_output_set_patience(output, (int)serve->options->remote_timeout * MS_PER_S);
    return &t->sink;
}

void rxtx_serve_free(rxtx_serve *serve)
{
    if (serve == NULL)
        return;
    if (serve->watch != 0)
        g_source_remove(serve->watch);
    if (serve->timer != 0)
        g_source_remove(serve->timer);
    rxtx_options_free(serve->options);
    g_byte_array_unref(serve->heard);
    pthread_mutex_destroy(&serve->mutex);
    g_byte_array_unref(serve->events);
    close(serve->out);
    g_free(serve);
}
