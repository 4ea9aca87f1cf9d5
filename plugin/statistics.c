/* What the statistics of CPUs and flows say; symmetry.c has that of directions. Adding up is tally.c's, drawing
 * Wireshark's (stat_table.c). */
#include "statistics.h"

#include <epan/stat_groups.h>
#include <epan/stats_tree.h>

#include "packet-rxtxcpu.h"
#include "stat_cells.h"
#include "symmetry.h"

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
        rxtx_cell_known(&row->node, RXTX_WIDTH_NODE),
        rxtx_cell_number(row->packets, RXTX_WIDTH_COUNT),
        rxtx_cell_share(row->packets, all_packets),
        rxtx_cell_number(row->bytes, RXTX_WIDTH_BYTES),
        rxtx_cell_number(row->received, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->sent, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->flows, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->moves_in, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->moves_out, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->repeats, RXTX_WIDTH_COUNT),
        rxtx_cell_number(row->drops, RXTX_WIDTH_COUNT),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static void write_cpus(rxtx_statistic *statistic)
{
    g_autoptr(GPtrArray) rows = rxtx_tally_cpus(statistic->tally);
    rxtx_cpu_row total = {.flows = rxtx_tally_flow_count(statistic->tally)};
    int width = rxtx_cell_host_cpu_width(statistic->tally);
    stat_tap_table *table = rxtx_statistic_table(statistic, "CPUs");

    rxtx_statistic_widen(statistic, width);
    for (guint i = 0; i < rows->len; i++)
        add_row(&total, (const rxtx_cpu_row *)g_ptr_array_index(rows, i));
    for (guint i = 0; i < rows->len; i++) {
        const rxtx_cpu_row *row = (const rxtx_cpu_row *)g_ptr_array_index(rows, i);

        write_cpu(statistic, table, rxtx_cell_host_cpu(statistic->tally, row->host, &row->cpu), row, total.packets);
    }
    table = rxtx_statistic_table(statistic, "Together");
    write_cpu(statistic, table, g_strdup_printf("%*s", width, "all"), &total, total.packets);
}

static void check_stat(const char *opt_arg, const char **filter, char **err);

static stat_tap_table_item cpu_columns[] = {
    RXTX_NUMBER_COLUMN("    CPU"),     RXTX_NUMBER_COLUMN("   Node"),         RXTX_NUMBER_COLUMN("    Packets"),
    RXTX_NUMBER_COLUMN("  Share"),     RXTX_NUMBER_COLUMN("          Bytes"), RXTX_NUMBER_COLUMN("   Received"),
    RXTX_NUMBER_COLUMN("       Sent"), RXTX_NUMBER_COLUMN("      Flows"),     RXTX_NUMBER_COLUMN("   Moves in"),
    RXTX_NUMBER_COLUMN("  Moves out"), RXTX_NUMBER_COLUMN("    Repeats"),     RXTX_NUMBER_COLUMN("       Lost"),
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
        rxtx_cell_host_cpu(statistic->tally, share->host, &share->cpu),
        rxtx_cell_number(share->packets, RXTX_WIDTH_COUNT),
        rxtx_cell_number(share->bytes, RXTX_WIDTH_BYTES),
        rxtx_cell_number(flow->cpus, RXTX_WIDTH_COUNT),
        rxtx_cell_number(flow->moves, RXTX_WIDTH_COUNT),
        g_strdup(flow->splits > 0 ? "  yes" : "   no"),
        rxtx_cell_number(share->flow, RXTX_WIDTH_FLOW),
        rxtx_cell_ends(&flow->endpoints),
    };

    rxtx_statistic_row(statistic, table, texts, G_N_ELEMENTS(texts));
}

static bool same_cpu(const rxtx_share_row *a, const rxtx_share_row *b)
{
    return a->host == b->host && a->cpu.presence == b->cpu.presence && a->cpu.number == b->cpu.number;
}

static void write_flows(rxtx_statistic *statistic)
{
    g_autoptr(GPtrArray) shares = rxtx_tally_shares(statistic->tally);
    stat_tap_table *table = rxtx_statistic_table(statistic, "The largest flows of each CPU");
    const rxtx_share_row *before = NULL;
    guint64 shown = 0;

    rxtx_statistic_widen(statistic, rxtx_cell_host_cpu_width(statistic->tally));
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
    RXTX_NUMBER_COLUMN("    CPU"),     RXTX_NUMBER_COLUMN("    Packets"), RXTX_NUMBER_COLUMN("          Bytes"),
    RXTX_NUMBER_COLUMN("  CPUs seen"), RXTX_NUMBER_COLUMN("      Moved"), RXTX_NUMBER_COLUMN("Split"),
    RXTX_NUMBER_COLUMN("    Flow"),    RXTX_TEXT_COLUMN("Between"),
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

/* Node names are sorted as text. A host that has a name is named, also where it is the only one: what is behind in the
 * file nobody knows yet, and a node keeps its name. */
static tap_packet_status count_in_tree(stats_tree *tree, packet_info *pinfo G_GNUC_UNUSED,
                                       epan_dissect_t *dissect G_GNUC_UNUSED, const void *data,
                                       tap_flags_t flags G_GNUC_UNUSED)
{
    const rxtx_packet *packet = (const rxtx_packet *)data;
    const char *host = packet->host != NULL ? packet->host : "", *space = packet->host != NULL ? " " : "";
    g_autofree char *cpu = NULL;
    int node;

    if (packet->record.cpu.presence == RXTX_KNOWN)
        cpu = g_strdup_printf("%s%sCPU %4u", host, space, packet->record.cpu.number);
    else
        cpu = g_strdup_printf("%s%sCPU unknown", host, space);
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
    rxtx_symmetry_register();
    stats_tree_register_plugin(RXTX_TAP, "rxtxcpu", "Per-CPU rates and bursts", 0, count_in_tree, begin_tree, NULL);
}
