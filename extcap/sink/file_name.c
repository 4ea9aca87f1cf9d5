/* Puts group, number and date in front of the last extension. Opening the file is output.c's. */
#include "sink/file_name.h"

#include <string.h>

/* Where the extension of the base name begins, its dot included; the end if it has none. A dot in front hides a file.
 */
static const char *extension_of(const char *template)
{
    const char *slash = strrchr(template, '/');
    const char *base = slash != NULL ? slash + 1 : template;
    const char *dot = strrchr(base, '.');

    return dot != NULL && dot != base ? dot : template + strlen(template);
}

char *rxtx_file_name(const char *template, const char *group, const rxtx_file_turn *turn)
{
    const char *extension = extension_of(template);
    GString *name = g_string_new_len(template, extension - template);

    if (group != NULL)
        g_string_append_printf(name, "-%s", group);
    if (turn->number > 0) {
        g_autoptr(GDateTime) begun = g_date_time_new_from_unix_local(turn->begun_us / G_USEC_PER_SEC);
        g_autofree char *date = g_date_time_format(begun, "%Y%m%d%H%M%S");
        g_string_append_printf(name, "_%05u_%s", turn->number, date);
    }
    g_string_append(name, extension);
    return g_string_free(name, FALSE);
}
