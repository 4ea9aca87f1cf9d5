/* The classic BPF program of one CPU's socket: a guard for the CPU, the direction test and the user's filter in one.
 *
 * Pure. Sources: SKF_AD_* in linux/filter.h, the checks of bpf_check_classic in net/core/filter.c.
 */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <stdbool.h>

/* How a socket's packets are told from those of the group's others. */
typedef struct {
    unsigned n_queues; /* 0 = by CPU; else by queue, and n_queues is the number of "not known" */
    bool rx_recorded;  /* of queues: received packets carry theirs */
} rxtx_filter_split;

typedef struct {
    rxtx_filter_split split;
    unsigned member; /* the CPU or the queue */
    bool rx, tx;     /* directions to pass; both = no test */
    guint32 snaplen; /* bytes to keep */
    bool cooked;     /* a SOCK_DGRAM socket: the program must not see offsets of a link-layer header */
    bool network;    /* a SOCK_RAW socket, and a program that was compiled for cooked packets */
} rxtx_filter_rules;

/* Passes nothing. One instruction. */
extern const struct sock_filter rxtx_filter_reject[1];

/* Makes a user's program, as libpcap compiled it, fit for the kernel's socket: accepts return rules->snaplen, and the
 * offsets of DLT_LINUX_SLL's header (cooked, network) are turned into the kernel's. In place. Fails (RXTX_ERROR_INPUT)
 * when the program reads a part of the cooked header that the kernel cannot give. */
bool rxtx_filter_fit(struct sock_filter *program, unsigned length, const rxtx_filter_rules *rules, GError **error);

/* Guard + direction + user, which has been made fit and may be NULL with length 0. Free with g_array_unref; elements
 * are struct sock_filter. NULL (RXTX_ERROR_INPUT) when the whole is longer than the kernel takes (BPF_MAXINSNS). */
GArray *rxtx_filter_compose(const rxtx_filter_rules *rules, const struct sock_filter *user, unsigned length,
                            GError **error);

/* The program of a fan-out group that deals packets out to the members by queue (PACKET_FANOUT_CBPF): its answer is the
 * member, and never more than n_queues, so that the kernel's modulo changes nothing. Free with g_array_unref. */
GArray *rxtx_filter_queue_program(const rxtx_filter_split *split);

/* One program for the devices of all links: by the hardware type, ethernet for those with Ethernet headers, raw for
 * those without any, cooked (made fit) for all others. NULL stands for one that passes nothing. Free with
 * g_array_unref. */
GArray *rxtx_filter_dispatch(const GArray *ethernet, const GArray *raw, const GArray *cooked);
