/* The statistic rxtxcpu,symmetry: do both directions of a flow meet on one CPU. Adding up is tally.c's. */
#include "symmetry.h"

#include <epan/stat_groups.h>

#include "stat_cells.h"

/* How the two directions of a flow were seen, in the order of the alphabet, by which Wireshark sorts. */
typedef enum {
    SEEN_RECEIVED,
    SEEN_RECEIVED_AND_SENT,
    SEEN_SENT,
    SEEN_SOMEHOW,
    SEEN_ONE_DIRECTION, /* nothing to compare */
} seen_kind;

static const char *const seen_texts[] = {
    [SEEN_RECEIVED] = "received both ways      ",
    [SEEN_RECEIVED_AND_SENT] = "received one, sent other",
    [SEEN_SENT] = "sent both ways          ",
    [SEEN_SOMEHOW] = "unknown direction       ",
};

typedef enum {
    MEETS,          /* one CPU handled all packets of both directions */
    MOVES_TOGETHER, /* several CPUs did, but at nearly every time one */
    PARTS,
    VERDICTS,
} verdict;

#define ANY_DEVICE 0

/* What of a flow is compared: on one device, or where none has both directions, on all together. Of each direction (0
 * forward, 1 back) it is what was received rather than what was sent, since RSS is about what is received; so two
 * devices that received come before one that received and sent. */
typedef struct {
    const GPtrArray *lanes;
    guint from, to; /* the flow's rows of it */
    guint16 device;
    bool seen[2];
    rxtx_way way[2];
} both_ways;

static const rxtx_share_row *lane_at(const GPtrArray *lanes, guint i)
{
    return (const rxtx_share_row *)g_ptr_array_index(lanes, i);
}

static int precedence(rxtx_way way)
{
    return way == RXTX_WAY_RECEIVED ? 2 : way == RXTX_WAY_SENT ? 1 : 0;
}

static bool is_of_device(const both_ways *both, const rxtx_share_row *row)
{
    return row->cpu.presence == RXTX_KNOWN && (both->device == ANY_DEVICE || row->device == both->device);
}

static void see(both_ways *both, const rxtx_share_row *row)
{
    int direction = row->forward ? 0 : 1;

    if (!both->seen[direction] || precedence(row->way) > precedence(both->way[direction]))
        both->way[direction] = row->way;
    both->seen[direction] = true;
}

static both_ways look(const GPtrArray *lanes, guint from, guint to, guint16 device)
{
    both_ways both = {.lanes = lanes, .from = from, .to = to, .device = device};

    for (guint i = from; i < to; i++)
        if (is_of_device(&both, lane_at(lanes, i)))
            see(&both, lane_at(lanes, i));
    return both;
}

static seen_kind kind_of(const both_ways *both)
{
    if (!both->seen[0] || !both->seen[1])
        return SEEN_ONE_DIRECTION;
    if (both->way[0] == RXTX_WAY_UNKNOWN || both->way[1] == RXTX_WAY_UNKNOWN)
        return SEEN_SOMEHOW;
    if (both->way[0] != both->way[1])
        return SEEN_RECEIVED_AND_SENT;
    return both->way[0] == RXTX_WAY_RECEIVED ? SEEN_RECEIVED : SEEN_SENT;
}

static bool is_compared(const both_ways *both, const rxtx_share_row *row)
{
    return is_of_device(both, row) && row->way == both->way[row->forward ? 0 : 1];
}

static bool is_on_one_cpu(const both_ways *both)
{
    const rxtx_share_row *first = NULL;

    for (guint i = both->from; i < both->to; i++) {
        const rxtx_share_row *row = lane_at(both->lanes, i);

        if (!is_compared(both, row))
            continue;
        if (first != NULL && first->cpu.number != row->cpu.number)
            return false;
        first = row;
    }
    return true;
}

/* When both directions of a flow move, one is first: until the other follows they are split. */
static verdict judge(const rxtx_flow_row *flow, const both_ways *both)
{
    if (is_on_one_cpu(both))
        return MEETS;
    return kind_of(both) == SEEN_RECEIVED && flow->splits <= flow->moves ? MOVES_TOGETHER : PARTS;
}

/* "CPU 0 (12), CPU 3 (1)", with the packets of each. */
static char *cpus_text(const both_ways *both, bool forward)
{
    GString *text = g_string_new(NULL);

    for (guint i = both->from; i < both->to; i++) {
        const rxtx_share_row *row = lane_at(both->lanes, i);

        if (is_compared(both, row) && row->forward == forward)
            g_string_append_printf(text, "%sCPU %u (%" G_GUINT64_FORMAT ")", text->len > 0 ? ", " : "", row->cpu.number,
                                   row->packets);
    }
    return g_string_free(text, FALSE);
}

/* Adds each device on which the flow was seen at least so well, or else all devices together if they were. */
static bool add_pairs(GArray *found, const GPtrArray *lanes, guint from, guint to, seen_kind worst)
{
    guint before = found->len;
    both_ways both;

    for (guint i = from; i < to; i++) {
        if (i > from && lane_at(lanes, i)->device == lane_at(lanes, i - 1)->device)
            continue;
        both = look(lanes, from, to, lane_at(lanes, i)->device);
        if (kind_of(&both) <= worst)
            g_array_append_val(found, both);
    }
    both = look(lanes, from, to, ANY_DEVICE);
    if (found->len == before && kind_of(&both) <= worst)
        g_array_append_val(found, both);
    return found->len > before;
}

/* All that is compared, of all flows, as both_ways. */
static GArray *find_pairs(const GPtrArray *lanes)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(both_ways));
    guint from = 0;

    for (guint to = 1; to <= lanes->len; to++)
        if (to == lanes->len || lane_at(lanes, to)->flow != lane_at(lanes, from)->flow) {
            if (!add_pairs(found, lanes, from, to, SEEN_RECEIVED)) /* as a box that forwards does, on two devices */
                add_pairs(found, lanes, from, to, SEEN_SOMEHOW);
            from = to;
        }
    return found;
}

static void write_kind(rxtx_statistic *statistic, stat_tap_table *table, seen_kind kind, const guint counts[VERDICTS])
{
    char *texts[] = {
        g_strdup(seen_texts[kind]),
        rxtx_cell_number((guint64)counts[MEETS] + counts[MOVES_TOGETHER] + counts[PARTS], RXTX_WIDTH_COUNT),
        rxtx_cell_number(counts[MEETS], RXTX_WIDTH_COUNT),
        rxtx_cell_number(counts[MOVES_TOGETHER], RXTX_WIDTH_TOGETHER),
        rxtx_cell_number(counts[PARTS], RXTX_WIDTH_COUNT),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static void write_pair(rxtx_statistic *statistic, stat_tap_table *table, const rxtx_flow_row *flow,
                       const both_ways *both)
{
    verdict found = judge(flow, both);
    seen_kind kind = kind_of(both);

    g_assert(kind < G_N_ELEMENTS(seen_texts)); /* find_pairs() takes no others */
    char *texts[] = {
        g_strdup(seen_texts[kind]),
        rxtx_cell_number(1, RXTX_WIDTH_COUNT),
        rxtx_cell_number(0, RXTX_WIDTH_COUNT),
        rxtx_cell_number(found == MOVES_TOGETHER, RXTX_WIDTH_TOGETHER),
        rxtx_cell_number(found == PARTS, RXTX_WIDTH_COUNT),
        rxtx_cell_number(flow->flow, RXTX_WIDTH_FLOW),
        rxtx_cell_host_ends(statistic->tally, flow),
        cpus_text(both, true),
        cpus_text(both, false),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static const rxtx_flow_row *flow_of(const rxtx_statistic *statistic, const both_ways *both)
{
    return rxtx_tally_flow(statistic->tally, lane_at(both->lanes, both->from)->flow);
}

static void write_kinds(rxtx_statistic *statistic, const GArray *pairs)
{
    stat_tap_table *table = rxtx_statistic_table(statistic, "Flows with both directions");
    guint counts[SEEN_ONE_DIRECTION][VERDICTS] = {0};

    for (guint i = 0; i < pairs->len; i++) {
        const both_ways *both = &g_array_index(pairs, both_ways, i);

        counts[kind_of(both)][judge(flow_of(statistic, both), both)]++;
    }
    for (seen_kind kind = 0; kind < SEEN_ONE_DIRECTION; kind++)
        write_kind(statistic, table, kind, counts[kind]);
}

static void write_symmetry(rxtx_statistic *statistic)
{
    g_autoptr(GPtrArray) lanes = rxtx_tally_lanes(statistic->tally);
    g_autoptr(GArray) pairs = find_pairs(lanes);
    stat_tap_table *table;

    write_kinds(statistic, pairs);
    table = rxtx_statistic_table(statistic, "Those that are not on one CPU");
    for (guint i = 0; i < pairs->len; i++) {
        const both_ways *both = &g_array_index(pairs, both_ways, i);

        if (!is_on_one_cpu(both))
            write_pair(statistic, table, flow_of(statistic, both), both);
    }
}

static void check_symmetry(const char *opt_arg, const char **filter, char **err);

static stat_tap_table_item symmetry_columns[] = {
    RXTX_TEXT_COLUMN("Directions              "),
    RXTX_NUMBER_COLUMN("      Flows"),
    RXTX_NUMBER_COLUMN(" On one CPU"),
    RXTX_NUMBER_COLUMN("Moved together"),
    RXTX_NUMBER_COLUMN("      Apart"),
    RXTX_NUMBER_COLUMN("    Flow"),
    RXTX_TEXT_COLUMN("Between"),
    RXTX_TEXT_COLUMN("There"),
    RXTX_TEXT_COLUMN("Back"),
};

static rxtx_statistic symmetry_statistic = {
    .ui = {.group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
           .title = "Symmetry of flows",
           .cli_string = "rxtxcpu,symmetry",
           .stat_filter_check_cb = check_symmetry,
           .nfields = G_N_ELEMENTS(symmetry_columns),
           .fields = symmetry_columns},
    .write = write_symmetry,
};

static void check_symmetry(const char *opt_arg, const char **filter, char **err)
{
    *filter = rxtx_statistic_argument(&symmetry_statistic, opt_arg, err);
}

void rxtx_symmetry_register(void)
{
    rxtx_statistic_register(&symmetry_statistic);
}
