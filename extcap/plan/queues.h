/* The queues of a network interface, and whether its packets say which one they came through. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    unsigned n_rx, n_tx; /* 0 = not known */
    /* A received packet carries its queue. Drivers of hardware do (skb_record_rx_queue), tun does; what passes packets
     * on (veth, bridges, tunnels, lo) leaves in them whatever an earlier device wrote there, which looks like a number
     * and is none: on veth it is the sender's transmit queue. */
    bool rx_recorded;
    char driver[32]; /* as ethtool has it, "" = not known */
} rxtx_queues;

/* From sysfs below root ("" for this machine) or, where that is another namespace's, from the driver. Never fails. */
rxtx_queues rxtx_queues_read(const char *root, const char *interface);

/* Is receive packet steering on, for any of its queues? False where that is not told. */
bool rxtx_queues_steered(const char *root, const char *interface);
