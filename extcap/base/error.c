/* The error domain and its two constructors. How an error is shown and what exit status it means is main.c's. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>

G_DEFINE_QUARK(rxtx - error - quark, rxtx_error)

bool rxtx_set_errno(GError **error, rxtx_error_code code, const char *format, ...)
{
    int saved = errno;
    va_list args;

    va_start(args, format);
    g_autofree char *step = g_strdup_vprintf(format, args);
    va_end(args);
    if (code == RXTX_ERROR_KERNEL && (saved == EPERM || saved == EACCES))
        code = RXTX_ERROR_PERMISSION;
    g_set_error(error, RXTX_ERROR, code, "%s: %s", step, g_strerror(saved));
    return false;
}

bool rxtx_set_error(GError **error, rxtx_error_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, RXTX_ERROR, code, text);
    return false;
}
