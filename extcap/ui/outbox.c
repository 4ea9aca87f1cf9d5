/* Writes what goes at once and the rest when it can. What is said, and when, is monitor.c's. */
#include "ui/outbox.h"

#include <errno.h>
#include <glib-unix.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/stop.h"

/* Lines for a reader who sleeps. */
enum { REST_MAX = 65536 };

/* A pipe that is writable takes PIPE_BUF bytes without blocking. Returns what is left. */
static const char *write_some(rxtx_outbox *o, const char *text, int timeout_ms)
{
    struct pollfd ready = {.fd = o->fd, .events = POLLOUT};

    while (*text != '\0' && !o->broken && poll(&ready, 1, timeout_ms) > 0) {
        ssize_t n = write(o->fd, text, MIN(strlen(text), PIPE_BUF));
        if (n >= 0)
            text += n;
        else if (errno != EAGAIN && errno != EINTR)
            o->broken = true;
    }
    return text;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    rxtx_outbox *o = data;
    g_autofree char *text = g_steal_pointer(&o->rest);
    const char *left = write_some(o, text, 0);

    (void)fd;
    (void)condition;
    if (*left != '\0' && !o->broken) {
        o->rest = g_strdup(left);
        return G_SOURCE_CONTINUE;
    }
    o->watch = 0;
    return G_SOURCE_REMOVE;
}

void rxtx_outbox_init(rxtx_outbox *o, int fd)
{
    *o = (rxtx_outbox){.fd = fd};
}

static void keep(rxtx_outbox *o, const char *left)
{
    if (*left == '\0' || o->broken)
        return;
    o->rest = g_strdup(left);
    o->watch = g_unix_fd_add(o->fd, G_IO_OUT, on_writable, o);
}

bool rxtx_outbox_put(rxtx_outbox *o, const char *text)
{
    const char *left;

    if (o->rest != NULL)
        return true;
    left = write_some(o, text, 0);
    if (left != text)
        keep(o, left);
    return !o->broken;
}

void rxtx_outbox_say(rxtx_outbox *o, const char *text)
{
    g_autofree char *before = o->rest;

    if (before == NULL)
        keep(o, write_some(o, text, 0));
    else
        o->rest = g_strconcat(before, strlen(before) < REST_MAX ? text : NULL, NULL);
}

void rxtx_outbox_clear(rxtx_outbox *o)
{
    if (o->rest != NULL) {
        rxtx_stop_by_signals();
        write_some(o, o->rest, -1);
    }
    if (o->watch != 0)
        g_source_remove(o->watch);
    g_clear_pointer(&o->rest, g_free);
    o->watch = 0;
}
