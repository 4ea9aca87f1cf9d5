/* The two forms of a stream record, the right ones and the wrong, and which packets of a file are late. What Wireshark
 * makes of them is tested with the real one, in tests/plugin. */
#include <string.h>

#include "late.h"
#include "record.h"

/* "CPU 3 queue ? node -": the stream, then the numbers; ? is unknown, - is absent. */
static char *number_text(const char *word, rxtx_number number)
{
    if (number.presence == RXTX_ABSENT)
        return g_strdup_printf("%s -", word);
    if (number.presence == RXTX_UNKNOWN)
        return g_strdup_printf("%s ?", word);
    return g_strdup_printf("%s %u", word, number.number);
}

static char *record_text(const rxtx_record *record)
{
    static const char *const streams[] = {"none", "by CPU", "by queue", "by node", "by other"};
    g_autofree char *cpu = number_text("CPU", record->cpu);
    g_autofree char *queue = number_text("queue", record->queue);
    g_autofree char *node = number_text("node", record->node);

    return g_strdup_printf("%s: %s %s %s", streams[record->stream], cpu, queue, node);
}

static void assert_none(const rxtx_record *record)
{
    g_autofree char *text = record_text(record);

    g_assert_cmpstr(text, ==, "none: CPU - queue - node -");
    g_assert_cmpuint(record->host_len, ==, 0);
    g_assert_cmpint(record->hash.presence, ==, RXTX_ABSENT);
    g_assert_cmpuint(record->hash.number, ==, 0);
}

static void reads_as(const char *description, const char *if_name, const char *expected)
{
    rxtx_record record;
    g_autofree char *text = NULL;

    g_assert_true(rxtx_record_decode(&record, description, if_name));
    text = record_text(&record);
    g_assert_cmpstr(text, ==, expected);
}

static void is_refused(const char *description, const char *if_name)
{
    rxtx_record record;

    memset(&record, 0xaa, sizeof record);
    if (rxtx_record_decode(&record, description, if_name))
        g_error("accepted: \"%s\" of %s", description, if_name ? if_name : "an interface without a name");
    assert_none(&record);
}

static void test_examples(void)
{
    reads_as("eth0 CPU 3 (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node -");
    reads_as("eth0 CPU 3 node 1 (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node 1");
    reads_as("eth0 queue 2 (rxtxcpu)", "eth0", "by queue: CPU - queue 2 node -");
    reads_as("eth0 queue unknown (rxtxcpu)", "eth0", "by queue: CPU - queue ? node -");
    reads_as("eth0 node 1 (rxtxcpu)", "eth0", "by node: CPU - queue - node 1");
    reads_as("web1:eth0 CPU 3 hook napi (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node -");
}

static void test_first_pair(void)
{
    reads_as("eth0 node 1 CPU 3 (rxtxcpu)", "eth0", "by node: CPU 3 queue - node 1");
    reads_as("eth0 queue unknown CPU 3 (rxtxcpu)", "eth0", "by queue: CPU 3 queue ? node -");
    reads_as("eth0 lane 7 CPU 3 (rxtxcpu)", "eth0", "by other: CPU 3 queue - node -");
}

static void test_unknown_keys(void)
{
    reads_as("eth0 CPU 3 lane 7 node 1 (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node 1");
    reads_as("eth0 CPU 3 lane unknown (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node -");
    reads_as("eth0 CPU 3 cpu 4 Queue 5 (rxtxcpu)", "eth0", "by CPU: CPU 3 queue - node -");
    is_refused("eth0 CPU 3 lane fast (rxtxcpu)", "eth0");
}

static void test_range(void)
{
    reads_as("eth0 CPU 0 (rxtxcpu)", "eth0", "by CPU: CPU 0 queue - node -");
    reads_as("eth0 CPU 4294967294 (rxtxcpu)", "eth0", "by CPU: CPU 4294967294 queue - node -");
    is_refused("eth0 CPU 4294967295 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 4294967296 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 42949672940 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 18446744073709551619 (rxtxcpu)", "eth0");
}

static void test_bad_numbers(void)
{
    static const char *const values[] = {"03",  "00",  "+3",      "-3",     "3.",      "0x3",
                                         "3,4", "3-4", "Unknown", "unknow", "\xd9\xa3"};

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *description = g_strdup_printf("eth0 CPU %s (rxtxcpu)", values[i]);

        is_refused(description, "eth0");
    }
}

static void test_strict(void)
{
    is_refused(NULL, "eth0");
    is_refused("", "eth0");
    is_refused("eth0", "eth0");
    is_refused("(rxtxcpu)", NULL);
    is_refused(" (rxtxcpu)", NULL);
    is_refused("eth0 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 3", "eth0");
    is_refused("eth0 CPU 3(rxtxcpu)", "eth0");
    is_refused("eth0 CPU 3 (rxtxcpu) ", "eth0");
    is_refused("eth0 CPU 3 (RXTXCPU)", "eth0");
    is_refused("eth0 CPU 3 node (rxtxcpu)", "eth0");
    is_refused(" eth0 CPU 3 (rxtxcpu)", NULL);
    is_refused("eth0  CPU 3 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU  3 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 3  (rxtxcpu)", "eth0");
    is_refused("eth0\tCPU 3 (rxtxcpu)", NULL);
    is_refused("eth0 CPU 3 hook na\x7fpi (rxtxcpu)", "eth0");
    is_refused("eth0 CPU 3 (rxtxcpu)\n", "eth0");
    is_refused("eth0 CPU 3 hook (rxtxcpu)", "eth0");
}

static void test_twice(void)
{
    is_refused("eth0 CPU 3 CPU 4 (rxtxcpu)", "eth0");
    is_refused("eth0 CPU unknown CPU 4 (rxtxcpu)", "eth0");
    is_refused("eth0 queue 1 node 0 queue 1 (rxtxcpu)", "eth0");
}

static void test_name(void)
{
    is_refused("eth1 CPU 3 (rxtxcpu)", "eth0");
    is_refused("xeth0 CPU 3 (rxtxcpu)", "eth0");
    is_refused("web1:eth1 CPU 3 (rxtxcpu)", "eth0");
    is_refused("web1-eth0 CPU 3 (rxtxcpu)", "eth0");
    is_refused(":eth0 CPU 3 (rxtxcpu)", "eth0");
    is_refused("web1: CPU 3 (rxtxcpu)", "");
    reads_as("eth0:1 CPU 3 (rxtxcpu)", "eth0:1", "by CPU: CPU 3 queue - node -");
    reads_as("eth1 CPU 3 (rxtxcpu)", NULL, "by CPU: CPU 3 queue - node -");
    reads_as("CPU CPU 3 (rxtxcpu)", "CPU", "by CPU: CPU 3 queue - node -");
    reads_as("b\xc3\xbcro CPU 3 (rxtxcpu)", "b\xc3\xbcro", "by CPU: CPU 3 queue - node -");
}

static gsize host_len(const char *description, const char *if_name)
{
    rxtx_record record;

    g_assert_true(rxtx_record_decode(&record, description, if_name));
    return record.host_len;
}

static void test_host(void)
{
    g_assert_cmpuint(host_len("eth0:1 CPU 3 (rxtxcpu)", "eth0:1"), ==, 0);
    g_assert_cmpuint(host_len("web1:eth0:1 CPU 3 (rxtxcpu)", "eth0:1"), ==, strlen("web1"));
    g_assert_cmpuint(host_len("fe80::1:eth0 CPU 3 (rxtxcpu)", "eth0"), ==, strlen("fe80::1"));
    g_assert_cmpuint(host_len("web1:eth0 CPU 3 (rxtxcpu)", NULL), ==, 0);
}

static void test_length(void)
{
    g_autofree char *filler = g_strnfill(RXTX_DESCRIPTION_MAX - strlen("eth0 CPU 3 hook  (rxtxcpu)"), 'x');
    g_autofree char *longest = g_strdup_printf("eth0 CPU 3 hook %s (rxtxcpu)", filler);
    g_autofree char *longer = g_strdup_printf("eth0 CPU 3 hook x%s (rxtxcpu)", filler);

    reads_as(longest, "eth0", "by CPU: CPU 3 queue - node -");
    is_refused(longer, "eth0");
}

static void comment_reads_as(const char *comment, const char *expected)
{
    rxtx_record record;
    g_autofree char *text = NULL;

    g_assert_true(rxtx_record_decode_comment(&record, comment));
    text = record_text(&record);
    g_assert_cmpstr(text, ==, expected);
}

static void comment_is_refused(const char *comment)
{
    rxtx_record record;

    memset(&record, 0xaa, sizeof record);
    if (rxtx_record_decode_comment(&record, comment))
        g_error("accepted: \"%s\"", comment);
    assert_none(&record);
}

static void test_comment(void)
{
    comment_reads_as("cpu=3", "by CPU: CPU 3 queue - node -");
    comment_reads_as("cpu=3 node=1", "by CPU: CPU 3 queue - node 1");
    comment_reads_as("cpu=3 queue=2 hash=0xd22cfd90", "by CPU: CPU 3 queue 2 node -");
    comment_reads_as("queue=unknown cpu=4294967294", "by CPU: CPU 4294967294 queue ? node -");
    comment_reads_as("cpu=3 lane=fast hook=napi", "by CPU: CPU 3 queue - node -");
}

/* "0xd22cfd90", "" for none. */
static void hash_is(const char *comment, const char *expected)
{
    rxtx_record record;
    g_autofree char *text = NULL;

    g_assert_true(rxtx_record_decode_comment(&record, comment));
    text = record.hash.presence == RXTX_KNOWN ? g_strdup_printf("0x%x", record.hash.number) : g_strdup("");
    g_assert_cmpstr(text, ==, expected);
}

static void test_hash(void)
{
    hash_is("cpu=3", "");
    hash_is("cpu=3 queue=2 hash=0xd22cfd90", "0xd22cfd90");
    hash_is("hash=0xD22CFD90 cpu=3", "0xd22cfd90");
    hash_is("cpu=3 hash=0x0", "0x0");
    hash_is("cpu=3 hash=0x0000000f", "0xf");
    hash_is("cpu=3 hash=0xffffffff", "0xffffffff"); /* unlike a number, all of 32 bits */
    hash_is("cpu=3 hash_type=toeplitz", "");
}

static void test_bad_hash(void)
{
    static const char *const values[] = {
        "",      "0",         "0x",        "x1",    "12",      "d22cfd90",    "0X1",
        "0x1g",  "0x 1",      "0x-1",      "-0x1",  "0x1,",    "0x123456789", "unknown",
        "0x0x1", "00x123456", "1x1234567", "0x1=2", "0x1\xc2", "0x000000001", "=0x1"};

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *behind = g_strdup_printf("cpu=3 hash=%s", values[i]);
        g_autofree char *before = g_strdup_printf("hash=%s cpu=3", values[i]);

        comment_is_refused(behind);
        comment_is_refused(before);
    }
    comment_is_refused("hash=0xd22cfd90");
    comment_is_refused("cpu=3 hash=0x1 hash=0x1");
    comment_is_refused("cpu=3 hash=0x0 hash=0x1"); /* 0 is a hash, too */
    is_refused("eth0 CPU 3 hash 0xd22cfd90 (rxtxcpu)", "eth0");
}

static void test_prose(void)
{
    comment_is_refused("this one went to cpu=3 by mistake");
    comment_is_refused("cpu=3 is wrong");
    comment_is_refused("cpu=3, node=1");
    comment_is_refused("cpu=3.");
    comment_is_refused("see CPU=3");
    comment_is_refused("CPU=3");
    comment_is_refused("cpu = 3");
    comment_is_refused("node=1");
    comment_is_refused("cpu=unknown node=1");
}

static void test_bad_comment(void)
{
    comment_is_refused(NULL);
    comment_is_refused("");
    comment_is_refused(" cpu=3");
    comment_is_refused("cpu=3 ");
    comment_is_refused("cpu=3  node=1");
    comment_is_refused("cpu=3\nnode=1");
    comment_is_refused("cpu=");
    comment_is_refused("cpu=03");
    comment_is_refused("cpu=4294967295");
    comment_is_refused("cpu=3 =1");
    comment_is_refused("cpu=3 node=");
    comment_is_refused("cpu=3 1node=1");
    comment_is_refused("cpu=3 cpu=3");
    comment_is_refused("cpu=3 queue=x");
}

static void test_complete(void)
{
    rxtx_record record, comment;
    g_autofree char *text = NULL;

    g_assert_true(rxtx_record_decode(&record, "eth0 queue unknown node 1 (rxtxcpu)", "eth0"));
    g_assert_true(rxtx_record_decode_comment(&comment, "cpu=3 queue=2 node=0"));
    rxtx_record_complete(&record, &comment);
    text = record_text(&record);
    g_assert_cmpstr(text, ==, "by queue: CPU 3 queue 2 node 1");
}

static void test_complete_nothing(void)
{
    rxtx_record record = {0}, comment;
    g_autofree char *text = NULL;

    g_assert_true(rxtx_record_decode_comment(&comment, "cpu=3"));
    rxtx_record_complete(&record, &comment);
    text = record_text(&record);
    g_assert_cmpstr(text, ==, "by CPU: CPU 3 queue - node -");
}

static void test_complete_hash(void)
{
    rxtx_record record, comment;
    const rxtx_record option = {.hash = {RXTX_KNOWN, 5}};

    g_assert_true(rxtx_record_decode(&record, "eth0 CPU 3 (rxtxcpu)", "eth0"));
    g_assert_true(rxtx_record_decode_comment(&comment, "cpu=3 hash=0x0"));
    rxtx_record_complete(&record, &comment);
    rxtx_record_complete(&record, &option); /* the comment has said it */
    g_assert_cmpint(record.hash.presence, ==, RXTX_KNOWN);
    g_assert_cmpuint(record.hash.number, ==, 0);
    g_assert_true(rxtx_record_decode_comment(&comment, "cpu=3"));
    rxtx_record_complete(&comment, &option);
    g_assert_cmpuint(comment.hash.number, ==, 5);
}

#define S G_GINT64_CONSTANT(1000000000)

/* Times in ns; the answer has an L for each late packet. */
static char *lateness(gsize n, const gint64 *times)
{
    rxtx_late late = {0};
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < n; i++)
        g_string_append_c(text, rxtx_late_next(&late, times[i] / S, (int)(times[i] % S)) ? 'L' : '.');
    return g_string_free(text, FALSE);
}

#define ASSERT_LATE(expected, ...)                                                                                     \
    G_STMT_START                                                                                                       \
    {                                                                                                                  \
        const gint64 times[] = {__VA_ARGS__};                                                                          \
        g_autofree char *text = lateness(G_N_ELEMENTS(times), times);                                                  \
        g_assert_cmpstr(text, ==, expected);                                                                           \
    }                                                                                                                  \
    G_STMT_END

static void test_late(void)
{
    ASSERT_LATE(".", 5 * S);
    ASSERT_LATE("....", 5 * S, 5 * S, 5 * S + 1, 6 * S);
    ASSERT_LATE(".L.", 5 * S, 5 * S - 1, 5 * S);
    ASSERT_LATE("..LL.", 1 * S, 5 * S, 5 * S - 20, 5 * S - 10, 5 * S + 1);
}

static void test_clock_step(void)
{
    ASSERT_LATE(".L", 5 * S, 4 * S + 1);
    ASSERT_LATE("..", 5 * S, 4 * S);
    ASSERT_LATE("....", 5 * S, 2 * S, 3 * S, 4 * S);
    ASSERT_LATE("..L.", 5 * S, 2 * S, 2 * S - 1, 2 * S + 1);
    ASSERT_LATE("..L.", 5 * S, 5 * S + S / 2, 5 * S, 4 * S);
}

static void test_late_extremes(void)
{
    rxtx_late late = {0};

    g_assert_false(rxtx_late_next(&late, G_MAXINT64, 999999999));
    g_assert_false(rxtx_late_next(&late, G_MININT64, 0));
    g_assert_false(rxtx_late_next(&late, G_MAXINT64, 0));
    g_assert_false(rxtx_late_next(&late, -1, 999999999));
    g_assert_false(rxtx_late_next(&late, 0, 0));
    g_assert_true(rxtx_late_next(&late, -1, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/every-example-of-the-contract-is-read", test_examples);
    g_test_add_func("/record/the-first-pair-names-the-stream", test_first_pair);
    g_test_add_func("/record/a-key-that-nobody-knows-is-skipped-with-its-value", test_unknown_keys);
    g_test_add_func("/record/a-number-is-0-to-4294967294", test_range);
    g_test_add_func("/record/a-number-that-is-written-in-any-other-way-is-refused", test_bad_numbers);
    g_test_add_func("/record/a-description-that-breaks-the-grammar-gives-nothing", test_strict);
    g_test_add_func("/record/a-key-that-is-given-twice-is-not-believed", test_twice);
    g_test_add_func("/record/the-name-is-the-interface's-own", test_name);
    g_test_add_func("/record/a-host-is-told-from-a-colon-in-a-name", test_host);
    g_test_add_func("/record/a-description-is-bounded", test_length);
    g_test_add_func("/comment/the-words-of-the-contract-are-read", test_comment);
    g_test_add_func("/comment/a-hash-is-0x-and-up-to-eight-digits", test_hash);
    g_test_add_func("/comment/a-hash-that-is-written-in-any-other-way-is-refused", test_bad_hash);
    g_test_add_func("/comment/what-a-person-wrote-is-not-a-record", test_prose);
    g_test_add_func("/comment/a-word-that-breaks-the-grammar-spoils-the-comment", test_bad_comment);
    g_test_add_func("/complete/what-is-known-stays-and-what-is-not-is-taken-over", test_complete);
    g_test_add_func("/complete/a-comment-alone-makes-a-record", test_complete_nothing);
    g_test_add_func("/complete/a-hash-that-is-known-stays-though-it-is-0", test_complete_hash);
    g_test_add_func("/late/a-packet-before-an-earlier-one-is-late", test_late);
    g_test_add_func("/late/a-step-of-a-second-is-a-clock-and-not-a-late-packet", test_clock_step);
    g_test_add_func("/late/no-time-that-a-file-can-hold-overflows", test_late_extremes);
    return g_test_run();
}
