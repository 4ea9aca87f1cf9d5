/* What the far end may send, decoded: everything that the encoder writes, in either byte order, comes back; each lie is
 * found out. */
#include "remote/decode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "rxtxcpu/capture_format.h"
#include "rxtxcpu/remote_protocol.h"
#include "sink/pcapng.h"

enum { SECTION = 0x0A0D0D0A, INTERFACE = 1, STATISTICS = 5, PACKET = 6 };
enum { COMMENT = 1, NAME = 2, DESCRIPTION = 3, TSRESOL = 9, FILTER = 11, TSOFFSET = 14 };
enum { FLAGS = 2, DROPCOUNT = 4, QUEUE = 6 };

/* ---- a stream, written: each number in the order that the writer has ---- */

typedef struct {
    GByteArray *bytes;
    bool swapped;
    guint start; /* of the last block begun */
} writer;

static writer new_writer(bool swapped)
{
    return (writer){.bytes = g_byte_array_new(), .swapped = swapped};
}

static void u8(writer *w, guint8 value)
{
    g_byte_array_append(w->bytes, &value, 1);
}

static void u16(writer *w, guint16 value)
{
    value = w->swapped ? GUINT16_SWAP_LE_BE(value) : value;
    g_byte_array_append(w->bytes, (const guint8 *)&value, sizeof value);
}

static void u32(writer *w, guint32 value)
{
    value = w->swapped ? GUINT32_SWAP_LE_BE(value) : value;
    g_byte_array_append(w->bytes, (const guint8 *)&value, sizeof value);
}

static void u64(writer *w, guint64 value)
{
    value = w->swapped ? GUINT64_SWAP_LE_BE(value) : value;
    g_byte_array_append(w->bytes, (const guint8 *)&value, sizeof value);
}

static void raw(writer *w, const void *bytes, gsize size)
{
    g_byte_array_append(w->bytes, bytes, (guint)size);
    for (gsize i = size; i % 4 != 0; i++)
        u8(w, 0);
}

static void set_u32(writer *w, guint offset, guint32 value)
{
    value = w->swapped ? GUINT32_SWAP_LE_BE(value) : value;
    memcpy(w->bytes->data + w->start + offset, &value, sizeof value);
}

static void begin(writer *w, guint32 type)
{
    w->start = w->bytes->len;
    u32(w, type);
    u32(w, 0);
}

static void end(writer *w)
{
    guint32 length = w->bytes->len - w->start + 4;

    u32(w, length);
    set_u32(w, 4, length);
}

static void option(writer *w, guint16 code, const void *value, gsize size)
{
    u16(w, code);
    u16(w, (guint16)size);
    raw(w, value, size);
}

static void option_32(writer *w, guint16 code, guint32 value)
{
    u16(w, code);
    u16(w, 4);
    u32(w, value);
}

static void option_64(writer *w, guint16 code, guint64 value)
{
    u16(w, code);
    u16(w, 8);
    u64(w, value);
}

static void option_end(writer *w)
{
    u32(w, 0);
}

/* ---- blocks without an end, so that a test adds what it likes ---- */

static void begin_section(writer *w)
{
    begin(w, SECTION);
    u32(w, 0x1A2B3C4D);
    u16(w, 1);
    u16(w, 0);
    u64(w, G_MAXUINT64);
}

static void section(writer *w)
{
    begin_section(w);
    option_end(w);
    end(w);
}

static void begin_interface(writer *w)
{
    begin(w, INTERFACE);
    u16(w, 113);
    u16(w, 0);
    u32(w, 262000);
}

static void named(writer *w, const char *name)
{
    option(w, NAME, name, strlen(name));
    option(w, TSRESOL, "\11", 1);
}

static void interface(writer *w)
{
    begin_interface(w);
    named(w, "eth0");
    end(w);
}

static void begin_packet_of(writer *w, guint32 interface_id, guint32 caplen, guint32 len)
{
    begin(w, PACKET);
    u32(w, interface_id);
    u32(w, 0x11223344);
    u32(w, 0x55667788);
    u32(w, caplen);
    u32(w, len);
}

static void begin_packet(writer *w)
{
    begin_packet_of(w, 0, 5, 60);
    raw(w, "abcde", 5);
}

static void begin_statistics(writer *w, guint32 interface_id)
{
    begin(w, STATISTICS);
    u32(w, interface_id);
    u32(w, 0);
    u32(w, 0);
}

static void message(writer *w, guint32 type, gsize size)
{
    begin(w, type);
    for (gsize i = 0; i < size / 4; i++)
        u32(w, (guint32)i);
    end(w);
}

/* ---- a stream, read ---- */

typedef struct {
    rxtx_decoder decoder;
    rxtx_decoded decoded; /* the last one */
    GError *error;
    guint8 *exact; /* the bytes of the last one and no more, so that reading too far is seen */
    gsize size, at;
} reader;

static rxtx_decoded_kind next(reader *r, const guint8 *bytes, gsize size)
{
    rxtx_decoder before;

    memcpy(&before, &r->decoder, sizeof before);
    rxtx_decoded_clear(&r->decoded);
    g_clear_error(&r->error);
    free(r->exact);
    r->exact = malloc(MAX(size, 1));
    if (size > 0)
        memcpy(r->exact, bytes, size);
    memset(&r->decoded, 0xAA, sizeof r->decoded);
    rxtx_decode_block(&r->decoder, r->exact, size, &r->decoded, &r->error);
    g_assert_true((r->decoded.kind == RXTX_DECODED_BAD) == (r->error != NULL));
    if (r->decoded.kind == RXTX_DECODED_BAD || r->decoded.kind == RXTX_DECODED_MORE) {
        g_assert_cmpuint(r->decoded.size, ==, 0);
        g_assert_cmpmem(&before, sizeof before, &r->decoder, sizeof r->decoder);
    }
    return r->decoded.kind;
}

static rxtx_decoded_kind step(reader *r, const writer *w)
{
    rxtx_decoded_kind kind = next(r, w->bytes->data + r->at, w->bytes->len - r->at);

    r->at += r->decoded.size;
    return kind;
}

static void finish(reader *r, writer *w)
{
    rxtx_decoded_clear(&r->decoded);
    rxtx_decoder_clear(&r->decoder);
    g_clear_error(&r->error);
    free(r->exact);
    if (w != NULL)
        g_byte_array_unref(w->bytes);
}

/* The last block of the stream is bad, those before it are not, and the sentence holds `words`. */
static void assert_refused(writer *w, const char *words)
{
    reader r = {0};
    guint last = w->start;

    while (r.at < last)
        g_assert_cmpint(step(&r, w), <, RXTX_DECODED_BAD);
    g_assert_cmpuint(r.at, ==, last);
    g_assert_cmpint(step(&r, w), ==, RXTX_DECODED_BAD);
    g_assert_error(r.error, RXTX_ERROR, RXTX_ERROR_REMOTE);
    g_assert_true(g_str_has_prefix(r.error->message, "The far end sent "));
    if (strstr(r.error->message, words) == NULL)
        g_error("'%s' does not say '%s'", r.error->message, words);
    finish(&r, w);
}

/* All of the stream is good; the reader is at its last block. */
static reader assert_taken(writer *w)
{
    reader r = {0};

    while (r.at < w->bytes->len) {
        g_assert_cmpint(step(&r, w), !=, RXTX_DECODED_MORE);
        g_assert_no_error(r.error);
    }
    return r;
}

/* ---- what the encoder writes ---- */

static GByteArray *encoded_capture(void)
{
    const rxtx_packet packet = {.ts_ns = 1700000000123456789,
                                .data = (const guint8 *)"abcde",
                                .caplen = 5,
                                .len = 60,
                                .flags = 5,
                                .dropped = 12};
    GByteArray *out = g_byte_array_new();
    guint8 block[256];

    rxtx_pcapng_put_section(out, &(rxtx_pcapng_section){.hardware = "x86", .os = "Linux", .application = "test"});
    rxtx_pcapng_put_interface(out, &(rxtx_pcapng_interface){.linktype = 1,
                                                            .snaplen = 262000,
                                                            .name = "eth0",
                                                            .description = "eth0 CPU 3 (rxtxcpu)",
                                                            .filter = "udp",
                                                            .comment = "one\n\ttwo"});
    rxtx_pcapng_put_interface(out, &(rxtx_pcapng_interface){.linktype = 276, .name = "any"});
    g_byte_array_append(out, block,
                        (guint)rxtx_pcapng_put_packet(block, &(rxtx_pcapng_origin){1, "cpu=3", 5, 7}, &packet));
    rxtx_pcapng_put_statistics(out, 0, &(rxtx_stats){.accepted = 1, .delivered = 1}, 0, 1);
    return out;
}

static void what_the_encoder_writes_comes_back(void)
{
    writer w = {.bytes = encoded_capture()};
    reader r = {0};

    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_SECTION);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_INTERFACE);
    g_assert_cmpint(r.decoded.interface.linktype, ==, 1);
    g_assert_cmpstr(r.decoded.interface.name, ==, "eth0");
    g_assert_cmpstr(r.decoded.interface.description, ==, "eth0 CPU 3 (rxtxcpu)");
    g_assert_cmpstr(r.decoded.interface.filter, ==, "udp");
    g_assert_cmpstr(r.decoded.interface.comment, ==, "one\n\ttwo");
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_INTERFACE);
    g_assert_cmpint(r.decoded.interface.linktype, ==, 276);
    g_assert_cmpstr(r.decoded.interface.name, ==, "any");
    g_assert_null(r.decoded.interface.description);
    g_assert_null(r.decoded.interface.filter);
    g_assert_null(r.decoded.interface.comment);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_PACKET);
    g_assert_cmpuint(r.decoded.packet.interface_id, ==, 1);
    g_assert_cmpint(r.decoded.packet.queue, ==, 7);
    g_assert_cmpuint(r.decoded.packet.packet.ts_ns, ==, 1700000000123456789);
    g_assert_cmpmem(r.decoded.packet.packet.data, r.decoded.packet.packet.caplen, "abcde", 5);
    g_assert_cmpuint(r.decoded.packet.packet.len, ==, 60);
    g_assert_cmpuint(r.decoded.packet.packet.wire_len, ==, 60);
    g_assert_cmpuint(r.decoded.packet.packet.flags, ==, 5);
    g_assert_cmpuint(r.decoded.packet.packet.dropped, ==, 12);
    g_assert_cmpint(r.decoded.packet.packet.ifindex, ==, 0);
    g_assert_cmpint(r.decoded.packet.packet.linktype, ==, 276);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_STATISTICS);
    g_assert_cmpuint(r.at, ==, w.bytes->len);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_MORE);
    finish(&r, &w);
}

/* For every length of data, so that each kind of padding is there, and with and without each option. */
static void every_packet_comes_back_as_it_was(void)
{
    const guint8 data[9] = "\1\2\3\4\5\6\7\10\11";
    guint8 again[256];

    for (guint32 i = 0; i < 10 * 8; i++) {
        rxtx_packet packet = {.ts_ns = G_MAXINT64, .data = data, .caplen = i / 8, .len = G_MAXUINT32};
        rxtx_pcapng_origin origin = {.queue = i & 1 ? INT_MAX : -1};
        writer w = new_writer(false);
        guint8 block[256];
        gsize size;
        reader r;
        packet.flags = i & 2 ? RXTX_FLAG_OUTBOUND | RXTX_FLAG_PROMISCUOUS : 0;
        packet.dropped = i & 4 ? G_MAXUINT64 : 0;
        section(&w);
        interface(&w);
        size = rxtx_pcapng_put_packet(block, &origin, &packet);
        g_byte_array_append(w.bytes, block, (guint)size);
        r = assert_taken(&w);
        g_assert_cmpuint(r.decoded.size, ==, size);
        g_assert_true(r.decoded.packet.packet.data == r.exact + 28);
        origin.queue = r.decoded.packet.queue;
        g_assert_cmpmem(again, rxtx_pcapng_put_packet(again, &origin, &r.decoded.packet.packet), block, size);
        finish(&r, &w);
    }
}

static void the_largest_packet_comes_back(void)
{
    g_autofree guint8 *data = g_malloc0(RXTX_SNAPLEN_MAX);
    g_autofree guint8 *block = g_malloc(RXTX_EPB_MAX);
    g_autofree char *comment = g_strnfill(64, 'x');
    rxtx_packet packet = {.data = data, .caplen = RXTX_SNAPLEN_MAX, .len = RXTX_SNAPLEN_MAX, .flags = 1, .dropped = 1};
    writer w = new_writer(false);
    reader r;

    section(&w);
    interface(&w);
    g_byte_array_append(w.bytes, block,
                        (guint)rxtx_pcapng_put_packet(block, &(rxtx_pcapng_origin){0, comment, 64, 3}, &packet));
    r = assert_taken(&w);
    g_assert_cmpuint(r.decoded.packet.packet.caplen, ==, RXTX_SNAPLEN_MAX);
    finish(&r, &w);
}

static void the_longest_texts_of_the_encoder_come_back(void)
{
    g_autofree char *text = g_strnfill(1024, 'x'), *comment = g_strnfill(32768, 'y'), *endless = g_strnfill(9999, 'z');
    writer w = new_writer(false);
    reader r;

    rxtx_pcapng_put_section(w.bytes, &(rxtx_pcapng_section){endless, endless, endless});
    rxtx_pcapng_put_interface(
        w.bytes,
        &(rxtx_pcapng_interface){
            .linktype = 65535, .name = "abcdefghijklmno", .description = text, .filter = text, .comment = comment});
    r = assert_taken(&w);
    g_assert_cmpint(r.decoded.interface.linktype, ==, 65535);
    g_assert_cmpstr(r.decoded.interface.name, ==, "abcdefghijklmno");
    g_assert_cmpstr(r.decoded.interface.description, ==, text);
    g_assert_cmpstr(r.decoded.interface.filter, ==, text);
    g_assert_cmpstr(r.decoded.interface.comment, ==, comment);
    finish(&r, &w);
}

/* ---- byte orders ---- */

static void a_stream_in_the_other_byte_order_says_the_same(void)
{
    writer w = new_writer(true);
    reader r = {0};

    section(&w);
    interface(&w);
    begin_packet(&w);
    option_32(&w, FLAGS, 6);
    option_64(&w, DROPCOUNT, 0x0102030405060708);
    option_32(&w, QUEUE, 258);
    option_end(&w);
    end(&w);
    begin_statistics(&w, 0);
    option_64(&w, 4, 1);
    end(&w);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_SECTION);
    g_assert_true(r.decoder.swapped);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_INTERFACE);
    g_assert_cmpint(r.decoded.interface.linktype, ==, 113);
    g_assert_cmpstr(r.decoded.interface.name, ==, "eth0");
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_PACKET);
    g_assert_cmpuint(r.decoded.packet.packet.ts_ns, ==, 0x1122334455667788);
    g_assert_cmpmem(r.decoded.packet.packet.data, r.decoded.packet.packet.caplen, "abcde", 5);
    g_assert_cmpuint(r.decoded.packet.packet.len, ==, 60);
    g_assert_cmpuint(r.decoded.packet.packet.flags, ==, 6);
    g_assert_cmpuint(r.decoded.packet.packet.dropped, ==, 0x0102030405060708);
    g_assert_cmpint(r.decoded.packet.queue, ==, 258);
    g_assert_cmpint(r.decoded.packet.packet.linktype, ==, 113);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_STATISTICS);
    g_assert_cmpuint(r.at, ==, w.bytes->len);
    finish(&r, &w);
}

static void each_message_of_the_far_end_may_be_the_first(void)
{
    static const guint32 types[] = {RXTX_BLOCK_HELLO, RXTX_BLOCK_STATUS, RXTX_BLOCK_WARNING,
                                    RXTX_BLOCK_ERROR, RXTX_BLOCK_TEXT,   RXTX_BLOCK_END};

    for (guint i = 0; i < 2 * G_N_ELEMENTS(types); i++) {
        writer w = new_writer(i % 2);
        reader r;
        message(&w, types[i / 2], 8);
        r = assert_taken(&w);
        g_assert_cmpint(r.decoded.kind, ==, RXTX_DECODED_MESSAGE);
        g_assert_cmpuint(r.decoded.message.type, ==, types[i / 2]);
        g_assert_true(r.decoded.message.body == r.exact + 8);
        g_assert_cmpuint(r.decoded.message.size, ==, 8);
        g_assert_cmpint(r.decoder.swapped, ==, i % 2);
        finish(&r, &w);
    }
}

static void messages_stand_anywhere(void)
{
    for (int order = 0; order < 2; order++) {
        writer w = new_writer(order);
        reader r;
        message(&w, RXTX_BLOCK_HELLO, 0);
        section(&w);
        message(&w, RXTX_BLOCK_STATUS, 4);
        interface(&w);
        message(&w, RXTX_BLOCK_WARNING, RXTX_MESSAGE_MAX - 12);
        begin_packet(&w);
        end(&w);
        message(&w, RXTX_BLOCK_END, 12);
        r = assert_taken(&w);
        g_assert_cmpuint(r.decoded.message.type, ==, RXTX_BLOCK_END);
        finish(&r, &w);
    }
}

static void the_order_of_the_section_is_that_of_the_messages(void)
{
    for (int order = 0; order < 2; order++) {
        writer w = new_writer(order);
        message(&w, RXTX_BLOCK_HELLO, 0);
        section(&w);
        w.swapped = !w.swapped;
        set_u32(&w, 8, 0x1A2B3C4D);
        assert_refused(&w, "in another byte order");
    }
}

static void a_message_in_the_other_order_is_none(void)
{
    for (int order = 0; order < 2; order++) {
        writer w = new_writer(order);
        message(&w, RXTX_BLOCK_HELLO, 0);
        w.swapped = !w.swapped;
        message(&w, RXTX_BLOCK_STATUS, 0);
        assert_refused(&w, "is not part of a capture");
    }
}

/* ---- pieces ---- */

static void assert_more_until_whole(reader *r, const guint8 *bytes, gsize size)
{
    for (gsize part = 0; part < size; part++)
        g_assert_cmpint(next(r, bytes, part), ==, RXTX_DECODED_MORE);
    g_assert_cmpint(next(r, bytes, size), <, RXTX_DECODED_BAD);
    g_assert_cmpuint(r->decoded.size, ==, size);
}

static void assert_pieces(const writer *w)
{
    for (gsize at = 0; at < w->bytes->len;) {
        reader r = {0};
        gsize size;
        while (r.at < at)
            step(&r, w);
        step(&r, w);
        size = r.decoded.size;
        g_assert_cmpuint(size, >, 0);
        finish(&r, NULL);
        r = (reader){0};
        while (r.at < at)
            step(&r, w);
        assert_more_until_whole(&r, w->bytes->data + at, size);
        finish(&r, NULL);
        at += size;
    }
}

static void every_piece_of_a_block_asks_for_more(void)
{
    writer real = {.bytes = encoded_capture()}, swapped = new_writer(true);

    assert_pieces(&real);
    g_byte_array_unref(real.bytes);
    message(&swapped, RXTX_BLOCK_HELLO, 20);
    section(&swapped);
    interface(&swapped);
    begin_packet(&swapped);
    option_32(&swapped, QUEUE, 1);
    end(&swapped);
    begin_statistics(&swapped, 0);
    end(&swapped);
    assert_pieces(&swapped);
    g_byte_array_unref(swapped.bytes);
}

static void nothing_asks_for_more_without_being_read(void)
{
    rxtx_decoder decoder = {0};
    rxtx_decoded decoded;

    rxtx_decode_block(&decoder, NULL, 0, &decoded, NULL);
    g_assert_cmpint(decoded.kind, ==, RXTX_DECODED_MORE);
    decoder.begun = true;
    rxtx_decode_block(&decoder, NULL, 0, &decoded, NULL);
    g_assert_cmpint(decoded.kind, ==, RXTX_DECODED_MORE);
}

static void an_error_need_not_be_asked_for(void)
{
    rxtx_decoder decoder = {0};
    rxtx_decoded decoded;

    rxtx_decode_block(&decoder, (const guint8 *)"nonsense", 8, &decoded, NULL);
    g_assert_cmpint(decoded.kind, ==, RXTX_DECODED_BAD);
}

static void bytes_may_be_aligned_as_they_like(void)
{
    g_autoptr(GByteArray) capture = encoded_capture();

    for (gsize shift = 0; shift < 8; shift++) {
        g_autofree guint8 *room = g_malloc(capture->len + shift);
        rxtx_decoder decoder = {0};
        memcpy(room + shift, capture->data, capture->len);
        for (gsize at = 0; at < capture->len;) {
            rxtx_decoded decoded;
            rxtx_decode_block(&decoder, room + shift + at, capture->len - at, &decoded, NULL);
            g_assert_cmpuint(decoded.size, >, 0);
            at += decoded.size;
            rxtx_decoded_clear(&decoded);
        }
        rxtx_decoder_clear(&decoder);
    }
}

/* The block's own bytes are enough, and more behind them change nothing. */
static void what_stands_behind_a_block_is_not_looked_at(void)
{
    writer w = new_writer(false);
    reader r = {0};

    section(&w);
    u32(&w, 0xFFFFFFFF);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_SECTION);
    g_assert_cmpuint(r.at, ==, w.bytes->len - 4);
    finish(&r, &w);
}

/* ---- the beginning ---- */

static void assert_bytes_refused(const char *bytes, const char *words)
{
    writer w = new_writer(false);

    g_byte_array_append(w.bytes, (const guint8 *)bytes, (guint)strlen(bytes));
    assert_refused(&w, words);
}

static void what_a_shell_prints_is_quoted(void)
{
    assert_bytes_refused("Welcome to host\r\nLast login", "'Welcome to host', which is not from rxtxcpu\n");
    assert_bytes_refused("bash: rxtxcpu: command not found\n", "'bash: rxtxcpu: command not found'");
    assert_bytes_refused("\nHi\n", "''");
    assert_bytes_refused("a\033[1m\377 \302\205b\n", "'a?[1m\357\277\275 ?b'");
    assert_bytes_refused("012345678901234567890123456789012345678901234567890123456789abc",
                         "'012345678901234567890123456789012345678901234567890123456789'");
}

static void a_stream_begins_with_nothing_else(void)
{
    static const guint32 types[] = {0,
                                    INTERFACE,
                                    PACKET,
                                    STATISTICS,
                                    RXTX_BLOCK_REQUEST,
                                    RXTX_BLOCK_START,
                                    RXTX_BLOCK_STOP,
                                    RXTX_BLOCK_PING,
                                    RXTX_BLOCK_HELLO + 0x80};

    for (guint i = 0; i < 2 * G_N_ELEMENTS(types); i++) {
        writer w = new_writer(i % 2);
        message(&w, types[i / 2], 64);
        assert_refused(&w, "which is not from rxtxcpu");
    }
}

static void a_section_tells_its_order(void)
{
    writer w = new_writer(false);

    section(&w);
    set_u32(&w, 8, 0x1A2B3C4E);
    assert_refused(&w, "does not tell its byte order");
}

/* One word is enough to see that it is nothing. */
static void what_is_bad_is_bad_at_once(void)
{
    reader r = {0};
    writer w = new_writer(false);

    g_assert_cmpint(next(&r, (const guint8 *)"Wel", 3), ==, RXTX_DECODED_MORE);
    g_assert_cmpint(next(&r, (const guint8 *)"Welc", 4), ==, RXTX_DECODED_BAD);
    section(&w);
    step(&r, &w);
    u32(&w, 0x0BAD0BAD);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_BAD);
    finish(&r, &w);
}

/* ---- frames ---- */

static void blocks_of_other_types_are_refused(void)
{
    /* obsolete packet, simple packet, name resolution, journal, secrets, custom, what the near end sends, nonsense */
    static const guint32 types[] = {0,
                                    2,
                                    3,
                                    4,
                                    7,
                                    9,
                                    10,
                                    0xBAD,
                                    0x40000BAD,
                                    RXTX_BLOCK_REQUEST,
                                    RXTX_BLOCK_START,
                                    RXTX_BLOCK_STOP,
                                    RXTX_BLOCK_PING,
                                    0xD2C70108,
                                    0x80000006,
                                    G_MAXUINT32};

    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autofree char *words = g_strdup_printf("a block of type 0x%08X that is not part of a capture", types[i]);
        writer w = new_writer(i % 2);
        section(&w);
        interface(&w);
        message(&w, types[i], 32);
        assert_refused(&w, words);
    }
}

static void a_second_section_is_refused(void)
{
    writer w = new_writer(false);

    section(&w);
    interface(&w);
    section(&w);
    assert_refused(&w, "a second capture");
}

static void nothing_of_a_capture_comes_before_its_section(void)
{
    void (*const blocks[])(writer *) = {interface, begin_packet};

    for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
        writer w = new_writer(false);
        message(&w, RXTX_BLOCK_HELLO, 0);
        blocks[i](&w);
        assert_refused(&w, "before the capture's beginning");
    }
}

static void statistics_do_not_come_before_the_section(void)
{
    writer w = new_writer(false);

    message(&w, RXTX_BLOCK_HELLO, 0);
    begin_statistics(&w, 0);
    end(&w);
    assert_refused(&w, "statistics before the capture's beginning");
}

/* A block of `type` whose leading length is `length`, of which only the first two words are there. */
static void assert_length_refused(guint32 type, guint32 length)
{
    writer w = new_writer(length & 8);

    if (type != SECTION) {
        section(&w);
        interface(&w);
    }
    begin(&w, type);
    set_u32(&w, 4, length);
    if (type == SECTION)
        u32(&w, 0x1A2B3C4D);
    assert_refused(&w, "of a length that cannot be");
}

static void assert_length_awaited(guint32 type, guint32 length)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    interface(&w);
    r = assert_taken(&w);
    begin(&w, type);
    set_u32(&w, 4, length);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_MORE);
    finish(&r, &w);
}

static void a_length_is_judged_as_soon_as_it_is_read(void)
{
    static const struct {
        guint32 type, min, max;
    } kinds[] = {{SECTION, 28, RXTX_SHB_MAX},
                 {INTERFACE, 20, RXTX_IDB_MAX},
                 {PACKET, 32, RXTX_EPB_MAX},
                 {STATISTICS, 24, RXTX_IDB_MAX},
                 {RXTX_BLOCK_HELLO, 12, RXTX_MESSAGE_MAX},
                 {RXTX_BLOCK_END, 12, RXTX_MESSAGE_MAX}};

    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const guint32 bad[] = {0,
                               4,
                               8,
                               kinds[i].min - 4,
                               kinds[i].min - 1,
                               kinds[i].min + 1,
                               kinds[i].min + 2,
                               kinds[i].min + 3,
                               kinds[i].max + 4,
                               kinds[i].max + 1,
                               0x7FFFFFFC,
                               0x80000000,
                               0xFFFFFFFC,
                               0xFFFFFFFF};
        for (guint j = 0; j < G_N_ELEMENTS(bad); j++)
            assert_length_refused(kinds[i].type, bad[j]);
        if (kinds[i].type == SECTION)
            continue; /* a second one is refused, whatever its length */
        assert_length_awaited(kinds[i].type, kinds[i].min);
        assert_length_awaited(kinds[i].type, kinds[i].max);
    }
}

static void a_section_may_be_as_long_as_dumpcap_can_take(void)
{
    static const guint8 filler[RXTX_SHB_MAX];

    for (int more = 0; more < 2; more++) {
        writer w = new_writer(false);
        begin_section(&w);
        option(&w, 4, filler, RXTX_SHB_MAX - 24 - 4 - 4 + (more ? 4 : 0));
        end(&w);
        if (more) {
            assert_refused(&w, "of a length that cannot be");
        } else {
            reader r = assert_taken(&w);
            finish(&r, &w);
        }
    }
}

static void both_lengths_are_the_same(void)
{
    for (guint i = 0; i < 5; i++) {
        writer w = new_writer(false);
        section(&w);
        interface(&w);
        if (i == 0)
            interface(&w);
        else if (i == 1)
            begin_packet(&w), end(&w);
        else if (i == 2)
            begin_statistics(&w, 0), end(&w);
        else if (i == 3)
            message(&w, RXTX_BLOCK_STATUS, 16);
        else
            message(&w, RXTX_BLOCK_STATUS, 0);
        w.bytes->data[w.bytes->len - 1] ^= 1;
        assert_refused(&w, "of two lengths");
    }
}

/* ---- options ---- */

/* Each of the blocks that have options, begun. */
static void begin_any(writer *w, guint which)
{
    if (which > 0)
        section(w);
    if (which > 1)
        interface(w);
    if (which == 0)
        begin_section(w);
    else if (which == 1)
        begin_interface(w), named(w, "eth0");
    else if (which == 2)
        begin_packet(w);
    else
        begin_statistics(w, 0);
}

enum { WITH_OPTIONS = 4 };

static void an_option_is_not_longer_than_its_block(void)
{
    static const guint16 lengths[] = {1, 2, 3, 4, 5, 1000, 0xFFFC, 0xFFFD, 0xFFFF};

    for (guint i = 0; i < WITH_OPTIONS * G_N_ELEMENTS(lengths); i++) {
        writer w = new_writer(i % 2);
        begin_any(&w, i % WITH_OPTIONS);
        u16(&w, 2988);
        u16(&w, lengths[i / WITH_OPTIONS]);
        end(&w);
        assert_refused(&w, "that is longer than the rest");
    }
}

/* It would end in the trailing length. */
static void an_option_does_not_reach_into_the_trailer(void)
{
    for (guint i = 0; i < WITH_OPTIONS; i++) {
        writer w = new_writer(false);
        begin_any(&w, i);
        u16(&w, 2988);
        u16(&w, 5);
        u32(&w, 0);
        end(&w);
        assert_refused(&w, "that is longer than the rest");
    }
}

static void the_end_of_the_options_may_be_missing(void)
{
    for (guint i = 0; i < 2 * WITH_OPTIONS; i++) {
        writer w = new_writer(false);
        reader r;
        begin_any(&w, i / 2);
        if (i % 2)
            option(&w, 2988, "abc", 3);
        end(&w);
        r = assert_taken(&w);
        finish(&r, &w);
    }
}

static void nothing_stands_behind_the_end_of_the_options(void)
{
    for (guint i = 0; i < WITH_OPTIONS; i++) {
        writer w = new_writer(false);
        begin_any(&w, i);
        option_end(&w);
        option(&w, COMMENT, "hid", 3);
        end(&w);
        assert_refused(&w, "with something behind the end");
    }
}

static void the_end_of_the_options_has_no_value(void)
{
    for (guint i = 0; i < 2 * WITH_OPTIONS; i++) {
        writer w = new_writer(false);
        begin_any(&w, i / 2);
        u16(&w, 0);
        u16(&w, 4);
        if (i % 2)
            u32(&w, 0);
        end(&w);
        assert_refused(&w, "with something behind the end");
    }
}

static void options_that_are_not_of_the_contract_are_left_out(void)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    begin_interface(&w);
    option(&w, 4, "\300\0\2\1\377\377\377\0", 8); /* an address, twice */
    option(&w, 4, "\300\0\2\2\377\377\377\0", 8);
    option(&w, 2988, "custom", 6);
    option(&w, 0x8000 | NAME, "eth9", 4);
    named(&w, "eth0");
    option_end(&w);
    end(&w);
    begin_packet(&w);
    option(&w, COMMENT, "cpu=1", 5);
    option(&w, COMMENT, "cpu=2", 5);
    option(&w, 3, "\0", 1);
    option_32(&w, FLAGS, 1);
    end(&w);
    r = assert_taken(&w);
    g_assert_cmpuint(r.decoded.packet.packet.flags, ==, 1);
    finish(&r, &w);
}

static void the_codes_of_one_block_are_not_those_of_another(void)
{
    writer w = new_writer(false);
    reader r = {0};

    section(&w);
    begin_interface(&w);
    named(&w, "eth0");
    option_32(&w, QUEUE, 5); /* an address, in an interface */
    end(&w);
    begin_packet(&w);
    option(&w, DESCRIPTION, "hash", 4);
    option(&w, FILTER, "x", 1);
    end(&w);
    step(&r, &w);
    step(&r, &w);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_PACKET);
    g_assert_cmpint(r.decoded.packet.queue, ==, -1);
    g_assert_cmpuint(r.decoded.packet.packet.flags, ==, 0);
    g_assert_cmpuint(r.decoded.packet.packet.dropped, ==, 0);
    finish(&r, &w);
}

/* ---- sections ---- */

static void a_section_has_our_version(void)
{
    static const guint16 versions[][2] = {{0, 0}, {1, 1}, {1, 2}, {2, 0}, {0, 1}, {256, 0}, {1, 256}};

    for (guint i = 0; i < 2 * G_N_ELEMENTS(versions); i++) {
        writer w = new_writer(i % 2);
        begin(&w, SECTION);
        u32(&w, 0x1A2B3C4D);
        u16(&w, versions[i / 2][0]);
        u16(&w, versions[i / 2][1]);
        u64(&w, G_MAXUINT64);
        end(&w);
        assert_refused(&w, "a capture of version");
    }
}

/* ---- interfaces ---- */

static void an_interface_says_that_its_times_are_nanoseconds(void)
{
    static const guint8 resolutions[] = {0, 6, 8, 10, 0x89, 137, 255};
    writer w = new_writer(false);

    section(&w);
    begin_interface(&w);
    option(&w, NAME, "eth0", 4);
    end(&w);
    assert_refused(&w, "whose times are not nanoseconds");
    for (guint i = 0; i < G_N_ELEMENTS(resolutions); i++) {
        w = new_writer(false);
        section(&w);
        begin_interface(&w);
        option(&w, NAME, "eth0", 4);
        option(&w, TSRESOL, &resolutions[i], 1);
        end(&w);
        assert_refused(&w, "whose times are not nanoseconds");
    }
}

static void a_resolution_is_one_byte(void)
{
    for (gsize size = 0; size < 5; size++) {
        writer w = new_writer(false);
        section(&w);
        begin_interface(&w);
        option(&w, NAME, "eth0", 4);
        option(&w, TSRESOL, "\11\0\0\0", size);
        end(&w);
        if (size == 1) {
            reader r = assert_taken(&w);
            finish(&r, &w);
        } else {
            assert_refused(&w, "bytes where 1 belong (option 9)");
        }
    }
}

static void an_interface_does_not_move_its_times(void)
{
    writer w = new_writer(false);

    section(&w);
    begin_interface(&w);
    named(&w, "eth0");
    option_64(&w, TSOFFSET, 0);
    end(&w);
    assert_refused(&w, "whose times are not nanoseconds");
}

static void an_interface_has_a_name(void)
{
    writer w = new_writer(false);

    section(&w);
    begin_interface(&w);
    option(&w, TSRESOL, "\11", 1);
    option(&w, DESCRIPTION, "eth0 CPU 3 (rxtxcpu)", 20);
    end(&w);
    assert_refused(&w, "an interface without a name");
}

static void assert_name(const char *name, gsize length, const char *as)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    begin_interface(&w);
    option(&w, NAME, name, length);
    option(&w, TSRESOL, "\11", 1);
    end(&w);
    if (as == NULL) {
        assert_refused(&w, "an interface with a name that none can have");
        return;
    }
    r = assert_taken(&w);
    g_assert_cmpstr(r.decoded.interface.name, ==, as);
    finish(&r, &w);
}

static void names_are_those_that_the_kernel_takes(void)
{
    static const char *const good[] = {
        "x", "eth0", "...", "..a", ".a", "abcdefghijklmno", "\303\251t\303\251", "\302\265\302\241", "a?b*'\"\\"};
    static const char *const bad[] = {
        "",         ".",    "..",     "abcdefghijklmnop", "a/b",      "/", "eth0:1", ":", "a b", " ", "a\tb", "a\nb",
        "a\vb",     "a\fb", "a\rb",   "a\240b",           "\303\240", /* à: its second byte is the kernel's space */
        "a\033[1m", "a\1b", "a\177b", "\302\205",         "\302\237"};

    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        assert_name(good[i], strlen(good[i]), good[i]);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_name(bad[i], strlen(bad[i]), NULL);
    assert_name("eth\0000", 5, NULL);
    assert_name("eth0\0", 5, NULL);
}

static void a_name_of_other_bytes_becomes_text(void)
{
    assert_name("a\377b", 3, "a\357\277\275b");
    assert_name("\302", 1, "\357\277\275");
    assert_name("\302a", 2, "\357\277\275a");
    assert_name("\355\260\200", 3, "\357\277\275\357\277\275\357\277\275"); /* half of a surrogate pair */
    assert_name("\300\257", 2, "\357\277\275\357\277\275");                 /* a slash, overlong */
    assert_name("\205x", 2, "\357\277\275x");
    assert_name("\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377", 15,
                "\357\277\275\357\277\275\357\277\275\357\277\275\357\277\275"
                "\357\277\275\357\277\275\357\277\275\357\277\275\357\277\275"
                "\357\277\275\357\277\275\357\277\275\357\277\275\357\277\275");
}

static void an_interface_says_each_thing_once(void)
{
    static const struct {
        guint16 code;
        const char *value;
        gsize size;
    } options[] = {{COMMENT, "a", 1},   {NAME, "eth1", 4},  {DESCRIPTION, "a", 1},
                   {TSRESOL, "\11", 1}, {FILTER, "\0a", 2}, {COMMENT, "", 0}};

    for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
        writer w = new_writer(false);
        section(&w);
        begin_interface(&w);
        named(&w, "eth0");
        for (int twice = 0; twice < 2; twice++)
            option(&w, options[i].code, options[i].value, options[i].size);
        end(&w);
        assert_refused(&w, "the same thing");
    }
}

typedef struct {
    const char *value;
    gsize size;
    const char *as;
} text_case;

/* The text of an option of an interface as it is decoded, and nothing of it in the other texts. */
static void assert_texts(guint16 code, const text_case *cases, guint n)
{
    for (guint i = 0; i < n; i++) {
        writer w = new_writer(false);
        reader r;
        section(&w);
        begin_interface(&w);
        named(&w, "eth0");
        option(&w, code, cases[i].value, cases[i].size);
        end(&w);
        r = assert_taken(&w);
        g_assert_cmpstr(r.decoded.interface.comment, ==, code == COMMENT ? cases[i].as : NULL);
        g_assert_cmpstr(r.decoded.interface.description, ==, code == DESCRIPTION ? cases[i].as : NULL);
        g_assert_cmpstr(r.decoded.interface.filter, ==, code == FILTER ? cases[i].as : NULL);
        finish(&r, &w);
    }
}

static void descriptions_are_cleaned(void)
{
    static const text_case cases[] = {{"", 0, NULL},
                                      {"plain", 5, "plain"},
                                      {"a\nb\tc\rd", 7, "a?b?c?d"},
                                      {"\033[31mred\177", 9, "?[31mred?"},
                                      {"a\0b", 3, "a?b"},
                                      {"\0", 1, "?"},
                                      {"\303\251\302\205\302\240", 6, "\303\251?\302\240"},
                                      {"a\303", 2, "a\357\277\275"},
                                      {"\303\0", 2, "\357\277\275?"},
                                      {"\360\237\220\247", 4, "\360\237\220\247"},
                                      {"\364\220\200\200", 4, "\357\277\275\357\277\275\357\277\275\357\277\275"},
                                      {"\357\277\275", 3, "\357\277\275"}};

    assert_texts(DESCRIPTION, cases, G_N_ELEMENTS(cases));
}

/* The first byte of a character; the second is where the option's padding begins. */
static void padding_is_not_text(void)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    begin_interface(&w);
    named(&w, "eth0");
    u16(&w, DESCRIPTION);
    u16(&w, 1);
    raw(&w, "\303\251\0\0", 4);
    u16(&w, COMMENT);
    u16(&w, 3);
    raw(&w, "abcd", 4);
    end(&w);
    r = assert_taken(&w);
    g_assert_cmpstr(r.decoded.interface.description, ==, "\357\277\275");
    g_assert_cmpstr(r.decoded.interface.comment, ==, "abc");
    finish(&r, &w);
}

static void comments_keep_newlines_and_tabs(void)
{
    static const text_case cases[] = {{"", 0, NULL}, {"a\nb\tc\rd\ve", 9, "a\nb\tc?d?e"}, {"\n", 1, "\n"}};

    assert_texts(COMMENT, cases, G_N_ELEMENTS(cases));
}

static void filters_are_expressions_of_libpcap(void)
{
    static const text_case cases[] = {
        {"", 0, NULL},    {"\0", 1, NULL},      {"\0udp", 4, "udp"},  {"\1udp", 4, NULL},
        {"udp", 3, NULL}, {"\0a\nb", 4, "a?b"}, {"\0a\0b", 4, "a?b"}, {"\0a\377", 3, "a\357\277\275"}};

    assert_texts(FILTER, cases, G_N_ELEMENTS(cases));
}

static void a_filter_that_is_too_long_is_left_out(void)
{
    g_autofree char *text = g_strnfill(1026, 'x'), *most = g_strnfill(1024, 'x'), *bytes = g_strnfill(343, '\377');
    text_case cases[] = {{text, 1025, most}, {text, 1026, NULL}, {bytes, 343, NULL}};

    text[0] = '\0';
    bytes[0] = '\0'; /* what stands for the others has 1026 bytes */
    assert_texts(FILTER, cases, G_N_ELEMENTS(cases));
}

/* A limit that falls into a character. */
static void texts_are_clipped_between_characters(void)
{
    g_autoptr(GString) text = g_string_new("x");
    g_autofree char *most_of_1024 = NULL, *most_of_32768 = NULL;

    for (int i = 0; i < 20000; i++)
        g_string_append(text, "\303\251");
    most_of_1024 = g_strndup(text->str, 1023);
    most_of_32768 = g_strndup(text->str, 32767);
    assert_texts(DESCRIPTION, &(text_case){text->str, text->len, most_of_1024}, 1);
    assert_texts(COMMENT, &(text_case){text->str, text->len, most_of_32768}, 1);
}

/* What stands for a byte is longer than it. */
static void texts_are_clipped_after_they_were_cleaned(void)
{
    g_autofree char *bytes = g_strnfill(40000, '\377');
    reader r;
    writer w = new_writer(false);

    section(&w);
    begin_interface(&w);
    named(&w, "eth0");
    option(&w, DESCRIPTION, bytes, 1024);
    option(&w, COMMENT, bytes, 40000);
    end(&w);
    r = assert_taken(&w);
    g_assert_cmpuint(strlen(r.decoded.interface.description), ==, 1023);
    g_assert_cmpuint(strlen(r.decoded.interface.comment), ==, 32766);
    g_assert_true(g_utf8_validate(r.decoded.interface.comment, -1, NULL));
    finish(&r, &w);
}

static void there_are_only_so_many_interfaces(void)
{
    writer w = new_writer(false);
    reader r = {0};
    const guint8 *block;
    gsize size;

    section(&w);
    interface(&w);
    g_assert_cmpint(step(&r, &w), ==, RXTX_DECODED_SECTION);
    block = w.bytes->data + r.at;
    size = w.bytes->len - r.at;
    for (guint i = 0; i < RXTX_REMOTE_INTERFACES_MAX; i++) {
        g_assert_cmpint(next(&r, block, size), ==, RXTX_DECODED_INTERFACE);
        g_assert_cmpuint(r.decoder.n_interfaces, ==, i + 1);
    }
    g_assert_cmpint(next(&r, block, size), ==, RXTX_DECODED_BAD);
    g_assert_cmpstr(r.error->message, ==, "The far end sent more than 65536 interfaces");
    g_assert_cmpuint(r.decoder.n_interfaces, ==, RXTX_REMOTE_INTERFACES_MAX);
    finish(&r, &w);
}

/* ---- packets ---- */

static void a_packet_has_an_interface_that_came_before(void)
{
    static const guint32 ids[] = {1, 2, 65536, 0x80000000, G_MAXUINT32};
    writer w = new_writer(false);

    section(&w);
    begin_packet(&w);
    end(&w);
    interface(&w); /* too late */
    w.start -= 40;
    assert_refused(&w, "a packet of an interface that it did not name");
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        w = new_writer(i % 2);
        section(&w);
        interface(&w);
        begin_packet_of(&w, ids[i], 0, 0);
        end(&w);
        assert_refused(&w, "a packet of an interface that it did not name");
    }
}

static void a_packet_has_the_link_type_of_its_interface(void)
{
    writer w = new_writer(true);
    reader r;

    section(&w);
    for (guint i = 0; i < 300; i++)
        interface(&w);
    begin(&w, INTERFACE);
    u16(&w, 276);
    u16(&w, 0);
    u32(&w, 0);
    named(&w, "eth1");
    end(&w);
    begin_packet_of(&w, 300, 0, 0);
    end(&w);
    r = assert_taken(&w);
    g_assert_cmpuint(r.decoded.packet.interface_id, ==, 300);
    g_assert_cmpint(r.decoded.packet.packet.linktype, ==, 276);
    finish(&r, &w);
}

static void statistics_have_an_interface_that_came_before(void)
{
    static const guint32 ids[] = {1, G_MAXUINT32};

    for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
        writer w = new_writer(i % 2);
        section(&w);
        interface(&w);
        begin_statistics(&w, ids[i]);
        end(&w);
        assert_refused(&w, "statistics of an interface that it did not name");
    }
}

static void a_packet_is_in_its_block(void)
{
    static const guint32 caplens[] = {9, 12, 13, 100, RXTX_SNAPLEN_MAX};

    for (guint i = 0; i < G_N_ELEMENTS(caplens); i++) {
        writer w = new_writer(i % 2);
        section(&w);
        interface(&w);
        begin_packet_of(&w, 0, caplens[i], G_MAXUINT32);
        raw(&w, "12345678", 8);
        end(&w);
        assert_refused(&w, "but not so many");
    }
}

static void a_packet_is_not_larger_than_any_snaplen(void)
{
    static const guint32 caplens[] = {RXTX_SNAPLEN_MAX + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFF};
    static const guint8 data[RXTX_SNAPLEN_MAX + 4];

    for (guint i = 0; i < G_N_ELEMENTS(caplens); i++) {
        writer w = new_writer(i % 2);
        section(&w);
        interface(&w);
        begin_packet_of(&w, 0, caplens[i], G_MAXUINT32);
        raw(&w, data, sizeof data);
        end(&w);
        assert_refused(&w, "262000 is the most");
    }
}

static void a_packet_was_not_shorter_than_what_came_of_it(void)
{
    for (guint32 len = 0; len < 5; len++) {
        writer w = new_writer(len % 2);
        section(&w);
        interface(&w);
        begin_packet_of(&w, 0, 5, len);
        raw(&w, "abcde", 5);
        end(&w);
        assert_refused(&w, "5 bytes of a packet that had");
    }
}

static void a_packet_may_be_whole(void)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    interface(&w);
    begin_packet_of(&w, 0, 8, 8);
    raw(&w, "12345678", 8);
    end(&w);
    r = assert_taken(&w);
    g_assert_cmpmem(r.decoded.packet.packet.data, r.decoded.packet.packet.caplen, "12345678", 8);
    g_assert_cmpuint(r.decoded.packet.packet.len, ==, 8);
    finish(&r, &w);
}

static void a_packet_is_not_of_a_far_future(void)
{
    for (int order = 0; order < 2; order++) {
        writer w = new_writer(order);
        section(&w);
        interface(&w);
        begin_packet(&w);
        set_u32(&w, 12, 0x80000000);
        end(&w);
        assert_refused(&w, "beyond the year 2262");
    }
}

static rxtx_decoded decode_option_32(guint16 code, guint32 value)
{
    writer w = new_writer(value & 1);
    rxtx_decoded decoded;
    reader r;

    section(&w);
    interface(&w);
    begin_packet(&w);
    option_32(&w, code, value);
    end(&w);
    r = assert_taken(&w);
    decoded = r.decoded;
    finish(&r, &w);
    return decoded;
}

static void flags_are_those_that_we_know(void)
{
    for (guint32 low = 0; low < 32; low++) {
        guint32 direction = low & 3, reception = low >> 2;
        guint32 known = (direction < 3 ? direction : 0) | (reception < 5 ? reception << 2 : 0);
        g_assert_cmpuint(decode_option_32(FLAGS, low).packet.packet.flags, ==, known);
        g_assert_cmpuint(decode_option_32(FLAGS, low | 0xFFFFFFE0).packet.packet.flags, ==, known);
    }
}

static void a_queue_is_a_number_or_not_known(void)
{
    g_assert_cmpint(decode_option_32(QUEUE, 0).packet.queue, ==, 0);
    g_assert_cmpint(decode_option_32(QUEUE, 7).packet.queue, ==, 7);
    g_assert_cmpint(decode_option_32(QUEUE, INT_MAX).packet.queue, ==, INT_MAX);
    g_assert_cmpint(decode_option_32(QUEUE, 0x80000000).packet.queue, ==, -1);
    g_assert_cmpint(decode_option_32(QUEUE, G_MAXUINT32).packet.queue, ==, -1);
    g_assert_cmpint(decode_option_32(FLAGS, 1).packet.queue, ==, -1);
}

static void numbers_of_a_packet_have_their_sizes(void)
{
    static const struct {
        guint16 code;
        gsize size;
    } options[] = {{FLAGS, 4}, {DROPCOUNT, 8}, {QUEUE, 4}};

    for (guint i = 0; i < G_N_ELEMENTS(options); i++)
        for (gsize size = 0; size <= 9; size++) {
            writer w = new_writer(false);
            section(&w);
            interface(&w);
            begin_packet(&w);
            option(&w, options[i].code, "\0\0\0\0\0\0\0\0\0\0\0", size);
            end(&w);
            if (size == options[i].size) {
                reader r = assert_taken(&w);
                finish(&r, &w);
            } else {
                assert_refused(&w, "belong");
            }
        }
}

static void a_packet_says_each_thing_once(void)
{
    static const guint16 codes[] = {FLAGS, QUEUE};
    writer w = new_writer(false);

    section(&w);
    interface(&w);
    begin_packet(&w);
    option_64(&w, DROPCOUNT, 1);
    option_64(&w, DROPCOUNT, 1);
    end(&w);
    assert_refused(&w, "the same thing (option 4) twice");
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++) {
        w = new_writer(false);
        section(&w);
        interface(&w);
        begin_packet(&w);
        option_32(&w, codes[i], 1);
        option_32(&w, codes[i], 1);
        end(&w);
        assert_refused(&w, "the same thing");
    }
}

static void clearing_twice_is_no_harm(void)
{
    writer w = new_writer(false);
    reader r;

    section(&w);
    interface(&w);
    r = assert_taken(&w);
    rxtx_decoded_clear(&r.decoded);
    rxtx_decoded_clear(&r.decoded);
    rxtx_decoder_clear(&r.decoder);
    rxtx_decoder_clear(&r.decoder);
    g_assert_null(r.decoder.linktypes);
    g_assert_false(r.decoder.begun);
    finish(&r, &w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/what the encoder writes comes back", what_the_encoder_writes_comes_back);
    g_test_add_func("/decode/every packet comes back as it was", every_packet_comes_back_as_it_was);
    g_test_add_func("/decode/the largest packet comes back", the_largest_packet_comes_back);
    g_test_add_func("/decode/the longest texts of the encoder come back", the_longest_texts_of_the_encoder_come_back);
    g_test_add_func("/decode/a stream in the other byte order says the same",
                    a_stream_in_the_other_byte_order_says_the_same);
    g_test_add_func("/decode/each message of the far end may be the first",
                    each_message_of_the_far_end_may_be_the_first);
    g_test_add_func("/decode/messages stand anywhere", messages_stand_anywhere);
    g_test_add_func("/decode/the order of the section is that of the messages",
                    the_order_of_the_section_is_that_of_the_messages);
    g_test_add_func("/decode/a message in the other order is none", a_message_in_the_other_order_is_none);
    g_test_add_func("/decode/every piece of a block asks for more", every_piece_of_a_block_asks_for_more);
    g_test_add_func("/decode/nothing asks for more without being read", nothing_asks_for_more_without_being_read);
    g_test_add_func("/decode/an error need not be asked for", an_error_need_not_be_asked_for);
    g_test_add_func("/decode/bytes may be aligned as they like", bytes_may_be_aligned_as_they_like);
    g_test_add_func("/decode/what stands behind a block is not looked at", what_stands_behind_a_block_is_not_looked_at);
    g_test_add_func("/decode/what a shell prints is quoted", what_a_shell_prints_is_quoted);
    g_test_add_func("/decode/a stream begins with nothing else", a_stream_begins_with_nothing_else);
    g_test_add_func("/decode/a section tells its order", a_section_tells_its_order);
    g_test_add_func("/decode/what is bad is bad at once", what_is_bad_is_bad_at_once);
    g_test_add_func("/decode/blocks of other types are refused", blocks_of_other_types_are_refused);
    g_test_add_func("/decode/a second section is refused", a_second_section_is_refused);
    g_test_add_func("/decode/nothing of a capture comes before its section",
                    nothing_of_a_capture_comes_before_its_section);
    g_test_add_func("/decode/statistics do not come before the section", statistics_do_not_come_before_the_section);
    g_test_add_func("/decode/a length is judged as soon as it is read", a_length_is_judged_as_soon_as_it_is_read);
    g_test_add_func("/decode/a section may be as long as dumpcap can take",
                    a_section_may_be_as_long_as_dumpcap_can_take);
    g_test_add_func("/decode/both lengths are the same", both_lengths_are_the_same);
    g_test_add_func("/decode/an option is not longer than its block", an_option_is_not_longer_than_its_block);
    g_test_add_func("/decode/an option does not reach into the trailer", an_option_does_not_reach_into_the_trailer);
    g_test_add_func("/decode/the end of the options may be missing", the_end_of_the_options_may_be_missing);
    g_test_add_func("/decode/nothing stands behind the end of the options",
                    nothing_stands_behind_the_end_of_the_options);
    g_test_add_func("/decode/the end of the options has no value", the_end_of_the_options_has_no_value);
    g_test_add_func("/decode/options that are not of the contract are left out",
                    options_that_are_not_of_the_contract_are_left_out);
    g_test_add_func("/decode/the codes of one block are not those of another",
                    the_codes_of_one_block_are_not_those_of_another);
    g_test_add_func("/decode/a section has our version", a_section_has_our_version);
    g_test_add_func("/decode/an interface says that its times are nanoseconds",
                    an_interface_says_that_its_times_are_nanoseconds);
    g_test_add_func("/decode/a resolution is one byte", a_resolution_is_one_byte);
    g_test_add_func("/decode/an interface does not move its times", an_interface_does_not_move_its_times);
    g_test_add_func("/decode/an interface has a name", an_interface_has_a_name);
    g_test_add_func("/decode/names are those that the kernel takes", names_are_those_that_the_kernel_takes);
    g_test_add_func("/decode/a name of other bytes becomes text", a_name_of_other_bytes_becomes_text);
    g_test_add_func("/decode/an interface says each thing once", an_interface_says_each_thing_once);
    g_test_add_func("/decode/descriptions are cleaned", descriptions_are_cleaned);
    g_test_add_func("/decode/padding is not text", padding_is_not_text);
    g_test_add_func("/decode/comments keep newlines and tabs", comments_keep_newlines_and_tabs);
    g_test_add_func("/decode/filters are expressions of libpcap", filters_are_expressions_of_libpcap);
    g_test_add_func("/decode/a filter that is too long is left out", a_filter_that_is_too_long_is_left_out);
    g_test_add_func("/decode/texts are clipped between characters", texts_are_clipped_between_characters);
    g_test_add_func("/decode/texts are clipped after they were cleaned", texts_are_clipped_after_they_were_cleaned);
    g_test_add_func("/decode/there are only so many interfaces", there_are_only_so_many_interfaces);
    g_test_add_func("/decode/a packet has an interface that came before", a_packet_has_an_interface_that_came_before);
    g_test_add_func("/decode/a packet has the link type of its interface", a_packet_has_the_link_type_of_its_interface);
    g_test_add_func("/decode/statistics have an interface that came before",
                    statistics_have_an_interface_that_came_before);
    g_test_add_func("/decode/a packet is in its block", a_packet_is_in_its_block);
    g_test_add_func("/decode/a packet is not larger than any snaplen", a_packet_is_not_larger_than_any_snaplen);
    g_test_add_func("/decode/a packet was not shorter than what came of it",
                    a_packet_was_not_shorter_than_what_came_of_it);
    g_test_add_func("/decode/a packet may be whole", a_packet_may_be_whole);
    g_test_add_func("/decode/a packet is not of a far future", a_packet_is_not_of_a_far_future);
    g_test_add_func("/decode/flags are those that we know", flags_are_those_that_we_know);
    g_test_add_func("/decode/a queue is a number or not known", a_queue_is_a_number_or_not_known);
    g_test_add_func("/decode/numbers of a packet have their sizes", numbers_of_a_packet_have_their_sizes);
    g_test_add_func("/decode/a packet says each thing once", a_packet_says_each_thing_once);
    g_test_add_func("/decode/clearing twice is no harm", clearing_twice_is_no_harm);
    return g_test_run();
}
