/* What a capture has to know of a network interface before it opens its own sockets, as libpcap knows it: link type and
 * the user's filter compiled for it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "engine/link.h"

typedef struct {
    int ifindex;            /* 0 = all devices */
    rxtx_frame_rules rules; /* all but snaplen */
    GArray *filter;         /* of struct sock_filter, as libpcap compiled it for a live capture; NULL = no filter */
} rxtx_device;

/* Needs what opening a packet socket needs. filter: libpcap's syntax, NULL or empty = none. Errors:
 * RXTX_ERROR_INTERFACE (no such interface, or it is down), RXTX_ERROR_INPUT (the filter), RXTX_ERROR_PERMISSION,
 * RXTX_ERROR_KERNEL. Free with rxtx_device_clear. */
bool rxtx_device_probe(rxtx_device *device, const char *name, const char *filter, GError **error);
/* The same for all devices together, those that come later included. one_linktype: all packets cooked, with the
 * interface in their header (LINKTYPE_LINUX_SLL2), else each with its device's own link type. Fails only for the
 * filter. */
bool rxtx_device_probe_all(rxtx_device *device, bool one_linktype, const char *filter, GError **error);
void rxtx_device_clear(rxtx_device *device);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(rxtx_device, rxtx_device_clear)

/* False when it is down, or there is none. */
bool rxtx_device_is_up(const char *name);

/* Fails with RXTX_ERROR_PERMISSION when we may not open packet sockets. */
bool rxtx_device_may_capture(GError **error);

/* The link type by the device's hardware type alone, for dialogues: opens nothing and needs no privilege. Fails with
 * RXTX_ERROR_INTERFACE when there is no such interface. */
bool rxtx_device_guess_dlt(const char *name, int *dlt, GError **error);

/* DLT_* as it stands in a file, which differs for some (DLT_RAW). -1 if there is none. */
int rxtx_device_linktype(int dlt);

/* False with *why set (free with g_free) when libpcap does not take the filter for the link type. Needs no privilege,
 * and so does not know what only a live capture can do (vlan on a device that keeps tags aside). */
bool rxtx_device_check_filter(int dlt, const char *filter, char **why);
