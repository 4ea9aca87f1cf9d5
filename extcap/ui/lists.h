/* What there is to capture: the interfaces (-D) and the CPUs (--list-cpus), as text. Opens nothing and needs no
 * privilege. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A line each, its cells between tabs: name (\ooo for what is not printable ASCII), state, driver, queues (rx and tx,
 * and whether received packets tell theirs), link type. Free with g_free. NULL with RXTX_ERROR_KERNEL when they cannot
 * be listed. */
char *rxtx_lists_interfaces(GError **error);

/* The same for each CPU: number, NUMA node, online, whether it can be captured, and why not. root: "" for this machine.
 * Free with g_free. */
char *rxtx_lists_cpus(const char *root);

/* Such lines under their titles, in columns. cpus: else they are interfaces. The lines may come from another host: what
 * has more cells than there are titles loses them. Free with g_free. */
char *rxtx_lists_align(const char *lines, bool cpus);
