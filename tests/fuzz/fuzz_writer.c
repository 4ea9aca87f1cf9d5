/* Any values as what a capture is written of: what the encoder makes of them is read as strictly as if it came from
 * another host, and says the same. Each piece of the input is one block: a byte for its kind, then what it is made of.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "remote/decode.h"
#include "rxtxcpu/capture_format.h"
#include "sink/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMENT_RESERVE = 64, DESCRIPTION_READ_MAX = 1024, COMMENT_READ_MAX = 32768, SNAPLEN = RXTX_SNAPLEN_MAX };

/* As long as its first two bytes say, or as there is. */
static const uint8_t *take_bytes(input *in, size_t *size)
{
    const uint8_t *bytes;

    *size = take_number(in, 2);
    *size = MIN(*size, in->left);
    bytes = in->at;
    in->at += *size;
    in->left -= *size;
    return bytes;
}

/* Texts of ours are valid UTF-8; of a few bytes at times a long one, so that it has to be clipped. */
static char *take_text(input *in)
{
    size_t size;
    unsigned times = (unsigned)take_number(in, 1);
    const uint8_t *bytes = take_bytes(in, &size);
    g_autofree char *raw = g_strndup(size > 0 ? (const char *)bytes : "", size), *valid = g_utf8_make_valid(raw, -1);
    GString *text = g_string_new(valid);

    for (; times > 200 && text->len > 0 && text->len < 70000;)
        g_string_append(text, valid);
    return g_string_free(text, FALSE);
}

static rxtx_decoded decoded_of(rxtx_decoder *decoder, const uint8_t *block, size_t size, rxtx_decoded_kind kind)
{
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *exact = g_memdup2(block, size);
    rxtx_decoded decoded;

    rxtx_decode_block(decoder, block, size, &decoded, &error);
    g_assert_no_error(error);
    g_assert_cmpint(decoded.kind, ==, kind);
    g_assert_cmpuint(decoded.size, ==, size);
    g_assert_cmpuint(rxtx_pcapng_view_block(exact).size, ==, size);
    return decoded;
}

/* What is read begins as the text does, and ends with a whole character. Control characters are read as others. */
static void check_clipped(const char *read, const char *text, size_t max)
{
    if (read == NULL)
        return;
    g_assert_cmpuint(strlen(read), <=, max);
    g_assert_true(g_utf8_validate(read, -1, NULL));
    for (; *read != '\0'; read = g_utf8_next_char(read), text = g_utf8_next_char(text))
        g_assert_true(g_utf8_get_char(read) == g_utf8_get_char(text) || g_unichar_iscntrl(g_utf8_get_char(text)));
}

static void put_section(rxtx_decoder *decoder, input *in)
{
    g_autofree char *hardware = take_text(in), *os = take_text(in), *application = take_text(in);
    rxtx_pcapng_section section = {hardware, os, application};
    g_autoptr(GByteArray) block = g_byte_array_new();
    rxtx_decoded decoded;

    rxtx_pcapng_put_section(block, &section);
    g_assert_cmpuint(block->len, <=, RXTX_SHB_MAX);
    decoded = decoded_of(decoder, block->data, block->len, RXTX_DECODED_SECTION);
    rxtx_decoded_clear(&decoded);
}

static void put_interface(rxtx_decoder *decoder, input *in)
{
    int linktype = (int)take_number(in, 2);
    g_autofree char *description = take_text(in), *filter = take_text(in), *comment = take_text(in);
    rxtx_pcapng_interface interface = {.linktype = linktype,
                                       .snaplen = SNAPLEN,
                                       .name = "eth0",
                                       .description = description,
                                       .filter = filter,
                                       .comment = comment};
    g_autoptr(GByteArray) block = g_byte_array_new();
    rxtx_decoded decoded;

    rxtx_pcapng_put_interface(block, &interface);
    decoded = decoded_of(decoder, block->data, block->len, RXTX_DECODED_INTERFACE);
    g_assert_cmpint(decoded.interface.linktype, ==, linktype);
    g_assert_cmpstr(decoded.interface.name, ==, "eth0");
    check_clipped(decoded.interface.description, description, DESCRIPTION_READ_MAX);
    check_clipped(decoded.interface.comment, comment, COMMENT_READ_MAX);
    g_assert_true((decoded.interface.comment == NULL) == (*comment == '\0'));
    rxtx_decoded_clear(&decoded);
}

static void put_statistics(rxtx_decoder *decoder, input *in)
{
    rxtx_stats stats = {take_number(in, 8), take_number(in, 8), take_number(in, 8), {{0}}};
    uint64_t start = take_number(in, 8), end = take_number(in, 8);
    g_autoptr(GByteArray) block = g_byte_array_new();
    rxtx_decoded decoded;

    rxtx_pcapng_put_statistics(block, decoder->n_interfaces - 1, &stats, start, end);
    decoded = decoded_of(decoder, block->data, block->len, RXTX_DECODED_STATISTICS);
    rxtx_decoded_clear(&decoded);
}

static void check_packet(const rxtx_decoded *decoded, const rxtx_packet *packet, const rxtx_pcapng_origin *origin)
{
    const rxtx_packet *read = &decoded->packet.packet;

    g_assert_cmpuint(decoded->packet.interface_id, ==, origin->interface_id);
    g_assert_cmpint(decoded->packet.queue, ==, origin->queue);
    g_assert_cmpuint(read->ts_ns, ==, packet->ts_ns);
    g_assert_cmpuint(read->len, ==, packet->len);
    g_assert_cmpuint(read->flags, ==, packet->flags);
    g_assert_cmpuint(read->dropped, ==, packet->dropped);
    g_assert_cmpmem(read->data, read->caplen, packet->data, packet->caplen);
}

static void check_view(const uint8_t *block, const rxtx_pcapng_origin *origin)
{
    rxtx_pcapng_view view = rxtx_pcapng_view_block(block);

    g_assert_true(view.is_packet);
    g_assert_cmpuint(view.interface_id, ==, origin->interface_id);
    g_assert_cmpmem(view.comment, view.comment_length, origin->comment, origin->comment_length);
}

static void put_packet(rxtx_decoder *decoder, input *in)
{
    static const uint32_t flags[] = {0, 1, 2, 1 | 1 << 2, 1 | 2 << 2, 1 | 3 << 2, 1 | 4 << 2, 2 | 1 << 2, 4};
    size_t caplen, comment_length;
    const uint8_t *bytes = take_bytes(in, &caplen), *comment;
    rxtx_packet packet = {.ts_ns = take_number(in, 8) & INT64_MAX, .data = bytes, .caplen = (uint32_t)caplen};
    rxtx_pcapng_origin origin;
    size_t max, size;
    uint32_t wire;
    g_autofree uint8_t *block = NULL;
    rxtx_decoded decoded;

    wire = (uint32_t)take_number(in, 4);
    packet.len = MAX(wire, packet.caplen);
    packet.flags = flags[take_number(in, 1) % G_N_ELEMENTS(flags)];
    packet.dropped = take_number(in, 8);
    origin = (rxtx_pcapng_origin){.interface_id = (uint32_t)take_number(in, 2) % decoder->n_interfaces,
                                  .queue = (int)(take_number(in, 4) & INT32_MAX) - 1};
    comment = take_bytes(in, &comment_length);
    origin.comment = (const char *)comment;
    origin.comment_length = MIN(comment_length, COMMENT_RESERVE);
    max = rxtx_pcapng_packet_max(&packet, origin.comment_length);
    block = g_malloc(max);
    size = rxtx_pcapng_put_packet(block, &origin, &packet);
    g_assert_cmpuint(size, <=, max);
    decoded = decoded_of(decoder, block, size, RXTX_DECODED_PACKET);
    check_packet(&decoded, &packet, &origin);
    check_view(block, &origin);
    rxtx_decoded_clear(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    rxtx_decoder decoder = {0};

    put_section(&decoder, &in);
    put_interface(&decoder, &in);
    for (unsigned i = 0; in.left > 0 && i < 200; i++) {
        unsigned kind = (unsigned)take_number(&in, 1) % 4;
        if (kind == 0)
            put_interface(&decoder, &in);
        else if (kind == 1)
            put_statistics(&decoder, &in);
        else
            put_packet(&decoder, &in);
    }
    rxtx_decoder_clear(&decoder);
    return 0;
}
