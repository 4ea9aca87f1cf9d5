/* Reads uevents and rtnetlink's messages about interfaces. The sockets they come from are watch.c's. */
#include "engine/kernel_message.h"

#include <glib.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { ALIGNMENT = 4, CPU_DIGITS = 6 };

/* The first string of a uevent: ACTION@DEVPATH. */
bool rxtx_kernel_cpu(const uint8_t *bytes, size_t size, unsigned *cpu, bool *online)
{
    static const struct {
        const char *start;
        bool online;
    } actions[] = {{"online@/devices/system/cpu/cpu", true}, {"offline@/devices/system/cpu/cpu", false}};
    const char *text = (const char *)bytes;

    if (memchr(bytes, '\0', size) == NULL)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        const char *number = text + strlen(actions[i].start);
        if (!g_str_has_prefix(text, actions[i].start) || strlen(number) == 0 || strlen(number) > CPU_DIGITS ||
            strspn(number, "0123456789") != strlen(number))
            continue;
        *cpu = (unsigned)g_ascii_strtoull(number, NULL, 10);
        *online = actions[i].online;
        return true;
    }
    return false;
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void take_name(rxtx_kernel_link *link, const uint8_t *bytes, size_t size)
{
    struct rtattr head;

    for (size_t at = 0; size - at >= sizeof head; at += MIN(aligned(head.rta_len), size - at)) {
        memcpy(&head, bytes + at, sizeof head);
        if (head.rta_len < sizeof head || head.rta_len > size - at)
            return;
        if (head.rta_type == IFLA_IFNAME)
            memcpy(link->name, bytes + at + sizeof head, MIN(sizeof link->name - 1, head.rta_len - sizeof head));
    }
}

static bool take_link(rxtx_kernel_link *link, const struct nlmsghdr *head, const uint8_t *bytes)
{
    struct ifinfomsg info;
    size_t size = head->nlmsg_len - sizeof *head;

    if ((head->nlmsg_type != RTM_NEWLINK && head->nlmsg_type != RTM_DELLINK) || size < sizeof info)
        return false;
    memcpy(&info, bytes, sizeof info);
    *link = (rxtx_kernel_link){
        .ifindex = info.ifi_index,
        .gone = head->nlmsg_type == RTM_DELLINK,
        .up = info.ifi_flags & IFF_UP,
        .carrier = info.ifi_flags & IFF_LOWER_UP,
    };
    take_name(link, bytes + sizeof info, size - sizeof info);
    return info.ifi_family == AF_UNSPEC; /* a bridge tells of its ports with messages of its own family */
}

bool rxtx_kernel_next_link(const uint8_t **bytes, size_t *size, rxtx_kernel_link *link)
{
    struct nlmsghdr head;
    bool found = false;

    while (!found && *size >= sizeof head) {
        const uint8_t *at = *bytes;
        memcpy(&head, at, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > *size)
            return false;
        found = take_link(link, &head, at + sizeof head);
        *bytes += MIN(aligned(head.nlmsg_len), *size);
        *size -= MIN(aligned(head.nlmsg_len), *size);
    }
    return found;
}
