/* What -v says before a capture. */
#pragma once

#include "plan/plan.h"

/* The lines of the original rxtxcpu, but for those on its threads, which we have not. fanout_group: the kernel's id.
 * Free with g_free. */
char *rxtx_verbose_text(const rxtx_plan *plan, unsigned fanout_group);
