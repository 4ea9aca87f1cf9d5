/* The sink for files one after another (-b), and for a last one (-a filesize, -a files): it fills a sink, closes it and
 * opens the next.
 *
 * All files of one turn, one for each CPU, change together, so that files of the same number hold the same time.
 */
#pragma once

#include <glib.h>

#include "base/stop.h"
#include "sink/file_name.h"
#include "sink/sink.h"

/* Each 0 = no limit. */
typedef struct {
    guint64 file_bytes; /* a new turn: one file has so many */
    guint64 file_packets;
    guint64 file_us;
    guint64 keep;       /* so many turns stay, older ones are deleted */
    guint64 last_bytes; /* the capture stops: one file has so many */
    guint64 turns;      /* the capture stops after so many */
} rxtx_sink_ring_limits;

/* Makes the sink of one turn, NULL with *error if it cannot. The worker's thread calls it, but for the first. */
typedef rxtx_sink *(*rxtx_sink_ring_open)(gpointer data, const rxtx_file_turn *turn, GError **error);

/* NULL when the first sink cannot be opened. n: groups. */
rxtx_sink *rxtx_sink_ring_new(const rxtx_sink_ring_limits *limits, unsigned n, rxtx_sink_ring_open open, gpointer data,
                              rxtx_stop *stop, GError **error);
