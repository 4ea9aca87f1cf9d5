/* Two small files. What stands in them is checked by who shows it, as if it had just come from the other host. */
#include "ui/reloaded.h"

#include <glib/gstdio.h>

enum { LINES_MAX_BYTES = 65536 };

static char *folder(void)
{
    return g_build_filename(g_get_user_cache_dir(), "rxtxcpu", NULL);
}

void rxtx_reloaded_keep(const char *option, const char *lines)
{
    g_autofree char *in = folder(), *path = g_build_filename(in, option, NULL);

    if (g_mkdir_with_parents(in, 0700) == 0)
        g_file_set_contents(path, lines, -1, NULL);
}

char *rxtx_reloaded_lines(const char *option)
{
    g_autofree char *in = folder(), *path = g_build_filename(in, option, NULL);
    char *lines = NULL;
    gsize size;

    if (!g_file_get_contents(path, &lines, &size, NULL) || size > LINES_MAX_BYTES ||
        !g_utf8_validate(lines, -1, NULL)) {
        g_free(lines);
        return g_strdup("");
    }
    return lines;
}
