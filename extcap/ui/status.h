/* The status line of a capture that runs: how much comes, and where it lands. */
#pragma once

#include "ui/summary.h"

/* Packets/s and bit/s since `before` (the same capture, earlier; its stats are other memory) and drops since the start,
 * in all and then for each CPU that is shown, the busiest first, as many as fit; then how many are left out. ASCII,
 * never wider than columns - 1, so that the cursor stays on the line; no newline, no control characters. Free with
 * g_free. */
char *rxtx_status_line(const rxtx_summary *now, const rxtx_summary *before, unsigned columns);
