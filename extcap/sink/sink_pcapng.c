/* Which interface block a packet belongs to, when blocks are written, and what is true when the output breaks. The
 * bytes of a block are pcapng.c's, the descriptor is output.c's. */
#include "sink/sink_pcapng.h"

#include <string.h>
#include <sys/utsname.h>

#include "sink/pcapng.h"

enum { NS_PER_US = 1000, NO_INTERFACE = -1 };

typedef struct {
    rxtx_stream_label label;
    gint64 interface_id; /* NO_INTERFACE = its block is not written yet */
    char *comment;       /* of each packet; NULL = none */
    size_t comment_length;
} stream;

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_sink_pcapng_settings settings;
    rxtx_output *output;
    rxtx_stop *stop;
    stream *streams;
    unsigned n_streams;
    guint32 n_interfaces;
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

static bool put_block(sink_pcapng *s, const GByteArray *block)
{
    uint8_t *at = rxtx_output_reserve(s->output, block->len);

    if (at == NULL)
        return failed(s);
    memcpy(at, block->data, block->len);
    rxtx_output_commit(s->output, block->len);
    return true;
}

static bool put_section(sink_pcapng *s)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    struct utsname system;
    g_autofree char *os = uname(&system) == 0 ? g_strdup_printf("%s %s", system.sysname, system.release) : NULL;
    rxtx_pcapng_section section = {
        .hardware = os != NULL ? system.machine : NULL, .os = os, .application = s->settings.application};

    rxtx_pcapng_put_section(block, &section);
    return put_block(s, block);
}

static bool put_interface(sink_pcapng *s, const char *description)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    rxtx_pcapng_interface interface = {
        .linktype = s->settings.linktype,
        .snaplen = s->settings.snaplen,
        .name = s->settings.interface,
        .description = description,
        .filter = s->settings.filter,
        .comment = s->n_interfaces == 0 ? s->settings.steering : NULL,
    };

    rxtx_pcapng_put_interface(block, &interface);
    s->n_interfaces++;
    return put_block(s, block);
}

/* One block for the stream, or one for all. */
static bool put_stream(sink_pcapng *s, stream *of)
{
    g_autofree char *description = NULL;
    gint64 id = s->n_interfaces;

    if (s->settings.annotate_interface) {
        description = rxtx_pcapng_description(s->settings.interface, of->label.cpu, of->label.node);
        of->interface_id = id;
        return put_interface(s, description);
    }
    for (unsigned i = 0; i < s->n_streams; i++)
        s->streams[i].interface_id = id;
    return put_interface(s, NULL);
}

static void flush(rxtx_sink *sink, bool more)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    if (!(more ? rxtx_output_flush_some(s->output) : rxtx_output_flush(s->output)))
        failed(s);
}

static bool push(rxtx_sink *sink, unsigned id, const rxtx_packet *packet)
{
    sink_pcapng *s = (sink_pcapng *)sink;
    stream *of = &s->streams[id];
    uint8_t *at;

    if (of->interface_id == NO_INTERFACE && !put_stream(s, of))
        return false;
    at = rxtx_output_reserve(s->output, rxtx_pcapng_packet_max(packet, of->comment_length));
    if (at == NULL)
        return failed(s);
    rxtx_output_commit(s->output,
                       rxtx_pcapng_put_packet(at, (uint32_t)of->interface_id, packet, of->comment, of->comment_length));
    if (s->settings.packet_buffered)
        flush(sink, false); /* if it fails, finish() takes the packet back */
    return true;
}

static void add_stats(rxtx_stats *sum, const rxtx_stats *stats)
{
    sum->accepted += stats->accepted;
    sum->dropped += stats->dropped;
    sum->delivered += stats->delivered;
}

static void put_statistics(sink_pcapng *s, const rxtx_stats *stats)
{
    uint64_t end_ns = now_ns();

    for (guint32 id = 0; id < s->n_interfaces; id++) {
        g_autoptr(GByteArray) block = g_byte_array_new();
        rxtx_stats sum = {0};
        for (unsigned i = 0; i < s->n_streams; i++)
            if (s->streams[i].interface_id == id)
                add_stats(&sum, &stats[i]);
        rxtx_pcapng_put_statistics(block, id, &sum, s->settings.start_ns, end_ns);
        if (!put_block(s, block))
            return;
    }
}

/* With one interface block for all streams it is the comment that tells them apart. */
static bool wrote(const stream *of, const rxtx_pcapng_view *block)
{
    return of->interface_id == block->interface_id && of->comment_length == block->comment_length &&
           (of->comment == NULL || memcmp(of->comment, block->comment, block->comment_length) == 0);
}

static void uncount(const sink_pcapng *s, rxtx_stats *stats, const rxtx_pcapng_view *block)
{
    for (unsigned i = 0; i < s->n_streams; i++)
        if (wrote(&s->streams[i], block)) {
            stats[i].delivered--;
            return;
        }
}

/* Packets that were taken but did not get out are not delivered, and a file is cut behind its last whole block. */
static void settle_failure(sink_pcapng *s, rxtx_stats *stats)
{
    size_t size, written, whole = 0;
    const uint8_t *piece = rxtx_output_failed_piece(s->output, &size, &written);

    for (size_t at = 0; at < size;) {
        rxtx_pcapng_view block = rxtx_pcapng_view_block(piece + at);
        at += block.size;
        if (at <= written)
            whole = at;
        else if (block.is_packet)
            uncount(s, stats, &block);
    }
    if (size > 0 && whole < written)
        rxtx_output_take_back(s->output, written - whole);
}

static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    for (unsigned i = 0; i < s->n_streams; i++)
        if (s->streams[i].interface_id == NO_INTERFACE && stats[i].accepted > 0)
            put_stream(s, &s->streams[i]); /* all of it was lost: that is to be said */
    if (rxtx_output_failure(s->output) == NULL)
        put_statistics(s, stats);
    if (!rxtx_output_flush(s->output)) {
        failed(s);
        settle_failure(s, stats);
    }
}

static void free_sink(rxtx_sink *sink)
{
    sink_pcapng *s = (sink_pcapng *)sink;

    for (unsigned i = 0; i < s->n_streams; i++)
        g_free(s->streams[i].comment);
    g_free(s->streams);
    g_free((char *)s->settings.interface);
    g_free((char *)s->settings.filter);
    g_free((char *)s->settings.steering);
    g_free((char *)s->settings.application);
    rxtx_output_free(s->output);
    g_clear_error(&sink->failure);
    g_free(s);
}

static const rxtx_sink_ops ops = {.push = push, .flush = flush, .finish = finish, .free = free_sink};

static void add_stream(sink_pcapng *s, const rxtx_stream_label *label)
{
    stream *of = &s->streams[s->n_streams++];

    *of = (stream){.label = *label, .interface_id = NO_INTERFACE};
    if (!s->settings.annotate_comment)
        return;
    of->comment = rxtx_pcapng_comment(label->cpu, label->node);
    of->comment_length = strlen(of->comment);
}

static void begin(sink_pcapng *s)
{
    put_section(s);
    for (unsigned i = 0; i < s->n_streams; i++)
        if (s->streams[i].label.online && s->streams[i].interface_id == NO_INTERFACE)
            put_stream(s, &s->streams[i]);
    flush(&s->sink, false);
}

rxtx_sink *rxtx_sink_pcapng_new(const rxtx_sink_pcapng_settings *settings, const rxtx_stream_label *labels, unsigned n,
                                rxtx_output *output, rxtx_stop *stop)
{
    sink_pcapng *s = g_new0(sink_pcapng, 1);

    s->sink = (rxtx_sink){.ops = &ops, .watch_fd = rxtx_output_watch_fd(output)};
    s->settings = *settings;
    s->settings.interface = g_strdup(settings->interface);
    s->settings.filter = g_strdup(settings->filter);
    s->settings.steering = g_strdup(settings->steering);
    s->settings.application = g_strdup(settings->application);
    s->output = output;
    s->stop = stop;
    s->streams = g_new0(stream, n);
    for (unsigned i = 0; i < n; i++)
        add_stream(s, &labels[i]);
    begin(s);
    return &s->sink;
}
