/* The sink for one pcapng capture, by the contract of rxtxcpu/capture_format.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/stop.h"
#include "sink/output.h"
#include "sink/sink.h"

typedef struct {
    const char *interface;
    int linktype;
    uint32_t snaplen;
    const char *filter;      /* NULL = none */
    const char *steering;    /* the comment of the first interface; NULL = none */
    uint64_t start_ns;       /* since 1970: no packet is older */
    const char *application; /* name and version of this program */
    bool annotate_interface; /* the CPU in the interface's description */
    bool annotate_comment;   /* the CPU in each packet's comment */
    bool packet_buffered;    /* flush each packet */
} rxtx_sink_pcapng_settings;

/* Takes output over. Everything else is copied. Section header and the interfaces of the CPUs that are online are
 * written at once, so that a reader sees a capture before its first packet. With annotate_interface alone false there
 * is one interface block for all streams. */
rxtx_sink *rxtx_sink_pcapng_new(const rxtx_sink_pcapng_settings *settings, const rxtx_stream_label *labels, unsigned n,
                                rxtx_output *output, rxtx_stop *stop);
