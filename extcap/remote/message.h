/* Messages between the two ends of a remote capture: values in, blocks out, and back. Pure.
 *
 * What the messages are stands in rxtxcpu/remote_protocol.h. Those that came are hostile: decode.c has found the block,
 * here its body becomes a value of exactly the type that it has to have, or an error.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* body: of the type that the message has, a floating reference is taken; NULL for one that has none. */
void rxtx_message_put(GByteArray *out, uint32_t type, GVariant *body);

/* The value, in our byte order; NULL (RXTX_ERROR_REMOTE) when it is none of the message's type, or no type of ours.
 * body: `size` bytes behind the block's length. Free with g_variant_unref. */
GVariant *rxtx_message_body(uint32_t type, const uint8_t *body, size_t size, bool swapped, GError **error);

typedef enum { RXTX_MESSAGE_MORE, RXTX_MESSAGE_WHOLE, RXTX_MESSAGE_BAD } rxtx_message_state;

typedef struct {
    uint32_t type;
    bool swapped; /* its byte order is not ours */
    const uint8_t *body;
    size_t size;  /* of the body */
    size_t block; /* of all of it */
} rxtx_message_view;

/* The message that `bytes` begin with, of the far end's reading: there, nothing else than messages comes. A message of
 * a type that is none of ours, or that is longer than RXTX_MESSAGE_MAX, is BAD. */
rxtx_message_state rxtx_message_view_next(const uint8_t *bytes, size_t size, rxtx_message_view *view);

/* A text that came: valid UTF-8, what a terminal would obey replaced, on at most so many lines. Free with g_free. */
char *rxtx_message_clean(const char *text, unsigned lines);
