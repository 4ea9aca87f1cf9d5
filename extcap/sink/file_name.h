/* What the files of one capture are called. Pure.
 *
 *     out.pcap   of group 3               out-3.pcap                        as the original rxtxcpu
 *     out        of group 3               out-3
 *     out.pcap   second of a ring         out_00002_20261123101500.pcap     as dumpcap, local time
 *     out.pcap   both                     out-3_00002_20261123101500.pcap
 */
#pragma once

#include <glib.h>

typedef struct {
    unsigned number; /* counted from 1; 0 = no ring */
    gint64 begun_us; /* since 1970: g_get_real_time() */
} rxtx_file_turn;

/* group: "3" or "unknown"; NULL = one file for all. Free with g_free. */
char *rxtx_file_name(const char *template, const char *group, const rxtx_file_turn *turn);
