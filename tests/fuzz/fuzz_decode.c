/* Any bytes as what the far end sends: in pieces of any size they are the same blocks, what is decoded keeps the
 * promises of decode.h, and what is written again from it says the same. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "remote/decode.h"
#include "rxtxcpu/capture_format.h"
#include "rxtxcpu/remote_protocol.h"
#include "sink/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMENT_RESERVE = 64 };

/* ---- promises ---- */

static void check_text(const char *text, size_t max, const char *kept)
{
    if (text == NULL)
        return;
    g_assert_cmpuint(strlen(text), >, 0);
    g_assert_cmpuint(strlen(text), <=, max);
    g_assert_true(g_utf8_validate(text, -1, NULL));
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        g_assert_true(!g_unichar_iscntrl(g_utf8_get_char(at)) || strchr(kept, *at) != NULL);
}

static void check_name(const char *name)
{
    g_assert_nonnull(name);
    check_text(name, 45, "");
    g_assert_cmpint(g_utf8_strlen(name, -1), <=, 15);
    g_assert_null(strpbrk(name, "/: \t\n\v\f\r"));
    g_assert_cmpstr(name, !=, ".");
    g_assert_cmpstr(name, !=, "..");
}

static void assert_same_texts(const rxtx_decoded *a, const rxtx_decoded *b)
{
    g_assert_cmpint(a->interface.linktype, ==, b->interface.linktype);
    g_assert_cmpstr(a->interface.description, ==, b->interface.description);
    g_assert_cmpstr(a->interface.filter, ==, b->interface.filter);
    g_assert_cmpstr(a->interface.comment, ==, b->interface.comment);
}

/* The name is left out: a character that stands for a byte is longer than it. */
static void check_interface(const rxtx_decoded *decoded)
{
    rxtx_pcapng_interface again = {.linktype = decoded->interface.linktype,
                                   .name = "eth0",
                                   .description = decoded->interface.description,
                                   .filter = decoded->interface.filter,
                                   .comment = decoded->interface.comment};
    rxtx_decoder decoder = {.begun = true, .in_section = true};
    g_autoptr(GByteArray) block = g_byte_array_new();
    rxtx_decoded second;

    g_assert_true(decoded->interface.linktype >= 0 && decoded->interface.linktype <= 65535);
    check_name(decoded->interface.name);
    check_text(decoded->interface.description, 1024, "");
    check_text(decoded->interface.filter, 1024, "");
    check_text(decoded->interface.comment, 32768, "\n\t");
    rxtx_pcapng_put_interface(block, &again);
    rxtx_decode_block(&decoder, block->data, block->len, &second, NULL);
    g_assert_cmpint(second.kind, ==, RXTX_DECODED_INTERFACE);
    assert_same_texts(decoded, &second);
    rxtx_decoded_clear(&second);
    rxtx_decoder_clear(&decoder);
}

static void assert_same_packet(const rxtx_decoded *a, const rxtx_decoded *b)
{
    const rxtx_packet *p = &a->packet.packet, *q = &b->packet.packet;

    g_assert_cmpuint(a->packet.interface_id, ==, b->packet.interface_id);
    g_assert_cmpint(a->packet.queue, ==, b->packet.queue);
    g_assert_cmpuint(p->ts_ns, ==, q->ts_ns);
    g_assert_cmpuint(p->len, ==, q->len);
    g_assert_cmpuint(p->wire_len, ==, q->wire_len);
    g_assert_cmpuint(p->flags, ==, q->flags);
    g_assert_cmpuint(p->dropped, ==, q->dropped);
    g_assert_cmpint(p->linktype, ==, q->linktype);
    g_assert_cmpmem(p->data, p->caplen, q->data, q->caplen);
}

static void check_again(const rxtx_decoder *decoder, const rxtx_decoded *decoded)
{
    char comment[COMMENT_RESERVE] = {0};
    rxtx_pcapng_origin origin = {decoded->packet.interface_id, comment, sizeof comment, decoded->packet.queue};
    g_autofree uint8_t *block = g_malloc(rxtx_pcapng_packet_max(&decoded->packet.packet, sizeof comment));
    size_t size = rxtx_pcapng_put_packet(block, &origin, &decoded->packet.packet);
    rxtx_decoder ours = *decoder; /* borrows the link types, which a packet does not change */
    rxtx_decoded second;

    g_assert_cmpuint(size, <=, RXTX_EPB_MAX);
    ours.swapped = false;
    rxtx_decode_block(&ours, block, size, &second, NULL);
    g_assert_cmpint(second.kind, ==, RXTX_DECODED_PACKET);
    assert_same_packet(decoded, &second);
}

static void check_packet(const rxtx_decoder *decoder, const rxtx_decoded *decoded, const uint8_t *bytes)
{
    const rxtx_packet *packet = &decoded->packet.packet;

    g_assert_cmpuint(decoded->packet.interface_id, <, decoder->n_interfaces);
    g_assert_true(packet->data >= bytes && packet->data + packet->caplen <= bytes + decoded->size);
    g_assert_cmpuint(packet->caplen, <=, RXTX_SNAPLEN_MAX);
    g_assert_cmpuint(packet->caplen, <=, packet->len);
    g_assert_cmpuint(packet->wire_len, ==, packet->len);
    g_assert_cmpuint(packet->ts_ns, <=, INT64_MAX);
    g_assert_cmpuint(packet->flags & 3, <=, RXTX_FLAG_OUTBOUND);
    g_assert_cmpuint(packet->flags & ~3u, <=, RXTX_FLAG_PROMISCUOUS);
    g_assert_cmpint(packet->ifindex, ==, 0);
    g_assert_cmpint(packet->linktype, ==, g_array_index(decoder->linktypes, int32_t, decoded->packet.interface_id));
    g_assert_cmpint(decoded->packet.queue, >=, -1);
    check_again(decoder, decoded);
}

static void check_message(const rxtx_decoded *decoded, const uint8_t *bytes)
{
    g_assert_true(decoded->message.type >= RXTX_BLOCK_HELLO && decoded->message.type <= RXTX_BLOCK_EVENT);
    g_assert_true(decoded->message.body == bytes + 8);
    g_assert_cmpuint(decoded->message.size, ==, decoded->size - 12);
}

static void check_size(const rxtx_decoder *decoder, const rxtx_decoded *decoded)
{
    static const size_t max[] = {[RXTX_DECODED_SECTION] = RXTX_SHB_MAX,     [RXTX_DECODED_INTERFACE] = RXTX_IDB_MAX,
                                 [RXTX_DECODED_PACKET] = RXTX_EPB_MAX,      [RXTX_DECODED_STATISTICS] = RXTX_IDB_MAX,
                                 [RXTX_DECODED_MESSAGE] = RXTX_MESSAGE_MAX, [RXTX_DECODED_BAD] = 0};

    g_assert_cmpint(decoded->kind, <=, RXTX_DECODED_BAD);
    g_assert_cmpuint(decoded->size, <=, max[decoded->kind]);
    g_assert_true((decoded->size == 0) == (max[decoded->kind] == 0));
    g_assert_cmpuint(decoded->size % 4, ==, 0);
    g_assert_cmpuint(decoder->n_interfaces, <=, RXTX_REMOTE_INTERFACES_MAX);
    g_assert_cmpuint(decoder->linktypes != NULL ? decoder->linktypes->len : 0, ==, decoder->n_interfaces);
}

/* A block's own bytes are enough, and one less is not. */
static void check_alone(const rxtx_decoder *after, const rxtx_decoded *decoded, const uint8_t *bytes)
{
    g_autofree uint8_t *exact = g_memdup2(bytes, decoded->size), *less = g_memdup2(bytes, decoded->size - 1);
    rxtx_decoder decoder = *after;
    rxtx_decoded second;

    decoder.in_section = after->in_section && decoded->kind != RXTX_DECODED_SECTION;
    decoder.linktypes = after->linktypes != NULL ? g_array_copy(after->linktypes) : NULL;
    rxtx_decode_block(&decoder, less, decoded->size - 1, &second, NULL);
    g_assert_cmpint(second.kind, ==, RXTX_DECODED_MORE);
    rxtx_decode_block(&decoder, exact, decoded->size, &second, NULL);
    g_assert_cmpint(second.kind, ==, decoded->kind);
    rxtx_decoded_clear(&second);
    rxtx_decoder_clear(&decoder);
}

static void check_block(const rxtx_decoder *decoder, const rxtx_decoded *decoded, const uint8_t *bytes)
{
    check_size(decoder, decoded);
    if (decoded->size > 0) {
        g_assert_cmpmem(bytes + 4, 4, bytes + decoded->size - 4, 4);
        check_alone(decoder, decoded, bytes);
    }
    if (decoded->kind == RXTX_DECODED_INTERFACE)
        check_interface(decoded);
    else if (decoded->kind == RXTX_DECODED_PACKET)
        check_packet(decoder, decoded, bytes);
    else if (decoded->kind == RXTX_DECODED_MESSAGE)
        check_message(decoded, bytes);
}

static void check_error(rxtx_decoded_kind kind, const GError *error)
{
    g_assert_true((kind == RXTX_DECODED_BAD) == (error != NULL));
    if (error != NULL) {
        g_assert_true(g_str_has_prefix(error->message, "The far end sent "));
        check_text(error->message, 512, "\n");
    }
}

/* ---- pieces ---- */

typedef struct {
    rxtx_decoder decoder;
    rxtx_decoded decoded;
    const uint8_t *data;
    size_t size, at, arrived, piece;
} stream;

/* The next block, from as few pieces as it needs. */
static rxtx_decoded_kind next(stream *s)
{
    rxtx_decoder before;

    s->at += s->decoded.size;
    rxtx_decoded_clear(&s->decoded);
    for (;;) {
        g_autoptr(GError) error = NULL;
        before = s->decoder;
        rxtx_decode_block(&s->decoder, s->data + s->at, s->arrived - s->at, &s->decoded, &error);
        check_error(s->decoded.kind, error);
        g_assert_cmpuint(s->decoded.size, <=, s->arrived - s->at);
        if (s->decoded.kind == RXTX_DECODED_MORE || s->decoded.kind == RXTX_DECODED_BAD)
            g_assert_true(before.begun == s->decoder.begun && before.n_interfaces == s->decoder.n_interfaces);
        if (s->decoded.kind != RXTX_DECODED_MORE || s->arrived == s->size)
            return s->decoded.kind;
        s->arrived += MIN(s->piece, s->size - s->arrived);
    }
}

static void assert_same(const stream *a, const stream *b)
{
    g_assert_cmpint(a->decoded.kind, ==, b->decoded.kind);
    g_assert_cmpuint(a->decoded.size, ==, b->decoded.size);
    g_assert_cmpuint(a->decoder.n_interfaces, ==, b->decoder.n_interfaces);
    g_assert_true(a->decoder.swapped == b->decoder.swapped && a->decoder.in_section == b->decoder.in_section);
    assert_same_texts(&a->decoded, &b->decoded);
    g_assert_cmpstr(a->decoded.interface.name, ==, b->decoded.interface.name);
    g_assert_cmpuint(a->decoded.message.type, ==, b->decoded.message.type);
    if (a->decoded.kind == RXTX_DECODED_PACKET)
        assert_same_packet(&a->decoded, &b->decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *odd = g_malloc(size + 1); /* where no number is aligned */
    stream streams[] = {{.data = data, .size = size, .arrived = size},
                        {.data = data, .size = size, .piece = 1},
                        {.data = odd + 1, .size = size, .piece = 13}};
    rxtx_decoded_kind kind;

    if (size > 0)
        memcpy(odd + 1, data, size);
    do {
        kind = next(&streams[0]);
        if (kind != RXTX_DECODED_MORE)
            check_block(&streams[0].decoder, &streams[0].decoded, data + streams[0].at);
        for (size_t i = 1; i < G_N_ELEMENTS(streams); i++) {
            next(&streams[i]);
            assert_same(&streams[0], &streams[i]);
        }
    } while (kind != RXTX_DECODED_MORE && kind != RXTX_DECODED_BAD);
    for (size_t i = 0; i < G_N_ELEMENTS(streams); i++) {
        rxtx_decoded_clear(&streams[i].decoded);
        rxtx_decoder_clear(&streams[i].decoder);
    }
    return 0;
}

/* ---- mutations ---- */

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static bool is_length(uint32_t length, size_t left)
{
    return length % 4 == 0 && length >= 12 && length <= left;
}

/* The trailing length of the block at `at` becomes the leading one, and that, if it cannot be, `left`. */
static size_t mend_block(uint8_t *at, size_t left)
{
    uint32_t length, swapped;

    memcpy(&length, at + 4, sizeof length);
    swapped = GUINT32_SWAP_LE_BE(length);
    if (!is_length(length, left) && !is_length(swapped, left))
        length = (uint32_t)(left - left % 4), memcpy(at + 4, &length, sizeof length);
    left = is_length(length, left) ? length : swapped;
    memcpy(at + left - 4, &length, sizeof length);
    return left;
}

/* Two lengths that agree are rare among random bytes, and behind them is most of what is to be tested. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    for (size_t at = 0; seed % 4 != 0 && size - at >= 12;)
        at += mend_block(data + at, size - at);
    return size;
}

#endif
