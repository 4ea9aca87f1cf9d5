/* What one block of the far end says, and whether it may be there. How bytes come, and what is done with what they say,
 * is not known here. */
#include "remote/decode.h"

#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "rxtxcpu/capture_format.h"
#include "rxtxcpu/remote_protocol.h"
#include "sink/pcapng_blocks.h"

enum {
    IF_TSOFFSET = 14,

    QUOTE_MAX = 60, /* of what the far end sent, in a message */

    /* Offsets of what every block has, and the sizes of what each has before its options. */
    TYPE = 0,
    LENGTH = 4,
    BODY = 8,
    TRAILER = 4,
    SECTION_FIXED = 24,
    INTERFACE_FIXED = 16,
    STATISTICS_FIXED = 20,
    PACKET_FIXED = 28,
    OPTION_HEADER = 4,

    DIRECTION_MASK = 3,
    RECEPTION_MASK = 7 << 2,

    BYTE_NBSP = 0xA0,
    BYTE_C1_LEAD = 0xC2, /* of U+0080 to U+00BF in UTF-8 */
    REPLACEMENT_CHARACTER = 0xFFFD,
};

typedef struct kind kind;

typedef struct {
    const uint8_t *bytes;
    size_t available; /* bytes that came */
    size_t size;      /* of the block; not more than available once read_frame said yes */
    bool swapped;
    const kind *kind;
} block;

struct kind {
    uint32_t type;
    const char *noun; /* for a user */
    size_t min, max;  /* of the block */
    rxtx_decoded_kind becomes;
    /* Fills *decoded and the decoder only if it returns true. */
    bool (*decode)(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error);
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    rxtx_set_error(error, RXTX_ERROR_REMOTE, "The far end sent %s", what);
    return false;
}

/* ---- numbers ---- */

static uint16_t order_16(const block *b, const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return b->swapped ? GUINT16_SWAP_LE_BE(value) : value;
}

static uint32_t order_32(const block *b, const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return b->swapped ? GUINT32_SWAP_LE_BE(value) : value;
}

static uint64_t order_64(const block *b, const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return b->swapped ? GUINT64_SWAP_LE_BE(value) : value;
}

static uint32_t word(const block *b, size_t offset)
{
    return order_32(b, b->bytes + offset);
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* ---- texts ---- */

/* What stands for the character at *at, which is not the end, and steps over it. A byte that begins none is one. */
static gunichar next_character(const char **at, const char *end, bool layout)
{
    gunichar c = g_utf8_get_char_validated(*at, end - *at);

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        *at += 1;
        return (*at)[-1] == '\0' ? '?' : REPLACEMENT_CHARACTER; /* to GLib a NUL is none either */
    }
    *at = g_utf8_next_char(*at);
    if (layout && (c == '\n' || c == '\t'))
        return c;
    return g_unichar_iscntrl(c) ? '?' : c;
}

/* Valid UTF-8 of at most `max` bytes, without control characters but, with `layout`, newlines and tabs. NULL = none. */
static char *clean_text(const uint8_t *bytes, size_t length, size_t max, bool layout)
{
    const char *at = (const char *)bytes;
    GString *text;

    if (length == 0)
        return NULL; /* then bytes may be NULL too */
    text = g_string_sized_new(MIN(length, max));
    for (const char *end = at + length; at < end;) {
        gunichar c = next_character(&at, end, layout);
        if (text->len + (size_t)g_unichar_to_utf8(c, NULL) > max)
            break;
        g_string_append_unichar(text, c);
    }
    return g_string_free(text, FALSE);
}

/* To the kernel's isspace (lib/ctype.c) 0xA0 is a space. Control characters are none of its concern, but ours. */
static bool is_name_byte(uint8_t before, uint8_t byte)
{
    if (before == BYTE_C1_LEAD && byte >= 0x80 && byte < BYTE_NBSP)
        return false;
    return byte > ' ' && byte != 0x7F && byte != BYTE_NBSP && byte != '/' && byte != ':';
}

/* dev_valid_name, net/core/dev.c */
static bool is_device_name(const uint8_t *name, size_t length)
{
    if (length == 0 || length >= IFNAMSIZ || (length <= 2 && memcmp(name, "..", length) == 0))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_byte(i > 0 ? name[i - 1] : 0, name[i]))
            return false;
    return true;
}

/* ---- options ---- */

typedef struct {
    uint16_t code;
    uint16_t size;        /* that it must have; 0 = any */
    uint16_t length;      /* that it has */
    const uint8_t *value; /* NULL = it is not there */
} option;

/* An option that nobody wants is left out. */
static bool keep_option(const block *b, const option *found, option *wanted, size_t n_wanted, GError **error)
{
    for (size_t i = 0; i < n_wanted; i++) {
        if (wanted[i].code != found->code)
            continue;
        if (wanted[i].value != NULL)
            return refuse(error, "%s that says the same thing (option %u) twice", b->kind->noun, found->code);
        if (wanted[i].size != 0 && wanted[i].size != found->length)
            return refuse(error, "%s with %u bytes where %u belong (option %u)", b->kind->noun, found->length,
                          wanted[i].size, found->code);
        wanted[i].length = found->length;
        wanted[i].value = found->value;
    }
    return true;
}

/* Walks the options from `offset` to the trailing length; both are multiples of 4. The end's mark may be missing. */
static bool read_options(const block *b, size_t offset, option *wanted, size_t n_wanted, GError **error)
{
    const uint8_t *at = b->bytes + offset, *end = b->bytes + b->size - TRAILER;

    while (at < end) {
        option found = {.code = order_16(b, at), .length = order_16(b, at + 2), .value = at + OPTION_HEADER};
        size_t left = (size_t)(end - found.value);
        if (found.code == OPT_END)
            return (found.length == 0 && left == 0) || refuse(error, "%s with something behind the end", b->kind->noun);
        if (padded(found.length) > left)
            return refuse(error, "%s with an option (%u) that is longer than the rest", b->kind->noun, found.code);
        if (!keep_option(b, &found, wanted, n_wanted, error))
            return false;
        at = found.value + padded(found.length);
    }
    return true;
}

/* ---- the blocks ---- */

static bool decode_section(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error)
{
    unsigned major = order_16(b, b->bytes + BODY + 4), minor = order_16(b, b->bytes + BODY + 6);

    (void)decoded;
    if (word(b, BODY) != BYTE_ORDER_MAGIC)
        return refuse(error, "a capture in another byte order than that of what came before");
    if (major != VERSION_MAJOR || minor != VERSION_MINOR)
        return refuse(error, "a capture of version %u.%u, and not of %u.%u", major, minor, VERSION_MAJOR,
                      VERSION_MINOR);
    if (!read_options(b, SECTION_FIXED, NULL, 0, error))
        return false;
    decoder->in_section = true;
    return true;
}

enum { COMMENT, NAME, DESCRIPTION, RESOLUTION, TIME_OFFSET, FILTER };

static bool check_interface(const rxtx_decoder *decoder, const option *options, GError **error)
{
    g_autofree char *quote = NULL;

    if (decoder->n_interfaces >= RXTX_REMOTE_INTERFACES_MAX)
        return refuse(error, "more than %u interfaces", RXTX_REMOTE_INTERFACES_MAX);
    if (options[RESOLUTION].value == NULL || *options[RESOLUTION].value != TSRESOL_NS ||
        options[TIME_OFFSET].value != NULL)
        return refuse(error, "an interface whose times are not nanoseconds since 1970");
    if (options[NAME].value == NULL)
        return refuse(error, "an interface without a name");
    if (is_device_name(options[NAME].value, options[NAME].length))
        return true;
    quote = clean_text(options[NAME].value, options[NAME].length, QUOTE_MAX, false);
    return refuse(error, "an interface with a name that none can have: '%s'", quote != NULL ? quote : "");
}

static char *take_text(const option *text, size_t max, bool layout)
{
    return clean_text(text->value, text->length, max, layout);
}

/* Of an expression that is too long nothing is taken: a part of it would be another one. */
static char *take_filter(const option *filter)
{
    g_autofree char *text = NULL;

    if (filter->length <= 1 || filter->value[0] != IF_FILTER_STRING)
        return NULL;
    text = clean_text(filter->value + 1, filter->length - 1, SIZE_MAX, false);
    return strlen(text) <= TEXT_MAX ? g_steal_pointer(&text) : NULL;
}

static bool decode_interface(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error)
{
    int32_t linktype = order_16(b, b->bytes + BODY);
    option options[] = {
        [COMMENT] = {.code = OPT_COMMENT},        [NAME] = {.code = IF_NAME},
        [DESCRIPTION] = {.code = IF_DESCRIPTION}, [RESOLUTION] = {.code = IF_TSRESOL, .size = 1},
        [TIME_OFFSET] = {.code = IF_TSOFFSET},    [FILTER] = {.code = IF_FILTER},
    };

    if (!read_options(b, INTERFACE_FIXED, options, G_N_ELEMENTS(options), error) ||
        !check_interface(decoder, options, error))
        return false;
    decoded->interface.linktype = linktype;
    decoded->interface.name = take_text(&options[NAME], TEXT_MAX, false);
    decoded->interface.description = take_text(&options[DESCRIPTION], TEXT_MAX, false);
    decoded->interface.filter = take_filter(&options[FILTER]);
    decoded->interface.comment = take_text(&options[COMMENT], COMMENT_MAX, true);
    if (decoder->linktypes == NULL)
        decoder->linktypes = g_array_new(FALSE, FALSE, sizeof linktype);
    g_array_append_val(decoder->linktypes, linktype);
    decoder->n_interfaces++;
    return true;
}

static bool check_known(const block *b, const rxtx_decoder *decoder, uint32_t interface_id, GError **error)
{
    return interface_id < decoder->n_interfaces || refuse(error, "%s of an interface that it did not name (%u of %u)",
                                                          b->kind->noun, interface_id, decoder->n_interfaces);
}

static bool check_packet(const block *b, const rxtx_packet *packet, GError **error)
{
    if (packet->caplen > RXTX_SNAPLEN_MAX)
        return refuse(error, "a packet of %u bytes; %u is the most", packet->caplen, RXTX_SNAPLEN_MAX);
    if (padded(packet->caplen) > b->size - PACKET_FIXED - TRAILER)
        return refuse(error, "a packet of %u bytes, but not so many", packet->caplen);
    if (packet->len < packet->caplen)
        return refuse(error, "%u bytes of a packet that had %u", packet->caplen, packet->len);
    if (packet->ts_ns > INT64_MAX)
        return refuse(error, "a packet of a time beyond the year 2262");
    return true;
}

static uint32_t known_flags(uint32_t flags)
{
    uint32_t direction = flags & DIRECTION_MASK, reception = flags & RECEPTION_MASK;

    return (direction <= RXTX_FLAG_OUTBOUND ? direction : 0) | (reception <= RXTX_FLAG_PROMISCUOUS ? reception : 0);
}

static void take_packet_options(const block *b, const option *flags, const option *dropcount, const option *queue,
                                rxtx_decoded *decoded)
{
    uint32_t number = queue->value != NULL ? order_32(b, queue->value) : UINT32_MAX;

    decoded->packet.packet.flags = flags->value != NULL ? known_flags(order_32(b, flags->value)) : 0;
    decoded->packet.packet.dropped = dropcount->value != NULL ? order_64(b, dropcount->value) : 0;
    decoded->packet.queue = number <= INT_MAX ? (int)number : -1;
}

static bool decode_packet(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error)
{
    option options[] = {
        {.code = EPB_FLAGS, .size = 4}, {.code = EPB_DROPCOUNT, .size = 8}, {.code = EPB_QUEUE, .size = 4}};
    uint32_t interface_id = word(b, BODY);
    rxtx_packet packet = {.ts_ns = (uint64_t)word(b, BODY + 4) << 32 | word(b, BODY + 8),
                          .data = b->bytes + PACKET_FIXED,
                          .caplen = word(b, BODY + 12),
                          .len = word(b, BODY + 16),
                          .wire_len = word(b, BODY + 16)};

    if (!check_known(b, decoder, interface_id, error) || !check_packet(b, &packet, error) ||
        !read_options(b, PACKET_FIXED + padded(packet.caplen), options, G_N_ELEMENTS(options), error))
        return false;
    packet.linktype = g_array_index(decoder->linktypes, int32_t, interface_id);
    decoded->packet.interface_id = interface_id;
    decoded->packet.packet = packet;
    take_packet_options(b, &options[0], &options[1], &options[2], decoded);
    return true;
}

static bool decode_statistics(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error)
{
    (void)decoded;
    return check_known(b, decoder, word(b, BODY), error) && read_options(b, STATISTICS_FIXED, NULL, 0, error);
}

static bool decode_message(const block *b, rxtx_decoder *decoder, rxtx_decoded *decoded, GError **error)
{
    (void)decoder;
    (void)error;
    decoded->message.type = b->kind->type;
    decoded->message.body = b->bytes + BODY;
    decoded->message.size = b->size - BODY - TRAILER;
    return true;
}

#define MESSAGE(type)                                                                                                  \
    {                                                                                                                  \
        type, "a message", BODY + TRAILER, RXTX_MESSAGE_MAX, RXTX_DECODED_MESSAGE, decode_message                      \
    }

static const kind kinds[] = {
    {BLOCK_PACKET, "a packet", PACKET_FIXED + TRAILER, RXTX_EPB_MAX, RXTX_DECODED_PACKET, decode_packet},
    {BLOCK_SECTION, "a capture's beginning", SECTION_FIXED + TRAILER, RXTX_SHB_MAX, RXTX_DECODED_SECTION,
     decode_section},
    {BLOCK_INTERFACE, "an interface", INTERFACE_FIXED + TRAILER, RXTX_IDB_MAX, RXTX_DECODED_INTERFACE,
     decode_interface},
    {BLOCK_STATISTICS, "statistics", STATISTICS_FIXED + TRAILER, RXTX_IDB_MAX, RXTX_DECODED_STATISTICS,
     decode_statistics},
    MESSAGE(RXTX_BLOCK_HELLO),
    MESSAGE(RXTX_BLOCK_STATUS),
    MESSAGE(RXTX_BLOCK_WARNING),
    MESSAGE(RXTX_BLOCK_EVENT),
    MESSAGE(RXTX_BLOCK_ERROR),
    MESSAGE(RXTX_BLOCK_TEXT),
    MESSAGE(RXTX_BLOCK_END),
};

static const kind *find_kind(uint32_t type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* ---- the frame ---- */

/* Most often it is what a start-up file of the shell there prints. */
static bool refuse_beginning(const block *b, GError **error)
{
    size_t length = 0;

    while (length < MIN(b->available, QUOTE_MAX) && b->bytes[length] != '\n' && b->bytes[length] != '\r')
        length++;
    g_autofree char *quote = clean_text(b->bytes, length, QUOTE_MAX, false);
    return refuse(
        error,
        "'%s', which is not from rxtxcpu\n"
        "Does a start-up file of the shell there (~/.bashrc) print it? It may not, when no terminal is there.",
        quote != NULL ? quote : "");
}

static bool is_message(uint32_t type)
{
    const kind *k = find_kind(type);

    return k != NULL && k->becomes == RXTX_DECODED_MESSAGE;
}

/* The first word of all tells, or of a section header the third. */
static bool read_order(block *b, const rxtx_decoder *decoder, GError **error)
{
    bool is_section;

    if (b->available < LENGTH)
        return false;
    b->swapped = decoder->swapped;
    if (decoder->begun)
        return true;
    is_section = word(b, TYPE) == BLOCK_SECTION;
    if (is_section && b->available < BODY + sizeof(uint32_t))
        return false;
    for (int order = 0; order < 2; order++) {
        b->swapped = order == 1;
        if (is_section ? word(b, BODY) == BYTE_ORDER_MAGIC : is_message(word(b, TYPE)))
            return true;
    }
    return is_section ? refuse(error, "a capture that does not tell its byte order") : refuse_beginning(b, error);
}

static bool check_place(const block *b, const rxtx_decoder *decoder, GError **error)
{
    switch (b->kind->becomes) {
    case RXTX_DECODED_MESSAGE:
        return true;
    case RXTX_DECODED_SECTION:
        return !decoder->in_section || refuse(error, "a second capture behind the first");
    default:
        return decoder->in_section || refuse(error, "%s before the capture's beginning", b->kind->noun);
    }
}

/* Says no without an error if bytes are missing. */
static bool read_frame(block *b, const rxtx_decoder *decoder, GError **error)
{
    b->kind = find_kind(word(b, TYPE));
    if (b->kind == NULL)
        return refuse(error, "a block of type 0x%08X that is not part of a capture", word(b, TYPE));
    if (!check_place(b, decoder, error) || b->available < BODY)
        return false;
    b->size = word(b, LENGTH);
    if (b->size % 4 != 0 || b->size < b->kind->min || b->size > b->kind->max)
        return refuse(error, "%s of a length that cannot be: %zu bytes", b->kind->noun, b->size);
    if (b->available < b->size)
        return false;
    if (word(b, b->size - TRAILER) != b->size)
        return refuse(error, "%s of two lengths: %zu and %u bytes", b->kind->noun, b->size, word(b, b->size - TRAILER));
    return true;
}

void rxtx_decode_block(rxtx_decoder *decoder, const uint8_t *bytes, size_t size, rxtx_decoded *decoded, GError **error)
{
    block b = {.bytes = bytes, .available = size};
    GError *why = NULL;

    *decoded = (rxtx_decoded){.kind = RXTX_DECODED_MORE};
    if (read_order(&b, decoder, &why) && read_frame(&b, decoder, &why) && b.kind->decode(&b, decoder, decoded, &why)) {
        decoder->begun = true;
        decoder->swapped = b.swapped;
        decoded->kind = b.kind->becomes;
        decoded->size = b.size;
    } else if (why != NULL) {
        decoded->kind = RXTX_DECODED_BAD;
        g_propagate_error(error, why);
    }
}

void rxtx_decoded_clear(rxtx_decoded *decoded)
{
    g_free(decoded->interface.name);
    g_free(decoded->interface.description);
    g_free(decoded->interface.filter);
    g_free(decoded->interface.comment);
    *decoded = (rxtx_decoded){0};
}

void rxtx_decoder_clear(rxtx_decoder *decoder)
{
    g_clear_pointer(&decoder->linktypes, g_array_unref);
    *decoder = (rxtx_decoder){0};
}
