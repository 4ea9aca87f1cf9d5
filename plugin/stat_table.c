/* The life of Wireshark's tables. What stands in them is statistics.c's. */
#include "stat_table.h"

#include <epan/tap.h>

#include "packet-rxtxcpu.h"

static rxtx_statistic *of_ui(stat_tap_table_ui *ui)
{
    return (rxtx_statistic *)(void *)((char *)ui - G_STRUCT_OFFSET(rxtx_statistic, ui));
}

static void free_texts(stat_tap_table_item_type *row, guint n)
{
    for (guint column = 0; column < n; column++)
        g_free(row[column].user_data.ptr_value);
}

static void free_table(gpointer pointer)
{
    stat_tap_table *table = (stat_tap_table *)pointer;

    for (guint row = 0; row < table->num_elements; row++) {
        free_texts(table->elements[row], table->num_fields);
        g_free(table->elements[row]);
    }
    g_free(table->elements);
    g_free(table);
}

/* Wireshark's way of freeing the tables of the last window. */
static void free_item(stat_tap_table *table G_GNUC_UNUSED, guint row G_GNUC_UNUSED, guint column G_GNUC_UNUSED,
                      stat_tap_table_item_type *item)
{
    g_free(item->user_data.ptr_value);
}

/* The window that is being filled, and others of this statistic, still point into the rows of the tables before
 * (simple_statistics_dialog.cpp), so these are kept until no other window is open and the next ones are there. */
static void retire_tables(rxtx_statistic *statistic)
{
    GArray *tables = statistic->ui.tables;

    if (statistic->old_tables == NULL)
        statistic->old_tables = g_ptr_array_new_with_free_func(free_table);
    if (statistic->ui.refcount <= 1)
        g_ptr_array_set_size(statistic->old_tables, 0);
    if (tables == NULL)
        statistic->ui.tables = g_array_new(FALSE, TRUE, sizeof(stat_tap_table *));
    for (guint i = 0; tables != NULL && i < tables->len; i++)
        g_ptr_array_add(statistic->old_tables, g_array_index(tables, stat_tap_table *, i));
    g_array_set_size(statistic->ui.tables, 0);
}

static void begin(stat_tap_table_ui *ui)
{
    rxtx_statistic *statistic = of_ui(ui);

    retire_tables(statistic);
    rxtx_tally_free(statistic->tally);
    statistic->tally = rxtx_tally_new();
    statistic->counted = NULL;
    if (statistic->listening)
        remove_tap_listener(statistic);
    statistic->listening = false;
}

static void draw(void *pointer)
{
    rxtx_statistic *statistic = (rxtx_statistic *)pointer;

    statistic->write(statistic);
}

/* Wireshark draws a simple table without telling us. But it draws its listeners one after another, the last one that
 * came first (tap.c), so one that comes with the first packet of a run writes the tables right before they are drawn.
 */
static void listen_for_drawing(rxtx_statistic *statistic)
{
    GString *error;

    if (statistic->listening)
        return;
    error = register_tap_listener(RXTX_TAP, statistic, NULL, TL_REQUIRES_NOTHING, NULL, NULL, draw, NULL);
    statistic->listening = error == NULL;
    if (error != NULL)
        g_string_free(error, TRUE);
}

static rxtx_tally_packet counted(const packet_info *pinfo, const rxtx_packet *packet)
{
    const rxtx_flows *flows = rxtx_analysis_flows();
    rxtx_tally_packet taken = {
        .host = packet->host,
        .cpu = {RXTX_UNKNOWN, 0},
        .node = packet->record.node,
        .way = packet->way,
        .bytes = pinfo->fd->pkt_len,
        .drops = packet->drops,
        .drops_of_cpu = packet->record.stream == RXTX_STREAM_CPU,
        .repeat = packet->repeat > 0,
        .split = packet->split,
        .moved = packet->moved,
        .prev_cpu = packet->prev_cpu,
        .flow = packet->flow,
    };

    if (packet->record.cpu.presence == RXTX_KNOWN)
        taken.cpu = packet->record.cpu;
    if (packet->lane != 0) {
        taken.forward = rxtx_flows_forward(flows, packet->lane);
        taken.device = rxtx_flows_device(flows, packet->lane);
    }
    return taken;
}

static tap_packet_status count(void *tapdata, packet_info *pinfo, epan_dissect_t *dissect G_GNUC_UNUSED,
                               const void *data, tap_flags_t flags G_GNUC_UNUSED)
{
    rxtx_statistic *statistic = of_ui(((stat_data_t *)tapdata)->stat_tap_data);
    const rxtx_packet *packet = (const rxtx_packet *)data;
    rxtx_endpoints endpoints = {0};
    rxtx_tally_packet taken;

    if (statistic->counted != NULL && statistic->counted != tapdata)
        return TAP_PACKET_DONT_REDRAW; /* one tally cannot hold the packets of two */
    statistic->counted = tapdata;
    listen_for_drawing(statistic);
    taken = counted(pinfo, packet);
    if (packet->lane != 0)
        endpoints = rxtx_flows_endpoints(rxtx_analysis_flows(), packet->lane);
    rxtx_tally_add(statistic->tally, &taken, &endpoints);
    return TAP_PACKET_REDRAW;
}

void rxtx_statistic_register(rxtx_statistic *statistic)
{
    statistic->ui.tap_name = RXTX_TAP;
    statistic->ui.stat_tap_init_cb = begin;
    statistic->ui.packet_func = count;
    statistic->ui.stat_tap_free_table_item_cb = free_item;
    register_stat_tap_table_ui(&statistic->ui);
}

/* Takes over n texts; what is behind them is empty. A row is written over in place: a window may point to it. */
static void set_texts(stat_tap_table *table, guint row, char **texts, guint n)
{
    stat_tap_table_item_type *items = table->elements[row];

    free_texts(items, table->num_fields);
    memset(items, 0, table->num_fields * sizeof *items);
    for (guint column = 0; column < n; column++)
        items[column] = (stat_tap_table_item_type){.type = TABLE_ITEM_STRING,
                                                   .value = {.string_value = texts[column]},
                                                   .user_data = {.ptr_value = texts[column]}};
}

stat_tap_table *rxtx_statistic_table(rxtx_statistic *statistic, const char *title)
{
    stat_tap_table *table = stat_tap_find_table(&statistic->ui, title);

    if (table == NULL) {
        table = stat_tap_init_table(title, (int)statistic->ui.nfields, 0, NULL);
        stat_tap_add_table(&statistic->ui, table);
    }
    for (guint row = 0; row < table->num_elements; row++)
        set_texts(table, row, NULL, 0);
    statistic->written = 0;
    return table;
}

void rxtx_statistic_row(rxtx_statistic *statistic, stat_tap_table *table, char **texts, guint n)
{
    guint row = statistic->written++;
    g_autofree stat_tap_table_item_type *empty = NULL;

    if (row >= table->num_elements) {
        empty = g_new0(stat_tap_table_item_type, table->num_fields);
        stat_tap_init_table_row(table, row, table->num_fields, empty);
    }
    set_texts(table, row, texts, n);
}

/* Wireshark has the columns' titles from the beginning on, TShark reads them when it draws. */
void rxtx_statistic_widen(rxtx_statistic *statistic, int width)
{
    stat_tap_table_item *first = &statistic->ui.fields[0];
    char *title = g_strdup_printf("%*s", width, first->column_name + strspn(first->column_name, " "));

    first->column_name = title;
    g_free(statistic->first_title);
    statistic->first_title = title;
}

const char *rxtx_statistic_argument(rxtx_statistic *statistic, const char *opt_arg, char **err)
{
    const char *rest = opt_arg + strlen(statistic->ui.cli_string);

    if (*rest != '\0' && *rest != ',')
        *err = g_strdup_printf("\"-z %s\": there is no such statistic. Try: -z %s", opt_arg, statistic->ui.cli_string);
    else if (statistic->tally != NULL)
        *err = g_strdup_printf("\"-z %s\" can be asked for once in a run. Run tshark again for another filter.",
                               statistic->ui.cli_string);
    return *rest == ',' ? rest + 1 : NULL;
}
