/* Which file a packet belongs to, and what is true when one of them breaks. Names are file_name.c's, bytes pcap.c's,
 * descriptors output.c's. */
#include "sink/sink_files.h"

#include "base/error.h"
#include "sink/pcap.h"

/* What the buffers of all files take together, but for the least of each. */
enum { BUFFERS_BYTES = 8 * 1024 * 1024 };

typedef struct {
    rxtx_group_label label;
    rxtx_output *output; /* NULL = not made yet */
    uint64_t size;
} file;

typedef struct {
    rxtx_sink sink; /* first */
    rxtx_sink_files_settings settings;
    rxtx_stop *stop;
    file *files;
    unsigned n_files;
} sink_files;

/* A reader that left is an end like any other; everything else is a failure, of all. */
static bool failed(sink_files *s, const rxtx_output *output)
{
    if (rxtx_output_reader_gone(output)) {
        rxtx_stop_request(s->stop, RXTX_STOP_READER_GONE);
        return false;
    }
    if (s->sink.failure == NULL)
        s->sink.failure = g_error_copy(rxtx_output_failure(output));
    rxtx_stop_request(s->stop, RXTX_STOP_OUTPUT_FAILED);
    return false;
}

static void count_bytes(sink_files *s, file *f, size_t size)
{
    f->size += size;
    s->sink.size = MAX(s->sink.size, f->size);
}

/* Seen by a reader at once. */
static bool put_header(sink_files *s, file *f)
{
    uint8_t *at = rxtx_output_reserve(f->output, RXTX_PCAP_HEADER_SIZE);

    if (at == NULL)
        return failed(s, f->output);
    rxtx_pcap_put_header(at, f->label.source->linktype, s->settings.snaplen);
    rxtx_output_commit(f->output, RXTX_PCAP_HEADER_SIZE);
    count_bytes(s, f, RXTX_PCAP_HEADER_SIZE);
    return rxtx_output_flush(f->output) || failed(s, f->output);
}

static char *name_of(const sink_files *s, const file *f)
{
    g_autofree char *number = f->label.number >= 0 ? g_strdup_printf("%d", f->label.number) : g_strdup("unknown");
    g_autofree char *group = g_strjoin("-", s->settings.name_hosts ? f->label.source->host : number,
                                       s->settings.name_hosts ? number : NULL, NULL);

    return rxtx_file_name(s->settings.template, group, &s->settings.turn);
}

static bool open_file(sink_files *s, file *f, GError **error)
{
    g_autofree char *name = name_of(s, f);

    f->output = rxtx_output_create(name, s->stop, error);
    if (f->output == NULL)
        return false;
    rxtx_output_limit_buffer(f->output, BUFFERS_BYTES / s->n_files);
    g_ptr_array_add(s->sink.files, g_steal_pointer(&name));
    return true;
}

static bool open_late(sink_files *s, file *f)
{
    if (open_file(s, f, s->sink.failure == NULL ? &s->sink.failure : NULL))
        return put_header(s, f);
    rxtx_stop_request(s->stop, RXTX_STOP_OUTPUT_FAILED);
    return false;
}

static bool push(rxtx_sink *sink, unsigned group, const rxtx_packet *packet)
{
    sink_files *s = (sink_files *)sink;
    file *f = &s->files[group];
    uint8_t *at;
    size_t size;

    if (sink->failure != NULL || (f->output == NULL && !open_late(s, f)))
        return false;
    at = rxtx_output_reserve(f->output, RXTX_PCAP_RECORD_SIZE + packet->caplen);
    if (at == NULL)
        return failed(s, f->output);
    size = rxtx_pcap_put_packet(at, packet);
    rxtx_output_commit(f->output, size);
    count_bytes(s, f, size);
    if (s->settings.packet_buffered && !rxtx_output_flush(f->output))
        failed(s, f->output); /* finish() takes the packet back */
    return true;
}

static void flush(rxtx_sink *sink, bool more)
{
    sink_files *s = (sink_files *)sink;

    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].output != NULL &&
            !(more ? rxtx_output_flush_some(s->files[i].output) : rxtx_output_flush(s->files[i].output)))
            failed(s, s->files[i].output);
}

/* Records that were taken but did not get out are not delivered, and a file is cut behind its last whole record. */
static void settle_failure(rxtx_output *output, rxtx_stats *stats)
{
    size_t size, written, whole = 0;
    const uint8_t *piece = rxtx_output_failed_piece(output, &size, &written);

    if (rxtx_output_deleted(output))
        stats->delivered = 0;
    for (size_t at = 0; at < size;) {
        bool header = rxtx_output_position(output) + at == 0;
        at += header ? RXTX_PCAP_HEADER_SIZE : rxtx_pcap_record_size(piece + at);
        if (at <= written)
            whole = at;
        else if (!header)
            stats->delivered--;
    }
    if (size > 0)
        rxtx_output_take_back(output, written - whole);
}

static void finish(rxtx_sink *sink, rxtx_stats *stats)
{
    sink_files *s = (sink_files *)sink;

    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].output != NULL && !rxtx_output_finish(s->files[i].output)) {
            failed(s, s->files[i].output);
            settle_failure(s->files[i].output, &stats[i]);
        }
}

static void free_sink(rxtx_sink *sink)
{
    sink_files *s = (sink_files *)sink;

    for (unsigned i = 0; i < s->n_files; i++)
        rxtx_output_free(s->files[i].output);
    g_free(s->files);
    g_free((char *)s->settings.template);
    g_clear_pointer(&sink->files, g_ptr_array_unref);
    g_clear_error(&sink->failure);
    g_free(s);
}

static bool open_due(sink_files *s, rxtx_output *only, GError **error)
{
    for (unsigned i = 0; i < s->n_files; i++) {
        file *f = &s->files[i];
        if (only != NULL)
            f->output = only;
        else if (f->label.due && !open_file(s, f, error))
            return false;
    }
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].output != NULL)
            put_header(s, &s->files[i]);
    return true;
}

static void discard(sink_files *s)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (s->files[i].output != NULL)
            rxtx_output_take_back(s->files[i].output, 0);
    free_sink(&s->sink);
}

rxtx_sink *rxtx_sink_files_new(const rxtx_sink_files_settings *settings, const rxtx_group_label *labels, unsigned n,
                               rxtx_output *only, rxtx_stop *stop, GError **error)
{
    static const rxtx_sink_ops ops = {.push = push, .flush = flush, .finish = finish, .free = free_sink};
    sink_files *s = g_new0(sink_files, 1);

    s->sink = (rxtx_sink){.ops = &ops, .watch_fd = only != NULL ? rxtx_output_watch_fd(only) : -1};
    s->sink.files = g_ptr_array_new_with_free_func(g_free);
    s->settings = *settings;
    s->settings.template = g_strdup(settings->template);
    s->stop = stop;
    s->files = g_new0(file, n);
    s->n_files = n;
    for (unsigned i = 0; i < n; i++)
        s->files[i].label = labels[i];
    g_assert(only == NULL || n == 1);
    if (open_due(s, only, error))
        return &s->sink;
    discard(s);
    return NULL;
}
