/* Messages to Wireshark's toolbar. Opening its pipes is session.c's. */
#include "ui/toolbar.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { LOG = 0, COMMAND_ADD = 2, COMMAND_STATUS_BAR = 6, HEAD = 6, TEXT_MAX = 1000, LOOK_MS = 1000 };

G_STATIC_ASSERT(HEAD + TEXT_MAX <= PIPE_BUF);

const char rxtx_toolbar_controls[] =
    "control {number=0}{type=button}{role=logger}{display=Log}{tooltip=Losses and warnings of the capture}\n";

/* At once or not at all: so short a piece is never cut. */
static void send_text(const rxtx_toolbar *t, guint8 command, const char *text)
{
    guint8 message[HEAD + TEXT_MAX];
    size_t length = MIN(strlen(text), TEXT_MAX), told = length + 2;

    message[0] = 'T';
    message[1] = (guint8)(told >> 16);
    message[2] = (guint8)(told >> 8);
    message[3] = (guint8)told;
    message[4] = LOG;
    message[5] = command;
    memcpy(message + HEAD, text, length);
    if (write(t->fd, message, HEAD + length) < 0)
        return;
}

void rxtx_toolbar_init(rxtx_toolbar *toolbar, int fd)
{
    *toolbar = (rxtx_toolbar){.fd = fd};
    if (fd >= 0)
        (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void rxtx_toolbar_say(rxtx_toolbar *toolbar, const char *line)
{
    g_autofree char *logged = g_strconcat(line, "\n", NULL);

    if (toolbar->fd < 0)
        return;
    send_text(toolbar, COMMAND_ADD, logged);
    send_text(toolbar, COMMAND_STATUS_BAR, line);
}

static gboolean on_look(gpointer data)
{
    rxtx_toolbar *t = data;

    for (unsigned i = 0; i < t->plan->n_groups; i++) {
        g_autofree char *name = rxtx_plan_group_name(t->plan, i), *line = NULL;
        rxtx_stats now;
        rxtx_stats_read(&now, &t->live[i]);
        if (now.dropped <= t->told[i])
            continue;
        line = g_strdup_printf("%" PRIu64 " packets lost on %s, the buffer was full", now.dropped - t->told[i], name);
        rxtx_toolbar_say(t, line);
        t->told[i] = now.dropped;
    }
    return G_SOURCE_CONTINUE;
}

void rxtx_toolbar_watch(rxtx_toolbar *toolbar, const rxtx_plan *plan, const rxtx_stats *live)
{
    if (toolbar->fd < 0)
        return;
    toolbar->plan = plan;
    toolbar->live = live;
    toolbar->told = g_new0(uint64_t, plan->n_groups);
    toolbar->timer = g_timeout_add(LOOK_MS, on_look, toolbar);
}

void rxtx_toolbar_clear(rxtx_toolbar *toolbar)
{
    if (toolbar->timer != 0) {
        on_look(toolbar);
        g_source_remove(toolbar->timer);
    }
    g_clear_pointer(&toolbar->told, g_free);
    *toolbar = (rxtx_toolbar){.fd = -1};
}
