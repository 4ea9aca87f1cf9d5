/* The headers of cooked packets (pcap/sll.h of libpcap). Words are big-endian.
 *
 *     DLT_LINUX_SLL
 *     0               2               4               6               14              16
 *     | packet type   | ARPHRD_*      | address size  | address       | protocol      |
 *
 *     DLT_LINUX_SLL2
 *     0               2               4               8               10      11      12              20
 *     | protocol      | 0             | ifindex       | ARPHRD_*      | type  | size  | address       |
 */
#pragma once

enum {
    RXTX_SLL_TYPE = 0,
    RXTX_SLL_ADDRESS = 6,
    RXTX_SLL_ADDRESS_SIZE = 8,
    RXTX_SLL_PROTOCOL = 14,
    RXTX_SLL_SIZE = 16,

    RXTX_SLL2_INDEX = 4,
    RXTX_SLL2_HARDWARE = 8,
    RXTX_SLL2_TYPE = 10,
    RXTX_SLL2_ADDRESS_LENGTH = 11,
    RXTX_SLL2_ADDRESS = 12,
    RXTX_SLL2_SIZE = 20,
};
