/* engine/kernel_message.c: what of the kernel's messages is news of a CPU or an interface. */
#include "engine/kernel_message.h"

#include <glib.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* ---- CPUs ---- */

static void a_cpu_that_comes_or_goes_is_told(void)
{
    static const char online[] = "online@/devices/system/cpu/cpu3\0ACTION=online";
    static const char offline[] = "offline@/devices/system/cpu/cpu1023";
    unsigned cpu = 0;
    bool up = false;

    g_assert_true(rxtx_kernel_cpu((const uint8_t *)online, sizeof online, &cpu, &up));
    g_assert_cmpuint(cpu, ==, 3);
    g_assert_true(up);
    g_assert_true(rxtx_kernel_cpu((const uint8_t *)offline, sizeof offline, &cpu, &up));
    g_assert_cmpuint(cpu, ==, 1023);
    g_assert_false(up);
}

static void other_uevents_are_not(void)
{
    static const char *const others[] = {
        "",
        "add@/devices/system/cpu/cpu3",
        "online@/devices/system/memory/memory3",
        "online@/devices/system/cpu/cpu",
        "online@/devices/system/cpu/cpu3x",
        "online@/devices/system/cpu/cpu-3",
        "online@/devices/system/cpu/cpu3/cpufreq",
        "online@/devices/system/cpu/cpu1234567",
        "xonline@/devices/system/cpu/cpu3",
        "libudev",
    };
    unsigned cpu;
    bool up;

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_false(rxtx_kernel_cpu((const uint8_t *)others[i], strlen(others[i]) + 1, &cpu, &up));
}

/* From memory of exactly their size: a sanitizer sees what is read behind them. */
static void a_uevent_without_an_end_is_none(void)
{
    static const char text[] = "online@/devices/system/cpu/cpu3";
    g_autofree uint8_t *bytes = g_memdup2(text, strlen(text));
    unsigned cpu;
    bool up;

    for (size_t size = 0; size <= strlen(text); size++)
        g_assert_false(rxtx_kernel_cpu(bytes + strlen(text) - size, size, &cpu, &up));
}

/* ---- interfaces ---- */

static void add_attribute(GByteArray *bytes, guint16 type, const char *value, size_t size)
{
    static const guint8 zeros[3] = {0};
    struct rtattr head = {.rta_len = (guint16)(sizeof head + size), .rta_type = type};

    g_byte_array_append(bytes, (const guint8 *)&head, sizeof head);
    g_byte_array_append(bytes, (const guint8 *)value, (guint)size);
    g_byte_array_append(bytes, zeros, (guint)(-size % 4));
}

/* name: NULL = none. */
static void add_link(GByteArray *bytes, guint16 type, int ifindex, unsigned flags, const char *name, guint8 family)
{
    struct nlmsghdr head = {.nlmsg_type = type};
    struct ifinfomsg info = {.ifi_family = family, .ifi_index = ifindex, .ifi_flags = flags};
    guint start = bytes->len;

    g_byte_array_append(bytes, (const guint8 *)&head, sizeof head);
    g_byte_array_append(bytes, (const guint8 *)&info, sizeof info);
    add_attribute(bytes, IFLA_QDISC, "noop", 5);
    if (name != NULL)
        add_attribute(bytes, IFLA_IFNAME, name, strlen(name) + 1);
    head.nlmsg_len = bytes->len - start;
    memcpy(bytes->data + start, &head, sizeof head);
}

static void each_interface_of_a_message_is_told(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    rxtx_kernel_link link;
    const uint8_t *at;
    size_t size;

    add_link(bytes, RTM_NEWLINK, 7, IFF_UP | IFF_LOWER_UP, "eth0", AF_UNSPEC);
    add_link(bytes, RTM_NEWADDR, 8, IFF_UP, "eth1", AF_UNSPEC);
    add_link(bytes, RTM_NEWLINK, 9, IFF_UP, "eth2", AF_BRIDGE);
    add_link(bytes, RTM_NEWLINK, 7, IFF_UP, "abcdefghijklmno", AF_UNSPEC);
    add_link(bytes, RTM_DELLINK, 10, 0, NULL, AF_UNSPEC);
    at = bytes->data;
    size = bytes->len;
    g_assert_true(rxtx_kernel_next_link(&at, &size, &link));
    g_assert_cmpint(link.ifindex, ==, 7);
    g_assert_true(link.up && link.carrier && !link.gone);
    g_assert_cmpstr(link.name, ==, "eth0");
    g_assert_true(rxtx_kernel_next_link(&at, &size, &link));
    g_assert_true(link.up && !link.carrier && !link.gone);
    g_assert_cmpstr(link.name, ==, "abcdefghijklmno");
    g_assert_true(rxtx_kernel_next_link(&at, &size, &link));
    g_assert_cmpint(link.ifindex, ==, 10);
    g_assert_true(!link.up && !link.carrier && link.gone);
    g_assert_cmpstr(link.name, ==, "");
    g_assert_false(rxtx_kernel_next_link(&at, &size, &link));
    g_assert_cmpuint(size, ==, 0);
}

/* Each length is tried that its words may have, in memory of exactly its size. */
static void a_message_that_was_cut_or_lies_is_not_read_beyond(void)
{
    g_autoptr(GByteArray) whole = g_byte_array_new();
    rxtx_kernel_link link;

    add_link(whole, RTM_NEWLINK, 7, IFF_UP, "eth0", AF_UNSPEC);
    for (size_t size = 0; size < whole->len; size++)
        for (unsigned at = 0; at + 2 <= whole->len; at += 2)
            for (unsigned value = 0; value < 64; value++) {
                g_autofree uint8_t *bytes = g_memdup2(whole->data, whole->len);
                g_autofree uint8_t *cut = NULL;
                const uint8_t *from;
                size_t left = size;
                bytes[at] = (uint8_t)value;
                from = cut = g_memdup2(bytes, MAX(size, 1));
                while (rxtx_kernel_next_link(&from, &left, &link))
                    g_assert_cmpuint(strlen(link.name), <, sizeof link.name);
            }
}

static void a_name_without_an_end_is_ended(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct nlmsghdr head = {.nlmsg_type = RTM_NEWLINK};
    struct ifinfomsg info = {.ifi_index = 7};
    rxtx_kernel_link link;
    const uint8_t *at;
    size_t size;

    g_byte_array_append(bytes, (const guint8 *)&head, sizeof head);
    g_byte_array_append(bytes, (const guint8 *)&info, sizeof info);
    add_attribute(bytes, IFLA_IFNAME, "abcdefghijklmnopqrstuvwx", 24);
    head.nlmsg_len = bytes->len;
    memcpy(bytes->data, &head, sizeof head);
    at = bytes->data;
    size = bytes->len;
    g_assert_true(rxtx_kernel_next_link(&at, &size, &link));
    g_assert_cmpstr(link.name, ==, "abcdefghijklmno");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-message/cpu", a_cpu_that_comes_or_goes_is_told);
    g_test_add_func("/kernel-message/other-uevents", other_uevents_are_not);
    g_test_add_func("/kernel-message/uevent-without-end", a_uevent_without_an_end_is_none);
    g_test_add_func("/kernel-message/links", each_interface_of_a_message_is_told);
    g_test_add_func("/kernel-message/lies", a_message_that_was_cut_or_lies_is_not_read_beyond);
    g_test_add_func("/kernel-message/name-without-end", a_name_without_an_end_is_ended);
    return g_test_run();
}
