/* The sink for one pcapng capture, by the contract of rxtxcpu/capture_format.h. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/stop.h"
#include "sink/output.h"
#include "sink/sink.h"

typedef struct {
    uint32_t snaplen;
    uint64_t start_ns;       /* since 1970, by our clock */
    const char *application; /* name and version of this program */
    bool annotate_interface; /* the group in the interface's description */
    bool annotate_comment;   /* the group in each packet's comment */
    bool packet_buffered;    /* flush each packet */
    const char *file;        /* the output's name, if it was made for us; NULL = it was not */
} rxtx_sink_pcapng_settings;

/* Takes output over. Everything else is copied. Section header and the interfaces of the groups that are due are
 * written at once, so that a reader sees a capture before its first packet; of all interfaces together the section
 * header alone. With annotate_interface alone false there is one interface block for all groups of a source. The
 * sources are all of one interface each, or all of all. */
rxtx_sink *rxtx_sink_pcapng_new(const rxtx_sink_pcapng_settings *settings, const rxtx_group_label *labels, unsigned n,
                                rxtx_output *output, rxtx_stop *stop);
