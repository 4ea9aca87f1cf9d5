/* GVariant in a block's clothes. Where blocks begin and end is decode.c's, what a message means remote.c's and
 * serve.c's. */
#include "remote/message.h"

#include <string.h>

#include "base/error.h"
#include "rxtxcpu/remote_protocol.h"

enum { FRAME = 12 }; /* type and both lengths */

static const struct {
    uint32_t type;
    const char *body;
} messages[] = {
    {RXTX_BLOCK_REQUEST, RXTX_REQUEST_TYPE}, {RXTX_BLOCK_START, RXTX_START_TYPE}, {RXTX_BLOCK_STOP, RXTX_STOP_TYPE},
    {RXTX_BLOCK_PING, RXTX_PING_TYPE},       {RXTX_BLOCK_HELLO, RXTX_HELLO_TYPE}, {RXTX_BLOCK_STATUS, RXTX_STATUS_TYPE},
    {RXTX_BLOCK_WARNING, RXTX_WARNING_TYPE}, {RXTX_BLOCK_ERROR, RXTX_ERROR_TYPE}, {RXTX_BLOCK_TEXT, RXTX_TEXT_TYPE},
    {RXTX_BLOCK_END, RXTX_END_TYPE},         {RXTX_BLOCK_EVENT, RXTX_EVENT_TYPE},
};

static const char *type_of(uint32_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
        if (messages[i].type == type)
            return messages[i].body;
    return NULL;
}

static void put_32(GByteArray *out, uint32_t value)
{
    g_byte_array_append(out, (const guint8 *)&value, sizeof value);
}

void rxtx_message_put(GByteArray *out, uint32_t type, GVariant *body)
{
    static const guint8 zeros[3] = {0};
    g_autoptr(GVariant) value = g_variant_ref_sink(body != NULL ? body : g_variant_new("()"));
    guint32 size = (guint32)g_variant_get_size(value), padding = (4 - size % 4) % 4;
    guint32 length = FRAME + (guint32)sizeof size + size + padding;

    g_assert(g_variant_is_of_type(value, G_VARIANT_TYPE(type_of(type))));
    put_32(out, type);
    put_32(out, length);
    put_32(out, size);
    g_byte_array_append(out, g_variant_get_data(value), size);
    g_byte_array_append(out, zeros, padding);
    put_32(out, length);
}

static bool refuse(GError **error)
{
    return rxtx_set_error(error, RXTX_ERROR_REMOTE, "The other end said something that is no part of our protocol");
}

/* None of the types holds variants, so that checking costs no more than reading (CVE-2023-32665 was about those). It is
 * checked before it is turned around: GLib turns around the normal form, which it makes of anything. */
static GVariant *read_value(const char *type, const uint8_t *bytes, guint32 size, bool swapped)
{
    g_autoptr(GBytes) copy = g_bytes_new(bytes, size);
    g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(type), copy, FALSE));

    if (!g_variant_is_normal_form(value))
        return NULL;
    return swapped ? g_variant_byteswap(value) : g_steal_pointer(&value);
}

GVariant *rxtx_message_body(uint32_t type, const uint8_t *body, size_t size, bool swapped, GError **error)
{
    const char *wanted = type_of(type);
    GVariant *value = NULL;
    guint32 told;

    if (wanted != NULL && size >= sizeof told) {
        memcpy(&told, body, sizeof told);
        told = swapped ? GUINT32_SWAP_LE_BE(told) : told;
        if (told <= size - sizeof told)
            value = read_value(wanted, body + sizeof told, told, swapped);
    }
    if (value == NULL)
        refuse(error);
    return value;
}

rxtx_message_state rxtx_message_view_next(const uint8_t *bytes, size_t size, rxtx_message_view *view)
{
    guint32 head[2], tail;

    if (size < sizeof head)
        return RXTX_MESSAGE_MORE;
    memcpy(head, bytes, sizeof head);
    view->swapped = type_of(head[0]) == NULL;
    view->type = view->swapped ? GUINT32_SWAP_LE_BE(head[0]) : head[0];
    view->block = view->swapped ? GUINT32_SWAP_LE_BE(head[1]) : head[1];
    if (type_of(view->type) == NULL || view->block < FRAME || view->block % 4 != 0 || view->block > RXTX_MESSAGE_MAX)
        return RXTX_MESSAGE_BAD;
    if (size < view->block)
        return RXTX_MESSAGE_MORE;
    memcpy(&tail, bytes + view->block - sizeof tail, sizeof tail);
    view->body = bytes + sizeof head;
    view->size = view->block - FRAME;
    return tail == head[1] ? RXTX_MESSAGE_WHOLE : RXTX_MESSAGE_BAD;
}

char *rxtx_message_clean(const char *text, unsigned lines)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_new(NULL);

    for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (letter == '\n' && --lines == 0)
            break;
        if (letter != '\n' && letter != '\t' && !g_unichar_isprint(letter))
            letter = '?';
        g_string_append_unichar(clean, letter);
    }
    return g_string_free(clean, FALSE);
}
