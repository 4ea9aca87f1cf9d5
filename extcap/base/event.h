/* What happens to the CPUs, the interface and the clock while packets are captured, with its time.
 *
 * Where it is noticed is engine/watch.c's and the engine's, or another host's; who is told is news.c's.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum {
    RXTX_EVENT_CPU_OFFLINE,
    RXTX_EVENT_CPU_ONLINE,
    RXTX_EVENT_LINK_DOWN,
    RXTX_EVENT_LINK_UP,
    RXTX_EVENT_CARRIER_LOST,
    RXTX_EVENT_CARRIER_BACK,
    RXTX_EVENT_LINK_RENAMED,
    RXTX_EVENT_LINK_GONE,
    RXTX_EVENT_LINK_BACK,
    RXTX_EVENT_CLOCK_SET,
    RXTX_EVENT_ENDED,   /* something broke that ends the capture */
    RXTX_EVENT_UNSEEN,  /* the kernel could not tell us all: something may have happened */
    RXTX_EVENT_WARNING, /* nothing that happened at a moment: said, and not kept */
    RXTX_EVENT_OTHER,   /* a newer program elsewhere says it */
} rxtx_event_kind;

enum { RXTX_EVENT_NO_CPU = -1 };

typedef struct {
    uint64_t time_ns; /* since 1970-01-01 UTC, by the clock of the host it happened on; 0 = a warning */
    rxtx_event_kind kind;
    int cpu;    /* that it is about; RXTX_EVENT_NO_CPU = none */
    char *host; /* NULL = this machine */
    char *text; /* a sentence without its time and without a full stop */
} rxtx_event;

/* Of now. */
rxtx_event *rxtx_event_new(rxtx_event_kind kind, int cpu, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The strings are copied; kind: a name as below, another one is RXTX_EVENT_OTHER. */
rxtx_event *rxtx_event_heard(const char *host, uint64_t time_ns, const char *kind, int cpu, const char *text);
void rxtx_event_free(rxtx_event *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_event, rxtx_event_free)

/* Who is told of events; takes the event over. */
typedef void (*rxtx_event_tell)(gpointer data, rxtx_event *event);

/* For programs: "cpu-offline". */
const char *rxtx_event_name(rxtx_event_kind kind);

/* For persons: "web1: 2026-11-23T14:03:22.123456Z: CPU 3 went offline", or without the time. Free with g_free. */
char *rxtx_event_line(const rxtx_event *event);
