/* The plan: what this capture does on this machine. Made once, before anything is opened, and then read only.
 *
 *     member   of the kernel's fan-out group: a socket; one for each CPU that may be, or for each queue
 *     stream   a member that is captured: has a ring
 *     group    what packets are put down to and files are named after: the CPUs of a NUMA node are one
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "plan/options.h"
#include "plan/queues.h"
#include "plan/topology.h"

/* In the order of their numbers, the unknown one last. */
typedef struct {
    int number;    /* of the CPU, the queue or the NUMA node; RXTX_NUMBER_UNKNOWN: what has none */
    int node;      /* of the CPU; RXTX_NODE_UNKNOWN also on a machine with one node: nothing to tell apart */
    bool due;      /* asked for and there at the start. The others may come, and are shown if they do */
    unsigned host; /* index in plan->hosts */
} rxtx_plan_group;

#define RXTX_NUMBER_UNKNOWN (-1)

/* In the order of their members. */
typedef struct {
    unsigned member;   /* a CPU, or a queue; plan->n_queues: packets whose queue is not known */
    unsigned group;    /* index in plan->groups */
    size_t ring_bytes; /* a multiple of RXTX_RING_BYTES_MIN */
} rxtx_plan_stream;

typedef struct {
    const rxtx_options *options; /* borrowed */
    unsigned ifindex;            /* 0 = all interfaces */
    unsigned n_members;          /* highest possible CPU + 1; or queues + 1 */
    unsigned n_queues;           /* 0 = members are CPUs */
    bool rx_recorded;            /* see rxtx_queues */
    bool steered;                /* what a CPU received may have been stamped by another one: see rxtx_queues_steered */
    unsigned n_numbers;          /* CPUs, queues or nodes that there are, asked for or not */
    rxtx_plan_group *groups;     /* n_groups, at least one of them due */
    unsigned n_groups;
    unsigned n_due;
    rxtx_plan_stream *streams; /* n_streams */
    unsigned n_streams;
    char **hosts;       /* n_hosts; NULL = this machine */
    unsigned n_hosts;   /* at least one */
    bool keep;          /* packets are wanted, not only their number */
    bool one_linktype;  /* of all interfaces: they are to have a header of ours in front */
    rxtx_format format; /* not AUTO */
    char *absent;       /* numbers that were asked for and do not exist, as a list; NULL = none */
    char *offline;      /* those that were asked for by number and were offline at the start; NULL = none */
} rxtx_plan;

/* The least memory of a ring; enough for four of the largest frames. */
#define RXTX_RING_BYTES_MIN (1024u * 1024u)

/* options must outlive the plan. root: "" for this machine's sysfs. NULL with RXTX_ERROR_INTERFACE when there is no
 * such interface, RXTX_ERROR_USAGE when list or mask name nothing that is there, or that is online, RXTX_ERROR_KERNEL
 * when queues or nodes cannot be told. Free with rxtx_plan_free. */
rxtx_plan *rxtx_plan_new(const rxtx_options *options, const rxtx_topology *topology, const char *root, GError **error);

/* The plan of a capture on other hosts, who made theirs. hosts: their names, taken over; groups: copied, in the order
 * of their hosts. NULL with RXTX_ERROR_USAGE when the file asked for cannot hold them. */
rxtx_plan *rxtx_plan_of_hosts(const rxtx_options *options, char **hosts, const rxtx_plan_group *groups, unsigned n,
                              GError **error);

/* Will there be pcap files, as far as the options alone tell? Standard output is not among them. */
bool rxtx_plan_wants_pcap(const rxtx_options *options);
/* Of a capture by queue: is the interface that has its name now one with the same queues? Otherwise true. */
bool rxtx_plan_same_queues(const rxtx_plan *plan, const char *root);

void rxtx_plan_free(rxtx_plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rxtx_plan, rxtx_plan_free)

/* With the host in front if there are several: "cpu0", "web1 cpu0", "queue 2", "numa node 1", "queue unknown": as the
 * closing lines have it. Free with g_free. */
char *rxtx_plan_group_name(const rxtx_plan *plan, unsigned group);
