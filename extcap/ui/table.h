/* The table for people: a line for each CPU, queue or NUMA node. */
#pragma once

#include "ui/summary.h"

/* CPU, node (where the machine has several), packets, share with a bar (the busiest one's is full), bytes, rx, tx,
 * those of unknown direction (where there are any), drops; then a line of totals. At most `columns` wide, as far as the
 * numbers let it: the bar gives way. utf8: the bar may be of block characters, else it is of '#'. Ends with a newline.
 * Free with g_free. */
char *rxtx_table_text(const rxtx_summary *summary, unsigned columns, bool utf8);
