/* Who is told what. Where news come from is the watch's, the engine's and other hosts'; what a line looks like is
 * event.c's and summary.c's. */
#include "news.h"

#include <stdio.h>
#include <string.h>

#include "ui/summary.h"

/* A link that flaps all day is not to fill the memory. */
enum { KEPT_MAX = 10000 };

typedef struct {
    rxtx_news *news;
    rxtx_event *event;
} errand;

void rxtx_news_init(rxtx_news *news, const rxtx_options *options, rxtx_toolbar *toolbar)
{
    *news = (rxtx_news){.options = options, .toolbar = toolbar, .main_thread = g_thread_self()};
    news->events = g_ptr_array_new_with_free_func((GDestroyNotify)rxtx_event_free);
}

static bool is_captured(const rxtx_news *news, const rxtx_event *event)
{
    const rxtx_plan *plan = news->plan;
    bool all = plan == NULL || plan->options->group != RXTX_GROUP_CPU || event->host != NULL ||
               event->cpu == RXTX_EVENT_NO_CPU;

    for (unsigned i = 0; !all && i < plan->n_groups; i++)
        all = plan->groups[i].number == event->cpu;
    return all;
}

void rxtx_news_keep(rxtx_news *news, rxtx_event *event)
{
    if (event->kind == RXTX_EVENT_WARNING || news->events->len >= KEPT_MAX) {
        news->more += event->kind != RXTX_EVENT_WARNING;
        rxtx_event_free(event);
    } else {
        g_ptr_array_add(news->events, event);
    }
}

static void tell(rxtx_news *news, rxtx_event *event)
{
    g_autofree char *line = rxtx_event_line(event);
    g_autofree char *whole = g_strdup_printf("%s: %s\n", news->options->program, line);

    if (!is_captured(news, event)) {
        rxtx_event_free(event);
        return;
    }
    if (news->serve != NULL)
        rxtx_serve_event(news->serve, event);
    else if (news->options->face == RXTX_FACE_CLI)
        rxtx_monitor_say(news->monitor, whole);
    rxtx_toolbar_say(news->toolbar, line);
    rxtx_news_keep(news, event);
}

static gboolean on_errand(gpointer data)
{
    errand *e = data;

    tell(e->news, e->event);
    g_free(e);
    return G_SOURCE_REMOVE;
}

void rxtx_news_tell(gpointer data, rxtx_event *event)
{
    rxtx_news *news = data;
    errand *e;

    if (g_thread_self() == news->main_thread) {
        tell(news, event);
        return;
    }
    e = g_new(errand, 1);
    *e = (errand){news, event};
    g_idle_add_full(G_PRIORITY_DEFAULT, on_errand, e, NULL);
}

/* Each line begins with our name, which the near end says itself. */
static void tell_there(const rxtx_news *news, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t name = strlen(news->options->program) + strlen(": ");

    for (char **line = lines; *line != NULL; line++)
        if (strlen(*line) > name)
            rxtx_serve_warn(news->serve, *line + name);
}

void rxtx_news_tell_plan(const rxtx_news *news)
{
    g_autofree char *text = rxtx_summary_warnings(news->plan);

    if (news->options->face == RXTX_FACE_CLI)
        fputs(text, stderr);
    if (news->serve != NULL)
        tell_there(news, text);
}

void rxtx_news_clear(rxtx_news *news)
{
    g_clear_pointer(&news->events, g_ptr_array_unref);
}
