/* What the packets of a capture go into: the plan and the options become a sink, with its files.
 *
 * Opened by the main thread in three steps, since the engine's are between them; files one after another are opened by
 * the worker's thread.
 */
#pragma once

#include <glib.h>
#include <signal.h>
#include <stdbool.h>

#include "base/stop.h"
#include "plan/plan.h"
#include "sink/output.h"
#include "sink/sink.h"

typedef struct {
    const rxtx_plan *plan; /* borrowed; from rxtx_outlet_plan on */
    rxtx_stop *stop;       /* borrowed */
    rxtx_group_label *labels;
    rxtx_source here;    /* where packets come from if not from other hosts */
    rxtx_output *output; /* until a sink has it: what is one descriptor, and open */
    uint64_t start_ns;
} rxtx_outlet;

/* Wireshark's fifo, before there is a plan: it waits for us. */
bool rxtx_outlet_open_fifo(rxtx_outlet *outlet, const char *path, GError **error);

/* Standard output, also before there is a plan. */
bool rxtx_outlet_open_stdout(rxtx_outlet *outlet, GError **error);

/* sources: borrowed, one for each of the plan's hosts; NULL = packets come from here. */
void rxtx_outlet_plan(rxtx_outlet *outlet, const rxtx_plan *plan, const rxtx_source *sources);

/* Opens what is one descriptor; several files are the sink's. caught: the signals that are blocked; they end the
 * program while a fifo has no reader, for nothing is captured yet. */
bool rxtx_outlet_open(rxtx_outlet *outlet, const sigset_t *caught, GError **error);

/* The sink, once packets are accepted: its header tells a reader so. linktype: of packets from here; start_ns: since
 * 1970. On failure no file stays. */
rxtx_sink *rxtx_outlet_sink(rxtx_outlet *outlet, int linktype, uint64_t start_ns, GError **error);

/* Will the sink open further files, of another turn or of a CPU that comes online? */
bool rxtx_outlet_has_files_to_come(const rxtx_outlet *outlet);

/* Empty so far, and to stay so: a file without its header helps nobody. */
void rxtx_outlet_discard(rxtx_outlet *outlet);
void rxtx_outlet_clear(rxtx_outlet *outlet);
