/* The sink for classic pcap: a file for each group, or standard output for the only one. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/stop.h"
#include "sink/file_name.h"
#include "sink/output.h"
#include "sink/sink.h"

typedef struct {
    const char *template; /* see file_name.h */
    rxtx_file_turn turn;
    bool name_hosts; /* in the names of files: there are several */
    uint32_t snaplen;
    bool packet_buffered;
} rxtx_sink_files_settings;

/* Everything but the labels' sources is copied. only: takes it over for the one group that there is; NULL = files.
 * Files of groups that are due are made at once, with their headers, the others with their first packets. NULL when one
 * cannot be made (RXTX_ERROR_OUTPUT); none of them stays then. */
rxtx_sink *rxtx_sink_files_new(const rxtx_sink_files_settings *settings, const rxtx_group_label *labels, unsigned n,
                               rxtx_output *only, rxtx_stop *stop, GError **error);
