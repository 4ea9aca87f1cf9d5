/* Any bytes as a description, as a description with a name, and as a comment. Whatever is accepted must say the same
 * when it is written again from what was understood, and what is refused must leave nothing behind. */
#include <stdint.h>
#include <string.h>

#include "record.h"

static void append_number(GString *text, const char *format, const char *key, rxtx_number number)
{
    g_autofree char *value = number.presence == RXTX_KNOWN ? g_strdup_printf("%u", number.number) : g_strdup("unknown");

    if (number.presence != RXTX_ABSENT)
        g_string_append_printf(text, format, key, value);
}

static void check_number(rxtx_number number)
{
    g_assert_cmpint(number.presence, <=, RXTX_KNOWN);
    g_assert_true(number.presence == RXTX_KNOWN ? number.number < G_MAXUINT32 : number.number == 0);
}

static bool is_empty(const rxtx_record *record)
{
    return record->stream == RXTX_STREAM_NONE && record->cpu.presence == RXTX_ABSENT &&
           record->queue.presence == RXTX_ABSENT && record->node.presence == RXTX_ABSENT &&
           record->hash.presence == RXTX_ABSENT && record->hash.number == 0 && record->host_len == 0;
}

static void check_bounds(bool accepted, const rxtx_record *record)
{
    check_number(record->cpu);
    check_number(record->queue);
    check_number(record->node);
    g_assert_cmpint(record->hash.presence, !=, RXTX_UNKNOWN);
    g_assert_true(record->hash.presence == RXTX_KNOWN || record->hash.number == 0);
    g_assert_cmpint(record->stream, <=, RXTX_STREAM_OTHER);
    g_assert_true(accepted == (record->stream != RXTX_STREAM_NONE));
    g_assert_true(accepted || is_empty(record));
}

static void assert_same_numbers(const rxtx_record *a, const rxtx_record *b)
{
    g_assert_cmpmem(&a->cpu, sizeof a->cpu, &b->cpu, sizeof b->cpu);
    g_assert_cmpmem(&a->queue, sizeof a->queue, &b->queue, sizeof b->queue);
    g_assert_cmpmem(&a->node, sizeof a->node, &b->node, sizeof b->node);
    g_assert_cmpmem(&a->hash, sizeof a->hash, &b->hash, sizeof b->hash);
}

static void check_description(const char *description, const char *if_name)
{
    rxtx_record record, again;
    bool accepted = rxtx_record_decode(&record, description, if_name);
    g_autoptr(GString) text = g_string_new("eth0");

    check_bounds(accepted, &record);
    if (!accepted)
        return;
    g_assert_cmpuint(record.host_len, <, strlen(description));
    g_assert_cmpint(record.hash.presence, ==, RXTX_ABSENT); /* in comments only */
    g_assert_true(record.host_len == 0 || description[record.host_len] == ':');
    append_number(text, " %s %s", "CPU", record.cpu);
    append_number(text, " %s %s", "queue", record.queue);
    append_number(text, " %s %s", "node", record.node);
    g_string_append(text, " lane 7 (rxtxcpu)");
    g_assert_true(rxtx_record_decode(&again, text->str, "eth0"));
    assert_same_numbers(&record, &again);
}

static void check_comment(const char *comment)
{
    rxtx_record record, again;
    bool accepted = rxtx_record_decode_comment(&record, comment);
    g_autoptr(GString) text = g_string_new("lane=7");

    check_bounds(accepted, &record);
    if (!accepted)
        return;
    g_assert_cmpint(record.cpu.presence, ==, RXTX_KNOWN);
    append_number(text, " %s=%s", "cpu", record.cpu);
    append_number(text, " %s=%s", "queue", record.queue);
    append_number(text, " %s=%s", "node", record.node);
    if (record.hash.presence == RXTX_KNOWN)
        g_string_append_printf(text, " hash=0x%x", record.hash.number);
    g_assert_true(rxtx_record_decode_comment(&again, text->str));
    assert_same_numbers(&record, &again);
}

/* The first line is a text, the second the interface's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc(size + 1);
    char *newline;

    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    check_description(text, NULL);
    newline = strchr(text, '\n');
    if (newline != NULL) {
        *newline = '\0';
        check_description(text, newline + 1);
    }
    check_comment(text);
    return 0;
}
