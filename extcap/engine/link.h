/* What is done to a frame on its way out, and which frames of which devices: the hardware types of linux/if_arp.h. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int linktype;     /* what comes out: LINKTYPE_* */
    bool network;     /* of a SOCK_RAW socket: what the device put in front of the network header is left out */
    bool cooked;      /* the 16 bytes of DLT_LINUX_SLL are put in front */
    bool cooked2;     /* the 20 bytes of DLT_LINUX_SLL2 are put in front */
    bool ethernet;    /* a VLAN tag that the kernel took out is put back */
    bool can;         /* the header of a CAN frame is made what files have (DLT_CAN_SOCKETCAN) */
    bool by_device;   /* all but snaplen by each packet's own device: rxtx_link_of() */
    uint32_t snaplen; /* bytes to keep, with what was put back */
} rxtx_frame_rules;

typedef struct {
    uint16_t hardware; /* ARPHRD_* */
    int dlt;           /* as libpcap has it */
    rxtx_frame_rules rules;
} rxtx_link;

/* The devices whose own headers, or none, are of use; n_links of them. */
extern const rxtx_link rxtx_links[];
extern const size_t rxtx_n_links;

/* The device's link, or the cooked one that stands for all others. Never NULL. */
const rxtx_link *rxtx_link_of(uint16_t hardware);

/* With the interface in the packet: for files that have one link type for all devices (LINKTYPE_LINUX_SLL2). */
extern const rxtx_frame_rules rxtx_link_cooked2;
