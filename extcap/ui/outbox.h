/* A way out to a reader who may be slow, or may have stopped: never blocks, and a text comes whole or not at
 * all.
 *
 * For the main thread, on GLib's default main context. While a text is on its way the next ones are left out, or come
 * behind it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    int fd;      /* borrowed */
    char *rest;  /* of the text that is on its way; NULL = none */
    guint watch; /* GLib's id of the wait for its reader, 0 = none */
    bool broken; /* nobody reads any more */
} rxtx_outbox;

void rxtx_outbox_init(rxtx_outbox *outbox, int fd);
/* False when nobody reads any more. */
bool rxtx_outbox_put(rxtx_outbox *outbox, const char *text);
/* Not left out, unless there are too many before it. */
void rxtx_outbox_say(rxtx_outbox *outbox, const char *text);
/* Brings the rest out, and waits for that as long as it takes. */
void rxtx_outbox_clear(rxtx_outbox *outbox);
