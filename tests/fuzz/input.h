/* A fuzzer's input as values: taken from its beginning, 0 when it is used up. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

/* Of at most 8 bytes, the first the highest. */
static inline uint64_t take_number(input *in, size_t bytes)
{
    uint64_t value = 0;

    for (; bytes > 0 && in->left > 0; bytes--, in->left--)
        value = value << 8 | *in->at++;
    return value;
}
