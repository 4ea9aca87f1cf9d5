/* The bytes of a capture, read back by libpcap and, where libpcap does not look, by hand. */
#include "sink/pcapng.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "rxtxcpu/capture_format.h"

static guint32 word(const guint8 *at)
{
    guint32 value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* The value of an option in the options from `at` on; NULL if it is not there. */
static const guint8 *option(const guint8 *at, guint16 wanted, guint16 *length)
{
    guint16 header[2];

    for (;; at += 4 + (header[1] + 3) / 4 * 4) {
        memcpy(header, at, sizeof header);
        *length = header[1];
        if (header[0] == wanted)
            return at + 4;
        if (header[0] == 0)
            return NULL;
    }
}

static void check_frame_of_block(const guint8 *block, gsize size, guint32 type)
{
    g_assert_cmpuint(size % 4, ==, 0);
    g_assert_cmpuint(word(block), ==, type);
    g_assert_cmpuint(word(block + 4), ==, size);
    g_assert_cmpuint(word(block + size - 4), ==, size);
}

static void a_section_is_never_longer_than_dumpcap_can_take(void)
{
    g_autofree char *endless = g_strnfill(100000, 'x');
    rxtx_pcapng_section section = {.hardware = endless, .os = endless, .application = endless};
    g_autoptr(GByteArray) out = g_byte_array_new();

    rxtx_pcapng_put_section(out, &section);
    check_frame_of_block(out->data, out->len, 0x0A0D0D0A);
    g_assert_cmpuint(out->len, <=, RXTX_SHB_MAX);
    g_assert_cmpuint(word(out->data + 8), ==, 0x1A2B3C4D);
}

static void an_interface_says_its_name_and_its_stream(void)
{
    rxtx_pcapng_interface interface = {
        .linktype = 101, .snaplen = 1000, .name = "eth0", .description = "eth0 CPU 3 (rxtxcpu)", .filter = "udp"};
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint16 length;

    rxtx_pcapng_put_interface(out, &interface);
    check_frame_of_block(out->data, out->len, 1);
    g_assert_cmpuint(word(out->data + 8), ==, 101);
    g_assert_cmpuint(word(out->data + 12), ==, 1000);
    g_assert_cmpmem(option(out->data + 16, 2, &length), length, "eth0", 4);
    g_assert_cmpmem(option(out->data + 16, 3, &length), length, "eth0 CPU 3 (rxtxcpu)", 20);
    g_assert_cmpmem(option(out->data + 16, 9, &length), length, "\11", 1);
    g_assert_cmpmem(option(out->data + 16, 11, &length), length, "\0udp", 4);
    g_assert_null(option(out->data + 16, 1, &length));
}

static void a_long_comment_is_clipped_between_characters(void)
{
    GString *text = g_string_new("x"); /* so that the limit falls into the middle of a character */
    rxtx_pcapng_interface interface = {.name = "eth0"};
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint16 length;
    const guint8 *comment;

    for (int i = 0; i < 20000; i++)
        g_string_append(text, "é");
    interface.comment = text->str;
    rxtx_pcapng_put_interface(out, &interface);
    comment = option(out->data + 16, 1, &length);
    g_assert_cmpuint(length, ==, 32767);
    g_assert_true(g_utf8_validate((const char *)comment, length, NULL));
    g_string_free(text, TRUE);
}

static void statistics_hold_every_counter(void)
{
    const rxtx_stats stats = {.accepted = 100, .dropped = 7, .delivered = 93};
    const struct {
        guint16 code;
        guint64 value;
    } counters[] = {{4, 100}, {5, 7}, {6, 100}, {7, 7}, {8, 93}};
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint16 length;

    rxtx_pcapng_put_statistics(out, 5, &stats, 0x100000002, 0x300000004);
    check_frame_of_block(out->data, out->len, 5);
    g_assert_cmpuint(word(out->data + 8), ==, 5);
    g_assert_cmpuint(word(out->data + 12), ==, 3);
    g_assert_cmpuint(word(out->data + 16), ==, 4);
    for (gsize i = 0; i < G_N_ELEMENTS(counters); i++)
        g_assert_cmpmem(option(out->data + 20, counters[i].code, &length), length, &counters[i].value, 8);
    g_assert_cmpuint(word(option(out->data + 20, 2, &length)), ==, 1);
    g_assert_cmpuint(word(option(out->data + 20, 3, &length) + 4), ==, 4);
}

static const rxtx_pcapng_origin plain = {.queue = -1};

/* For every length of data, so that each kind of padding is there. */
static void a_packet_is_whole_whatever_its_length(void)
{
    guint8 data[16], out[256];

    memset(data, 0xEE, sizeof data);
    for (guint32 caplen = 0; caplen <= sizeof data; caplen++) {
        rxtx_packet packet = {
            .ts_ns = 0x1122334455667788, .data = data, .caplen = caplen, .len = 99, .flags = 5, .dropped = 12};
        gsize size, data_end = 28 + (caplen + 3) / 4 * 4;
        guint16 length;
        memset(out, 0xAA, sizeof out);
        size = rxtx_pcapng_put_packet(out, &(rxtx_pcapng_origin){7, "cpu=3", 5, -1}, &packet);
        check_frame_of_block(out, size, 6);
        g_assert_cmpuint(size, <=, rxtx_pcapng_packet_max(&packet, 5));
        g_assert_cmpuint(word(out + 8), ==, 7);
        g_assert_cmpuint(word(out + 12), ==, 0x11223344);
        g_assert_cmpuint(word(out + 16), ==, 0x55667788);
        g_assert_cmpmem(out + 28, word(out + 20), data, caplen);
        g_assert_cmpuint(word(out + 24), ==, 99);
        for (gsize at = 28 + caplen; at < data_end; at++)
            g_assert_cmpuint(out[at], ==, 0);
        g_assert_cmpuint(word(option(out + data_end, 2, &length)), ==, 5);
        g_assert_cmpuint(word(option(out + data_end, 4, &length)), ==, 12);
        g_assert_cmpmem(option(out + data_end, 1, &length), length, "cpu=3", 5);
        g_assert_cmpuint(out[size], ==, 0xAA);
    }
}

static void what_is_not_known_of_a_packet_is_left_out(void)
{
    const rxtx_packet packet = {.data = (const guint8 *)"", .caplen = 0};
    guint8 out[64];
    guint16 length;

    rxtx_pcapng_put_packet(out, &plain, &packet);
    g_assert_null(option(out + 28, 2, &length));
    g_assert_null(option(out + 28, 4, &length));
    g_assert_null(option(out + 28, 1, &length));
    g_assert_null(option(out + 28, 6, &length));
}

static void a_queue_is_written_as_a_number_of_four_bytes(void)
{
    const rxtx_packet packet = {.data = (const guint8 *)"", .flags = 1};
    guint8 out[64];
    guint16 length;

    for (int queue = 0; queue < 2; queue++) {
        gsize size = rxtx_pcapng_put_packet(out, &(rxtx_pcapng_origin){.queue = queue}, &packet);
        check_frame_of_block(out, size, 6);
        g_assert_cmpuint(word(option(out + 28, 6, &length)), ==, queue);
        g_assert_cmpuint(length, ==, 4);
    }
}

static void the_largest_packet_fits_what_dumpcap_can_take(void)
{
    const rxtx_packet packet = {.caplen = RXTX_SNAPLEN_MAX, .dropped = 1, .flags = 1};

    g_assert_cmpuint(rxtx_pcapng_packet_max(&packet, 64), <=, RXTX_EPB_MAX);
}

static void a_written_block_can_be_looked_at_again(void)
{
    const rxtx_packet packet = {.data = (const guint8 *)"abcde", .caplen = 5, .len = 60, .flags = 1};
    guint8 out[128];
    gsize size = rxtx_pcapng_put_packet(out, &(rxtx_pcapng_origin){4, "cpu=12", 6, -1}, &packet);
    rxtx_pcapng_view view = rxtx_pcapng_view_block(out);
    g_autoptr(GByteArray) other = g_byte_array_new();

    g_assert_true(view.is_packet);
    g_assert_cmpuint(view.size, ==, size);
    g_assert_cmpuint(view.interface_id, ==, 4);
    g_assert_cmpmem(view.comment, view.comment_length, "cpu=12", 6);
    rxtx_pcapng_put_statistics(other, 0, &(rxtx_stats){0}, 0, 0);
    g_assert_false(rxtx_pcapng_view_block(other->data).is_packet);
    g_assert_cmpuint(rxtx_pcapng_view_block(other->data).size, ==, other->len);
}

static void descriptions_follow_the_grammar(void)
{
    static const rxtx_source web1 = {.host = "web1"}, ipv6 = {.host = "fe80::1"};
    const struct {
        const char *name;
        rxtx_group_label label;
        const char *description, *comment;
    } cases[] = {{"eth0", {"CPU", 3, -1, true, NULL}, "eth0 CPU 3 (rxtxcpu)", "cpu=3"},
                 {"eth0", {"CPU", 0, 0, true, NULL}, "eth0 CPU 0 node 0 (rxtxcpu)", "cpu=0 node=0"},
                 {"a b\tc", {"CPU", 65535, 1, true, NULL}, "a_b_c CPU 65535 node 1 (rxtxcpu)", "cpu=65535 node=1"},
                 {"eth0", {"queue", 2, -1, true, NULL}, "eth0 queue 2 (rxtxcpu)", "queue=2"},
                 {"eth0", {"queue", -1, -1, false, NULL}, "eth0 queue unknown (rxtxcpu)", "queue=unknown"},
                 {"eth0", {"node", 1, -1, true, NULL}, "eth0 node 1 (rxtxcpu)", "node=1"},
                 {"eth0", {"CPU", 3, 1, true, &web1}, "web1:eth0 CPU 3 node 1 (rxtxcpu)", "cpu=3 node=1"},
                 {"eth0", {"CPU", 3, -1, true, &ipv6}, "fe80::1:eth0 CPU 3 (rxtxcpu)", "cpu=3"}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = rxtx_pcapng_description(cases[i].name, &cases[i].label);
        g_autofree char *comment = rxtx_pcapng_comment(&cases[i].label);
        g_assert_cmpstr(text, ==, cases[i].description);
        g_assert_cmpstr(comment, ==, cases[i].comment);
    }
}

static void libpcap_reads_what_was_written(void)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint8 block[128];
    const rxtx_packet packet = {.ts_ns = 1700000000123456789, .data = (const guint8 *)"abcde", .caplen = 5, .len = 60};
    char reason[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *data;
    pcap_t *pcap;

    rxtx_pcapng_put_section(out, &(rxtx_pcapng_section){.application = "test"});
    rxtx_pcapng_put_interface(out, &(rxtx_pcapng_interface){.linktype = 1, .snaplen = 262000, .name = "eth0"});
    g_byte_array_append(out, block, (guint)rxtx_pcapng_put_packet(block, &plain, &packet));
    rxtx_pcapng_put_statistics(out, 0, &(rxtx_stats){.accepted = 1, .delivered = 1}, 0, 1);
    pcap = pcap_fopen_offline_with_tstamp_precision(fmemopen(out->data, out->len, "r"), PCAP_TSTAMP_PRECISION_NANO,
                                                    reason);
    g_assert_nonnull(pcap);
    g_assert_cmpint(pcap_next_ex(pcap, &header, &data), ==, 1);
    g_assert_cmpmem(data, header->caplen, "abcde", 5);
    g_assert_cmpuint(header->len, ==, 60);
    g_assert_cmpint(header->ts.tv_sec, ==, 1700000000);
    g_assert_cmpint(header->ts.tv_usec, ==, 123456789);
    g_assert_cmpint(pcap_next_ex(pcap, &header, &data), ==, PCAP_ERROR_BREAK);
    pcap_close(pcap);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcapng/a section is never longer than dumpcap can take",
                    a_section_is_never_longer_than_dumpcap_can_take);
    g_test_add_func("/pcapng/an interface says its name and its stream", an_interface_says_its_name_and_its_stream);
    g_test_add_func("/pcapng/a long comment is clipped between characters",
                    a_long_comment_is_clipped_between_characters);
    g_test_add_func("/pcapng/statistics hold every counter", statistics_hold_every_counter);
    g_test_add_func("/pcapng/a packet is whole whatever its length", a_packet_is_whole_whatever_its_length);
    g_test_add_func("/pcapng/what is not known of a packet is left out", what_is_not_known_of_a_packet_is_left_out);
    g_test_add_func("/pcapng/a queue is written as a number of four bytes",
                    a_queue_is_written_as_a_number_of_four_bytes);
    g_test_add_func("/pcapng/the largest packet fits what dumpcap can take",
                    the_largest_packet_fits_what_dumpcap_can_take);
    g_test_add_func("/pcapng/a written block can be looked at again", a_written_block_can_be_looked_at_again);
    g_test_add_func("/pcapng/descriptions follow the grammar", descriptions_follow_the_grammar);
    g_test_add_func("/pcapng/libpcap reads what was written", libpcap_reads_what_was_written);
    return g_test_run();
}
