/* Any bytes as a uevent and as rtnetlink's messages: nothing beyond them is read, the walk ends, and what is told
 * stands in them: written again, it is read as the same. */
#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

#include "engine/kernel_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_uevent(const uint8_t *bytes, size_t size)
{
    unsigned cpu = 0, again = 0;
    bool online = false, second = false;
    g_autofree char *text = NULL;

    if (!rxtx_kernel_cpu(bytes, size, &cpu, &online))
        return;
    g_assert_cmpuint(cpu, <, 1000000);
    g_assert_nonnull(memchr(bytes, '\0', size));
    text = g_strdup_printf("%s@/devices/system/cpu/cpu%u", online ? "online" : "offline", cpu);
    g_assert_true(g_str_has_prefix((const char *)bytes, online ? "online@" : "offline@"));
    g_assert_true(rxtx_kernel_cpu((const uint8_t *)text, strlen(text) + 1, &again, &second));
    g_assert_true(cpu == again && online == second);
    g_assert_false(rxtx_kernel_cpu((const uint8_t *)text, strlen(text), &again, &second)); /* it has no end */
}

static void put_name(GByteArray *out, const char *name)
{
    struct rtattr head = {.rta_type = IFLA_IFNAME, .rta_len = (unsigned short)(sizeof head + strlen(name) + 1)};
    static const guint8 zeros[4] = {0};

    g_byte_array_append(out, (const guint8 *)&head, sizeof head);
    g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name) + 1);
    g_byte_array_append(out, zeros, (guint)(-strlen(name) - 1) & 3);
}

static void check_link(const rxtx_kernel_link *link)
{
    struct nlmsghdr head = {.nlmsg_type = link->gone ? RTM_DELLINK : RTM_NEWLINK};
    struct ifinfomsg info = {.ifi_index = link->ifindex,
                             .ifi_flags = (link->up ? IFF_UP : 0u) | (link->carrier ? 1u << 16 : 0u)};
    g_autoptr(GByteArray) out = g_byte_array_new();
    rxtx_kernel_link again;
    const uint8_t *bytes;
    size_t size;

    g_assert_nonnull(memchr(link->name, '\0', sizeof link->name));
    g_byte_array_append(out, (const guint8 *)&head, sizeof head);
    g_byte_array_append(out, (const guint8 *)&info, sizeof info);
    put_name(out, link->name);
    head.nlmsg_len = out->len;
    memcpy(out->data, &head, sizeof head);
    bytes = out->data;
    size = out->len;
    g_assert_true(rxtx_kernel_next_link(&bytes, &size, &again));
    g_assert_true(link->ifindex == again.ifindex && link->gone == again.gone && link->up == again.up &&
                  link->carrier == again.carrier);
    g_assert_cmpstr(link->name, ==, again.name);
    g_assert_false(rxtx_kernel_next_link(&bytes, &size, &again));
}

static void check_links(const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t left = size, before = size;
    rxtx_kernel_link link;

    while (rxtx_kernel_next_link(&at, &left, &link)) {
        g_assert_cmpuint(before - left, >=, MIN(sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg), before));
        g_assert_true(at + left == bytes + size);
        check_link(&link);
        before = left;
    }
    g_assert_true(left <= before && at + left == bytes + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *odd = g_malloc(size + 1); /* where no number is aligned */

    if (size > 0)
        memcpy(odd + 1, data, size);
    check_uevent(odd + 1, size);
    check_links(odd + 1, size);
    return 0;
}

/* ---- mutations ---- */

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void mend_attributes(uint8_t *at, size_t left)
{
    struct rtattr head;

    for (; left >= sizeof head; left -= MIN(left, (head.rta_len + 3u) & ~3u), at += (head.rta_len + 3u) & ~3u) {
        memcpy(&head, at, sizeof head);
        if (head.rta_len >= sizeof head && head.rta_len <= left)
            continue;
        head.rta_len = (unsigned short)MIN(left, 24);
        memcpy(at, &head, sizeof head);
    }
}

/* Lengths that fit, and types that are looked at, are rare among random bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const size_t fixed = sizeof(struct nlmsghdr) + sizeof(struct ifinfomsg);
    struct nlmsghdr head;

    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 4 == 0 || size < fixed)
        return size;
    for (size_t at = 0; size - at >= fixed; at += MIN((head.nlmsg_len + 3u) & ~3u, size - at)) {
        memcpy(&head, data + at, sizeof head);
        if (head.nlmsg_len < fixed || head.nlmsg_len > size - at)
            head.nlmsg_len = (unsigned)MIN(size - at, fixed + seed % 97);
        if (head.nlmsg_type != RTM_DELLINK)
            head.nlmsg_type = RTM_NEWLINK;
        memcpy(data + at, &head, sizeof head);
        mend_attributes(data + at + fixed, head.nlmsg_len - fixed);
    }
    return size;
}

#endif
