/* The header of DLT_LINUX_SLL, which stands in front of a cooked packet (pcap/sll.h of libpcap). Words are big-endian.
 *
 *     0               2               4               6               14              16
 *     | packet type   | ARPHRD_*      | address size  | address       | protocol      |
 */
#pragma once

enum {
    RXTX_SLL_TYPE = 0,
    RXTX_SLL_ADDRESS = 6,
    RXTX_SLL_ADDRESS_SIZE = 8,
    RXTX_SLL_PROTOCOL = 14,
    RXTX_SLL_SIZE = 16,
};
