/* When something is shown, and where. What it looks like is status.c's, table.c's and json.c's. */
#include "ui/monitor.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ui/json.h"
#include "ui/outbox.h"
#include "ui/status.h"
#include "ui/table.h"

enum { STATUS_MS = 1000, MS_PER_S = 1000, NS_PER_US = 1000, USUAL_COLUMNS = 80 };

struct rxtx_monitor {
    const rxtx_plan *plan;
    const rxtx_stats *live;
    const uint64_t *start_ns;
    rxtx_stop *stop;
    rxtx_stats *now, *before; /* copies, one for each group */
    uint64_t before_ns;
    guint status, stats; /* GLib's ids of the timers, 0 = none */
    size_t shown;        /* bytes of the status line that stands on the terminal */
    int terminal;        /* stderr, if it is one: by a descriptor of our own that does not block; -1 = it is none */
    rxtx_outbox err, out;
};

/* O_NONBLOCK belongs to the open file, which the shell shares with us. */
static int open_terminal(void)
{
    return isatty(STDERR_FILENO) ? open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY) : -1;
}

unsigned rxtx_monitor_columns(void)
{
    struct winsize size = {0};

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : USUAL_COLUMNS;
}

static rxtx_summary look(const rxtx_monitor *m)
{
    for (unsigned i = 0; i < m->plan->n_groups; i++)
        rxtx_stats_read(&m->now[i], &m->live[i]);
    return (rxtx_summary){
        .plan = m->plan, .stats = m->now, .start_ns = *m->start_ns, .now_ns = (uint64_t)g_get_real_time() * NS_PER_US};
}

/* What of the status line still stands on one line, if the terminal has become narrower. */
static int shown(const rxtx_monitor *m)
{
    return (int)MIN(m->shown, rxtx_monitor_columns() - 1);
}

/* With blanks, which every terminal knows. */
static void clear_status(rxtx_monitor *m)
{
    g_autofree char *blanks = g_strdup_printf("\r%*s\r", shown(m), "");

    if (m->shown > 0)
        rxtx_outbox_put(&m->err, blanks);
    m->shown = 0;
}

/* Where stty tostop would stop us. */
static bool in_background(void)
{
    pid_t group = tcgetpgrp(STDERR_FILENO);

    return group >= 0 && group != getpgrp();
}

static gboolean on_status(gpointer data)
{
    rxtx_monitor *m = data;
    rxtx_summary now = look(m), before = now;
    g_autofree char *line = NULL, *padded = NULL;
    rxtx_stats *copy = m->before;

    if (in_background())
        return G_SOURCE_CONTINUE;
    before.stats = m->before;
    before.now_ns = m->before_ns;
    line = rxtx_status_line(&now, &before, rxtx_monitor_columns());
    padded = g_strdup_printf("\r%-*s", shown(m), line);
    rxtx_outbox_put(&m->err, padded);
    m->shown = strlen(line);
    m->before = m->now;
    m->now = copy;
    m->before_ns = now.now_ns;
    return G_SOURCE_CONTINUE;
}

static void show(rxtx_monitor *m)
{
    rxtx_summary now = look(m);
    g_autofree char *text = rxtx_table_text(&now, rxtx_monitor_columns(), g_get_charset(NULL));

    clear_status(m);
    rxtx_outbox_put(&m->err, text);
}

void rxtx_monitor_show(rxtx_monitor *m)
{
    if (m != NULL)
        show(m);
}

void rxtx_monitor_say(rxtx_monitor *m, const char *line)
{
    if (m == NULL) {
        fputs(line, stderr);
        return;
    }
    clear_status(m);
    rxtx_outbox_say(&m->err, line);
}

/* -w - has stdout. */
static void put_json(rxtx_monitor *m)
{
    rxtx_summary now = look(m);
    g_autofree char *text = rxtx_json_text(&now);
    bool read;

    clear_status(m);
    read = rxtx_outbox_put(rxtx_options_to_stdout(m->plan->options) ? &m->err : &m->out, text);
    if (!read && !m->plan->keep)
        rxtx_stop_request(m->stop, RXTX_STOP_READER_GONE);
}

static gboolean on_stats(gpointer data)
{
    rxtx_monitor *m = data;

    if (m->plan->options->json)
        put_json(m);
    else
        rxtx_monitor_show(m);
    return G_SOURCE_CONTINUE;
}

void rxtx_monitor_interrupted(rxtx_monitor *m)
{
    if (m == NULL)
        return;
    if (isatty(STDERR_FILENO))
        rxtx_outbox_put(&m->err, "\n");
    m->shown = 0;
}

rxtx_monitor *rxtx_monitor_new(const rxtx_plan *plan, const rxtx_stats *live, const uint64_t *start_ns, rxtx_stop *stop)
{
    rxtx_monitor *m = g_new0(rxtx_monitor, 1);

    *m = (rxtx_monitor){.plan = plan, .live = live, .start_ns = start_ns, .stop = stop, .before_ns = *start_ns};
    m->terminal = open_terminal();
    rxtx_outbox_init(&m->err, m->terminal >= 0 ? m->terminal : STDERR_FILENO);
    rxtx_outbox_init(&m->out, STDOUT_FILENO);
    m->now = g_new0(rxtx_stats, plan->n_groups);
    m->before = g_new0(rxtx_stats, plan->n_groups);
    if (plan->options->face != RXTX_FACE_CLI)
        return m;
    if (!plan->options->quiet && isatty(STDERR_FILENO))
        m->status = g_timeout_add(STATUS_MS, on_status, m);
    if (plan->options->stats > 0)
        m->stats = g_timeout_add((guint)plan->options->stats * MS_PER_S, on_stats, m);
    return m;
}

void rxtx_monitor_free(rxtx_monitor *m)
{
    if (m == NULL)
        return;
    clear_status(m);
    rxtx_outbox_clear(&m->err);
    rxtx_outbox_clear(&m->out);
    if (m->status != 0)
        g_source_remove(m->status);
    if (m->stats != 0)
        g_source_remove(m->stats);
    if (m->terminal >= 0)
        close(m->terminal);
    g_free(m->now);
    g_free(m->before);
    g_free(m);
}
