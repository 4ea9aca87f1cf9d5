/* The sink for a capture of which only the counts are wanted. */
#pragma once

#include "sink/sink.h"

rxtx_sink *rxtx_sink_count_new(void);
