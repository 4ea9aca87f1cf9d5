/* The encoder: values in, blocks out. Which interface a packet belongs to and where the bytes go is not known here. */
#include "sink/pcapng.h"

#include <string.h>

#include "rxtxcpu/capture_format.h"
#include "sink/pcapng_blocks.h"

enum {
    SHB_HARDWARE = 2,
    SHB_OS = 3,
    SHB_USERAPPL = 4,
    ISB_STARTTIME = 2,
    ISB_ENDTIME = 3,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
    ISB_FILTERACCEPT = 6,
    ISB_OSDROP = 7,
    ISB_USRDELIV = 8,

    /* Three of them fit into a section header of RXTX_SHB_MAX. */
    SECTION_TEXT_MAX = 600,

    PACKET_FIXED = 28, /* up to the packet's data */
    OPTION_FLAGS_SIZE = 8,
    OPTION_DROPCOUNT_SIZE = 12,
    OPTION_QUEUE_SIZE = 8,
    OPTION_HEADER = 4,
    PACKET_TRAILER = 4,
};

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* ---- blocks that come once ---- */

static void put(GByteArray *out, const void *bytes, size_t size)
{
    static const guint8 zeros[3] = {0};

    g_byte_array_append(out, bytes, (guint)size);
    g_byte_array_append(out, zeros, (guint)(padded(size) - size));
}

static void put_32(GByteArray *out, uint32_t value)
{
    put(out, &value, sizeof value);
}

/* The length is filled in by end_block. */
static size_t begin_block(GByteArray *out, uint32_t type)
{
    size_t start = out->len;

    put_32(out, type);
    put_32(out, 0);
    return start;
}

static void end_block(GByteArray *out, size_t start)
{
    uint32_t length;

    put_32(out, OPT_END);
    length = (uint32_t)(out->len - start + sizeof length);
    put_32(out, length);
    memcpy(out->data + start + 4, &length, sizeof length);
}

static void put_option(GByteArray *out, uint16_t code, const void *value, size_t size)
{
    uint16_t header[2] = {code, (uint16_t)size};

    put(out, header, sizeof header);
    put(out, value, size);
}

/* Clipped at a character's start, so that it stays UTF-8. */
static void put_text(GByteArray *out, uint16_t code, const char *text, size_t max)
{
    size_t length;

    if (text == NULL || *text == '\0')
        return;
    length = strlen(text);
    if (length > max)
        for (length = max; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    put_option(out, code, text, length);
}

void rxtx_pcapng_put_section(GByteArray *out, const rxtx_pcapng_section *section)
{
    static const uint64_t unknown_length = UINT64_MAX;
    uint16_t version[2] = {VERSION_MAJOR, VERSION_MINOR};
    size_t start = begin_block(out, BLOCK_SECTION);

    put_32(out, BYTE_ORDER_MAGIC);
    put(out, version, sizeof version);
    put(out, &unknown_length, sizeof unknown_length);
    put_text(out, SHB_HARDWARE, section->hardware, SECTION_TEXT_MAX);
    put_text(out, SHB_OS, section->os, SECTION_TEXT_MAX);
    put_text(out, SHB_USERAPPL, section->application, SECTION_TEXT_MAX);
    end_block(out, start);
}

static void put_filter(GByteArray *out, const char *filter)
{
    g_autofree char *value = NULL;
    size_t length = filter != NULL ? strlen(filter) : 0;

    if (length == 0 || length > TEXT_MAX)
        return;
    value = g_malloc(length + 1);
    value[0] = IF_FILTER_STRING;
    memcpy(value + 1, filter, length);
    put_option(out, IF_FILTER, value, length + 1);
}

void rxtx_pcapng_put_interface(GByteArray *out, const rxtx_pcapng_interface *interface)
{
    static const guint8 resolution = TSRESOL_NS;
    uint16_t linktype[2] = {(uint16_t)interface->linktype, 0};
    size_t start = begin_block(out, BLOCK_INTERFACE);

    put(out, linktype, sizeof linktype);
    put_32(out, interface->snaplen);
    put_text(out, OPT_COMMENT, interface->comment, COMMENT_MAX);
    put_text(out, IF_NAME, interface->name, TEXT_MAX);
    put_text(out, IF_DESCRIPTION, interface->description, TEXT_MAX);
    put_option(out, IF_TSRESOL, &resolution, sizeof resolution);
    put_filter(out, interface->filter);
    end_block(out, start);
}

/* The upper half first, whatever the byte order. */
static void split_time(uint32_t halves[2], uint64_t ns)
{
    halves[0] = (uint32_t)(ns >> 32);
    halves[1] = (uint32_t)ns;
}

void rxtx_pcapng_put_statistics(GByteArray *out, uint32_t interface_id, const rxtx_stats *stats, uint64_t start_ns,
                                uint64_t end_ns)
{
    const struct {
        uint16_t code;
        uint64_t value;
    } counters[] = {{ISB_IFRECV, stats->accepted},
                    {ISB_IFDROP, stats->dropped},
                    {ISB_FILTERACCEPT, stats->accepted},
                    {ISB_OSDROP, stats->dropped},
                    {ISB_USRDELIV, stats->delivered}};
    uint32_t start_halves[2], end_halves[2];
    size_t start = begin_block(out, BLOCK_STATISTICS);

    split_time(start_halves, start_ns);
    split_time(end_halves, end_ns);
    put_32(out, interface_id);
    put(out, end_halves, sizeof end_halves);
    put_option(out, ISB_STARTTIME, start_halves, sizeof start_halves);
    put_option(out, ISB_ENDTIME, end_halves, sizeof end_halves);
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++)
        put_option(out, counters[i].code, &counters[i].value, sizeof counters[i].value);
    end_block(out, start);
}

/* ---- the packet block ---- */

size_t rxtx_pcapng_packet_max(const rxtx_packet *packet, size_t comment_length)
{
    return PACKET_FIXED + padded(packet->caplen) + OPTION_FLAGS_SIZE + OPTION_DROPCOUNT_SIZE + OPTION_QUEUE_SIZE +
           OPTION_HEADER + padded(comment_length) + OPTION_HEADER + PACKET_TRAILER;
}

static uint8_t *write_32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint8_t *write_padded(uint8_t *at, const void *bytes, size_t size)
{
    if (size == 0)
        return at;
    memset(at + padded(size) - 4, 0, 4);
    memcpy(at, bytes, size);
    return at + padded(size);
}

static uint8_t *write_option(uint8_t *at, uint16_t code, const void *value, size_t size)
{
    uint16_t header[2] = {code, (uint16_t)size};

    memcpy(at, header, sizeof header);
    return write_padded(at + sizeof header, value, size);
}

static uint8_t *write_packet_options(uint8_t *at, const rxtx_packet *packet, const rxtx_pcapng_origin *origin)
{
    if (packet->flags != 0)
        at = write_option(at, EPB_FLAGS, &packet->flags, sizeof packet->flags);
    if (packet->dropped != 0)
        at = write_option(at, EPB_DROPCOUNT, &packet->dropped, sizeof packet->dropped);
    if (origin->queue >= 0)
        at = write_option(at, EPB_QUEUE, &origin->queue, sizeof origin->queue);
    if (origin->comment_length != 0)
        at = write_option(at, OPT_COMMENT, origin->comment, origin->comment_length);
    return write_32(at, OPT_END);
}

size_t rxtx_pcapng_put_packet(uint8_t *at, const rxtx_pcapng_origin *origin, const rxtx_packet *packet)
{
    uint8_t *start = at;
    uint32_t head[] = {
        BLOCK_PACKET,   0,          origin->interface_id, (uint32_t)(packet->ts_ns >> 32), (uint32_t)packet->ts_ns,
        packet->caplen, packet->len};
    uint32_t length;

    memcpy(at, head, sizeof head);
    at = write_padded(at + sizeof head, packet->data, packet->caplen);
    at = write_packet_options(at, packet, origin);
    length = (uint32_t)(at - start) + PACKET_TRAILER;
    write_32(start + 4, length);
    write_32(at, length);
    return length;
}

static void view_comment(rxtx_pcapng_view *view, const uint8_t *option)
{
    uint16_t header[2];

    for (;; option += OPTION_HEADER + padded(header[1])) {
        memcpy(header, option, sizeof header);
        if (header[0] == OPT_END)
            return;
        if (header[0] == OPT_COMMENT) {
            view->comment = option + OPTION_HEADER;
            view->comment_length = header[1];
        }
    }
}

rxtx_pcapng_view rxtx_pcapng_view_block(const uint8_t *block)
{
    rxtx_pcapng_view view = {0};
    uint32_t head[PACKET_FIXED / sizeof(uint32_t)];

    memcpy(head, block, 2 * sizeof *head); /* the shortest block holds no more than 12 bytes */
    view.size = head[1];
    view.is_packet = head[0] == BLOCK_PACKET;
    if (!view.is_packet)
        return view;
    memcpy(head, block, sizeof head);
    view.interface_id = head[2];
    view_comment(&view, block + PACKET_FIXED + padded(head[5]));
    return view;
}

/* ---- texts ---- */

static void append_number(GString *text, int number)
{
    if (number >= 0)
        g_string_append_printf(text, "%d", number);
    else
        g_string_append(text, RXTX_VALUE_UNKNOWN);
}

char *rxtx_pcapng_description(const char *name, const rxtx_group_label *label)
{
    const char *host = label->source != NULL ? label->source->host : NULL;
    GString *text = g_string_new(host);

    g_string_append_printf(text, "%s%s", host != NULL ? ":" : "", name);
    for (char *c = text->str; *c != '\0'; c++)
        if (g_ascii_isspace(*c) || g_ascii_iscntrl(*c))
            *c = '_';
    g_string_append_printf(text, " %s ", label->key);
    append_number(text, label->number);
    if (label->node >= 0)
        g_string_append_printf(text, " " RXTX_KEY_NODE " %d", label->node);
    g_string_append(text, " " RXTX_DESCRIPTION_SUFFIX);
    return g_string_free(text, FALSE);
}

/* The words of comments are those of descriptions in lower case (RXTX_COMMENT_*). */
char *rxtx_pcapng_comment(const rxtx_group_label *label)
{
    g_autofree char *key = g_ascii_strdown(label->key, -1);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%s=", key);
    append_number(text, label->number);
    if (label->node >= 0)
        g_string_append_printf(text, " " RXTX_COMMENT_NODE "%d", label->node);
    return g_string_free(text, FALSE);
}
