/* A table by frame number, in pages that are made when the first of their frames is filled in. */
#include "history.h"

#define PAGE 1024 /* frames */

struct rxtx_history {
    GPtrArray *pages; /* of rxtx_past[PAGE], NULL where no frame of ours is */
};

rxtx_history *rxtx_history_new(void)
{
    rxtx_history *history = g_new0(rxtx_history, 1);

    history->pages = g_ptr_array_new_with_free_func(g_free);
    return history;
}

void rxtx_history_free(rxtx_history *history)
{
    if (history == NULL)
        return;
    g_ptr_array_unref(history->pages);
    g_free(history);
}

void rxtx_history_set(rxtx_history *history, guint32 frame, const rxtx_past *past)
{
    guint page = frame / PAGE;

    if (page >= history->pages->len)
        g_ptr_array_set_size(history->pages, (gint)page + 1);
    if (g_ptr_array_index(history->pages, page) == NULL)
        g_ptr_array_index(history->pages, page) = g_new0(rxtx_past, PAGE);
    ((rxtx_past *)g_ptr_array_index(history->pages, page))[frame % PAGE] = *past;
}

rxtx_past rxtx_history_get(const rxtx_history *history, guint32 frame)
{
    guint page = frame / PAGE;
    const rxtx_past *past = page < history->pages->len ? g_ptr_array_index(history->pages, page) : NULL;

    return past != NULL ? past[frame % PAGE] : (rxtx_past){0};
}
