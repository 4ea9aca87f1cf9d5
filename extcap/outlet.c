/* Which sink, over which output, under which name. What a sink does is its own business, when packets flow session.c's.
 */
#include "outlet.h"

#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

#include "plan/steering.h"
#include "rxtxcpu/capture_format.h"
#include "sink/sink_count.h"
#include "sink/sink_files.h"
#include "sink/sink_pcapng.h"
#include "sink/sink_ring.h"

enum { NS_PER_US = 1000, US_PER_MS = 1000, BYTES_PER_KB = 1000 };

bool rxtx_outlet_open_fifo(rxtx_outlet *o, const char *path, GError **error)
{
    o->output = rxtx_output_open(path, o->stop, error);
    return o->output != NULL;
}

/* ---- where packets come from, when that is here ---- */

static char *name_here(const rxtx_source *source, int32_t ifindex)
{
    char name[IF_NAMESIZE];

    (void)source;
    return g_strdup(if_indextoname((unsigned)ifindex, name));
}

static char *steering_here(const rxtx_source *source, const char *name)
{
    (void)source;
    return rxtx_steering_describe("", name);
}

/* ---- what it becomes ---- */

bool rxtx_outlet_open_stdout(rxtx_outlet *o, GError **error)
{
    o->output = rxtx_output_stdout(o->stop, error);
    return o->output != NULL;
}

void rxtx_outlet_plan(rxtx_outlet *o, const rxtx_plan *plan, const rxtx_source *sources)
{
    static const char *const keys[] = {
        [RXTX_GROUP_CPU] = RXTX_KEY_CPU, [RXTX_GROUP_QUEUE] = RXTX_KEY_QUEUE, [RXTX_GROUP_NUMA] = RXTX_KEY_NODE};

    o->plan = plan;
    o->here = (rxtx_source){.interface = plan->options->interface, .name = name_here, .comment = steering_here};
    o->labels = g_new(rxtx_group_label, o->plan->n_groups);
    for (unsigned i = 0; i < o->plan->n_groups; i++) {
        const rxtx_plan_group *group = &o->plan->groups[i];
        o->labels[i] = (rxtx_group_label){
            .key = keys[o->plan->options->group],
            .number = group->number,
            .node = group->node,
            .due = group->due,
            .source = sources != NULL ? &sources[group->host] : &o->here,
        };
    }
}

/* A fifo's reader can be waited for for ever; nothing is captured yet, so a signal may end the program there. */
static rxtx_output *create_output(rxtx_outlet *o, const char *path, const sigset_t *caught, GError **error)
{
    struct stat status;
    rxtx_output *output;

    if (stat(path, &status) < 0 || !S_ISFIFO(status.st_mode))
        return rxtx_output_create(path, o->stop, error);
    sigprocmask(SIG_UNBLOCK, caught, NULL);
    output = rxtx_output_open(path, o->stop, error);
    sigprocmask(SIG_BLOCK, caught, NULL);
    return output;
}

/* Are there files one after another? */
static bool has_turns(const rxtx_options *options)
{
    const rxtx_limits *ring = &options->ring;

    return ring->duration_ms > 0 || ring->filesize_kb > 0 || ring->packets > 0 || options->autostop.filesize_kb > 0;
}

/* Does the sink open its files itself, as it goes? */
static bool opens_files(const rxtx_outlet *o)
{
    const rxtx_options *options = o->plan->options;

    return options->write != NULL && !rxtx_options_to_stdout(options) &&
           (o->plan->format == RXTX_FORMAT_PCAP || has_turns(options));
}

/* After the engine, so that an engine that fails leaves no file behind. */
bool rxtx_outlet_open(rxtx_outlet *o, const sigset_t *caught, GError **error)
{
    const char *path = o->plan->options->write;

    if (o->output != NULL || path == NULL || opens_files(o))
        return true;
    if (rxtx_options_to_stdout(o->plan->options))
        return rxtx_outlet_open_stdout(o, error);
    o->output = create_output(o, path, caught, error);
    return o->output != NULL;
}

static rxtx_sink *new_pcapng(rxtx_outlet *o, const rxtx_file_turn *turn, rxtx_output *output, const char *file)
{
    const rxtx_options *options = o->plan->options;
    rxtx_sink_pcapng_settings settings = {
        .snaplen = (uint32_t)options->snaplen,
        .start_ns = turn->number > 1 ? (uint64_t)turn->begun_us * NS_PER_US : o->start_ns,
        .application = "rxtxcpu " RXTX_VERSION,
        .annotate_interface = options->annotate & RXTX_ANNOTATE_INTERFACE,
        .annotate_comment = options->annotate & RXTX_ANNOTATE_COMMENT,
        .packet_buffered = options->packet_buffered,
        .file = file,
    };

    return rxtx_sink_pcapng_new(&settings, o->labels, o->plan->n_groups, output, o->stop);
}

static rxtx_sink *new_files(rxtx_outlet *o, const rxtx_file_turn *turn, GError **error)
{
    rxtx_sink_files_settings settings = {
        .template = o->plan->options->write,
        .turn = *turn,
        .name_hosts = o->plan->n_hosts > 1,
        .snaplen = (uint32_t)o->plan->options->snaplen,
        .packet_buffered = o->plan->options->packet_buffered,
    };

    return rxtx_sink_files_new(&settings, o->labels, o->plan->n_groups, g_steal_pointer(&o->output), o->stop, error);
}

/* The sink of one turn; the worker's thread calls it for all but the first. */
static rxtx_sink *open_turn(gpointer data, const rxtx_file_turn *turn, GError **error)
{
    rxtx_outlet *o = data;
    g_autofree char *name = NULL;
    rxtx_output *output;

    if (o->plan->format == RXTX_FORMAT_PCAP)
        return new_files(o, turn, error);
    if (o->output != NULL)
        return new_pcapng(o, turn, g_steal_pointer(&o->output), NULL);
    name = rxtx_file_name(o->plan->options->write, NULL, turn);
    output = rxtx_output_create(name, o->stop, error);
    return output != NULL ? new_pcapng(o, turn, output, name) : NULL;
}

static rxtx_sink *new_ring(rxtx_outlet *o, GError **error)
{
    const rxtx_options *options = o->plan->options;
    rxtx_sink_ring_limits limits = {
        .file_bytes = options->ring.filesize_kb * BYTES_PER_KB,
        .file_packets = options->ring.packets,
        .file_us = options->ring.duration_ms * US_PER_MS,
        .keep = options->ring.files,
        .last_bytes = options->autostop.filesize_kb * BYTES_PER_KB,
        .turns = options->autostop.files,
    };

    return rxtx_sink_ring_new(&limits, o->plan->n_groups, open_turn, o, o->stop, error);
}

rxtx_sink *rxtx_outlet_sink(rxtx_outlet *o, int linktype, uint64_t start_ns, GError **error)
{
    static const rxtx_file_turn only = {0};

    o->here.linktype = linktype;
    o->here.filter = o->plan->options->filter;
    o->start_ns = start_ns;
    if (!o->plan->keep)
        return rxtx_sink_count_new();
    return has_turns(o->plan->options) ? new_ring(o, error) : open_turn(o, &only, error);
}

void rxtx_outlet_discard(rxtx_outlet *o)
{
    if (o->output != NULL)
        rxtx_output_take_back(o->output, 0);
}

bool rxtx_outlet_has_files_to_come(const rxtx_outlet *o)
{
    return opens_files(o) && (has_turns(o->plan->options) || o->plan->n_due < o->plan->n_groups);
}

void rxtx_outlet_clear(rxtx_outlet *o)
{
    g_clear_pointer(&o->output, rxtx_output_free);
    g_clear_pointer(&o->labels, g_free);
}
