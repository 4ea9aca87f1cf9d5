/* Decodes the two forms of a stream record, strictly by the grammar of rxtxcpu/capture_format.h. Where the texts come
 * from, and what is shown of them, is packet-rxtxcpu.c's. */
#include "record.h"

#include <string.h>

#include "rxtxcpu/capture_format.h"

/* A piece of a text that is not ours, without a NUL at its end. */
typedef struct {
    const char *text;
    gsize len;
} slice;

static bool slice_is(slice s, const char *word)
{
    return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

static bool slice_has_control(slice s)
{
    for (gsize i = 0; i < s.len; i++)
        if (g_ascii_iscntrl(s.text[i]))
            return true;
    return false;
}

static void slice_skip(slice *s, gsize len)
{
    s->text += len;
    s->len -= len;
}

/* Cuts the next word off rest: exactly one space between two words, none before the first or behind the last. */
static bool next_word(slice *rest, slice *word)
{
    const char *space = rest->len > 0 ? memchr(rest->text, ' ', rest->len) : NULL;

    *word = *rest;
    if (space != NULL)
        word->len = (gsize)(space - rest->text);
    slice_skip(rest, word->len);
    if (space != NULL) {
        slice_skip(rest, 1);
        if (rest->len == 0)
            return false;
    }
    return word->len > 0;
}

/* 0 to 4294967294: the last of 32 bits is how the kernel writes "none". */
static bool parse_decimal(slice s, guint32 *number)
{
    guint64 value = 0;

    if (s.len == 0 || s.len > strlen("4294967294") || (s.text[0] == '0' && s.len > 1))
        return false;
    for (gsize i = 0; i < s.len; i++) {
        if (!g_ascii_isdigit(s.text[i]))
            return false;
        value = value * 10 + (guint64)(s.text[i] - '0');
    }
    *number = (guint32)value;
    return value < G_MAXUINT32;
}

static bool parse_number(slice value, rxtx_number *number)
{
    if (slice_is(value, RXTX_VALUE_UNKNOWN)) {
        number->presence = RXTX_UNKNOWN;
        return true;
    }
    number->presence = RXTX_KNOWN;
    return parse_decimal(value, &number->number);
}

/* "0x" and one to eight digits. */
static bool parse_hash(slice value, rxtx_number *number)
{
    if (value.len < strlen("0x0") || value.len > strlen("0x12345678") || memcmp(value.text, "0x", 2) != 0)
        return false;
    for (gsize i = 2; i < value.len; i++) {
        if (!g_ascii_isxdigit(value.text[i]))
            return false;
        number->number = number->number << 4 | (guint32)g_ascii_xdigit_value(value.text[i]);
    }
    number->presence = RXTX_KNOWN;
    return true;
}

/* Stores what may be given once. */
static bool store_once(rxtx_number *place, const rxtx_number *number)
{
    if (place->presence != RXTX_ABSENT)
        return false;
    *place = *number;
    return true;
}

/* With a NULL place the value is only looked at. */
static bool take_number(rxtx_number *place, slice value)
{
    rxtx_number number = {RXTX_ABSENT, 0};

    return parse_number(value, &number) && (place == NULL || store_once(place, &number));
}

static bool take_hash(rxtx_number *place, slice value)
{
    rxtx_number number = {RXTX_ABSENT, 0};

    return parse_hash(value, &number) && store_once(place, &number);
}

static bool take_pair(rxtx_record *record, slice key, slice value)
{
    if (slice_is(key, RXTX_KEY_CPU))
        return take_number(&record->cpu, value);
    if (slice_is(key, RXTX_KEY_QUEUE))
        return take_number(&record->queue, value);
    if (slice_is(key, RXTX_KEY_NODE))
        return take_number(&record->node, value);
    return slice_is(key, RXTX_KEY_HOOK) || take_number(NULL, value);
}

static rxtx_stream_kind stream_of(slice key)
{
    if (slice_is(key, RXTX_KEY_CPU))
        return RXTX_STREAM_CPU;
    if (slice_is(key, RXTX_KEY_QUEUE))
        return RXTX_STREAM_QUEUE;
    if (slice_is(key, RXTX_KEY_NODE))
        return RXTX_STREAM_NODE;
    return RXTX_STREAM_OTHER;
}

/* name is NAME or HOST:NAME, and NAME is what the interface calls itself. */
static bool take_name(rxtx_record *record, slice name, const char *if_name)
{
    gsize len;

    if (if_name == NULL || slice_is(name, if_name))
        return true;
    len = strlen(if_name);
    if (len == 0 || name.len < len + strlen("h:"))
        return false;
    record->host_len = name.len - len - 1;
    return name.text[record->host_len] == ':' && memcmp(name.text + record->host_len + 1, if_name, len) == 0;
}

static bool decode_words(rxtx_record *record, slice rest, const char *if_name)
{
    slice name, key, value;

    if (!next_word(&rest, &name) || !take_name(record, name, if_name))
        return false;
    do {
        if (!next_word(&rest, &key) || !next_word(&rest, &value) || !take_pair(record, key, value))
            return false;
        if (record->stream == RXTX_STREAM_NONE)
            record->stream = stream_of(key);
    } while (rest.len > 0);
    return true;
}

static bool decode_description(rxtx_record *record, const char *description, const char *if_name)
{
    const gsize suffix = strlen(" " RXTX_DESCRIPTION_SUFFIX);
    slice rest = {description, strnlen(description, RXTX_DESCRIPTION_MAX + 1)};

    if (rest.len < suffix || rest.len > RXTX_DESCRIPTION_MAX || slice_has_control(rest))
        return false;
    rest.len -= suffix;
    return memcmp(rest.text + rest.len, " " RXTX_DESCRIPTION_SUFFIX, suffix) == 0 &&
           decode_words(record, rest, if_name);
}

bool rxtx_record_decode(rxtx_record *record, const char *description, const char *if_name)
{
    *record = (rxtx_record){0};
    if (description != NULL && decode_description(record, description, if_name))
        return true;
    *record = (rxtx_record){0};
    return false;
}

static bool is_comment_key(slice key)
{
    if (key.len == 0 || !g_ascii_islower(key.text[0]))
        return false;
    for (gsize i = 0; i < key.len; i++)
        if (!g_ascii_islower(key.text[i]) && !g_ascii_isdigit(key.text[i]) && key.text[i] != '_')
            return false;
    return true;
}

/* prefix is a key with its "=". */
static bool take_prefixed(slice word, const char *prefix, slice *value)
{
    gsize len = strlen(prefix);

    if (word.len <= len || memcmp(word.text, prefix, len) != 0)
        return false;
    *value = word;
    slice_skip(value, len);
    return true;
}

static bool take_comment_word(rxtx_record *record, slice word)
{
    const char *equals = memchr(word.text, '=', word.len);
    slice key = {word.text, equals != NULL ? (gsize)(equals - word.text) : 0};
    slice value;

    if (!is_comment_key(key) || key.len + 1 == word.len)
        return false;
    if (take_prefixed(word, RXTX_COMMENT_CPU, &value))
        return take_number(&record->cpu, value);
    if (take_prefixed(word, RXTX_COMMENT_QUEUE, &value))
        return take_number(&record->queue, value);
    if (take_prefixed(word, RXTX_COMMENT_NODE, &value))
        return take_number(&record->node, value);
    if (take_prefixed(word, RXTX_COMMENT_HASH, &value))
        return take_hash(&record->hash, value);
    return true;
}

static bool decode_comment(rxtx_record *record, const char *comment)
{
    slice word, rest = {comment, strnlen(comment, RXTX_DESCRIPTION_MAX + 1)};

    if (rest.len > RXTX_DESCRIPTION_MAX || slice_has_control(rest))
        return false;
    do {
        if (!next_word(&rest, &word) || !take_comment_word(record, word))
            return false;
    } while (rest.len > 0);
    record->stream = RXTX_STREAM_CPU;
    return record->cpu.presence == RXTX_KNOWN;
}

bool rxtx_record_decode_comment(rxtx_record *record, const char *comment)
{
    *record = (rxtx_record){0};
    if (comment != NULL && decode_comment(record, comment))
        return true;
    *record = (rxtx_record){0};
    return false;
}

static void complete_number(rxtx_number *number, const rxtx_number *other)
{
    if (number->presence < other->presence)
        *number = *other;
}

void rxtx_record_complete(rxtx_record *record, const rxtx_record *other)
{
    if (record->stream == RXTX_STREAM_NONE)
        record->stream = other->stream;
    complete_number(&record->cpu, &other->cpu);
    complete_number(&record->queue, &other->queue);
    complete_number(&record->node, &other->node);
    complete_number(&record->hash, &other->hash);
}
