/* Any words as the names of hosts, users, programs and interfaces: those that pass hold nothing that another program
 * obeys, and what a capture is described with by them is what the plugin reads: the writer's grammar is the reader's.
 *
 * A line for the host, one for the interface, one for a number and a node. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/grammar.h"
#include "record.h"
#include "rxtxcpu/capture_format.h"
#include "sink/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char obeyed[] = " \t\r\n\v\f'\"`$&|;<>()[]{}*?!#~\\=,";

static void check_word(const char *text)
{
    if (rxtx_is_host(text) || rxtx_is_user(text)) {
        g_assert_true(*text != '-' && *text != '\0');
        g_assert_null(strpbrk(text, obeyed));
        g_assert_true(g_str_is_ascii(text));
    }
    if (rxtx_is_program(text))
        g_assert_null(strpbrk(text + (*text == '~'), obeyed));
    if (rxtx_is_line(text))
        g_assert_null(strpbrk(text, "\n\r\033"));
    if (rxtx_is_interface(text)) {
        g_assert_cmpuint(strlen(text), <=, 15);
        g_assert_true(*text != '-' && g_utf8_validate(text, -1, NULL));
        g_assert_null(strpbrk(text, "/: \n\t\033"));
    }
}

static rxtx_number number_of(const rxtx_record *record, const char *key)
{
    return strcmp(key, RXTX_KEY_CPU) == 0     ? record->cpu
           : strcmp(key, RXTX_KEY_QUEUE) == 0 ? record->queue
                                              : record->node;
}

static void check_numbers(const rxtx_record *record, const rxtx_group_label *label)
{
    rxtx_number number = number_of(record, label->key);

    g_assert_cmpint(number.presence, ==, label->number < 0 ? RXTX_UNKNOWN : RXTX_KNOWN);
    g_assert_cmpuint(number.number, ==, (unsigned)MAX(label->number, 0));
    if (label->node >= 0)
        g_assert_true(record->node.presence == RXTX_KNOWN && record->node.number == (unsigned)label->node);
}

static void check_written(const char *host, const char *interface, const rxtx_group_label *label)
{
    g_autofree char *description = rxtx_pcapng_description(interface, label), *comment = rxtx_pcapng_comment(label);
    rxtx_record record;

    g_assert_true(rxtx_record_decode(&record, description, interface));
    g_assert_cmpuint(record.host_len, ==, host != NULL ? strlen(host) : 0);
    g_assert_true(host == NULL || g_str_has_prefix(description, host));
    check_numbers(&record, label);
    if (strcmp(label->key, RXTX_KEY_CPU) == 0 && label->number >= 0) {
        g_assert_true(rxtx_record_decode_comment(&record, comment));
        check_numbers(&record, label);
    } else {
        g_assert_false(rxtx_record_decode_comment(&record, comment)); /* the plugin reads those of CPUs only */
    }
}

static void check_names(const char *host, const char *interface, int number, int node)
{
    static const char *const keys[] = {RXTX_KEY_CPU, RXTX_KEY_QUEUE, RXTX_KEY_NODE};
    rxtx_source source = {.host = rxtx_is_host(host) ? host : NULL, .interface = interface};

    if (!rxtx_is_interface(interface))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        rxtx_group_label label = {.key = keys[i], .number = number, .node = i == 0 ? node : -1, .source = &source};
        check_written(source.host, interface, &label);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup(size > 0 ? (const char *)data : "", size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 4);
    int number, node;

    for (char **line = lines; *line != NULL; line++)
        check_word(*line);
    check_word(text);
    if (g_strv_length(lines) < 4)
        return 0;
    number = (int)strtoul(lines[2], NULL, 10);
    node = (int)strtoul(lines[3], NULL, 10);
    check_names(lines[0], lines[1], MAX(number, -1), MAX(node, -1));
    return 0;
}
