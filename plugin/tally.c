/* Tables of rows, by CPU, by flow, and by both. How they are shown is statistics.c's. */
#include "tally.h"

#include <string.h>

struct rxtx_tally {
    GHashTable *hosts; /* a set of names, which it owns */
    guint host_width;  /* of the longest one */
    GHashTable *cpus;  /* sets of rows, which they own; a row's key is in the row */
    GHashTable *flows;
    GHashTable *shares;
    GHashTable *lanes;
};

/* Unknown CPUs are one, behind all others: no CPU has this number (rxtxcpu/capture_format.h). */
static guint32 rank(const rxtx_number *cpu)
{
    return cpu->presence == RXTX_KNOWN ? cpu->number : G_MAXUINT32;
}

static guint hash_cpu(gconstpointer pointer)
{
    const rxtx_cpu_row *row = (const rxtx_cpu_row *)pointer;

    return g_direct_hash(row->host) ^ rank(&row->cpu);
}

static gboolean equal_cpus(gconstpointer pointer_a, gconstpointer pointer_b)
{
    const rxtx_cpu_row *a = (const rxtx_cpu_row *)pointer_a, *b = (const rxtx_cpu_row *)pointer_b;

    return a->host == b->host && rank(&a->cpu) == rank(&b->cpu);
}

static guint hash_flow(gconstpointer row)
{
    return ((const rxtx_flow_row *)row)->flow;
}

static gboolean equal_flows(gconstpointer a, gconstpointer b)
{
    return ((const rxtx_flow_row *)a)->flow == ((const rxtx_flow_row *)b)->flow;
}

static guint hash_share(gconstpointer pointer)
{
    const rxtx_share_row *row = (const rxtx_share_row *)pointer;
    guint64 key = (guint64)row->flow << 32 | rank(&row->cpu);

    key = (key ^ ((guint64)row->device << 8 | row->way << 1 | row->forward)) * 0x9e3779b97f4a7c15u;
    return (guint)(key >> 32);
}

static int compare_numbers(guint64 a, guint64 b)
{
    return (a > b) - (a < b);
}

static int compare_lanes(const rxtx_share_row *a, const rxtx_share_row *b)
{
    int order = compare_numbers(a->flow, b->flow);

    order = order != 0 ? order : compare_numbers(a->device, b->device);
    order = order != 0 ? order : compare_numbers(!a->forward, !b->forward);
    order = order != 0 ? order : compare_numbers(a->way, b->way);
    return order != 0 ? order : compare_numbers(rank(&a->cpu), rank(&b->cpu));
}

static gboolean equal_shares(gconstpointer a, gconstpointer b)
{
    return compare_lanes((const rxtx_share_row *)a, (const rxtx_share_row *)b) == 0;
}

/* The row that equals *wanted, a copy of it if there is none; whether it is new. */
static void *find_or_add(GHashTable *rows, const void *wanted, gsize size, bool *is_new)
{
    void *row = g_hash_table_lookup(rows, wanted);

    *is_new = row == NULL;
    if (row == NULL) {
        row = g_memdup2(wanted, size);
        g_hash_table_add(rows, row);
    }
    return row;
}

/* The tally's own text of a name. */
static const char *own_host(rxtx_tally *tally, const char *name)
{
    const char *wanted = name != NULL ? name : "";
    gpointer host;

    if (g_hash_table_lookup_extended(tally->hosts, wanted, &host, NULL))
        return (const char *)host;
    host = g_strdup(wanted);
    g_hash_table_add(tally->hosts, host);
    tally->host_width = MAX(tally->host_width, (guint)strlen(wanted));
    return (const char *)host;
}

static rxtx_cpu_row *cpu_row(rxtx_tally *tally, const char *host, rxtx_number cpu)
{
    rxtx_cpu_row wanted = {.host = host, .cpu = cpu};
    bool is_new;

    return (rxtx_cpu_row *)find_or_add(tally->cpus, &wanted, sizeof wanted, &is_new);
}

static rxtx_cpu_row *add_to_cpu(rxtx_tally *tally, const rxtx_tally_packet *packet, const char *host)
{
    rxtx_cpu_row *row = cpu_row(tally, host, packet->cpu);

    if (row->node.presence < packet->node.presence)
        row->node = packet->node;
    row->packets++;
    row->bytes += packet->bytes;
    row->received += packet->way == RXTX_WAY_RECEIVED;
    row->sent += packet->way == RXTX_WAY_SENT;
    row->repeats += packet->repeat;
    if (packet->drops > 0)
        cpu_row(tally, host, packet->drops_of_cpu ? packet->cpu : (rxtx_number){RXTX_UNKNOWN, 0})->drops +=
            packet->drops;
    if (packet->moved) {
        row->moves_in++;
        cpu_row(tally, host, (rxtx_number){RXTX_KNOWN, packet->prev_cpu})->moves_out++;
    }
    return row;
}

static rxtx_flow_row *add_to_flow(rxtx_tally *tally, const rxtx_tally_packet *packet, const char *host,
                                  const rxtx_endpoints *endpoints)
{
    rxtx_flow_row wanted = {.flow = packet->flow};
    bool is_new;
    rxtx_flow_row *row = (rxtx_flow_row *)find_or_add(tally->flows, &wanted, sizeof wanted, &is_new);

    if (is_new) {
        row->host = host;
        row->endpoints = *endpoints;
    }
    row->packets++;
    row->moves += packet->moved;
    row->splits += packet->split;
    return row;
}

/* Whether the row is new. */
static bool add_share(GHashTable *rows, const rxtx_share_row *wanted, guint32 bytes)
{
    bool is_new;
    rxtx_share_row *row = (rxtx_share_row *)find_or_add(rows, wanted, sizeof *wanted, &is_new);

    row->packets++;
    row->bytes += bytes;
    return is_new;
}

void rxtx_tally_add(rxtx_tally *tally, const rxtx_tally_packet *packet, const rxtx_endpoints *endpoints)
{
    const char *host = own_host(tally, packet->host);
    rxtx_cpu_row *cpu = add_to_cpu(tally, packet, host);
    rxtx_share_row share = {.flow = packet->flow, .host = host, .cpu = packet->cpu};
    rxtx_share_row lane = {.flow = packet->flow,
                           .host = host,
                           .cpu = packet->cpu,
                           .forward = packet->forward,
                           .way = packet->way,
                           .device = packet->device};
    rxtx_flow_row *flow;

    if (packet->flow == 0)
        return;
    flow = add_to_flow(tally, packet, host, endpoints);
    add_share(tally->lanes, &lane, packet->bytes);
    if (!add_share(tally->shares, &share, packet->bytes))
        return;
    cpu->flows++;
    flow->cpus += packet->cpu.presence == RXTX_KNOWN;
}

static GPtrArray *sorted(GHashTable *rows, GCompareFunc compare)
{
    GPtrArray *array = g_ptr_array_sized_new(g_hash_table_size(rows));
    GHashTableIter iter;
    gpointer row;

    g_hash_table_iter_init(&iter, rows);
    while (g_hash_table_iter_next(&iter, &row, NULL))
        g_ptr_array_add(array, row);
    g_ptr_array_sort(array, compare);
    return array;
}

/* GPtrArray hands out pointers to its pointers. */
static gint order_cpus(gconstpointer pointer_a, gconstpointer pointer_b)
{
    const rxtx_cpu_row *a = *(rxtx_cpu_row *const *)pointer_a, *b = *(rxtx_cpu_row *const *)pointer_b;
    int order = strcmp(a->host, b->host);

    return order != 0 ? order : compare_numbers(rank(&a->cpu), rank(&b->cpu));
}

static gint order_shares(gconstpointer pointer_a, gconstpointer pointer_b)
{
    const rxtx_share_row *a = *(rxtx_share_row *const *)pointer_a, *b = *(rxtx_share_row *const *)pointer_b;
    int order = strcmp(a->host, b->host);

    order = order != 0 ? order : compare_numbers(rank(&a->cpu), rank(&b->cpu));
    order = order != 0 ? order : compare_numbers(b->bytes, a->bytes);
    return order != 0 ? order : compare_numbers(a->flow, b->flow);
}

static gint order_lanes(gconstpointer a, gconstpointer b)
{
    return compare_lanes(*(rxtx_share_row *const *)a, *(rxtx_share_row *const *)b);
}

GPtrArray *rxtx_tally_cpus(const rxtx_tally *tally)
{
    return sorted(tally->cpus, order_cpus);
}

GPtrArray *rxtx_tally_shares(const rxtx_tally *tally)
{
    return sorted(tally->shares, order_shares);
}

GPtrArray *rxtx_tally_lanes(const rxtx_tally *tally)
{
    return sorted(tally->lanes, order_lanes);
}

guint32 rxtx_tally_flow_count(const rxtx_tally *tally)
{
    return g_hash_table_size(tally->flows);
}

guint rxtx_tally_host_width(const rxtx_tally *tally)
{
    return g_hash_table_size(tally->hosts) > 1 ? tally->host_width : 0;
}

const rxtx_flow_row *rxtx_tally_flow(const rxtx_tally *tally, guint32 flow)
{
    rxtx_flow_row wanted = {.flow = flow};

    return (const rxtx_flow_row *)g_hash_table_lookup(tally->flows, &wanted);
}

rxtx_tally *rxtx_tally_new(void)
{
    rxtx_tally *tally = g_new0(rxtx_tally, 1);

    tally->hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    tally->cpus = g_hash_table_new_full(hash_cpu, equal_cpus, g_free, NULL);
    tally->flows = g_hash_table_new_full(hash_flow, equal_flows, g_free, NULL);
    tally->shares = g_hash_table_new_full(hash_share, equal_shares, g_free, NULL);
    tally->lanes = g_hash_table_new_full(hash_share, equal_shares, g_free, NULL);
    return tally;
}

void rxtx_tally_free(rxtx_tally *tally)
{
    if (tally == NULL)
        return;
    g_hash_table_unref(tally->hosts);
    g_hash_table_unref(tally->cpus);
    g_hash_table_unref(tally->flows);
    g_hash_table_unref(tally->shares);
    g_hash_table_unref(tally->lanes);
    g_free(tally);
}
