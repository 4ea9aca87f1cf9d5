/* The counters of one stream. Written by the thread that captures, read by others after it has been joined. */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t accepted;  /* passed the filters */
    uint64_t dropped;   /* of those, lost because the ring was full */
    uint64_t delivered; /* of those, in the output; the rest came behind an exact count, or the output broke */
} rxtx_stats;
