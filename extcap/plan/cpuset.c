/* Sets of CPU numbers: a fixed bitmap, its two parsers and its one printer. Which CPUs there are is topology.c's. */
#include "plan/cpuset.h"

#include <string.h>

void rxtx_cpuset_add(rxtx_cpuset *set, unsigned cpu)
{
    g_assert(cpu < RXTX_CPUSET_MAX);
    set->words[cpu / 64] |= G_GUINT64_CONSTANT(1) << (cpu % 64);
}

bool rxtx_cpuset_has(const rxtx_cpuset *set, unsigned cpu)
{
    return cpu < RXTX_CPUSET_MAX && (set->words[cpu / 64] >> (cpu % 64) & 1);
}

unsigned rxtx_cpuset_count(const rxtx_cpuset *set)
{
    unsigned count = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(set->words); i++)
        count += (unsigned)__builtin_popcountll(set->words[i]);
    return count;
}

unsigned rxtx_cpuset_limit(const rxtx_cpuset *set)
{
    for (unsigned i = G_N_ELEMENTS(set->words); i-- > 0;)
        if (set->words[i] != 0)
            return i * 64 + 64 - (unsigned)__builtin_clzll(set->words[i]);
    return 0;
}

void rxtx_cpuset_intersect(rxtx_cpuset *set, const rxtx_cpuset *other)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(set->words); i++)
        set->words[i] &= other->words[i];
}

void rxtx_cpuset_unite(rxtx_cpuset *set, const rxtx_cpuset *other)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(set->words); i++)
        set->words[i] |= other->words[i];
}

static bool parse_number(const char **text, unsigned *number)
{
    const char *p = *text + strspn(*text, " ");
    unsigned value = 0;

    p += *p == '+';
    if (!g_ascii_isdigit(*p))
        return false;
    for (; g_ascii_isdigit(*p); p++) {
        value = value * 10 + (unsigned)(*p - '0');
        if (value >= RXTX_CPUSET_MAX)
            return false;
    }
    *text = p;
    *number = value;
    return true;
}

static bool parse_range(const char **text, rxtx_cpuset *set)
{
    unsigned first, last;

    if (!parse_number(text, &first))
        return false;
    last = first;
    if (**text == '-') {
        (*text)++;
        if (!parse_number(text, &last) || last < first)
            return false;
    }
    for (unsigned cpu = first; cpu <= last; cpu++)
        rxtx_cpuset_add(set, cpu);
    return true;
}

static bool at_end(const char *text)
{
    return *text == '\0' || strcmp(text, "\n") == 0;
}

bool rxtx_cpuset_parse_list(rxtx_cpuset *set, const char *text)
{
    memset(set, 0, sizeof *set);
    for (text += strspn(text, ","); !at_end(text); text += strspn(text, ",")) {
        if (!parse_range(&text, set) || (!at_end(text) && *text != ','))
            return false;
    }
    return rxtx_cpuset_limit(set) > 0;
}

bool rxtx_cpuset_parse_mask(rxtx_cpuset *set, const char *text)
{
    unsigned bit = 0;

    memset(set, 0, sizeof *set);
    for (const char *p = text + strcspn(text, "\n"); p-- > text;) {
        if (*p == ',')
            continue;
        if (!g_ascii_isxdigit(*p))
            return false;
        for (unsigned value = (unsigned)g_ascii_xdigit_value(*p), i = 0; i < 4; i++, bit++)
            if (value >> i & 1) {
                if (bit >= RXTX_CPUSET_MAX)
                    return false;
                rxtx_cpuset_add(set, bit);
            }
    }
    return at_end(text + strcspn(text, "\n")) && rxtx_cpuset_limit(set) > 0;
}

char *rxtx_cpuset_format(const rxtx_cpuset *set)
{
    GString *text = g_string_new(NULL);
    unsigned limit = rxtx_cpuset_limit(set);

    for (unsigned first = 0, last; first < limit; first = last + 1) {
        last = first;
        if (!rxtx_cpuset_has(set, first))
            continue;
        while (rxtx_cpuset_has(set, last + 1))
            last++;
        g_string_append_printf(text, "%s%u", text->len ? "," : "", first);
        if (last > first)
            g_string_append_printf(text, "-%u", last);
    }
    return g_string_free(text, FALSE);
}
