/* Lays the counts out in columns for a terminal. What they mean is base/stats.h's, which groups have a line is
 * summary.c's. */
#include "ui/table.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

enum { GAP = 2, BAR_CELLS = 20, FULL_BLOCK = 0x2588, EIGHTHS = 8 };

/* What a line is about. group: NULL = all of them. */
typedef struct {
    const rxtx_plan_group *group;
    const char *host; /* NULL = there is but one */
    const rxtx_stats *stats;
    const rxtx_stats *total;
    bool over; /* the capture has ended */
} subject;

/* ---- the columns ---- */

static char *number_text(const subject *about)
{
    if (about->group == NULL)
        return g_strdup("total");
    return about->group->number == RXTX_NUMBER_UNKNOWN ? g_strdup("unknown")
                                                       : g_strdup_printf("%d", about->group->number);
}

static char *host_text(const subject *about)
{
    return g_strdup(about->group != NULL ? about->host : "");
}

static char *node_text(const subject *about)
{
    bool known = about->group != NULL && about->group->node != RXTX_NODE_UNKNOWN;

    return known ? g_strdup_printf("%d", about->group->node) : g_strdup("-");
}

static char *share_text(const subject *about)
{
    if (about->total->delivered == 0)
        return g_strdup("-");
    return g_strdup_printf("%.1f%%", 100.0 * (double)about->stats->delivered / (double)about->total->delivered);
}

/* An output that broke did not take all that was counted by direction. */
static bool is_told(const subject *about)
{
    return !about->over || rxtx_stats_agree(about->stats);
}

static char *bytes_text(const subject *about)
{
    if (!is_told(about))
        return g_strdup("-");
    return g_strdup_printf("%" PRIu64, rxtx_stats_bytes(about->stats));
}

static bool has_hosts(const rxtx_plan *plan, const rxtx_stats *total)
{
    (void)total;
    return plan->n_hosts > 1;
}

static bool has_nodes(const rxtx_plan *plan, const rxtx_stats *total)
{
    (void)total;
    for (unsigned i = 0; i < plan->n_groups; i++)
        if (plan->groups[i].node != RXTX_NODE_UNKNOWN)
            return true;
    return false;
}

static bool has_others(const rxtx_plan *plan, const rxtx_stats *total)
{
    (void)plan;
    return total->directions[RXTX_TALLY_UNKNOWN].packets > 0;
}

typedef struct {
    const char *title;                                              /* NULL: what the groups are */
    bool (*wanted)(const rxtx_plan *plan, const rxtx_stats *total); /* NULL: always */
    char *(*text)(const subject *about);                            /* NULL: the counter */
    size_t counter;                                                 /* its place in rxtx_stats */
    bool bar;                                                       /* one follows */
    bool direction;                                                 /* counts one */
} column;

#define PACKETS_OF(direction) offsetof(rxtx_stats, directions[direction].packets)

static const column all_columns[] = {
    {"HOST", .wanted = has_hosts, .text = host_text},
    {.text = number_text},
    {"NODE", .wanted = has_nodes, .text = node_text},
    {"PACKETS", .counter = offsetof(rxtx_stats, delivered)},
    {"SHARE", .text = share_text, .bar = true},
    {"BYTES", .text = bytes_text},
    {"RX", .counter = PACKETS_OF(RXTX_TALLY_RX), .direction = true},
    {"TX", .counter = PACKETS_OF(RXTX_TALLY_TX), .direction = true},
    {"OTHER", .wanted = has_others, .counter = PACKETS_OF(RXTX_TALLY_UNKNOWN), .direction = true},
    {"DROPS", .counter = offsetof(rxtx_stats, dropped)},
};
enum { N_COLUMNS = G_N_ELEMENTS(all_columns) };

static char *title_of(const column *c, const rxtx_plan *plan)
{
    static const char *const groups[] = {
        [RXTX_GROUP_CPU] = "CPU", [RXTX_GROUP_QUEUE] = "QUEUE", [RXTX_GROUP_NUMA] = "NODE"};

    return g_strdup(c->title != NULL ? c->title : groups[plan->options->group]);
}

static char *text_of(const column *c, const subject *about)
{
    const char *stats = (const char *)about->stats;

    if (c->text != NULL)
        return c->text(about);
    if (c->direction && !is_told(about))
        return g_strdup("-");
    return g_strdup_printf("%" PRIu64, *(const uint64_t *)(const void *)(stats + c->counter));
}

/* ---- the lines ---- */

typedef struct {
    char *cells[N_COLUMNS];
    uint64_t bar; /* packets that it stands for */
} line;

typedef struct {
    const rxtx_summary *summary;
    bool utf8;
    bool wanted[N_COLUMNS];
    size_t widths[N_COLUMNS];
    unsigned bar;     /* cells */
    uint64_t busiest; /* packets that fill them */
    GArray *lines;
} table;

static void clear_line(gpointer data)
{
    line *l = data;

    for (unsigned c = 0; c < N_COLUMNS; c++)
        g_free(l->cells[c]);
}

/* about: NULL = the titles. */
static void add_line(table *t, const subject *about)
{
    line l = {.bar = about != NULL && about->group != NULL ? about->stats->delivered : 0};

    for (unsigned c = 0; c < N_COLUMNS; c++) {
        const column *which = &all_columns[c];
        if (!t->wanted[c])
            continue;
        l.cells[c] = about != NULL ? text_of(which, about) : title_of(which, t->summary->plan);
        t->widths[c] = MAX(t->widths[c], strlen(l.cells[c]));
    }
    t->busiest = MAX(t->busiest, l.bar);
    g_array_append_val(t->lines, l);
}

static const char *host_of(const rxtx_plan *plan, unsigned i)
{
    return plan->n_hosts > 1 ? plan->hosts[plan->groups[i].host] : NULL;
}

static void add_lines(table *t, const rxtx_stats *total)
{
    const rxtx_summary *summary = t->summary;

    for (unsigned c = 0; c < N_COLUMNS; c++)
        t->wanted[c] = all_columns[c].wanted == NULL || all_columns[c].wanted(summary->plan, total);
    add_line(t, NULL);
    for (unsigned i = 0; i < summary->plan->n_groups; i++)
        if (rxtx_summary_shows(summary, i))
            add_line(t, &(subject){.group = &summary->plan->groups[i],
                                   .host = host_of(summary->plan, i),
                                   .stats = &summary->stats[i],
                                   .total = total,
                                   .over = summary->over});
    add_line(t, &(subject){.stats = total, .total = total, .over = summary->over});
}

/* The bar has what the numbers leave, and a blank before it. */
static void fit_bar(table *t, unsigned columns)
{
    size_t taken = 1;

    for (unsigned c = 0, n = 0; c < N_COLUMNS; c++)
        if (t->wanted[c])
            taken += t->widths[c] + (n++ > 0 ? GAP : 0);
    t->bar = columns > taken ? (unsigned)MIN(columns - taken, BAR_CELLS) : 0;
}

/* ---- as text ---- */

/* However few the packets are, they are seen. */
static void append_bar(GString *text, const table *t, uint64_t packets)
{
    uint64_t parts = t->utf8 ? EIGHTHS : 1;
    uint64_t length = packets > 0 ? MAX((packets * parts * t->bar + t->busiest / 2) / t->busiest, 1) : 0;
    unsigned cells = 0;

    g_string_append_c(text, ' ');
    for (; cells < length / parts; cells++)
        g_string_append_unichar(text, t->utf8 ? FULL_BLOCK : '#');
    if (length % parts > 0) {
        /* Each block is an eighth narrower than the one before it. */
        g_string_append_unichar(text, FULL_BLOCK + EIGHTHS - (gunichar)(length % parts));
        cells++;
    }
    g_string_append_printf(text, "%*s", (int)(t->bar - cells), "");
}

static void append_line(GString *text, const table *t, const line *l)
{
    for (unsigned c = 0, n = 0; c < N_COLUMNS; c++) {
        if (!t->wanted[c])
            continue;
        g_string_append_printf(text, "%*s%*s", n++ > 0 ? GAP : 0, "", (int)t->widths[c], l->cells[c]);
        if (all_columns[c].bar && t->bar > 0)
            append_bar(text, t, l->bar);
    }
    g_string_append_c(text, '\n');
}

char *rxtx_table_text(const rxtx_summary *summary, unsigned columns, bool utf8)
{
    table t = {.summary = summary, .utf8 = utf8, .lines = g_array_new(FALSE, FALSE, sizeof(line))};
    rxtx_stats total = rxtx_summary_total(summary);
    GString *text = g_string_new(NULL);

    g_array_set_clear_func(t.lines, clear_line);
    add_lines(&t, &total);
    fit_bar(&t, columns);
    for (guint i = 0; i < t.lines->len; i++)
        append_line(text, &t, &g_array_index(t.lines, line, i));
    g_array_unref(t.lines);
    return g_string_free(text, FALSE);
}
