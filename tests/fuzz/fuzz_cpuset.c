/* Any bytes as a list of numbers and as a mask: what is accepted has exactly the members that the text names, by a
 * second reading that is slow and plain, and says the same when it is written again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "plan/cpuset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned value_of(const char *text)
{
    return (unsigned)g_ascii_strtoull(text, NULL, 10);
}

/* Of a text that was accepted. */
static void read_list(rxtx_cpuset *set, const char *text)
{
    g_auto(GStrv) parts = g_strsplit_set(text, ",\n", -1);

    for (char **part = parts; *part != NULL; part++) {
        g_auto(GStrv) ends = g_strsplit(*part, "-", 2);
        if (ends[0] == NULL || *ends[0] == '\0')
            continue;
        for (unsigned cpu = value_of(ends[0]); cpu <= value_of(ends[ends[1] != NULL]); cpu++)
            rxtx_cpuset_add(set, cpu);
    }
}

static void check_counts(const rxtx_cpuset *set)
{
    unsigned count = 0, limit = 0;

    for (unsigned cpu = 0; cpu <= RXTX_CPUSET_MAX; cpu++)
        if (rxtx_cpuset_has(set, cpu)) {
            count++;
            limit = cpu + 1;
        }
    g_assert_cmpuint(count, >, 0);
    g_assert_cmpuint(rxtx_cpuset_count(set), ==, count);
    g_assert_cmpuint(rxtx_cpuset_limit(set), ==, limit);
}

static void check_list(const char *text)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1), *plain = g_new0(rxtx_cpuset, 1);
    g_autofree char *written = NULL;

    if (!rxtx_cpuset_parse_list(set, text))
        return;
    g_assert_cmpuint(strspn(text, "0123456789,-+ \n"), ==, strlen(text));
    read_list(plain, text);
    g_assert_cmpmem(set, sizeof *set, plain, sizeof *plain);
    check_counts(set);
    written = rxtx_cpuset_format(set);
    g_assert_true(rxtx_cpuset_parse_list(plain, written));
    g_assert_cmpmem(set, sizeof *set, plain, sizeof *plain);
    rxtx_cpuset_intersect(plain, set);
    g_assert_cmpmem(set, sizeof *set, plain, sizeof *plain);
}

/* Of a text that was accepted: digit by digit, from the right. */
static void read_mask(rxtx_cpuset *set, const char *text)
{
    g_autofree char *digits = g_strreverse(g_strdup(text));
    unsigned bit = 0;

    for (const char *digit = digits; *digit != '\0'; digit++) {
        if (!g_ascii_isxdigit(*digit))
            continue;
        for (unsigned i = 0; i < 4; i++)
            if (g_ascii_xdigit_value(*digit) >> i & 1)
                rxtx_cpuset_add(set, bit + i);
        bit += 4;
    }
}

static void check_mask(const char *text)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1), *plain = g_new0(rxtx_cpuset, 1);
    g_autofree char *written = NULL;

    if (!rxtx_cpuset_parse_mask(set, text))
        return;
    g_assert_cmpuint(strspn(text, "0123456789abcdefABCDEF,\n"), ==, strlen(text));
    read_mask(plain, text);
    g_assert_cmpmem(set, sizeof *set, plain, sizeof *plain);
    check_counts(set);
    written = rxtx_cpuset_format(set);
    g_assert_true(rxtx_cpuset_parse_list(plain, written));
    g_assert_cmpmem(set, sizeof *set, plain, sizeof *plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc0(size + 1);

    if (size > 0)
        memcpy(text, data, size);
    check_list(text);
    check_mask(text);
    return 0;
}
