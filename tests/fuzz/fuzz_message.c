/* Any bytes as what the near end says: in pieces of any size they are the same messages, nothing is read beyond them,
 * and a body is a value of its type that says the same when it is put again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "remote/message.h"
#include "rxtxcpu/remote_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    uint32_t type;
    const char *form;
} messages[] = {
    {RXTX_BLOCK_REQUEST, RXTX_REQUEST_TYPE}, {RXTX_BLOCK_START, RXTX_START_TYPE}, {RXTX_BLOCK_STOP, RXTX_STOP_TYPE},
    {RXTX_BLOCK_PING, RXTX_PING_TYPE},       {RXTX_BLOCK_HELLO, RXTX_HELLO_TYPE}, {RXTX_BLOCK_STATUS, RXTX_STATUS_TYPE},
    {RXTX_BLOCK_WARNING, RXTX_WARNING_TYPE}, {RXTX_BLOCK_ERROR, RXTX_ERROR_TYPE}, {RXTX_BLOCK_TEXT, RXTX_TEXT_TYPE},
    {RXTX_BLOCK_END, RXTX_END_TYPE},         {RXTX_BLOCK_EVENT, RXTX_EVENT_TYPE},
};

/* NULL = the type is none of ours. */
static const char *form_of(uint32_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
        if (messages[i].type == type)
            return messages[i].form;
    return NULL;
}

static uint32_t word(const uint8_t *at, bool swapped)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

/* ---- promises ---- */

static void check_text(const char *text, unsigned lines)
{
    g_autofree char *clean = rxtx_message_clean(text, lines), *again = rxtx_message_clean(clean, lines);
    unsigned breaks = 0;

    g_assert_true(g_utf8_validate(clean, -1, NULL));
    for (const char *c = clean; *c != '\0'; c = g_utf8_next_char(c)) {
        g_assert_true(*c == '\n' || *c == '\t' || g_unichar_isprint(g_utf8_get_char(c)));
        breaks += *c == '\n';
    }
    g_assert_cmpuint(breaks, <, lines);
    g_assert_cmpstr(again, ==, clean);
}

static void check_texts(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        check_text(g_variant_get_string(value, NULL), 1);
        check_text(g_variant_get_string(value, NULL), 3);
    }
    for (gsize i = 0; g_variant_is_container(value) && i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        check_texts(child);
    }
}

/* Written by us it is a message in our order, and the same value. */
static void check_again(uint32_t type, GVariant *value)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    g_autoptr(GVariant) again = NULL;
    rxtx_message_view view;

    rxtx_message_put(block, type, value);
    g_assert_cmpint(rxtx_message_view_next(block->data, block->len, &view), ==, RXTX_MESSAGE_WHOLE);
    g_assert_true(view.type == type && !view.swapped && view.block == block->len);
    again = rxtx_message_body(view.type, view.body, view.size, view.swapped, NULL);
    g_assert_nonnull(again);
    g_assert_true(g_variant_equal(value, again));
}

static void check_body(const rxtx_message_view *view)
{
    g_autofree uint8_t *exact = g_memdup2(view->body, view->size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = rxtx_message_body(view->type, exact, view->size, view->swapped, &error);

    g_assert_true((value == NULL) == (error != NULL));
    if (value == NULL) {
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_REMOTE);
        g_assert_cmpuint(strlen(error->message), >, 0);
        return;
    }
    g_assert_false(g_variant_is_floating(value));
    g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(form_of(view->type))));
    g_assert_true(g_variant_is_normal_form(value));
    g_assert_cmpuint(g_variant_get_size(value), ==, word(exact, view->swapped));
    g_assert_cmpuint(g_variant_get_size(value), <=, view->size - 4);
    check_texts(value);
    check_again(view->type, value);
}

static void check_message(const rxtx_message_view *view, const uint8_t *bytes, size_t size)
{
    g_assert_cmpuint(view->block, <=, MIN(size, RXTX_MESSAGE_MAX));
    g_assert_cmpuint(view->block, >=, 12);
    g_assert_cmpuint(view->block % 4, ==, 0);
    g_assert_cmpuint(view->size, ==, view->block - 12);
    g_assert_true(view->body == bytes + 8);
    g_assert_nonnull(form_of(view->type));
    g_assert_cmpuint(word(bytes, view->swapped), ==, view->type);
    g_assert_cmpuint(word(bytes + 4, view->swapped), ==, view->block);
    g_assert_cmpmem(bytes + 4, 4, bytes + view->block - 4, 4);
    check_body(view);
}

/* ---- pieces ---- */

/* Of a copy that ends where they end, and begins where no number is aligned. */
static rxtx_message_state look(const uint8_t *bytes, size_t size, rxtx_message_view *view)
{
    g_autofree uint8_t *copy = g_malloc(size + 1);
    rxtx_message_state state;

    if (size > 0)
        memcpy(copy + 1, bytes, size);
    state = rxtx_message_view_next(copy + 1, size, view);
    if (state == RXTX_MESSAGE_WHOLE)
        view->body = bytes + (view->body - (copy + 1));
    return state;
}

/* With fewer bytes it is not yet whole, and what is bad stays so with more. */
static void check_pieces(rxtx_message_state whole, const uint8_t *bytes, size_t size)
{
    const size_t sizes[] = {0, 1, 4, 7, 8, 11, 12, size / 2, size - 1};
    rxtx_message_view view;

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        if (sizes[i] < size) {
            rxtx_message_state state = look(bytes, sizes[i], &view);
            g_assert_true(state == RXTX_MESSAGE_MORE || (state == RXTX_MESSAGE_BAD && whole == RXTX_MESSAGE_BAD));
            g_assert_true(sizes[i] >= 8 || state == RXTX_MESSAGE_MORE);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rxtx_message_state state;
    rxtx_message_view view;
    size_t at = 0;

    do {
        state = look(data + at, size - at, &view);
        g_assert_true(state <= RXTX_MESSAGE_BAD);
        if (state == RXTX_MESSAGE_WHOLE) {
            check_message(&view, data + at, size - at);
            check_pieces(state, data + at, view.block);
            at += view.block;
        } else {
            check_pieces(state, data + at, size - at);
        }
    } while (state == RXTX_MESSAGE_WHOLE);
    return 0;
}

/* ---- mutations ---- */

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static bool is_length(uint32_t length, size_t left)
{
    return length % 4 == 0 && length >= 16 && length <= left;
}

static void put_word(uint8_t *at, uint32_t value, bool swapped)
{
    value = swapped ? GUINT32_SWAP_LE_BE(value) : value;
    memcpy(at, &value, sizeof value);
}

/* The block at `at` gets a type that is one, lengths that agree and often a size that fits. */
static size_t mend_block(uint8_t *at, size_t left, unsigned seed)
{
    bool swapped = form_of(word(at, true)) != NULL;
    uint32_t length = word(at + 4, swapped);

    if (form_of(word(at, swapped)) == NULL)
        put_word(at, messages[seed % G_N_ELEMENTS(messages)].type, swapped);
    if (!is_length(length, left))
        length = (uint32_t)(left - left % 4);
    put_word(at + 4, length, swapped);
    put_word(at + length - 4, length, swapped);
    if (seed % 3 != 0 && word(at + 8, swapped) > length - 16)
        put_word(at + 8, length - 16 - seed % 4 % (length - 15), swapped);
    return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    for (size_t at = 0; seed % 4 != 0 && size - at >= 16; seed /= 3)
        at += mend_block(data + at, size - at, seed);
    return size;
}

#endif
