/* The stop event: an eventfd and two atomics. Who raises it and what then happens is not decided here. */
#include "base/stop.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"

enum { SAME_REQUEST_US = 500000 };

bool rxtx_stop_init(rxtx_stop *stop, GError **error)
{
    *stop = (rxtx_stop){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    return stop->fd >= 0 || rxtx_set_errno(error, RXTX_ERROR_KERNEL, "making the stop event");
}

void rxtx_stop_clear(rxtx_stop *stop)
{
    if (stop->fd >= 0)
        close(stop->fd);
    stop->fd = -1;
}

void rxtx_stop_by_signals(void)
{
    sigset_t ending;

    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &ending, NULL);
}

static void count_user(rxtx_stop *stop)
{
    gint64 now_us = g_get_monotonic_time();

    if (stop->asked_us == 0)
        stop->asked_us = now_us;
    else if (now_us - stop->asked_us > SAME_REQUEST_US)
        g_atomic_int_set(&stop->hurry, 1);
}

void rxtx_stop_request(rxtx_stop *stop, rxtx_stop_reason reason)
{
    g_atomic_int_compare_and_exchange(&stop->reason, RXTX_STOP_NONE, (gint)reason);
    if (reason == RXTX_STOP_USER)
        count_user(stop);
    (void)eventfd_write(stop->fd, 1); /* fails only when the counter is full: then it is readable anyway */
}

void rxtx_stop_abandon(rxtx_stop *stop)
{
    g_atomic_int_set(&stop->hurry, 1);
    rxtx_stop_request(stop, RXTX_STOP_READER_GONE);
}

rxtx_stop_reason rxtx_stop_why(rxtx_stop *stop)
{
    return (rxtx_stop_reason)g_atomic_int_get(&stop->reason);
}

bool rxtx_stop_hurry(rxtx_stop *stop)
{
    return g_atomic_int_get(&stop->hurry) != 0;
}
