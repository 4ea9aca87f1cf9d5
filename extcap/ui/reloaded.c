/* Two small files. What stands in them is checked by who shows it, as if it had just come from the other host. */
#include "ui/reloaded.h"

#include <glib/gstdio.h>
#include <string.h>

enum { LINES_MAX_BYTES = 65536 };

static char *folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "rxtxcpu", NULL);
}

/* The host stands in the first line. */
void rxtx_reloaded_keep(const char *option, const char *host, const char *lines)
{
    g_autofree char *in = folder(), *path = g_build_filename(in, option, NULL);
    g_autofree char *text = g_strdup_printf("%s\n%s", host, lines);

    if (g_mkdir_with_parents(in, 0700) == 0)
        g_file_set_contents(path, text, -1, NULL);
}

char *rxtx_reloaded_lines(const char *option, char **host)
{
    g_autofree char *in = folder(), *path = g_build_filename(in, option, NULL);
    g_autofree char *text = NULL;
    const char *lines;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, NULL) || size > LINES_MAX_BYTES || !g_utf8_validate(text, -1, NULL) ||
        (lines = strchr(text, '\n')) == NULL)
        return g_strdup("");
    *host = g_strndup(text, (gsize)(lines - text));
    return g_strdup(lines + 1);
}
