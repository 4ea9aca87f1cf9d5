/* The cells of our statistics' tables, as text: what is shown of a number, a CPU, a share, a flow. All texts are the
 * caller's, for g_free. */
#pragma once

#include "stat_table.h"

/* A column's title is as wide as its cells, so that TShark's text lines up. */
enum {
    RXTX_WIDTH_CPU = 7,
    RXTX_WIDTH_NODE = 7,
    RXTX_WIDTH_COUNT = 11,
    RXTX_WIDTH_BYTES = 15,
    RXTX_WIDTH_SHARE = 7,
    RXTX_WIDTH_FLOW = 8,
    RXTX_WIDTH_TOGETHER = 14
};

#define RXTX_TEXT_COLUMN(title)                                                                                        \
    {                                                                                                                  \
        TABLE_ITEM_STRING, TAP_ALIGN_LEFT, title, "%s"                                                                 \
    }
#define RXTX_NUMBER_COLUMN(title)                                                                                      \
    {                                                                                                                  \
        TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, title, "%s"                                                                \
    }

/* A number, padded to the width of its column. */
char *rxtx_cell_number(guint64 number, int width);

/* What is not known has a word, and what nobody said is blank. */
char *rxtx_cell_known(const rxtx_number *number, int width);
char *rxtx_cell_cpu(const rxtx_number *cpu);

/* A CPU, with its host ("web1 CPU       3") where the tally is of several. The cells of a tally are all of one width.
 */
char *rxtx_cell_host_cpu(const rxtx_tally *tally, const char *host, const rxtx_number *cpu);
int rxtx_cell_host_cpu_width(const rxtx_tally *tally);

/* In percent. */
char *rxtx_cell_share(guint64 part, guint64 whole);

/* "UDP 192.0.2.1:9 <-> [2001:db8::1]:9". */
char *rxtx_cell_ends(const rxtx_endpoints *ends);

/* The same with the host's name and a colon in front where the tally is of several. */
char *rxtx_cell_host_ends(const rxtx_tally *tally, const rxtx_flow_row *flow);
