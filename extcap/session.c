/* Wires, starts, stops and joins, in one order: pipes, plan, engine, outlet, worker. The only file that knows
 * every room; what each does is not here. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "await.h"
#include "base/error.h"
#include "base/privilege.h"
#include "base/sandbox.h"
#include "base/stop.h"
#include "engine/afpacket.h"
#include "engine/watch.h"
#include "flow/worker.h"
#include "news.h"
#include "outlet.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "rxtxcpu/capture_format.h"
#include "ui/json.h"
#include "ui/monitor.h"
#include "ui/summary.h"
#include "ui/table.h"
#include "ui/toolbar.h"
#include "ui/verbose.h"

enum { NS_PER_US = 1000, MS_PER_S = 1000, US_PER_MS = 1000, LAST_MS = 20000 };

struct rxtx_session {
    const rxtx_options *options;
    rxtx_stop stop;
    int control_in, control_out; /* -1 = none; held open for Wireshark's sake */
    int signals;                 /* signalfd */
    sigset_t caught;             /* what it tells of, blocked otherwise */
    sigset_t ending;             /* of these, what ends the program */
    guint duration;              /* GLib's id of the timer, 0 = none */
    guint last;                  /* likewise: of the end of all waiting */
    rxtx_outlet outlet;
    rxtx_serve *serve;         /* borrowed; NULL = the capture is for somebody here */
    rxtx_remote *remote;       /* NULL = the capture is done here; else it is the engine */
    rxtx_clock_offset *clocks; /* of the plan's hosts, at the end; NULL = not known */
    rxtx_plan *plan;
    rxtx_engine *engine;
    rxtx_sink *sink;
    rxtx_stats *stats; /* one for each group */
    rxtx_worker worker;
    rxtx_toolbar toolbar;
    rxtx_news news;
    rxtx_watch *watch; /* NULL = packets do not come from here */
    GMainLoop *loop;
    uint64_t start_ns, end_ns;
    gint64 deadline_us; /* monotonic: the end by -a duration; 0 = none */
    bool waited;        /* for the interface, before the capture */
    bool over;          /* there was a capture, and it has ended */
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
    return s->options->fifo == NULL || rxtx_outlet_open_fifo(&s->outlet, s->options->fifo, error);
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
    s->outlet.stop = &s->stop;
    s->control_in = s->control_out = s->signals = s->stop.fd = -1;
    rxtx_toolbar_init(&s->toolbar, -1);
    rxtx_news_init(&s->news, options, &s->toolbar);
    if (!rxtx_stop_init(&s->stop, error) || !open_pipes(s, error))
        return NULL;
    rxtx_toolbar_init(&s->toolbar, s->control_out);
    return g_steal_pointer(&s);
}

/* ---- signals, time and the end of the worker: what the main loop waits for ---- */

/* nohup ignores SIGHUP, and that holds. The worker's thread inherits what is blocked, so it is never disturbed. */
static bool catch_signals(rxtx_session *s, GError **error)
{
    struct sigaction hangup = {0};

    sigemptyset(&s->ending);
    sigaddset(&s->ending, SIGINT);
    sigaddset(&s->ending, SIGTERM);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN)
        sigaddset(&s->ending, SIGHUP);
    s->caught = s->ending;
    sigaddset(&s->caught, SIGUSR1);
    sigprocmask(SIG_BLOCK, &s->caught, NULL);
    s->signals = signalfd(-1, &s->caught, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 || rxtx_set_errno(error, RXTX_ERROR_KERNEL, "waiting for signals");
}

static gboolean on_last(gpointer data)
{
    rxtx_session *s = data;

    s->last = 0;
    rxtx_stop_abandon(&s->stop);
    return G_SOURCE_REMOVE;
}

/* Wireshark kills an extcap 30 s after it has told it to stop (extcap.c): what is still on its way by then is given up,
 * and the file has its end. */
static void limit_waiting(rxtx_session *s)
{
    if (s->options->face == RXTX_FACE_EXTCAP && s->last == 0)
        s->last = g_timeout_add(LAST_MS, on_last, s);
}

/* As an extcap there is nobody to look at a table: stderr is Wireshark's. */
static void take_signal(rxtx_session *s, uint32_t number)
{
    bool cli = s->options->face == RXTX_FACE_CLI;

    if (number != SIGUSR1) {
        rxtx_stop_request(&s->stop, RXTX_STOP_USER);
        limit_waiting(s);
    } else if (cli)
        rxtx_monitor_show(s->news.monitor);
    if (number == SIGINT && cli)
        rxtx_monitor_interrupted(s->news.monitor);
}

/* The least of two limits, each 0 = none. */
static guint64 least(guint64 a, guint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static gint64 deadline_us(const rxtx_session *s)
{
    guint64 limit_ms = least(s->options->duration * MS_PER_S, s->options->autostop.duration_ms);

    return limit_ms > 0 ? g_get_monotonic_time() + (gint64)limit_ms * US_PER_MS : 0;
}

static void take_signals(gpointer data)
{
    rxtx_session *s = data;
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof info) == sizeof info)
        take_signal(s, info.ssi_signo);
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer data)
{
    (void)fd;
    (void)condition;
    take_signals(data);
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
    gint64 left_us = s->deadline_us - g_get_monotonic_time();
    guint signals;
    GThread *worker;

    s->loop = g_main_loop_new(NULL, FALSE);
    signals = g_unix_fd_add(s->signals, G_IO_IN, on_signal, s);
    if (s->deadline_us != 0)
        s->duration = g_timeout_add((guint)MAX(left_us / US_PER_MS, 0), on_duration, s);
    worker = g_thread_new("worker", work, s);
    g_main_loop_run(s->loop);
    g_thread_join(worker);
    g_source_remove(signals);
    if (s->duration != 0)
        g_source_remove(s->duration);
    if (s->last != 0)
        g_source_remove(s->last);
}

/* ---- wiring ---- */

static bool check_call(const rxtx_session *s, GError **error)
{
    bool remote = rxtx_options_remote(s->options);

    if (!s->options->capture)
        return true;
    if (!remote && s->options->interface == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No interface given: add --extcap-interface %sNAME.",
                              RXTX_EXTCAP_PREFIX);
    if (remote && s->options->remote_hosts == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No host given: fill in 'Host', or add --remote-host HOST.");
    return s->outlet.output != NULL || rxtx_set_error(error, RXTX_ERROR_USAGE, "No fifo given: add --fifo PATH.");
}

/* Nothing is captured yet, and ssh may wait for a person: a signal may end the program. What captures is elsewhere, so
 * what we may do here is given up before anybody there speaks to us. */
static bool connect_hosts(rxtx_session *s, GError **error)
{
    rxtx_privilege_drop(s->options->write != NULL ? RXTX_PRIVILEGE_FILES : 0);
    sigprocmask(SIG_UNBLOCK, &s->ending, NULL);
    s->remote = rxtx_remote_connect(s->options, rxtx_news_tell, &s->news, error);
    sigprocmask(SIG_BLOCK, &s->ending, NULL);
    s->plan = s->remote != NULL ? rxtx_remote_plan(s->remote, error) : NULL;
    return s->plan != NULL;
}

static bool plan_here(rxtx_session *s, GError **error)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read("");

    s->plan = rxtx_plan_new(s->options, topology, "", error);
    return s->plan != NULL;
}

static bool make_plan(rxtx_session *s, GError **error)
{
    bool remote = rxtx_options_remote(s->options);

    if (!check_call(s, error) || !(remote ? connect_hosts(s, error) : plan_here(s, error)))
        return false;
    s->news.plan = s->plan;
    rxtx_outlet_plan(&s->outlet, s->plan, remote ? rxtx_remote_sources(s->remote) : NULL);
    return true;
}

/* The mask of sched_setaffinity(2) is a bitmap of longs, as rxtx_cpuset is. */
static bool keep_to_cpus(const rxtx_session *s, GError **error)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    if (s->options->worker_cpus == NULL || rxtx_options_remote(s->options)) /* there, it is the other host's CPUs */
        return true;
    rxtx_cpuset_parse_list(set, s->options->worker_cpus);
    if (syscall(SYS_sched_setaffinity, 0, sizeof set->words, set->words) >= 0)
        return true;
    return rxtx_set_error(error, RXTX_ERROR_INPUT, "Running on the CPUs '%s': %s\nTo list them: rxtxcpu --list-cpus",
                          s->options->worker_cpus, g_strerror(errno));
}

static rxtx_await new_await(rxtx_session *s)
{
    return (rxtx_await){.options = s->options,
                        .stop = &s->stop,
                        .serve = s->serve,
                        .signals = s->signals,
                        .take_signals = take_signals,
                        .data = s};
}

/* The wait is part of the capture's duration. It may take days: what it does not need is given up. */
static void begin_waiting(rxtx_session *s, rxtx_await *await)
{
    if (s->deadline_us == 0)
        s->deadline_us = deadline_us(s);
    await->deadline_us = s->deadline_us;
    s->waited = true;
    rxtx_privilege_drop(RXTX_PRIVILEGE_SOCKETS | (s->options->write != NULL ? RXTX_PRIVILEGE_FILES : 0));
}

static bool wait_for_interface(rxtx_session *s, GError **error)
{
    rxtx_await await = new_await(s);

    if (!rxtx_await_is_missing(&await))
        return true;
    begin_waiting(s, &await);
    return rxtx_await_interface(&await, error);
}

static bool wait_for_link(rxtx_session *s, GError **error)
{
    rxtx_await await = new_await(s);

    if (!rxtx_await_is_down(&await, s->plan))
        return true;
    begin_waiting(s, &await);
    return rxtx_await_link(&await, s->plan, error);
}

/* Without an error and a plan: the wait was ended. */
static bool prepare(rxtx_session *s, GError **error)
{
    if (s->serve != NULL && !rxtx_outlet_open_stdout(&s->outlet, error))
        return false;
    if (!catch_signals(s, error) || !keep_to_cpus(s, error) || !wait_for_interface(s, error))
        return false;
    if (rxtx_stop_why(&s->stop) != RXTX_STOP_NONE)
        return true;
    if (!make_plan(s, error))
        return false;
    rxtx_news_tell_plan(&s->news);
    s->start_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    s->stats = g_new0(rxtx_stats, s->plan->n_groups);
    s->news.monitor = rxtx_monitor_new(s->plan, s->stats, &s->start_ns, &s->stop);
    rxtx_toolbar_watch(&s->toolbar, s->plan, s->stats);
    return true;
}

static bool open_engine(rxtx_session *s, GError **error)
{
    if (s->remote != NULL) {
        s->engine = rxtx_remote_engine(s->remote);
        return true;
    }
    s->watch = rxtx_watch_new(s->options->interface, s->options->persist, rxtx_news_tell, &s->news);
    sigprocmask(SIG_UNBLOCK, &s->ending, NULL); /* a name in the filter may be looked up for long */
    if (s->serve == NULL || rxtx_serve_leave_out_ourselves(s->serve, error))
        s->engine = rxtx_afpacket_open(s->plan, rxtx_news_tell, &s->news, error);
    sigprocmask(SIG_BLOCK, &s->ending, NULL);
    return s->engine != NULL;
}

/* The sink last: its header tells a reader that packets are being captured. */
static void start_capture(rxtx_session *s, GError **error)
{
    rxtx_output *output = s->outlet.output;
    bool started;

    s->start_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    if (s->remote != NULL)
        sigprocmask(SIG_UNBLOCK, &s->ending, NULL); /* nothing is written yet, and another host may not answer */
    started = s->engine->ops->start(s->engine, error);
    sigprocmask(SIG_BLOCK, &s->ending, NULL);
    if (started)
        s->sink = rxtx_outlet_sink(&s->outlet, s->engine->linktype, s->start_ns, error);
    if (s->sink != NULL && s->serve != NULL)
        s->sink = rxtx_serve_sink(s->serve, s->sink, output, s->stats, s->plan->n_groups);
}

/* From here on nothing is opened but files to come, and an interface that is made again. */
static void give_up_rights(const rxtx_session *s)
{
    bool again = s->remote == NULL && s->options->persist;

    rxtx_privilege_drop((rxtx_outlet_has_files_to_come(&s->outlet) ? RXTX_PRIVILEGE_FILES : 0) |
                        (again ? RXTX_PRIVILEGE_SOCKETS : 0));
    rxtx_sandbox_enter((s->options->write != NULL ? RXTX_SANDBOX_FILES : 0) | (again ? RXTX_SANDBOX_SOCKETS : 0) |
                       (s->remote != NULL ? RXTX_SANDBOX_CHILDREN : 0));
}

/* False without an error: the other host has gone before it began. */
static bool open_all(rxtx_session *s, GError **error)
{
    if (!open_engine(s, error) || !rxtx_outlet_open(&s->outlet, &s->ending, error))
        return false;
    if (s->serve != NULL && !rxtx_serve_hello(s->serve, s->plan, s->engine->linktype, &s->stop))
        return false;
    start_capture(s, error);
    if (s->deadline_us == 0)
        s->deadline_us = deadline_us(s);
    if (s->sink == NULL) {
        rxtx_outlet_discard(&s->outlet);
        return false;
    }
    give_up_rights(s);
    if (s->waited)
        rxtx_news_tell(&s->news, rxtx_event_new(RXTX_EVENT_LINK_UP, RXTX_EVENT_NO_CPU,
                                                "The interface %s is up, the capture begins", s->options->interface));
    return true;
}
static void say_live(const rxtx_session *s)
{
    g_autofree char *text = NULL, *hosts = NULL;
    const char *interface = s->options->interface;

    if (!s->options->verbose || s->options->face != RXTX_FACE_CLI)
        return;
    text = s->remote == NULL ? rxtx_verbose_text(s->plan, s->engine->group) : g_strdup("");
    hosts = s->remote != NULL ? g_strjoinv(", ", s->plan->hosts) : NULL;
    fprintf(stderr, "%s%s: capturing on %s%s%s\n", text, s->options->program,
            interface != NULL ? interface : "all interfaces", hosts != NULL ? " of " : "", hosts != NULL ? hosts : "");
}

/* Those that came until now are the stop that was obeyed. */
static void forget_signals(const rxtx_session *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof info) == sizeof info)
        continue;
}

static void close_books(rxtx_session *s)
{
    forget_signals(s);
    if (s->watch != NULL)
        rxtx_watch_drain(s->watch);
    g_clear_pointer(&s->news.monitor, rxtx_monitor_free);
    rxtx_toolbar_clear(&s->toolbar);
    s->end_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    s->over = true;
    if (s->remote != NULL)
        s->clocks = rxtx_remote_clocks(s->remote);
}

/* A far end that did not come to its end was not waited for any longer: what it had is not known. */
static void note_unsettled(rxtx_session *s)
{
    rxtx_stop_reason why = rxtx_stop_why(&s->stop);
    bool waited = why == RXTX_STOP_USER || why == RXTX_STOP_DURATION || why == RXTX_STOP_COUNT;

    const char *host = s->remote != NULL && waited ? rxtx_remote_unsettled(s->remote) : NULL;

    if (host != NULL && s->engine->failure == NULL)
        rxtx_set_error(&s->engine->failure, RXTX_ERROR_REMOTE,
                       "%s: The other end was not waited for any longer: what it still had is lost", host);
}

/* Wireshark closes its pipe when it has enough; for a person's file or pipe that is a failure like another. */
static bool take_failure(rxtx_session *s, GError **error)
{
    bool cut = s->options->face == RXTX_FACE_CLI && s->plan->keep && rxtx_stop_why(&s->stop) == RXTX_STOP_READER_GONE;

    if (s->sink->failure != NULL)
        g_propagate_error(error, g_error_copy(s->sink->failure));
    else if (s->engine->failure != NULL)
        g_propagate_error(error, g_error_copy(s->engine->failure));
    else if (cut)
        rxtx_set_error(error, RXTX_ERROR_OUTPUT, "error writing to savefile '%s': %s", s->options->write,
                       g_strerror(EPIPE));
    return s->sink->failure == NULL && s->engine->failure == NULL && !cut;
}

bool rxtx_session_run(rxtx_session *s, GError **error)
{
    if (!prepare(s, error) || (s->plan != NULL && !wait_for_link(s, error)))
        return false;
    if (s->plan == NULL)
        return rxtx_set_error(error, RXTX_ERROR_INTERFACE, "There came no interface %s: nothing was captured",
                              s->options->interface);
    if (rxtx_stop_why(&s->stop) != RXTX_STOP_NONE) {
        close_books(s);
        return true;
    }
    if (!open_all(s, error))
        return false;
    s->worker = (rxtx_worker){.engine = s->engine,
                              .sink = s->sink,
                              .stop = &s->stop,
                              .n_groups = s->plan->n_groups,
                              .count = least(s->options->count, s->options->autostop.packets),
                              .stats = s->stats};
    say_live(s);
    run_until_done(s);
    close_books(s);
    note_unsettled(s);
    if (s->engine->failure != NULL)
        rxtx_news_keep(&s->news,
                       rxtx_event_new(RXTX_EVENT_ENDED, RXTX_EVENT_NO_CPU, "%s", s->engine->failure->message));
    return take_failure(s, error);
}

void rxtx_session_serve(rxtx_session *s, rxtx_serve *serve)
{
    s->serve = s->news.serve = serve;
}

static uint64_t downs(const rxtx_session *s)
{
    bool gone = s->engine != NULL && s->engine->failure != NULL && s->engine->failure->code == RXTX_ERROR_INTERFACE;

    if (s->watch != NULL)
        return rxtx_watch_downs(s->watch, gone && !s->options->persist);
    return s->engine != NULL ? s->engine->downs : 0;
}

void rxtx_session_end_serving(rxtx_session *s, const GError *error)
{
    rxtx_serve_end(s->serve, error, s->worker.clock_steps, downs(s), s->worker.late);
}

/* ---- closing numbers ---- */

static rxtx_summary summary_of(rxtx_session *s)
{
    rxtx_stop_reason why = rxtx_stop_why(&s->stop);

    return (rxtx_summary){
        .plan = s->plan,
        .stats = s->stats,
        .start_ns = s->start_ns,
        .now_ns = s->end_ns,
        .over = true,
        .late = s->worker.late,
        .clock_steps = s->worker.clock_steps,
        .downs = downs(s),
        .events = s->news.events,
        .more_events = s->news.more,
        .clocks = s->clocks,
        .whole = why == RXTX_STOP_USER || why == RXTX_STOP_DURATION,
    };
}

char *rxtx_session_counts(rxtx_session *s)
{
    rxtx_summary summary;

    if (!s->over)
        return g_strdup("");
    summary = summary_of(s);
    return s->options->json ? rxtx_json_text(&summary) : rxtx_summary_counts(&summary);
}

char *rxtx_session_notes(rxtx_session *s)
{
    bool table = !s->options->quiet && (s->options->verbose || isatty(STDERR_FILENO));
    rxtx_summary summary;
    g_autofree char *notes = NULL, *text = NULL;

    if (!s->over)
        return g_strdup("");
    summary = summary_of(s);
    notes = rxtx_summary_notes(&summary);
    text = table ? rxtx_table_text(&summary, rxtx_monitor_columns(), g_get_charset(NULL)) : g_strdup("");
    return g_strconcat(text, notes, NULL);
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
    if (s->sink != NULL)
        s->sink->ops->free(s->sink);
    rxtx_outlet_clear(&s->outlet);
    rxtx_toolbar_clear(&s->toolbar);
    if (s->engine != NULL)
        s->engine->ops->free(s->engine);
    else
        rxtx_remote_free(s->remote);
    rxtx_plan_free(s->plan);
    if (s->loop != NULL)
        g_main_loop_unref(s->loop);
    rxtx_watch_free(s->watch);
    rxtx_monitor_free(s->news.monitor);
    rxtx_news_clear(&s->news);
    rxtx_stop_clear(&s->stop);
    close_fd(s->control_in);
    close_fd(s->control_out);
    close_fd(s->signals);
    g_free(s->stats);
    g_free(s->clocks);
    g_free(s);
}
