/* Wires, starts, stops and joins, in one order: pipes, plan, engine, output, sink, worker. The only file that knows
 * every room; what each does is not here. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/privilege.h"
#include "base/stop.h"
#include "engine/afpacket.h"
#include "engine/device.h"
#include "flow/worker.h"
#include "plan/plan.h"
#include "plan/steering.h"
#include "sink/output.h"
#include "rxtxcpu/capture_format.h"
#include "sink/sink_count.h"
#include "sink/sink_files.h"
#include "sink/sink_pcapng.h"
#include "sink/sink_ring.h"
#include "ui/json.h"
#include "ui/monitor.h"
#include "ui/summary.h"
#include "ui/table.h"
#include "ui/verbose.h"

enum { NS_PER_US = 1000, MS_PER_S = 1000, US_PER_MS = 1000, BYTES_PER_KB = 1000, LINK_LOOK_MS = 200 };

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
    rxtx_group_label *labels; /* one for each group of the plan */
    rxtx_sink *sink;
    rxtx_stats *stats;      /* one for each group */
    unsigned *stream_group; /* one for each stream */
    rxtx_worker worker;
    rxtx_monitor *monitor;
    GMainLoop *loop;
    uint64_t start_ns, end_ns;
    bool over; /* there was a capture, and it has ended */
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
    sigaddset(&s->caught, SIGUSR1);
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN)
        sigaddset(&s->caught, SIGHUP);
    sigprocmask(SIG_BLOCK, &s->caught, NULL);
    s->signals = signalfd(-1, &s->caught, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0 || rxtx_set_errno(error, RXTX_ERROR_KERNEL, "waiting for signals");
}

/* As an extcap there is nobody to look at a table: stderr is Wireshark's. */
static void take_signal(rxtx_session *s, uint32_t number)
{
    bool cli = s->options->face == RXTX_FACE_CLI;

    if (number != SIGUSR1)
        rxtx_stop_request(&s->stop, RXTX_STOP_USER);
    else if (cli)
        rxtx_monitor_show(s->monitor);
    if (number == SIGINT && cli)
        rxtx_monitor_interrupted(s->monitor);
}

/* The least of two limits, each 0 = none. */
static guint64 least(guint64 a, guint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static guint64 duration_ms(const rxtx_session *s)
{
    return least(s->options->duration * MS_PER_S, s->options->autostop.duration_ms);
}

static gboolean on_signal(gint fd, GIOCondition condition, gpointer data)
{
    struct signalfd_siginfo info;

    (void)condition;
    while (read(fd, &info, sizeof info) == sizeof info)
        take_signal(data, info.ssi_signo);
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
    guint64 limit_ms = duration_ms(s);
    guint signals;
    GThread *worker;

    s->loop = g_main_loop_new(NULL, FALSE);
    signals = g_unix_fd_add(s->signals, G_IO_IN, on_signal, s);
    if (limit_ms > 0)
        s->duration = g_timeout_add((guint)limit_ms, on_duration, s);
    worker = g_thread_new("worker", work, s);
    g_main_loop_run(s->loop);
    g_thread_join(worker);
    g_source_remove(signals);
    if (s->duration != 0)
        g_source_remove(s->duration);
}

/* ---- wiring ---- */

static void make_labels(rxtx_session *s)
{
    static const char *const keys[] = {
        [RXTX_GROUP_CPU] = RXTX_KEY_CPU, [RXTX_GROUP_QUEUE] = RXTX_KEY_QUEUE, [RXTX_GROUP_NUMA] = RXTX_KEY_NODE};

    s->labels = g_new(rxtx_group_label, s->plan->n_groups);
    for (unsigned i = 0; i < s->plan->n_groups; i++) {
        const rxtx_plan_group *group = &s->plan->groups[i];
        s->labels[i] = (rxtx_group_label){
            .key = keys[s->options->group], .number = group->number, .node = group->node, .due = group->due};
    }
    s->stream_group = g_new(unsigned, s->plan->n_streams);
    for (unsigned i = 0; i < s->plan->n_streams; i++)
        s->stream_group[i] = s->plan->streams[i].group;
}

static bool make_plan(rxtx_session *s, GError **error)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read("");

    if (s->options->capture && s->options->interface == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No interface given: add --extcap-interface %sNAME.",
                              RXTX_EXTCAP_PREFIX);
    if (s->options->capture && s->output == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No fifo given: add --fifo PATH.");
    s->plan = rxtx_plan_new(s->options, topology, "", error);
    if (s->plan == NULL)
        return false;
    make_labels(s);
    return true;
}

/* The mask of sched_setaffinity(2) is a bitmap of longs, as rxtx_cpuset is. */
static bool keep_to_cpus(const rxtx_session *s, GError **error)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    if (s->options->worker_cpus == NULL)
        return true;
    rxtx_cpuset_parse_list(set, s->options->worker_cpus);
    if (syscall(SYS_sched_setaffinity, 0, sizeof set->words, set->words) >= 0)
        return true;
    return rxtx_set_error(error, RXTX_ERROR_INPUT, "Running on the CPUs '%s': %s\nTo list them: rxtxcpu --list-cpus",
                          s->options->worker_cpus, g_strerror(errno));
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

/* Are there files one after another? */
static bool has_turns(const rxtx_options *options)
{
    const rxtx_limits *ring = &options->ring;

    return ring->duration_ms > 0 || ring->filesize_kb > 0 || ring->packets > 0 || options->autostop.filesize_kb > 0;
}

/* Does the sink open its files itself, as it goes? */
static bool opens_files(const rxtx_session *s)
{
    const char *path = s->options->write;

    return path != NULL && strcmp(path, "-") != 0 && (s->plan->format == RXTX_FORMAT_PCAP || has_turns(s->options));
}

/* After the engine, so that an engine that fails leaves no file behind. */
static bool open_output(rxtx_session *s, GError **error)
{
    const char *path = s->options->write;

    if (s->output != NULL || path == NULL || opens_files(s))
        return true;
    s->output = strcmp(path, "-") == 0 ? rxtx_output_stdout(&s->stop, error) : create_output(s, path, error);
    return s->output != NULL;
}

static char *describe_steering(const char *interface)
{
    return rxtx_steering_describe("", interface);
}

static rxtx_sink *new_pcapng(rxtx_session *s, const rxtx_file_turn *turn, rxtx_output *output, const char *file)
{
    const rxtx_options *options = s->options;
    rxtx_sink_pcapng_settings settings = {
        .interface = options->interface,
        .linktype = s->engine->linktype,
        .snaplen = (uint32_t)options->snaplen,
        .filter = options->filter,
        .describe_steering = describe_steering,
        .start_ns = turn->number > 1 ? (uint64_t)turn->begun_us * NS_PER_US : s->start_ns,
        .application = "rxtxcpu " RXTX_VERSION,
        .annotate_interface = options->annotate & RXTX_ANNOTATE_INTERFACE,
        .annotate_comment = options->annotate & RXTX_ANNOTATE_COMMENT,
        .packet_buffered = options->packet_buffered,
        .file = file,
    };

    return rxtx_sink_pcapng_new(&settings, s->labels, s->plan->n_groups, output, &s->stop);
}

static rxtx_sink *new_files(rxtx_session *s, const rxtx_file_turn *turn, GError **error)
{
    rxtx_sink_files_settings settings = {
        .template = s->options->write,
        .turn = *turn,
        .linktype = s->engine->linktype,
        .snaplen = (uint32_t)s->options->snaplen,
        .packet_buffered = s->options->packet_buffered,
    };

    return rxtx_sink_files_new(&settings, s->labels, s->plan->n_groups, g_steal_pointer(&s->output), &s->stop, error);
}

/* The sink of one turn; the worker's thread calls it for all but the first. */
static rxtx_sink *open_turn(gpointer data, const rxtx_file_turn *turn, GError **error)
{
    rxtx_session *s = data;
    g_autofree char *name = NULL;
    rxtx_output *output;

    if (s->plan->format == RXTX_FORMAT_PCAP)
        return new_files(s, turn, error);
    if (s->output != NULL)
        return new_pcapng(s, turn, g_steal_pointer(&s->output), NULL);
    name = rxtx_file_name(s->options->write, NULL, turn);
    output = rxtx_output_open(name, true, &s->stop, error);
    return output != NULL ? new_pcapng(s, turn, output, name) : NULL;
}

static rxtx_sink *new_ring(rxtx_session *s, GError **error)
{
    const rxtx_options *options = s->options;
    rxtx_sink_ring_limits limits = {
        .file_bytes = options->ring.filesize_kb * BYTES_PER_KB,
        .file_packets = options->ring.packets,
        .file_us = options->ring.duration_ms * US_PER_MS,
        .keep = options->ring.files,
        .last_bytes = options->autostop.filesize_kb * BYTES_PER_KB,
        .turns = options->autostop.files,
    };

    return rxtx_sink_ring_new(&limits, s->plan->n_groups, open_turn, s, &s->stop, error);
}

static bool make_sink(rxtx_session *s, GError **error)
{
    static const rxtx_file_turn only = {0};

    if (!s->plan->keep)
        s->sink = rxtx_sink_count_new();
    else if (has_turns(s->options))
        s->sink = new_ring(s, error);
    else
        s->sink = open_turn(s, &only, error);
    return s->sink != NULL;
}

/* Empty so far, and to stay so: a file without its header helps nobody. */
static void discard_output(rxtx_session *s)
{
    if (s->output != NULL)
        rxtx_output_take_back(s->output, 0);
}

/* Will files be opened later, of another turn or of a CPU that comes online? */
static bool files_to_come(const rxtx_session *s)
{
    return opens_files(s) && (has_turns(s->options) || s->plan->n_due < s->plan->n_groups);
}

static bool prepare(rxtx_session *s, GError **error)
{
    if (!catch_signals(s, error) || !keep_to_cpus(s, error) || !make_plan(s, error))
        return false;
    s->start_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    s->stats = g_new0(rxtx_stats, s->plan->n_groups);
    s->monitor = rxtx_monitor_new(s->plan, s->stats, &s->start_ns, &s->stop);
    return true;
}

static bool must_wait(const rxtx_session *s)
{
    return s->plan->ifindex != 0 && s->options->face == RXTX_FACE_CLI && !rxtx_device_is_up(s->options->interface);
}

/* A fan-out group takes only sockets of an interface that is up, and sockets of none hear others: so nothing is opened
 * before. Returns when it is up, gone, or nobody wants to wait any more. */
static bool wait_for_link(rxtx_session *s, GError **error)
{
    const char *name = s->options->interface;
    struct pollfd signals = {.fd = s->signals, .events = POLLIN};
    gint64 end_us = duration_ms(s) > 0 ? g_get_monotonic_time() + (gint64)duration_ms(s) * US_PER_MS : G_MAXINT64;

    if (!must_wait(s))
        return true;
    if (!rxtx_device_may_capture(error))
        return false;
    fprintf(stderr, "%s: The interface %s is down, waiting until it is up. Run: ip link set dev %s up\n",
            s->options->program, name, name);
    while (must_wait(s) && rxtx_stop_why(&s->stop) == RXTX_STOP_NONE) {
        if (if_nametoindex(name) != s->plan->ifindex)
            return rxtx_set_error(error, RXTX_ERROR_INTERFACE, "The interface %s is gone", name);
        if (g_get_monotonic_time() >= end_us)
            rxtx_stop_request(&s->stop, RXTX_STOP_DURATION);
        if (poll(&signals, 1, LINK_LOOK_MS) > 0)
            on_signal(s->signals, G_IO_IN, s);
    }
    return true;
}

/* The sink last: its header tells a reader that packets are being captured. */
static bool open_all(rxtx_session *s, GError **error)
{
    s->engine = rxtx_afpacket_open(s->plan, error);
    if (s->engine == NULL || !open_output(s, error))
        return false;
    s->start_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    if (!s->engine->ops->start(s->engine, error) || !make_sink(s, error)) {
        discard_output(s);
        return false;
    }
    rxtx_privilege_drop(files_to_come(s));
    return true;
}

static void say_live(const rxtx_session *s)
{
    g_autofree char *text = NULL;
    const char *interface = s->options->interface;

    if (!s->options->verbose || s->options->face != RXTX_FACE_CLI)
        return;
    text = rxtx_verbose_text(s->plan, s->engine->group);
    fprintf(stderr, "%s%s: capturing on %s\n", text, s->options->program,
            interface != NULL ? interface : "all interfaces");
}

static void close_books(rxtx_session *s)
{
    g_clear_pointer(&s->monitor, rxtx_monitor_free);
    s->end_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    s->over = true;
}

bool rxtx_session_run(rxtx_session *s, GError **error)
{
    if (!prepare(s, error) || !wait_for_link(s, error))
        return false;
    if (rxtx_stop_why(&s->stop) != RXTX_STOP_NONE) {
        close_books(s);
        return true;
    }
    if (!open_all(s, error))
        return false;
    s->worker = (rxtx_worker){.engine = s->engine,
                              .sink = s->sink,
                              .stop = &s->stop,
                              .groups = s->stream_group,
                              .n_groups = s->plan->n_groups,
                              .count = least(s->options->count, s->options->autostop.packets),
                              .stats = s->stats};
    say_live(s);
    run_until_done(s);
    close_books(s);
    if (s->sink->failure != NULL)
        g_propagate_error(error, g_error_copy(s->sink->failure));
    else if (s->engine->failure != NULL)
        g_propagate_error(error, g_error_copy(s->engine->failure));
    return s->sink->failure == NULL && s->engine->failure == NULL;
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
        .downs = s->engine != NULL ? s->engine->downs : 0,
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
    bool table = s->options->verbose || (isatty(STDERR_FILENO) && !s->options->quiet);
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
    if (s->engine != NULL)
        s->engine->ops->free(s->engine);
    if (s->sink != NULL)
        s->sink->ops->free(s->sink);
    rxtx_output_free(s->output);
    rxtx_plan_free(s->plan);
    if (s->loop != NULL)
        g_main_loop_unref(s->loop);
    rxtx_monitor_free(s->monitor);
    rxtx_stop_clear(&s->stop);
    close_fd(s->control_in);
    close_fd(s->control_out);
    close_fd(s->signals);
    g_free(s->labels);
    g_free(s->stats);
    g_free(s->stream_group);
    g_free(s);
}
