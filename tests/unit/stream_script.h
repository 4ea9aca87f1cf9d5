/* Streams played from a script, for tests of what pulls them: no ring, no clock. */
#pragma once

#include <glib.h>

#include "engine/engine.h"

typedef struct {
    rxtx_stream stream; /* first */
    GArray *times;      /* of packets that the stream will have once it is looked at, guint64 ns */
    guint next;
    guint64 complete_ns; /* what it will say when it has none */
    guint64 tick_ns;     /* and by how much that grows each time it is asked */
    guint refreshed;
} script;

static inline void script_look(script *s)
{
    s->stream.pending = s->next < s->times->len;
    if (s->stream.pending)
        s->stream.head = (rxtx_packet){.ts_ns = g_array_index(s->times, guint64, s->next), .len = 60};
    else
        s->stream.complete_ns = s->complete_ns;
}

static inline void script_refresh(rxtx_stream *stream)
{
    script *s = (script *)stream;

    s->refreshed++;
    script_look(s);
    s->complete_ns += s->tick_ns;
}

/* As a ring does: what it may say without another look is that nothing older than its last packet will come. */
static inline void script_advance(rxtx_stream *stream)
{
    script *s = (script *)stream;

    s->next++;
    stream->pending = s->next < s->times->len;
    if (stream->pending)
        stream->head.ts_ns = g_array_index(s->times, guint64, s->next);
    else
        stream->complete_ns = stream->head.ts_ns;
}

static inline void script_init(script *s, unsigned id)
{
    static const rxtx_stream_ops ops = {.advance = script_advance, .refresh = script_refresh};

    *s = (script){.stream = {.ops = &ops, .id = id}, .times = g_array_new(FALSE, FALSE, sizeof(guint64))};
}

static inline void script_push(script *s, guint64 ts_ns)
{
    g_array_append_val(s->times, ts_ns);
}
