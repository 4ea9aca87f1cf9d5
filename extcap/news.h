/* What is to be told beside packets and counts, and who is told: warnings, and events with their time.
 *
 * A person reads stderr, Wireshark's user the toolbar's log (on stderr Wireshark would show it as an error, at the
 * end), and who captures through us hears it in the conversation. Events are also kept, for the JSON at the end.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/event.h"
#include "plan/plan.h"
#include "remote/serve.h"
#include "ui/monitor.h"
#include "ui/toolbar.h"

typedef struct {
    const rxtx_options *options;
    const rxtx_plan *plan; /* NULL = none yet */
    rxtx_serve *serve;     /* NULL = the capture is for somebody here */
    rxtx_monitor *monitor; /* NULL = nothing is shown yet, or any more */
    rxtx_toolbar *toolbar;
    GThread *main_thread;
    GPtrArray *events; /* the first rxtx_event */
    uint64_t more;     /* how many were told after them */
} rxtx_news;

/* By the main thread, whose the news are. All is borrowed. */
void rxtx_news_init(rxtx_news *news, const rxtx_options *options, rxtx_toolbar *toolbar);

/* Takes it over and tells it, or drops it if it is about a CPU that is not captured. news: rxtx_news. Any thread's,
 * while GLib's main loop runs or will run. */
void rxtx_news_tell(gpointer news, rxtx_event *event);

/* Takes it over and keeps it only: it is told in another way. By the main thread. */
void rxtx_news_keep(rxtx_news *news, rxtx_event *event);

/* What the plan has to say before the capture. */
void rxtx_news_tell_plan(const rxtx_news *news);

void rxtx_news_clear(rxtx_news *news);
