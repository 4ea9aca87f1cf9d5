/* The counters of one stream. Written by the thread that captures, read by others after it has been joined. */
#pragma once

#include <stdint.h>

typedef struct {
    uint64_t accepted;  /* passed the filters: delivered + dropped + what was still in the ring at an exact stop */
    uint64_t dropped;   /* of those, lost because the ring was full */
    uint64_t delivered; /* of those, in the output */
    uint64_t delivered_bytes; /* their lengths on the wire */
} rxtx_stats;
