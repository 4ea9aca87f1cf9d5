/* What a packet costs from its stream to its pcapng block, by the number of streams: every stream always has a packet
 * of 128 bytes, and their times are mixed at random. Prints "STREAMS MERGE-NS ALL-NS" for each number on the command
 * line: the merge alone, and with the block encoded. No ring, no output. */
#include <glib.h>
#include <stdlib.h>
#include <time.h>

#include "flow/merge.h"
#include "sink/pcapng.h"

enum { PACKETS = 4000000, GAPS = 4096, SIZE = 128, BUFFER = 1 << 20 };

typedef struct {
    rxtx_stream stream; /* first */
    const guint32 *gaps;
    guint at;
} source;

static void advance(rxtx_stream *stream)
{
    source *s = (source *)stream;

    stream->head.ts_ns += s->gaps[s->at++ % GAPS];
}

static void refresh(rxtx_stream *stream)
{
    (void)stream;
}

static source *new_sources(guint n, const guint32 *gaps, const guint8 *data)
{
    static const rxtx_stream_ops ops = {.advance = advance, .refresh = refresh};
    source *sources = g_new0(source, n);

    for (guint i = 0; i < n; i++) {
        rxtx_packet head = {.ts_ns = gaps[i % GAPS], .data = data, .caplen = SIZE, .len = SIZE, .flags = 5};
        sources[i] =
            (source){.stream = {.ops = &ops, .id = i, .pending = true, .head = head}, .gaps = gaps, .at = i * 31};
    }
    return sources;
}

/* ns of CPU for each packet. */
static double measure(guint n, const guint32 *gaps, guint8 *buffer)
{
    guint8 data[SIZE] = {0};
    g_autofree source *sources = new_sources(n, gaps, data);
    g_autofree rxtx_stream **streams = g_new0(rxtx_stream *, n);
    clock_t start;
    gsize at = 0;
    rxtx_merge merge;

    for (guint i = 0; i < n; i++)
        streams[i] = &sources[i].stream;
    rxtx_merge_init(&merge, streams, n, NULL);
    start = clock();
    for (guint i = 0; i < PACKETS; i++) {
        const rxtx_stream *stream = rxtx_merge_next(&merge, false);
        rxtx_pcapng_origin origin = {.interface_id = stream->id, .queue = -1};
        if (buffer != NULL)
            at = (at + rxtx_pcapng_put_packet(buffer + at, &origin, &stream->head)) % (BUFFER - 4 * SIZE);
        rxtx_merge_step(&merge);
    }
    rxtx_merge_clear(&merge);
    return (double)(clock() - start) / CLOCKS_PER_SEC * 1e9 / PACKETS;
}

int main(int argc, char **argv)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    g_autofree guint8 *buffer = g_malloc(BUFFER);
    guint32 gaps[GAPS];

    for (guint i = 0; i < GAPS; i++)
        gaps[i] = (guint32)g_rand_int_range(random, 1, 2000);
    for (int i = 1; i < argc; i++) {
        guint n = (guint)strtoul(argv[i], NULL, 10);
        g_print("%u %.2f %.2f\n", n, measure(n, gaps, NULL), measure(n, gaps, buffer));
    }
    return 0;
}
