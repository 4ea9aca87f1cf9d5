/* One line of rates, of which as much is written as the terminal has room for. When it is written, and over what, is
 * monitor.c's. */
#include "ui/status.h"

#include <inttypes.h>
#include <string.h>

/* What came to a group since the line before. */
typedef struct {
    char *name;
    bool numbered;
    uint64_t packets, bytes;
    uint64_t dropped; /* since the start */
} load;

typedef struct {
    GString *text;
    size_t room;
} line;

/* Five cells, so that a line stands still while its numbers move: "   42", "1.23k", " 123M"; "    -" when no time has
 * passed. Free with g_free. */
static char *rate_text(uint64_t n, uint64_t ns)
{
    const char *prefix = " kMGTPE";
    double rate;

    if (ns == 0)
        return g_strdup("    -");
    rate = (double)n * 1e9 / (double)ns;
    /* The limits are where %f would round to one digit more. */
    for (; rate >= 999.5 && prefix[1] != '\0'; prefix++)
        rate /= 1000;
    if (*prefix == ' ')
        return g_strdup_printf("%5.0f", rate);
    return g_strdup_printf("%4.*f%c", rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0, rate, *prefix);
}

/* Never backwards: a count of losses may be corrected. */
static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* ---- the groups ---- */

static void clear_load(gpointer data)
{
    g_free(((load *)data)->name);
}

/* Those alike stay in their order, which g_array_sort keeps. */
static gint by_packets(gconstpointer a, gconstpointer b)
{
    const load *x = a, *y = b;

    return (x->packets < y->packets) - (x->packets > y->packets);
}

/* The busiest first. Free with g_array_unref. */
static GArray *measure(const rxtx_summary *now, const rxtx_summary *before)
{
    GArray *loads = g_array_new(FALSE, FALSE, sizeof(load));

    g_array_set_clear_func(loads, clear_load);
    for (unsigned i = 0; i < now->plan->n_groups; i++) {
        load l = {.numbered = now->plan->groups[i].number != RXTX_NUMBER_UNKNOWN,
                  .packets = since(now->stats[i].delivered, before->stats[i].delivered),
                  .bytes = since(rxtx_stats_bytes(&now->stats[i]), rxtx_stats_bytes(&before->stats[i])),
                  .dropped = now->stats[i].dropped};
        if (!rxtx_summary_shows(now, i))
            continue;
        l.name = rxtx_plan_group_name(now->plan, i);
        g_array_append_val(loads, l);
    }
    g_array_sort(loads, by_packets);
    return loads;
}

/* Cells for each name. The one without a number is by far the longest, and would only take room from the others. */
static int name_width(const GArray *loads)
{
    size_t width = 0;

    for (guint i = 0; i < loads->len; i++) {
        const load *l = &g_array_index(loads, load, i);
        if (l->numbered)
            width = MAX(width, strlen(l->name));
    }
    return (int)width;
}

/* ---- the line ---- */

/* All of it or nothing: half a number is a wrong one. reserve: cells that have to stay free behind it. */
static bool append(line *l, const char *piece, size_t reserve)
{
    if (l->text->len + strlen(piece) + reserve > l->room)
        return false;
    g_string_append(l->text, piece);
    return true;
}

static bool append_total(line *l, const rxtx_summary *now, const rxtx_summary *before)
{
    rxtx_stats sum = rxtx_summary_total(now), old = rxtx_summary_total(before);
    uint64_t ns = since(now->now_ns, before->now_ns);
    g_autofree char *packets = rate_text(since(sum.delivered, old.delivered), ns);
    g_autofree char *bits = rate_text(8 * since(rxtx_stats_bytes(&sum), rxtx_stats_bytes(&old)), ns);
    g_autofree char *first = g_strdup_printf("%s pkt/s", packets);
    g_autofree char *second = g_strdup_printf(" %s bit/s", bits);
    g_autofree char *third = g_strdup_printf(" %" PRIu64 " lost", sum.dropped);

    return append(l, first, 0) && append(l, second, 0) && append(l, third, 0);
}

static bool append_load(line *l, const load *of, uint64_t ns, int width, size_t reserve)
{
    g_autofree char *packets = rate_text(of->packets, ns);
    g_autofree char *bits = rate_text(8 * of->bytes, ns);
    g_autofree char *lost = of->dropped > 0 ? g_strdup_printf(" %" PRIu64 " lost", of->dropped) : g_strdup("");
    g_autofree char *piece = g_strdup_printf(" | %-*s %s %s%s", width, of->name, packets, bits, lost);

    return append(l, piece, reserve);
}

/* " +126", and " more" where there is room for it. Free with g_free. */
static char *rest_text(guint n)
{
    return n > 0 ? g_strdup_printf(" +%u", n) : g_strdup("");
}

static void append_loads(line *l, const GArray *loads, uint64_t ns)
{
    g_autofree char *rest = rest_text(loads->len);
    int width = name_width(loads);

    for (guint i = 0; i < loads->len; i++) {
        g_autofree char *behind = rest_text(loads->len - i - 1);
        if (!append_load(l, &g_array_index(loads, load, i), ns, width, strlen(behind)))
            break;
        g_free(rest);
        rest = g_steal_pointer(&behind);
    }
    if (*rest != '\0' && append(l, rest, 0))
        append(l, " more", 0);
}

char *rxtx_status_line(const rxtx_summary *now, const rxtx_summary *before, unsigned columns)
{
    line l = {.text = g_string_new(NULL), .room = columns > 0 ? columns - 1 : 0};
    g_autoptr(GArray) loads = measure(now, before);

    if (append_total(&l, now, before))
        append_loads(&l, loads, since(now->now_ns, before->now_ns));
    return g_string_free(l.text, FALSE);
}
