/* What the statistics say. Adding up is tally.c's, drawing Wireshark's (stat_table.c). */
#include "statistics.h"

#include <epan/stat_groups.h>
#include <epan/stats_tree.h>
#include <epan/to_str.h>

#include "packet-rxtxcpu.h"
#include "stat_table.h"

/* A column's title is as wide as its cells, so that TShark's text lines up. */
enum {
    WIDTH_CPU = 7,
    WIDTH_NODE = 7,
    WIDTH_COUNT = 11,
    WIDTH_BYTES = 15,
    WIDTH_SHARE = 7,
    WIDTH_FLOW = 8,
    WIDTH_TOGETHER = 14
};

#define TEXT(title)                                                                                                    \
    {                                                                                                                  \
        TABLE_ITEM_STRING, TAP_ALIGN_LEFT, title, "%s"                                                                 \
    }
#define NUMBER(title)                                                                                                  \
    {                                                                                                                  \
        TABLE_ITEM_STRING, TAP_ALIGN_RIGHT, title, "%s"                                                                \
    }

static char *padded(guint64 number, int width)
{
    return g_strdup_printf("%*" G_GUINT64_FORMAT, width, number);
}

/* What is not known has a word, and what nobody said is blank. */
static char *known(const rxtx_number *number, int width)
{
    if (number->presence == RXTX_KNOWN)
        return padded(number->number, width);
    return g_strdup_printf("%*s", width, number->presence == RXTX_UNKNOWN ? "unknown" : "");
}

static char *cpu_text(const rxtx_number *cpu)
{
    return cpu->presence == RXTX_KNOWN ? padded(cpu->number, WIDTH_CPU) : g_strdup("unknown");
}

static char *share_text(guint64 part, guint64 whole)
{
    return g_strdup_printf("%*.1f%%", WIDTH_SHARE - 1, whole > 0 ? 100.0 * (double)part / (double)whole : 0.0);
}

/* One end of a flow, as Wireshark writes it. */
static char *end_text(const rxtx_endpoints *ends, const rxtx_address *bytes, guint16 port)
{
    bool bracketed = ends->port_type != PT_NONE && ends->address_type == AT_IPv6;
    address one;
    char *host, *text;

    set_address(&one, ends->address_type, ends->address_len, bytes->bytes);
    host = address_to_str(NULL, &one);
    if (ends->port_type == PT_NONE)
        text = g_strdup(host);
    else
        text = g_strdup_printf(bracketed ? "[%s]:%u" : "%s:%u", host, port);
    wmem_free(NULL, host);
    return text;
}

static const char *port_type_text(guint8 port_type)
{
    switch (port_type) {
    case PT_TCP:
        return "TCP ";
    case PT_UDP:
        return "UDP ";
    case PT_SCTP:
        return "SCTP ";
    case PT_DCCP:
        return "DCCP ";
    default:
        return "";
    }
}

static char *ends_text(const rxtx_endpoints *ends)
{
    g_autofree char *low = end_text(ends, &ends->src, ends->src_port);
    g_autofree char *high = end_text(ends, &ends->dst, ends->dst_port);

    return g_strdup_printf("%s%s <-> %s", port_type_text(ends->port_type), low, high);
}

/* --- rxtxcpu,stat ------------------------------------------------------------------------------------------------- */

static void add_row(rxtx_cpu_row *sum, const rxtx_cpu_row *row)
{
    sum->packets += row->packets;
    sum->bytes += row->bytes;
    sum->received += row->received;
    sum->sent += row->sent;
    sum->repeats += row->repeats;
    sum->drops += row->drops;
    sum->moves_in += row->moves_in;
    sum->moves_out += row->moves_out;
}

static void write_cpu(rxtx_statistic *statistic, stat_tap_table *table, char *cpu, const rxtx_cpu_row *row,
                      guint64 all_packets)
{
    char *texts[] = {
        cpu,
        known(&row->node, WIDTH_NODE),
        padded(row->packets, WIDTH_COUNT),
        share_text(row->packets, all_packets),
        padded(row->bytes, WIDTH_BYTES),
        padded(row->received, WIDTH_COUNT),
        padded(row->sent, WIDTH_COUNT),
        padded(row->flows, WIDTH_COUNT),
        padded(row->moves_in, WIDTH_COUNT),
        padded(row->moves_out, WIDTH_COUNT),
        padded(row->repeats, WIDTH_COUNT),
        padded(row->drops, WIDTH_COUNT),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static void write_cpus(rxtx_statistic *statistic)
{
    g_autoptr(GPtrArray) rows = rxtx_tally_cpus(statistic->tally);
    rxtx_cpu_row total = {.flows = rxtx_tally_flow_count(statistic->tally)};
    stat_tap_table *table = rxtx_statistic_table(statistic, "CPUs");

    for (guint i = 0; i < rows->len; i++)
        add_row(&total, (const rxtx_cpu_row *)g_ptr_array_index(rows, i));
    for (guint i = 0; i < rows->len; i++) {
        const rxtx_cpu_row *row = (const rxtx_cpu_row *)g_ptr_array_index(rows, i);

        write_cpu(statistic, table, cpu_text(&row->cpu), row, total.packets);
    }
    table = rxtx_statistic_table(statistic, "Together");
    write_cpu(statistic, table, g_strdup_printf("%*s", WIDTH_CPU, "all"), &total, total.packets);
}

static void check_stat(const char *opt_arg, const char **filter, char **err);

static stat_tap_table_item cpu_columns[] = {
    NUMBER("    CPU"),         NUMBER("   Node"),     NUMBER("    Packets"), NUMBER("  Share"),
    NUMBER("          Bytes"), NUMBER("   Received"), NUMBER("       Sent"), NUMBER("      Flows"),
    NUMBER("   Moves in"),     NUMBER("  Moves out"), NUMBER("    Repeats"), NUMBER("       Lost"),
};

static rxtx_statistic cpu_statistic = {
    .ui = {.group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
           .title = "Packets per CPU",
           .cli_string = "rxtxcpu,stat",
           .stat_filter_check_cb = check_stat,
           .nfields = G_N_ELEMENTS(cpu_columns),
           .fields = cpu_columns},
    .write = write_cpus,
};

static void check_stat(const char *opt_arg, const char **filter, char **err)
{
    *filter = rxtx_statistic_argument(&cpu_statistic, opt_arg, err);
}

/* --- rxtxcpu,flows[,N] -------------------------------------------------------------------------------------------- */

/* What Wireshark's callbacks have to know of the statistic, which carry no data. */
static struct {
    const unsigned *shown; /* the preference */
    guint64 asked;         /* the N of "rxtxcpu,flows,N"; 0 without */
} flows_settings;

static guint64 flows_shown(void)
{
    return flows_settings.asked > 0 ? flows_settings.asked : *flows_settings.shown;
}

static void write_share(rxtx_statistic *statistic, stat_tap_table *table, const rxtx_share_row *share)
{
    const rxtx_flow_row *flow = rxtx_tally_flow(statistic->tally, share->flow);
    char *texts[] = {
        cpu_text(&share->cpu),
        padded(share->packets, WIDTH_COUNT),
        padded(share->bytes, WIDTH_BYTES),
        padded(flow->cpus, WIDTH_COUNT),
        padded(flow->moves, WIDTH_COUNT),
        g_strdup(flow->splits > 0 ? "  yes" : "   no"),
        padded(share->flow, WIDTH_FLOW),
        ends_text(&flow->endpoints),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static bool same_cpu(const rxtx_share_row *a, const rxtx_share_row *b)
{
    return a->cpu.presence == b->cpu.presence && a->cpu.number == b->cpu.number;
}

static void write_flows(rxtx_statistic *statistic)
{
    g_autoptr(GPtrArray) shares = rxtx_tally_shares(statistic->tally);
    stat_tap_table *table = rxtx_statistic_table(statistic, "The largest flows of each CPU");
    const rxtx_share_row *before = NULL;
    guint64 shown = 0;

    for (guint i = 0; i < shares->len; i++) {
        const rxtx_share_row *share = (const rxtx_share_row *)g_ptr_array_index(shares, i);

        if (before == NULL || !same_cpu(before, share))
            shown = 0;
        before = share;
        if (shown++ < flows_shown())
            write_share(statistic, table, share);
    }
}

static void check_flows(const char *opt_arg, const char **filter, char **err);

static stat_tap_table_item flow_columns[] = {
    NUMBER("    CPU"),     NUMBER("    Packets"), NUMBER("          Bytes"), NUMBER("  CPUs seen"),
    NUMBER("      Moved"), NUMBER("Split"),       NUMBER("    Flow"),        TEXT("Between"),
};

static rxtx_statistic flow_statistic = {
    .ui = {.group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
           .title = "Flows per CPU",
           .cli_string = "rxtxcpu,flows",
           .stat_filter_check_cb = check_flows,
           .nfields = G_N_ELEMENTS(flow_columns),
           .fields = flow_columns},
    .write = write_flows,
};

/* "N" or "N,FILTER", else it is a filter. */
static void check_flows(const char *opt_arg, const char **filter, char **err)
{
    const char *argument = rxtx_statistic_argument(&flow_statistic, opt_arg, err);
    char *end = NULL;
    guint64 n = argument != NULL && g_ascii_isdigit(*argument) ? g_ascii_strtoull(argument, &end, 10) : 0;

    *filter = argument;
    if (end == NULL || (*end != '\0' && *end != ','))
        return;
    *filter = *end == ',' ? end + 1 : NULL;
    flows_settings.asked = n;
    if (n == 0 && *err == NULL)
        *err = g_strdup("\"-z rxtxcpu,flows,0\" would list nothing. Try: -z rxtxcpu,flows,10");
}

/* --- rxtxcpu,symmetry --------------------------------------------------------------------------------------------- */

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
        padded((guint64)counts[MEETS] + counts[MOVES_TOGETHER] + counts[PARTS], WIDTH_COUNT),
        padded(counts[MEETS], WIDTH_COUNT),
        padded(counts[MOVES_TOGETHER], WIDTH_TOGETHER),
        padded(counts[PARTS], WIDTH_COUNT),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static void write_pair(rxtx_statistic *statistic, stat_tap_table *table, const rxtx_flow_row *flow,
                       const both_ways *both)
{
    verdict found = judge(flow, both);
    char *texts[] = {
        g_strdup(seen_texts[kind_of(both)]),
        padded(1, WIDTH_COUNT),
        padded(0, WIDTH_COUNT),
        padded(found == MOVES_TOGETHER, WIDTH_TOGETHER),
        padded(found == PARTS, WIDTH_COUNT),
        padded(flow->flow, WIDTH_FLOW),
        ends_text(&flow->endpoints),
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
    TEXT("Directions              "),
    NUMBER("      Flows"),
    NUMBER(" On one CPU"),
    NUMBER("Moved together"),
    NUMBER("      Apart"),
    NUMBER("    Flow"),
    TEXT("Between"),
    TEXT("There"),
    TEXT("Back"),
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

/* --- rxtxcpu,tree ------------------------------------------------------------------------------------------------- */

#define TREE_TITLE "Packets per CPU"

static const char *tree_way_text(rxtx_way way)
{
    return way == RXTX_WAY_RECEIVED ? "received" : way == RXTX_WAY_SENT ? "sent" : "direction unknown";
}

static void begin_tree(stats_tree *tree)
{
    stats_tree_create_node(tree, TREE_TITLE, 0, STAT_DT_INT, TRUE);
}

/* Node names are sorted as text. */
static tap_packet_status count_in_tree(stats_tree *tree, packet_info *pinfo G_GNUC_UNUSED,
                                       epan_dissect_t *dissect G_GNUC_UNUSED, const void *data,
                                       tap_flags_t flags G_GNUC_UNUSED)
{
    const rxtx_packet *packet = (const rxtx_packet *)data;
    g_autofree char *cpu = NULL;
    int node;

    if (packet->record.cpu.presence == RXTX_KNOWN)
        cpu = g_strdup_printf("CPU %4u", packet->record.cpu.number);
    else
        cpu = g_strdup("CPU unknown");
    tick_stat_node(tree, TREE_TITLE, 0, TRUE);
    node = tick_stat_node(tree, cpu, stats_tree_parent_id_by_name(tree, TREE_TITLE), TRUE);
    tick_stat_node(tree, tree_way_text(packet->way), node, FALSE);
    return TAP_PACKET_REDRAW;
}

void rxtx_statistics_register(const unsigned *shown)
{
    flows_settings.shown = shown;
    rxtx_statistic_register(&cpu_statistic);
    rxtx_statistic_register(&flow_statistic);
    rxtx_statistic_register(&symmetry_statistic);
    stats_tree_register_plugin(RXTX_TAP, "rxtxcpu", "Per-CPU rates and bursts", 0, count_in_tree, begin_tree, NULL);
}
