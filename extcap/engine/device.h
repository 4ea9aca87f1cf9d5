/* What a capture has to know of a network interface before it opens its own sockets, as libpcap knows it: link type and
 * the user's filter compiled for it. */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <stdbool.h>

typedef struct {
    int ifindex;
    int linktype;               /* what a file says: LINKTYPE_* */
    bool cooked;                /* the device's own header is unusable: capture without it (DLT_LINUX_SLL) */
    bool can;                   /* CAN frames, whose header the kernel gives in host byte order */
    bool ethernet;              /* has VLAN tags at the usual place */
    struct sock_filter *filter; /* as libpcap compiled it for a live capture; NULL = no filter */
    unsigned filter_length;     /* instructions */
} rxtx_device;

/* Needs what opening a packet socket needs. filter: libpcap's syntax, NULL or empty = none. Errors:
 * RXTX_ERROR_INTERFACE (no such interface, or it is down), RXTX_ERROR_INPUT (the filter), RXTX_ERROR_PERMISSION,
 * RXTX_ERROR_KERNEL. Free with rxtx_device_clear. */
bool rxtx_device_probe(rxtx_device *device, const char *name, const char *filter, GError **error);
void rxtx_device_clear(rxtx_device *device);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(rxtx_device, rxtx_device_clear)

/* The link type by the device's hardware type alone, for dialogues: opens nothing and needs no privilege. Fails with
 * RXTX_ERROR_INTERFACE when there is no such interface. */
bool rxtx_device_guess_dlt(const char *name, int *dlt, GError **error);

/* DLT_* as it stands in a file, which differs for some (DLT_RAW). -1 if there is none. */
int rxtx_device_linktype(int dlt);

/* False with *why set (free with g_free) when libpcap does not take the filter for the link type. Needs no privilege,
 * and so does not know what only a live capture can do (vlan on a device that keeps tags aside). */
bool rxtx_device_check_filter(int dlt, const char *filter, char **why);
