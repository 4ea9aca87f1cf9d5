/* Errors: the one domain of this program. A code says what main does with an error, the message says the rest.
 *
 * A message is one sentence without the program's name: what failed, on what, why, and where it helps what to type
 * next. Each layer may add its step with g_prefix_error. Only main.c prints.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define RXTX_ERROR (rxtx_error_quark())
GQuark rxtx_error_quark(void);

typedef enum {
    RXTX_ERROR_USAGE,      /* typed wrongly, the short usage helps: exit status 2 */
    RXTX_ERROR_INPUT,      /* typed wrongly, the message says all (a filter): exit status 2 */
    RXTX_ERROR_PERMISSION, /* the kernel refused for want of a capability: exit status 1, with the setcap line */
    RXTX_ERROR_KERNEL,     /* the kernel refused: exit status 1 */
    RXTX_ERROR_INTERFACE,  /* no such interface, down, or gone: exit status 1 */
    RXTX_ERROR_OUTPUT,     /* file or pipe trouble: exit status 1 */
    RXTX_ERROR_REMOTE,     /* the way to another host, or what is there: exit status 1 */
} rxtx_error_code;

/* Sets *error to the formatted text, ": " and the text of errno. EPERM and EACCES under RXTX_ERROR_KERNEL become
 * RXTX_ERROR_PERMISSION. Returns false, so that a caller can return it. */
bool rxtx_set_errno(GError **error, rxtx_error_code code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Sets *error to the formatted text. Returns false. */
bool rxtx_set_error(GError **error, rxtx_error_code code, const char *format, ...) G_GNUC_PRINTF(3, 4);
