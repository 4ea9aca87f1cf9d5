/* An event's words. */
#include "base/event.h"

#include <string.h>

enum { NS_PER_US = 1000 };

static const char *const names[] = {
    [RXTX_EVENT_CPU_OFFLINE] = "cpu-offline",
    [RXTX_EVENT_CPU_ONLINE] = "cpu-online",
    [RXTX_EVENT_LINK_DOWN] = "link-down",
    [RXTX_EVENT_LINK_UP] = "link-up",
    [RXTX_EVENT_CARRIER_LOST] = "carrier-lost",
    [RXTX_EVENT_CARRIER_BACK] = "carrier-back",
    [RXTX_EVENT_LINK_RENAMED] = "link-renamed",
    [RXTX_EVENT_LINK_GONE] = "link-gone",
    [RXTX_EVENT_LINK_BACK] = "link-back",
    [RXTX_EVENT_CLOCK_SET] = "clock-set",
    [RXTX_EVENT_ENDED] = "ended",
    [RXTX_EVENT_UNSEEN] = "unseen",
    [RXTX_EVENT_WARNING] = "warning",
    [RXTX_EVENT_OTHER] = "other",
};

rxtx_event *rxtx_event_new(rxtx_event_kind kind, int cpu, const char *format, ...)
{
    rxtx_event *event = g_new0(rxtx_event, 1);
    va_list values;

    event->time_ns = (uint64_t)g_get_real_time() * NS_PER_US;
    event->kind = kind;
    event->cpu = cpu;
    va_start(values, format);
    event->text = g_strdup_vprintf(format, values);
    va_end(values);
    return event;
}

static rxtx_event_kind kind_of(const char *name)
{
    unsigned kind = 0;

    while (kind < RXTX_EVENT_OTHER && strcmp(names[kind], name) != 0)
        kind++;
    return (rxtx_event_kind)kind;
}

rxtx_event *rxtx_event_heard(const char *host, uint64_t time_ns, const char *kind, int cpu, const char *text)
{
    rxtx_event *event = g_new(rxtx_event, 1);

    *event = (rxtx_event){.time_ns = MIN(time_ns, INT64_MAX), /* as JSON has it: a later one would be before 1970 */
                          .kind = kind_of(kind),
                          .cpu = cpu,
                          .host = g_strdup(host),
                          .text = g_strdup(text)};
    return event;
}

void rxtx_event_free(rxtx_event *event)
{
    if (event == NULL)
        return;
    g_free(event->host);
    g_free(event->text);
    g_free(event);
}

const char *rxtx_event_name(rxtx_event_kind kind)
{
    return names[kind];
}

/* Another host may say a time beyond year 9999, which has no such form. */
static char *time_text(uint64_t time_ns)
{
    uint64_t us = time_ns / NS_PER_US;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc((gint64)(us / G_USEC_PER_SEC));
    g_autofree char *second = time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S") : g_strdup("?");

    return g_strdup_printf("%s.%06uZ: ", second, (unsigned)(us % G_USEC_PER_SEC));
}

char *rxtx_event_line(const rxtx_event *event)
{
    g_autofree char *time = event->time_ns != 0 ? time_text(event->time_ns) : g_strdup("");
    const char *host = event->host != NULL ? event->host : "";

    return g_strconcat(host, *host != '\0' ? ": " : "", time, event->text, NULL);
}
