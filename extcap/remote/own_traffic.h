/* The filter that leaves our own ssh connection, and only it, out of a capture: at the far end, whose view of the
 * connection is the right one behind jump hosts and address translation. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The connection as sshd tells it: of this process, or of one that started it, for sudo takes it out of the
 * environment. NULL = none is known. Free with g_free. */
char *rxtx_own_connection(void);

/* The filter for "CLIENT PORT SERVER PORT" (SSH_CONNECTION of sshd(8)): "not (...)". NULL when that is no connection
 * over IP. Pure. Free with g_free. */
char *rxtx_own_connection_filter(const char *connection);

/* Does it come from the host itself, from a program that passes it on? Pure. */
bool rxtx_own_connection_is_local(const char *connection);

/* Both filters in one; filter: NULL or "" = none. Ours comes first, for `vlan` and the like change what comes behind
 * them. Pure. Free with g_free. */
char *rxtx_own_connection_join(const char *own, const char *filter);
