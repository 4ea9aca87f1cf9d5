/* What the kernel's netlink messages tell of CPUs and interfaces: bytes in, values out. Pure.
 *
 * Sources: kobject_uevent_env in lib/kobject_uevent.c, device_online and device_offline in drivers/base/core.c,
 * rtnl_fill_ifinfo in net/core/rtnetlink.c, linux/netlink.h.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One uevent. False when it tells of nothing that a CPU's being online is about. */
bool rxtx_kernel_cpu(const uint8_t *bytes, size_t size, unsigned *cpu, bool *online);

/* An interface, as it is now. */
typedef struct {
    int ifindex;
    bool gone;           /* from this namespace; the rest is as it was */
    bool up;             /* by its administrator */
    bool carrier;        /* it has a link to the other side */
    char name[IFNAMSIZ]; /* "" = not told */
} rxtx_kernel_link;

/* The next interface that the messages at *bytes tell of, and steps behind it; false behind the last one. */
bool rxtx_kernel_next_link(const uint8_t **bytes, size_t *size, rxtx_kernel_link *link);
