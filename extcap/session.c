/* Wires, starts, stops and joins, in one order: pipes, plan, engine, output, sink, worker. The only file that knows
 * every room; what each does is not here. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/privilege.h"
#include "base/stop.h"
#include "engine/afpacket.h"
#include "flow/worker.h"
#include "plan/plan.h"
#include "plan/steering.h"
#include "sink/output.h"
#include "sink/sink_count.h"
#include "sink/sink_pcapng.h"
#include "ui/summary.h"

enum { NS_PER_US = 1000, MS_PER_S = 1000 };

struct rxtx_session {
    const rxtx_options *options;
    rxtx_stop stop;
    int control_in, control_out; /* -1 = none; held open for Wireshark's sake */
    int signals;                 /* signalfd */
    sigset_t caught;             /* what it tells of, blocked otherwise */
    guint duration;              /* GLib's id of the timer, 0 = none */
    rxtx_output *output;         /* until the sink has it */
    rxtx_plan *plan;
    rxtx_engine *engine;
    rxtx_sink *sink;
    rxtx_stats *stats;
    rxtx_worker worker;
    GMainLoop *loop;
    uint64_t start_ns;
    char *counts, *notes;
};

/* ---- pipes ---- */

static bool open_pipe(int *fd, const char *path, int flags, GError **error)
{
    if (path == NULL)
        return true;
    *fd = open(path, flags | O_CLOEXEC);
    return *fd >= 0 || rxtx_set_errno(error, RXTX_ERROR_OUTPUT, "opening the control pipe '%s'", path);
}

static bool open_fifo(rxtx_session *s, GError **error)
{
    if (s->options->fifo == NULL)
        return true;
    s->output = rxtx_output_open(s->options->fifo, false, &s->stop, error);
    return s->output != NULL;
}

/* control-in first: Wireshark's main thread blocks until we read it. Each is tried, for each is waited for. */
static bool open_pipes(rxtx_session *s, GError **error)
{
    bool in = open_pipe(&s->control_in, s->options->control_in, O_RDONLY, error);
    bool out = open_pipe(&s->control_out, s->options->control_out, O_WRONLY, in ? error : NULL);

    return open_fifo(s, in && out ? error : NULL) && in && out;
}

rxtx_session *rxtx_session_new(const rxtx_options *options, GError **error)
{
    g_autoptr(rxtx_session) s = g_new0(rxtx_session, 1);

    s->options = options;
    s->control_in = s->control_out = s->signals = s->stop.fd = -1;
    if (!rxtx_stop_init(&s->stop, error) || !open_pipes(s, error))
        return NULL;
    return g_steal_pointer(&s);
}

/* ---- signals, time and the end of the worker: what the main loop waits for ---- */

/* nohup ignores SIGHUP, and that holds. The worker's thread inherits what is blocked, so it is never disturbed. */
static bool catch_signals(rxtx_session *s, GError **error)
{
    struct sigaction hangup = {0};

    sigemptyset(&s->caught);
    sigaddset(&s->caught, SIGINT);
    sigaddset(&s->caught, SIGTERM);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN)
        sigaddset(&s->caught, SIGHUP);
    sigprocmask(SIG_BLOCK, &s->caught, NULL);
    s->signals = signalfd(-1, &s->caught, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 || rxtx_set_errno(error, RXTX_ERROR_KERNEL, "waiting for signals");
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer data)
{
    rxtx_session *s = data;
    struct signalfd_siginfo info;

    (void)condition;
    while (read(fd, &info, sizeof info) == sizeof info)
        rxtx_stop_request(&s->stop, RXTX_STOP_USER);
    return G_SOURCE_CONTINUE;
}

static gboolean on_duration(gpointer data)
{
    rxtx_session *s = data;

    s->duration = 0;
    rxtx_stop_request(&s->stop, RXTX_STOP_DURATION);
    return G_SOURCE_REMOVE;
}

static gboolean on_worker_done(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static gpointer work(gpointer data)
{
    rxtx_session *s = data;

    rxtx_worker_run(&s->worker);
    g_idle_add(on_worker_done, s->loop);
    return NULL;
}

static void run_until_done(rxtx_session *s)
{
    guint signals;
    GThread *worker;

    s->loop = g_main_loop_new(NULL, FALSE);
    signals = g_unix_fd_add(s->signals, G_IO_IN, on_signal, s);
    if (s->options->duration > 0)
        s->duration = g_timeout_add((guint)s->options->duration * MS_PER_S, on_duration, s);
    worker = g_thread_new("worker", work, s);
    g_main_loop_run(s->loop);
    g_thread_join(worker);
    g_source_remove(signals);
    if (s->duration != 0)
        g_source_remove(s->duration);
}

/* ---- wiring ---- */

static bool make_plan(rxtx_session *s, GError **error)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read("");

    if (s->options->interface == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No interface given. To list them: ip link");
    if (s->options->capture && s->output == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No fifo given: add --fifo PATH.");
    s->plan = rxtx_plan_new(s->options, topology, error);
    return s->plan != NULL;
}

/* A fifo's reader can be waited for for ever; nothing is captured yet, so a signal may end the program there. */
static rxtx_output *create_output(rxtx_session *s, const char *path, GError **error)
{
    struct stat status;
    bool fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    rxtx_output *output;

    if (fifo)
        sigprocmask(SIG_UNBLOCK, &s->caught, NULL);
    output = rxtx_output_open(path, true, &s->stop, error);
    sigprocmask(SIG_BLOCK, &s->caught, NULL);
    return output;
}

/* After the engine, so that an engine that fails leaves no file behind. */
static bool open_output(rxtx_session *s, GError **error)
{
    const char *path = s->options->write;

    if (s->output != NULL || path == NULL)
        return true;
    s->output = strcmp(path, "-") == 0 ? rxtx_output_stdout(&s->stop, error) : create_output(s, path, error);
    return s->output != NULL;
}

static rxtx_sink *new_pcapng(rxtx_session *s, const rxtx_stream_label *labels)
{
    const rxtx_options *options = s->options;
    g_autofree char *steering = rxtx_steering_describe("", options->interface);
    rxtx_sink_pcapng_settings settings = {
        .interface = options->interface,
        .linktype = s->engine->linktype,
        .snaplen = (uint32_t)options->snaplen,
        .filter = options->filter,
        .steering = steering,
        .start_ns = s->start_ns,
        .application = "rxtxcpu " RXTX_VERSION,
        .annotate_interface = options->annotate & RXTX_ANNOTATE_INTERFACE,
        .annotate_comment = options->annotate & RXTX_ANNOTATE_COMMENT,
        .packet_buffered = options->packet_buffered,
    };

    return rxtx_sink_pcapng_new(&settings, labels, s->plan->n_streams, g_steal_pointer(&s->output), &s->stop);
}

static void make_sink(rxtx_session *s)
{
    g_autofree rxtx_stream_label *labels = g_new(rxtx_stream_label, s->plan->n_streams);

    for (unsigned i = 0; i < s->plan->n_streams; i++)
        labels[i] = (rxtx_stream_label){
            .cpu = s->plan->streams[i].cpu, .node = s->plan->streams[i].node, .online = s->plan->streams[i].online};
    s->sink = s->output != NULL ? new_pcapng(s, labels) : rxtx_sink_count_new();
}

/* Empty so far, and to stay so: a file without its header helps nobody. */
static void discard_output(rxtx_session *s)
{
    if (s->output != NULL)
        rxtx_output_take_back(s->output, 0);
}

/* The sink last: its header tells a reader that packets are being captured. */
static bool open_all(rxtx_session *s, GError **error)
{
    if (!catch_signals(s, error) || !make_plan(s, error))
        return false;
    s->engine = rxtx_afpacket_open(s->plan, error);
    if (s->engine == NULL || !open_output(s, error))
        return false;
    rxtx_privilege_drop();
    s->start_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    if (!s->engine->ops->start(s->engine, error)) {
        discard_output(s);
        return false;
    }
    make_sink(s);
    return true;
}

static void close_books(rxtx_session *s)
{
    rxtx_summary summary = {
        .plan = s->plan,
        .stats = s->stats,
        .late = s->worker.late,
        .clock_steps = s->worker.clock_steps,
        .downs = s->engine->downs,
        .whole = rxtx_stop_why(&s->stop) == RXTX_STOP_USER || rxtx_stop_why(&s->stop) == RXTX_STOP_DURATION,
    };

    s->counts = rxtx_summary_counts(&summary);
    s->notes = rxtx_summary_notes(&summary);
}

bool rxtx_session_run(rxtx_session *s, void (*live)(const rxtx_options *options), GError **error)
{
    if (!open_all(s, error))
        return false;
    s->stats = g_new0(rxtx_stats, s->plan->n_streams);
    s->worker = (rxtx_worker){
        .engine = s->engine, .sink = s->sink, .stop = &s->stop, .count = s->options->count, .stats = s->stats};
    if (live != NULL)
        live(s->options);
    run_until_done(s);
    close_books(s);
    if (s->sink->failure != NULL)
        g_propagate_error(error, g_error_copy(s->sink->failure));
    else if (s->engine->failure != NULL)
        g_propagate_error(error, g_error_copy(s->engine->failure));
    return s->sink->failure == NULL && s->engine->failure == NULL;
}

const char *rxtx_session_counts(const rxtx_session *session)
{
    return session->counts != NULL ? session->counts : "";
}

const char *rxtx_session_notes(const rxtx_session *session)
{
    return session->notes != NULL ? session->notes : "";
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void rxtx_session_free(rxtx_session *s)
{
    if (s == NULL)
        return;
    if (s->engine != NULL)
        s->engine->ops->free(s->engine);
    if (s->sink != NULL)
        s->sink->ops->free(s->sink);
    rxtx_output_free(s->output);
    rxtx_plan_free(s->plan);
    if (s->loop != NULL)
        g_main_loop_unref(s->loop);
    rxtx_stop_clear(&s->stop);
    close_fd(s->control_in);
    close_fd(s->control_out);
    close_fd(s->signals);
    g_free(s->stats);
    g_free(s->counts);
    g_free(s->notes);
    g_free(s);
}
