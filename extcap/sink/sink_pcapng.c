/* Which interface block a packet belongs to, when blocks are written, and what is true when the output breaks. The
 * bytes of a block are pcapng.c's, the descriptor is output.c's. */
#include "sink/sink_pcapng.h"

#include <string.h>
#include <sys/utsname.h>

#include "rxtxcpu/capture_format.h"
#include "sink/pcapng.h"

enum { NS_PER_US = 1000, NO_INTERFACE = -1, ALL_GROUPS = -1, LINKTYPE_ETHERNET = 1 };

typedef struct {
    rxtx_group_label label;
    gint64 interface_id; /* of its last packet's interface block; NO_INTERFACE = none is written yet */
    int32_t ifindex;     /* that interface's; 0 = there is but one */
    int32_t linktype;    /* and what its packets began with, which can change */
    rxtx_pcapng_origin origin;
    char *comment; /* of each packet; NULL = none */
} group;

/* Of all interfaces, what has a block of its own. */
typedef struct {
    int group; /* ALL_GROUPS = one for all */
    int32_t ifindex;
    int32_t linktype;
} block_key;

/* An interface block that is written. */
typedef struct {
    int group; /* ALL_GROUPS = whose comment the packet has, of this source */
    const rxtx_source *source;
    uint64_t delivered;
    uint64_t first_ns, last_ns; /* of the packets delivered */
} block;

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_sink_pcapng_settings settings;
    rxtx_output *output;
    rxtx_stop *stop;
    group *groups;
    unsigned n_groups;
    GArray *blocks;        /* of block, by interface id */
    GHashTable *known;     /* of all interfaces: block_key -> interface id */
    GHashTable *described; /* "host\ninterface", whose comment is written */
} sink_pcapng;

static uint64_t now_ns(void)
{
    return (uint64_t)g_get_real_time() * NS_PER_US;
}

/* A reader that left is an end like any other; everything else is a failure. */
static bool failed(sink_pcapng *s)
{
    if (rxtx_output_reader_gone(s->output)) {
        rxtx_stop_request(s->stop, RXTX_STOP_READER_GONE);
        return false;
    }
    if (s->sink.failure == NULL)
        s->sink.failure = g_error_copy(rxtx_output_failure(s->output));
    rxtx_stop_request(s->stop, RXTX_STOP_OUTPUT_FAILED);
    return false;
}

static bool put_block(sink_pcapng *s, const GByteArray *bytes)
{
    uint8_t *at = rxtx_output_reserve(s->output, bytes->len);

    if (at == NULL)
        return failed(s);
    memcpy(at, bytes->data, bytes->len);
    rxtx_output_commit(s->output, bytes->len);
    s->sink.size += bytes->len;
    return true;
}

static bool put_section(sink_pcapng *s)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct utsname system;
    g_autofree char *os = uname(&system) == 0 ? g_strdup_printf("%s %s", system.sysname, system.release) : NULL;
    rxtx_pcapng_section section = {
        .hardware = os != NULL ? system.machine : NULL, .os = os, .application = s->settings.application};

    rxtx_pcapng_put_section(bytes, &section);
    return put_block(s, bytes);
}

/* ---- interface blocks ---- */

/* Once for each interface. */
static char *comment_of(sink_pcapng *s, const rxtx_source *source, const char *name)
{
    const char *host = source->host != NULL ? source->host : "";

    if (source->comment == NULL || !g_hash_table_add(s->described, g_strdup_printf("%s\n%s", host, name)))
        return NULL;
    return source->comment(source, name);
}

/* One block for all groups of another host says at least whose they are. */
static char *describe(const sink_pcapng *s, const char *name, const rxtx_source *source, int of_group)
{
    if (of_group != ALL_GROUPS)
        return rxtx_pcapng_description(name, &s->groups[of_group].label);
    return source->host != NULL ? g_strdup_printf("%s:%s", source->host, name) : NULL;
}

/* The id is that of the block that comes next. */
static bool put_interface(sink_pcapng *s, const char *name, int linktype, const rxtx_source *source, int of_group)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *description = describe(s, name, source, of_group);
    g_autofree char *comment = comment_of(s, source, name);
    rxtx_pcapng_interface interface = {
        .linktype = linktype,
        .snaplen = s->settings.snaplen,
        .name = name,
        .description = description,
        .filter = source->filter,
        .comment = comment,
    };
    block written = {.group = of_group, .source = source};

    rxtx_pcapng_put_interface(bytes, &interface);
    g_array_append_val(s->blocks, written);
    return put_block(s, bytes);
}

static int owner_of(const sink_pcapng *s, unsigned of_group)
{
    return s->settings.annotate_interface ? (int)of_group : ALL_GROUPS;
}

static void use_interface(group *of, gint64 id, int32_t ifindex)
{
    of->interface_id = id;
    of->ifindex = ifindex;
    of->origin.interface_id = (uint32_t)id;
}

/* One block for the group, or one for all of its source. */
static bool put_only_interface(sink_pcapng *s, unsigned of_group)
{
    const rxtx_source *source = s->groups[of_group].label.source;
    gint64 id = s->blocks->len;

    for (unsigned i = 0; i < s->n_groups; i++)
        if (i == of_group || (!s->settings.annotate_interface && s->groups[i].label.source == source))
            use_interface(&s->groups[i], id, 0);
    return put_interface(s, source->interface, source->linktype, source, owner_of(s, of_group));
}

/* An interface that is gone meanwhile keeps its number. */
static bool put_some_interface(sink_pcapng *s, unsigned of_group, const rxtx_packet *packet)
{
    const rxtx_source *source = s->groups[of_group].label.source;
    g_autofree char *name = source->name(source, packet->ifindex);

    if (name == NULL)
        name = g_strdup_printf("index-%d", packet->ifindex);
    return put_interface(s, name, packet->linktype, source, owner_of(s, of_group));
}

static guint hash_key(gconstpointer pointer)
{
    const block_key *key = pointer;

    return ((guint)key->group * 31 + (guint)key->ifindex) * 31 + (guint)key->linktype;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(block_key)) == 0;
}

static bool find_interface(sink_pcapng *s, unsigned of_group, const rxtx_packet *packet)
{
    block_key key = {owner_of(s, of_group), packet->ifindex, packet->linktype};
    gpointer id;

    if (!g_hash_table_lookup_extended(s->known, &key, NULL, &id)) {
        id = GUINT_TO_POINTER(s->blocks->len);
        g_hash_table_insert(s->known, g_memdup2(&key, sizeof key), id);
        if (!put_some_interface(s, of_group, packet))
            return false;
    }
    use_interface(&s->groups[of_group], GPOINTER_TO_UINT(id), packet->ifindex);
    s->groups[of_group].linktype = packet->linktype;
    return true;
}

/* The interface block of the group's packet is written, and its id is in the group. */
static bool know_interface(sink_pcapng *s, unsigned of_group, const rxtx_packet *packet)
{
    const group *of = &s->groups[of_group];

    if (of->label.source->interface == NULL)
        return (of->interface_id != NO_INTERFACE && of->ifindex == packet->ifindex &&
                of->linktype == packet->linktype) ||
               find_interface(s, of_group, packet);
    return of->interface_id != NO_INTERFACE || put_only_interface(s, of_group);
}

/* ---- packets ---- */

static void flush(rxtx_sink *sink, bool more)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    if (!(more ? rxtx_output_flush_some(s->output) : rxtx_output_flush(s->output)))
        failed(s);
}

static void count(block *of, uint64_t ts_ns)
{
    of->first_ns = of->delivered == 0 ? ts_ns : MIN(of->first_ns, ts_ns);
    of->last_ns = MAX(of->last_ns, ts_ns);
    of->delivered++;
}

static bool push(rxtx_sink *sink, unsigned of_group, const rxtx_packet *packet)
{
    sink_pcapng *s = (sink_pcapng *)sink;
    group *of = &s->groups[of_group];
    uint8_t *at;
    size_t size;

    if (!know_interface(s, of_group, packet))
        return false;
    at = rxtx_output_reserve(s->output, rxtx_pcapng_packet_max(packet, of->origin.comment_length));
    if (at == NULL)
        return failed(s);
    size = rxtx_pcapng_put_packet(at, &of->origin, packet);
    rxtx_output_commit(s->output, size);
    s->sink.size += size;
    count(&g_array_index(s->blocks, block, of->interface_id), packet->ts_ns);
    if (s->settings.packet_buffered)
        flush(sink, false); /* if it fails, finish() takes the packet back */
    return true;
}

/* ---- the end ---- */

/* From the start to the end, by the clock of the packets; one that waited while the file was opened came before. */
static bool put_statistics(sink_pcapng *s, guint id, const rxtx_stats *stats)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const block *of = &g_array_index(s->blocks, block, id);
    uint64_t start_ns = s->settings.start_ns + (uint64_t)of->source->clock_offset_ns;
    uint64_t end_ns = now_ns() + (uint64_t)of->source->clock_offset_ns;

    rxtx_pcapng_put_statistics(bytes, id, stats, of->delivered > 0 ? MIN(start_ns, of->first_ns) : start_ns,
                               MAX(end_ns, of->last_ns));
    return put_block(s, bytes);
}

/* Of one interface: what its groups' counters say. */
static void put_only_statistics(sink_pcapng *s, const rxtx_stats *stats)
{
    for (unsigned i = 0; i < s->n_groups; i++)
        if (s->groups[i].interface_id == NO_INTERFACE && stats[i].accepted > 0)
            put_only_interface(s, i); /* all of it was lost: that is to be said */
    for (guint id = 0; id < s->blocks->len; id++) {
        rxtx_stats sum = {0};
        for (unsigned i = 0; i < s->n_groups; i++)
            if (s->groups[i].interface_id == id)
                rxtx_stats_add(&sum, &stats[i]);
        if (!put_statistics(s, id, &sum))
            return;
    }
}

/* Of all interfaces: a ring is a CPU's or a queue's, and does not know on which interface it lost packets. So each
 * interface has what it delivered, and one of the name "any" the rest of its group; a file in which nothing came has
 * those of all that are due. */
static void put_all_statistics(sink_pcapng *s, const rxtx_stats *stats)
{
    guint n_seen = s->blocks->len;

    for (unsigned i = 0; i < s->n_groups; i++)
        if (stats[i].accepted > stats[i].delivered || (n_seen == 0 && s->groups[i].label.due))
            put_interface(s, "any", LINKTYPE_ETHERNET, s->groups[i].label.source, (int)i);
    for (guint id = 0; id < s->blocks->len; id++) {
        const block *of = &g_array_index(s->blocks, block, id);
        rxtx_stats sum = {.accepted = of->delivered, .delivered = of->delivered};
        if (id >= n_seen) {
            sum.accepted = stats[of->group].accepted - stats[of->group].delivered;
            sum.dropped = stats[of->group].dropped;
        }
        if (!put_statistics(s, id, &sum))
            return;
    }
}

/* With one interface block for all groups it is the comment that tells them apart. */
static bool wrote(const sink_pcapng *s, unsigned i, const rxtx_pcapng_view *view)
{
    const rxtx_pcapng_origin *origin = &s->groups[i].origin;
    const block *of = &g_array_index(s->blocks, block, view->interface_id);

    if (of->group != ALL_GROUPS)
        return of->group == (int)i;
    return of->source == s->groups[i].label.source && origin->comment_length == view->comment_length &&
           (view->comment_length == 0 || memcmp(origin->comment, view->comment, view->comment_length) == 0);
}

static void uncount(const sink_pcapng *s, rxtx_stats *stats, const rxtx_pcapng_view *view)
{
    for (unsigned i = 0; i < s->n_groups; i++)
        if (wrote(s, i, view)) {
            stats[i].delivered--;
            return;
        }
}

/* Packets that were taken but did not get out are not delivered, and a file is cut behind its last whole block. */
static void settle_failure(sink_pcapng *s, rxtx_stats *stats)
{
    size_t size, written, whole = 0;
    const uint8_t *piece = rxtx_output_failed_piece(s->output, &size, &written);

    for (unsigned i = 0; rxtx_output_deleted(s->output) && i < s->n_groups; i++)
        stats[i].delivered = 0;
    for (size_t at = 0; at < size;) {
        rxtx_pcapng_view view = rxtx_pcapng_view_block(piece + at);
        at += view.size;
        if (at <= written)
            whole = at;
        else if (view.is_packet)
            uncount(s, stats, &view);
    }
    if (size > 0)
        rxtx_output_take_back(s->output, written - whole);
}

static bool of_all_interfaces(const sink_pcapng *s)
{
    return s->groups[0].label.source->interface == NULL; /* NOLINT(clang-analyzer-core.NullDereference): all have one */
}

static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    if (rxtx_output_failure(s->output) == NULL && !of_all_interfaces(s))
        put_only_statistics(s, stats);
    else if (rxtx_output_failure(s->output) == NULL)
        put_all_statistics(s, stats);
    if (!rxtx_output_finish(s->output)) {
        failed(s);
        settle_failure(s, stats);
    }
}

static void free_sink(rxtx_sink *sink)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    for (unsigned i = 0; i < s->n_groups; i++)
        g_free(s->groups[i].comment);
    g_free(s->groups);
    g_free((char *)s->settings.application);
    g_array_unref(s->blocks);
    g_hash_table_unref(s->known);
    g_hash_table_unref(s->described);
    rxtx_output_free(s->output);
    g_clear_pointer(&sink->files, g_ptr_array_unref);
    g_clear_error(&sink->failure);
    g_free(s);
}

static const rxtx_sink_ops ops = {.push = push, .flush = flush, .finish = finish, .free = free_sink};

static void add_group(sink_pcapng *s, const rxtx_group_label *label)
{
    group *of = &s->groups[s->n_groups++];

    *of = (group){.label = *label, .interface_id = NO_INTERFACE};
    of->origin.queue = strcmp(label->key, RXTX_KEY_QUEUE) == 0 ? label->number : -1;
    if (!s->settings.annotate_comment)
        return;
    of->comment = rxtx_pcapng_comment(label);
    of->origin.comment = of->comment;
    of->origin.comment_length = strlen(of->comment);
}

static void begin(sink_pcapng *s)
{
    put_section(s);
    for (unsigned i = 0; !of_all_interfaces(s) && i < s->n_groups; i++)
        if (s->groups[i].label.due && s->groups[i].interface_id == NO_INTERFACE)
            put_only_interface(s, i);
    flush(&s->sink, false);
}

rxtx_sink *rxtx_sink_pcapng_new(const rxtx_sink_pcapng_settings *settings, const rxtx_group_label *labels, unsigned n,
                                rxtx_output *output, rxtx_stop *stop)
{
    sink_pcapng *s = g_new0(sink_pcapng, 1);

    s->sink = (rxtx_sink){.ops = &ops, .watch_fd = rxtx_output_watch_fd(output)};
    s->sink.files = g_ptr_array_new_with_free_func(g_free);
    if (settings->file != NULL)
        g_ptr_array_add(s->sink.files, g_strdup(settings->file));
    s->settings = *settings;
    s->settings.application = g_strdup(settings->application);
    s->output = output;
    s->stop = stop;
    s->blocks = g_array_new(FALSE, FALSE, sizeof(block));
    s->known = g_hash_table_new_full(hash_key, equal_keys, g_free, NULL);
    s->described = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->groups = g_new0(group, n);
    for (unsigned i = 0; i < n; i++)
        add_group(s, &labels[i]);
    begin(s);
    return &s->sink;
}
