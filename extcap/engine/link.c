/* The table of link types, by the hardware type of a device: the common ones of map_arphrd_to_dlt in libpcap's
 * pcap-linux.c; the rest is captured cooked, as there. What is done to the bytes is tpacket.c's. */
#include "engine/link.h"

#include <linux/if_arp.h>
#include <pcap/dlt.h>

enum {
    /* As files have them (tcpdump.org/linktypes.html). */
    LINKTYPE_ETHERNET = 1,
    LINKTYPE_RAW = 101,
    LINKTYPE_IEEE802_11 = 105,
    LINKTYPE_LINUX_SLL = 113,
    LINKTYPE_IEEE802_11_PRISM = 119,
    LINKTYPE_IEEE802_11_RADIOTAP = 127,
    LINKTYPE_CAN_SOCKETCAN = 227,
    LINKTYPE_NETLINK = 253,
    LINKTYPE_LINUX_SLL2 = 276,
    HARDWARE_NETLINK = 824, /* ARPHRD_NETLINK, which older headers lack */
};

const rxtx_link rxtx_links[] = {
    {ARPHRD_ETHER, DLT_EN10MB, {.linktype = LINKTYPE_ETHERNET, .ethernet = true}},
    {ARPHRD_LOOPBACK, DLT_EN10MB, {.linktype = LINKTYPE_ETHERNET, .ethernet = true}},
    {ARPHRD_NONE, DLT_RAW, {.linktype = LINKTYPE_RAW, .network = true}},
    {ARPHRD_TUNNEL, DLT_RAW, {.linktype = LINKTYPE_RAW, .network = true}},
    {ARPHRD_TUNNEL6, DLT_RAW, {.linktype = LINKTYPE_RAW, .network = true}},
    {ARPHRD_SIT, DLT_RAW, {.linktype = LINKTYPE_RAW, .network = true}},
    {ARPHRD_IEEE80211, DLT_IEEE802_11, {.linktype = LINKTYPE_IEEE802_11}},
    {ARPHRD_IEEE80211_PRISM, DLT_PRISM_HEADER, {.linktype = LINKTYPE_IEEE802_11_PRISM}},
    {ARPHRD_IEEE80211_RADIOTAP, DLT_IEEE802_11_RADIO, {.linktype = LINKTYPE_IEEE802_11_RADIOTAP}},
    {ARPHRD_CAN, DLT_CAN_SOCKETCAN, {.linktype = LINKTYPE_CAN_SOCKETCAN, .can = true}},
    {HARDWARE_NETLINK, DLT_NETLINK, {.linktype = LINKTYPE_NETLINK, .network = true, .cooked = true}},
};
const size_t rxtx_n_links = sizeof rxtx_links / sizeof *rxtx_links;

const rxtx_frame_rules rxtx_link_cooked2 = {.linktype = LINKTYPE_LINUX_SLL2, .network = true, .cooked2 = true};

const rxtx_link *rxtx_link_of(uint16_t hardware)
{
    static const rxtx_link others = {
        0, DLT_LINUX_SLL, {.linktype = LINKTYPE_LINUX_SLL, .network = true, .cooked = true}};

    for (size_t i = 0; i < rxtx_n_links; i++)
        if (rxtx_links[i].hardware == hardware)
            return &rxtx_links[i];
    return &others;
}
