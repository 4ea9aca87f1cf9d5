/* Messages there and back, in both byte orders; whatever is wrong with one is found out. */
#include "remote/message.h"

#include <string.h>

#include "base/error.h"
#include "rxtxcpu/remote_protocol.h"

/* One of each, as text of its type. */
static const struct {
    uint32_t type;
    const char *form, *text;
} examples[] = {
    {RXTX_BLOCK_REQUEST, RXTX_REQUEST_TYPE, "(1, [('interface', 'eth0'), ('filter', 'tcp port 443'), ('', '')])"},
    {RXTX_BLOCK_REQUEST, RXTX_REQUEST_TYPE, "(4294967295, [])"},
    {RXTX_BLOCK_START, RXTX_START_TYPE, "()"},
    {RXTX_BLOCK_STOP, RXTX_STOP_TYPE, "()"},
    {RXTX_BLOCK_PING, RXTX_PING_TYPE, "(1700000000123456789,)"},
    {RXTX_BLOCK_HELLO, RXTX_HELLO_TYPE, "(1, [('version', '1.0')], [(0, -1, true), (3, 1, false), (-1, -1, false)])"},
    {RXTX_BLOCK_STATUS, RXTX_STATUS_TYPE, "(1, 2, 3, 18446744073709551615, true, [(10, 2, 8), (0, 0, 0)])"},
    {RXTX_BLOCK_WARNING, RXTX_WARNING_TYPE, "('été',)"},
    {RXTX_BLOCK_ERROR, RXTX_ERROR_TYPE, "(4, 'No such interface.\\nhint', '/usr/bin/rxtxcpu')"},
    {RXTX_BLOCK_TEXT, RXTX_TEXT_TYPE, "('eth0\\tup\\n',)"},
    {RXTX_BLOCK_TEXT, RXTX_TEXT_TYPE, "('',)"},
    {RXTX_BLOCK_END, RXTX_END_TYPE, "(1, 2, 3)"},
};

static GVariant *value_of(gsize example)
{
    GVariant *value = g_variant_parse(G_VARIANT_TYPE(examples[example].form), examples[example].text, NULL, NULL, NULL);

    g_assert_nonnull(value);
    return value;
}

/* ---- blocks made by hand ---- */

static guint32 in_order(guint32 value, bool swapped)
{
    return swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

static void put_32(GByteArray *out, guint32 value, bool swapped)
{
    value = in_order(value, swapped);
    g_byte_array_append(out, (const guint8 *)&value, sizeof value);
}

static void set_32(GByteArray *block, guint at, guint32 value, bool swapped)
{
    value = in_order(value, swapped);
    memcpy(block->data + at, &value, sizeof value);
}

/* body: as it shall stand there. */
static GByteArray *framed(uint32_t type, guint32 told, const void *body, guint size, bool swapped)
{
    GByteArray *block = g_byte_array_new();

    put_32(block, type, swapped);
    put_32(block, 0, swapped);
    put_32(block, told, swapped);
    if (size > 0)
        g_byte_array_append(block, body, size);
    while (block->len % 4 != 0)
        g_byte_array_append(block, (const guint8 *)"", 1);
    put_32(block, block->len + 4, swapped);
    set_32(block, 4, block->len, swapped);
    return block;
}

static GByteArray *written(gsize example, bool swapped)
{
    g_autoptr(GVariant) value = value_of(example);
    g_autoptr(GVariant) turned = swapped ? g_variant_byteswap(value) : g_variant_ref(value);
    guint size = (guint)g_variant_get_size(turned);

    return framed(examples[example].type, size, g_variant_get_data(turned), size, swapped);
}

static rxtx_message_state look(const GByteArray *block, rxtx_message_view *view)
{
    g_autofree guint8 *exact = g_memdup2(block->data, block->len); /* so that reading too far is seen */
    rxtx_message_state state = rxtx_message_view_next(exact, block->len, view);

    if (state == RXTX_MESSAGE_WHOLE)
        view->body = block->data + (view->body - exact);
    return state;
}

/* The value, or NULL with an error that says something. */
static GVariant *body_of(uint32_t type, const guint8 *body, gsize size, bool swapped)
{
    g_autofree guint8 *exact = g_memdup2(body, size);
    g_autoptr(GError) error = NULL;
    GVariant *value = rxtx_message_body(type, exact, size, swapped, &error);

    if (value != NULL)
        g_assert_no_error(error);
    else
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_REMOTE);
    return value;
}

static GVariant *read_again(const GByteArray *block)
{
    rxtx_message_view view;

    g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_WHOLE);
    return body_of(view.type, view.body, view.size, view.swapped);
}

static void assert_refused(const GByteArray *block)
{
    g_autoptr(GVariant) value = read_again(block);

    g_assert_null(value);
}

/* ---- what is right ---- */

static void what_is_put_is_what_is_read(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autoptr(GVariant) value = value_of(i), again = NULL;
        g_autoptr(GByteArray) block = g_byte_array_new(), by_hand = written(i, false);
        rxtx_message_view view;
        g_test_message("%s", examples[i].text);
        rxtx_message_put(block, examples[i].type, value);
        g_assert_cmpmem(block->data, block->len, by_hand->data, by_hand->len);
        g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_WHOLE);
        g_assert_cmpuint(view.type, ==, examples[i].type);
        g_assert_false(view.swapped);
        g_assert_cmpuint(view.block, ==, block->len);
        g_assert_cmpuint(view.size, ==, block->len - 12);
        g_assert_true(view.body == block->data + 8);
        again = read_again(block);
        g_assert_true(g_variant_equal(value, again));
    }
}

static void the_other_byte_order_says_the_same(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++) {
        g_autoptr(GVariant) value = value_of(i), again = NULL;
        g_autoptr(GByteArray) block = written(i, true);
        rxtx_message_view view;
        g_test_message("%s", examples[i].text);
        g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_WHOLE);
        g_assert_cmpuint(view.type, ==, examples[i].type);
        g_assert_true(view.swapped);
        g_assert_cmpuint(view.block, ==, block->len);
        again = read_again(block);
        g_assert_true(g_variant_equal(value, again));
    }
}

static void a_message_without_a_body_needs_none(void)
{
    g_autoptr(GByteArray) none = g_byte_array_new(), empty = g_byte_array_new();

    rxtx_message_put(none, RXTX_BLOCK_START, NULL);
    rxtx_message_put(empty, RXTX_BLOCK_START, g_variant_new("()"));
    g_assert_cmpmem(none->data, none->len, empty->data, empty->len);
}

static void messages_follow_each_other_at_multiples_of_four(void)
{
    g_autoptr(GByteArray) stream = g_byte_array_new();
    gsize at = 0;

    for (guint length = 0; length < 8; length++) {
        g_autofree char *text = g_strnfill(length, 'x');
        rxtx_message_put(stream, RXTX_BLOCK_WARNING, g_variant_new("(s)", text));
    }
    for (guint length = 0; length < 8; length++) {
        g_autoptr(GVariant) body = NULL;
        rxtx_message_view view;
        const char *text;
        g_assert_cmpint(rxtx_message_view_next(stream->data + at, stream->len - at, &view), ==, RXTX_MESSAGE_WHOLE);
        g_assert_cmpuint(view.block % 4, ==, 0);
        body = body_of(view.type, view.body, view.size, view.swapped);
        g_variant_get(body, "(&s)", &text);
        g_assert_cmpuint(strlen(text), ==, length);
        at += view.block;
    }
    g_assert_cmpuint(at, ==, stream->len);
}

static void padding_is_zeros(void)
{
    g_autoptr(GByteArray) block = g_byte_array_new();

    rxtx_message_put(block, RXTX_BLOCK_START, NULL);
    g_assert_cmpuint(block->len, ==, 20);
    g_assert_cmpmem(block->data + 12, 4, "\0\0\0\0", 4);
}

/* As the contract says: a newer end may put something behind. */
static void a_body_longer_than_it_need_be_is_no_error(void)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        guint8 body[64] = {0};
        guint64 time = swapped ? GUINT64_SWAP_LE_BE(G_GUINT64_CONSTANT(5)) : 5;
        g_autoptr(GByteArray) block = NULL;
        g_autoptr(GVariant) value = NULL;
        memset(body, 0xEE, sizeof body);
        memcpy(body, &time, sizeof time);
        block = framed(RXTX_BLOCK_PING, sizeof time, body, sizeof body, swapped);
        value = read_again(block);
        g_assert_nonnull(value);
        g_variant_get(value, "(t)", &time);
        g_assert_cmpuint(time, ==, 5);
    }
}

/* ---- what is not whole ---- */

static void every_beginning_of_a_message_waits_for_the_rest(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = written(i, swapped), part = g_byte_array_new();
            rxtx_message_view view;
            g_assert_cmpint(rxtx_message_view_next(NULL, 0, &view), ==, RXTX_MESSAGE_MORE);
            for (guint size = 1; size < block->len; size++) {
                g_byte_array_append(part, block->data + size - 1, 1);
                g_assert_cmpint(look(part, &view), ==, RXTX_MESSAGE_MORE);
            }
        }
}

/* Shorter than it was: it may be another value (a text without its end is none), but is never read beyond. */
static void a_body_cut_anywhere_is_refused(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = written(i, swapped);
            guint32 told;
            memcpy(&told, block->data + 8, sizeof told);
            told = in_order(told, swapped);
            for (guint32 size = 0; size < 4 + told; size++)
                g_assert_null(body_of(examples[i].type, block->data + 8, size, swapped));
        }
}

/* ---- what is wrong ---- */

static void a_type_that_is_none_of_ours_is_bad(void)
{
    static const uint32_t types[] = {0,          1,          0x0A0D0D0A, 6,          0xD2C70000, 0xD2C70005, 0xD2C70100,
                                     0xD2C70108, 0x52C70001, 0xD2C70201, 0xFFFFFFFF, 0x0100C7D3, 0x74736C69};

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = framed(types[i], 1, "", 1, swapped);
            rxtx_message_view view;
            g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_BAD);
            g_byte_array_set_size(block, 8); /* that much is enough to know */
            g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_BAD);
            g_assert_null(body_of(types[i], (const guint8 *)"\1\0\0\0\0", 5, swapped));
        }
}

static void a_length_that_no_message_has_is_bad_at_once(void)
{
    static const guint32 lengths[] = {
        0,          4,          8,          11,        13, 14, 15, 17, RXTX_MESSAGE_MAX + 1, RXTX_MESSAGE_MAX + 4,
        0x7FFFFFFC, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF};

    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = framed(RXTX_BLOCK_STOP, 1, "", 1, swapped);
            rxtx_message_view view;
            g_test_message("%u", lengths[i]);
            set_32(block, 4, lengths[i], swapped);
            g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_BAD);
            g_byte_array_set_size(block, 8);
            g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_BAD);
        }
}

static void the_largest_message_is_taken(void)
{
    enum { ROOM = RXTX_MESSAGE_MAX - 16 };
    g_autofree char *body = g_strnfill(ROOM - 1, 'x');

    for (int swapped = 0; swapped < 2; swapped++) {
        g_autoptr(GByteArray) block = framed(RXTX_BLOCK_TEXT, ROOM, body, ROOM, swapped);
        g_autoptr(GVariant) value = read_again(block);
        g_assert_cmpuint(block->len, ==, RXTX_MESSAGE_MAX);
        g_assert_nonnull(value);
    }
}

static void lengths_that_differ_are_bad(void)
{
    static const guint32 lies[] = {0, 12, 16, 24, 0x14000000};

    for (gsize i = 0; i < G_N_ELEMENTS(lies); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = framed(RXTX_BLOCK_STOP, 1, "", 1, swapped);
            rxtx_message_view view;
            g_assert_cmpuint(block->len, ==, 20);
            set_32(block, 16, lies[i], swapped);
            g_assert_cmpint(look(block, &view), ==, RXTX_MESSAGE_BAD);
        }
}

/* In one order each word of the head, or none. */
static void two_byte_orders_in_one_message_are_bad(void)
{
    g_autoptr(GByteArray) length = framed(RXTX_BLOCK_STOP, 1, "", 1, false),
                          tail = framed(RXTX_BLOCK_STOP, 1, "", 1, false);
    g_autoptr(GByteArray) told = framed(RXTX_BLOCK_STOP, GUINT32_SWAP_LE_BE(1), "", 1, false);
    rxtx_message_view view;

    set_32(length, 4, 20, true);
    g_assert_cmpint(look(length, &view), ==, RXTX_MESSAGE_BAD);
    set_32(tail, 16, 20, true);
    g_assert_cmpint(look(tail, &view), ==, RXTX_MESSAGE_BAD);
    assert_refused(told);
}

static void a_size_that_lies_is_refused(void)
{
    static const guint32 sizes[] = {0, 7, 9, 12, 13, 16, 0x7FFFFFFF, 0xFFFFFFFB, 0xFFFFFFFC, 0xFFFFFFFF, 0x08000000};
    static const guint8 body[12] = {0};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = framed(RXTX_BLOCK_PING, sizes[i], body, sizeof body, swapped);
            g_test_message("%u%s", sizes[i], swapped ? ", in the other order" : "");
            assert_refused(block);
        }
}

static void a_message_without_even_a_size_is_refused(void)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        g_autoptr(GByteArray) block = framed(RXTX_BLOCK_STOP, 0, NULL, 0, swapped);
        g_byte_array_remove_range(block, 8, 4);
        set_32(block, 4, 12, swapped);
        set_32(block, 8, 12, swapped);
        assert_refused(block);
    }
}

/* Values that are no serialised form of the type: GVariant itself would make defaults of them. */
static void a_value_that_is_not_of_normal_form_is_refused(void)
{
    static const struct {
        uint32_t type;
        guint size;
        const char *bytes, *why;
    } cases[] = {
        {RXTX_BLOCK_START, 0, "", "not even the byte of nothing"},
        {RXTX_BLOCK_START, 1, "\1", "something for nothing"},
        {RXTX_BLOCK_START, 2, "\0\0", "two bytes for nothing"},
        {RXTX_BLOCK_PING, 0, "", "no bytes"},
        {RXTX_BLOCK_WARNING, 0, "", "no bytes, of a text"},
        {RXTX_BLOCK_WARNING, 2, "ab", "a text without an end"},
        {RXTX_BLOCK_WARNING, 4, "a\0b\0", "a text that ends in its midst"},
        {RXTX_BLOCK_WARNING, 3, "\xc3(\0", "a text that is no UTF-8"},
        {RXTX_BLOCK_WARNING, 4, "\xed\xa0\x80\0", "half a character of UTF-16"},
        {RXTX_BLOCK_WARNING, 3, "a\0\0", "a byte behind the end"},
        {RXTX_BLOCK_ERROR, 4, "\0\0\0\0", "texts that are not there"},
        {RXTX_BLOCK_ERROR, 9, "\0\0\0\0a\0b\0\x09", "a text that begins behind the end"},
        {RXTX_BLOCK_ERROR, 9, "\0\0\0\0a\0b\0\xff", "a text that begins far behind the end"},
        {RXTX_BLOCK_ERROR, 9, "\0\0\0\0a\0b\0\x03", "a text that begins before its place"},
        {RXTX_BLOCK_REQUEST, 5, "\0\0\0\1\xff", "an array that is cut"},
        {RXTX_BLOCK_REQUEST, 9, "\0\0\0\0a\0b\0\x02", "a pair without its place"},
        {RXTX_BLOCK_REQUEST, 11, "\0\0\0\0a\0b\0\x02\x05\x04", "an array whose parts overlap"},
        {RXTX_BLOCK_STATUS, 35, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0",
         "a truth that is neither"},
        {RXTX_BLOCK_STATUS, 41, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\x28",
         "the same, with its place"},
        {RXTX_BLOCK_END, 23, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "a byte too few"},
        {RXTX_BLOCK_END, 25, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "a byte too many"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = framed(cases[i].type, cases[i].size, cases[i].bytes, cases[i].size, swapped);
            g_test_message("%s%s", cases[i].why, swapped ? ", in the other order" : "");
            assert_refused(block);
        }
}

/* A PING's body is no WARNING's: what is meant for one type is for no other, unless it is of the same form. */
static void a_body_of_another_type_is_refused_or_is_of_that_type(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++)
        for (gsize j = 0; j < G_N_ELEMENTS(examples); j++) {
            g_autoptr(GByteArray) block = written(i, false);
            g_autoptr(GVariant) value = NULL;
            set_32(block, 0, examples[j].type, false);
            value = read_again(block);
            if (value != NULL)
                g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(examples[j].form)));
            if (value != NULL)
                g_assert_true(g_variant_is_normal_form(value));
            g_assert_true(value != NULL || strcmp(examples[i].form, examples[j].form) != 0);
        }
}

static void any_byte_changed_is_refused_or_a_value_of_the_type(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(examples); i++)
        for (int swapped = 0; swapped < 2; swapped++) {
            g_autoptr(GByteArray) block = written(i, swapped);
            for (guint at = 8; at + 4 < block->len; at++)
                for (guint mask = 1; mask < 256; mask <<= 1) {
                    g_autoptr(GVariant) value = NULL;
                    block->data[at] ^= (guint8)mask;
                    value = read_again(block);
                    block->data[at] ^= (guint8)mask;
                    if (value == NULL)
                        continue;
                    g_assert_true(g_variant_is_of_type(value, G_VARIANT_TYPE(examples[i].form)));
                    g_assert_true(g_variant_is_normal_form(value));
                }
        }
}

/* ---- texts ---- */

static void a_text_that_came_is_cleaned_for_a_terminal(void)
{
    static const struct {
        const char *text;
        guint lines;
        const char *clean;
    } cases[] = {
        {"", 1, ""},
        {"all is well", 1, "all is well"},
        {"\xc3\xa9t\xc3\xa9 \xe2\x82\xac", 1, "\xc3\xa9t\xc3\xa9 \xe2\x82\xac"},
        {"a\tb", 1, "a\tb"},
        {"\x1b[2Jx\x1b]0;title\x07", 1, "?[2Jx?]0;title?"},
        {"a\rb\x08"
         "c\x7f",
         1, "a?b?c?"},
        {"a\x01\x02\x1f", 1, "a???"},
        {"a\xc2\x9b"
         "31m",
         1, "a?31m"}, /* CSI in one character */
        {"a\xe2\x80\xae"
         "b\xe2\x80\x8b"
         "c\xef\xbb\xbf",
         1, "a?b?c?"}, /* right to left, no width, a byte order mark */
        {"a\xff"
         "b\xc3",
         1,
         "a\xef\xbf\xbd"
         "b\xef\xbf\xbd"},
        {"\xed\xa0\x80", 1, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"one\ntwo", 1, "one"},
        {"one\r\ntwo", 1, "one?"},
        {"\none", 1, ""},
        {"one\ntwo\nthree", 2, "one\ntwo"},
        {"one\ntwo\nthree", 3, "one\ntwo\nthree"},
        {"one\ntwo\n", 3, "one\ntwo\n"},
        {"one\n\n\n\n", 2, "one\n"},
        {"one\ntwo\n", G_MAXUINT, "one\ntwo\n"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *clean = rxtx_message_clean(cases[i].text, cases[i].lines);
        g_assert_cmpstr(clean, ==, cases[i].clean);
    }
}

static void every_byte_comes_out_as_text(void)
{
    for (guint a = 1; a < 256; a++)
        for (guint b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, '\0'};
            g_autofree char *clean = rxtx_message_clean(text, 2);
            g_assert_true(g_utf8_validate(clean, -1, NULL));
            for (const char *c = clean; *c != '\0'; c = g_utf8_next_char(c))
                g_assert_true(*c == '\n' || *c == '\t' || g_unichar_isprint(g_utf8_get_char(c)));
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/what is put is what is read", what_is_put_is_what_is_read);
    g_test_add_func("/message/the other byte order says the same", the_other_byte_order_says_the_same);
    g_test_add_func("/message/a message without a body needs none", a_message_without_a_body_needs_none);
    g_test_add_func("/message/messages follow each other at multiples of four",
                    messages_follow_each_other_at_multiples_of_four);
    g_test_add_func("/message/padding is zeros", padding_is_zeros);
    g_test_add_func("/message/a body longer than it need be is no error", a_body_longer_than_it_need_be_is_no_error);
    g_test_add_func("/message/every beginning of a message waits for the rest",
                    every_beginning_of_a_message_waits_for_the_rest);
    g_test_add_func("/message/a body cut anywhere is refused", a_body_cut_anywhere_is_refused);
    g_test_add_func("/message/a type that is none of ours is bad", a_type_that_is_none_of_ours_is_bad);
    g_test_add_func("/message/a length that no message has is bad at once",
                    a_length_that_no_message_has_is_bad_at_once);
    g_test_add_func("/message/the largest message is taken", the_largest_message_is_taken);
    g_test_add_func("/message/lengths that differ are bad", lengths_that_differ_are_bad);
    g_test_add_func("/message/two byte orders in one message are bad", two_byte_orders_in_one_message_are_bad);
    g_test_add_func("/message/a size that lies is refused", a_size_that_lies_is_refused);
    g_test_add_func("/message/a message without even a size is refused", a_message_without_even_a_size_is_refused);
    g_test_add_func("/message/a value that is not of normal form is refused",
                    a_value_that_is_not_of_normal_form_is_refused);
    g_test_add_func("/message/a body of another type is refused or is of that type",
                    a_body_of_another_type_is_refused_or_is_of_that_type);
    g_test_add_func("/message/any byte changed is refused or a value of the type",
                    any_byte_changed_is_refused_or_a_value_of_the_type);
    g_test_add_func("/message/a text that came is cleaned for a terminal", a_text_that_came_is_cleaned_for_a_terminal);
    g_test_add_func("/message/every byte comes out as text", every_byte_comes_out_as_text);
    return g_test_run();
}
