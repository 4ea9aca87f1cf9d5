/* Why and when a capture stops: one event that any thread may raise and the worker waits for. The first reason wins.
 *
 * * A second request by the user means: at once, do not wait for a slow reader. Signals that come within half a second
 * are one request: a terminal, a shell or timeout(1) often sends two.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    RXTX_STOP_NONE,
    RXTX_STOP_USER,          /* SIGINT, SIGTERM or SIGHUP */
    RXTX_STOP_COUNT,         /* as many packets as asked for */
    RXTX_STOP_DURATION,      /* as many seconds as asked for */
    RXTX_STOP_SIZE,          /* a file as large, or as many files, as asked for */
    RXTX_STOP_READER_GONE,   /* the reader of our pipe closed it */
    RXTX_STOP_OUTPUT_FAILED, /* the output could not be written */
    RXTX_STOP_ENGINE_FAILED, /* the interface is gone, or the kernel failed us */
} rxtx_stop_reason;

typedef struct {
    int fd;          /* readable from the first request on; for poll */
    gint reason;     /* rxtx_stop_reason, atomic */
    gint64 asked_us; /* when the user asked first, monotonic; 0 = never. Only for the thread that tells of the user */
    gint hurry;      /* atomic */
} rxtx_stop;

bool rxtx_stop_init(rxtx_stop *stop, GError **error);
void rxtx_stop_clear(rxtx_stop *stop);

/* When all is done and only a reader is waited for: from here on SIGINT, SIGTERM and SIGHUP, which are blocked
 * otherwise, end the program as they do by default. The main thread's. */
void rxtx_stop_by_signals(void);

/* Any thread; RXTX_STOP_USER always the same. */
void rxtx_stop_request(rxtx_stop *stop, rxtx_stop_reason reason);
/* Any thread: nobody is there any more who could take anything. */
void rxtx_stop_abandon(rxtx_stop *stop);
rxtx_stop_reason rxtx_stop_why(rxtx_stop *stop);
bool rxtx_stop_hurry(rxtx_stop *stop);
