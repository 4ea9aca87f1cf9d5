/* How a capture is written: the contract between the capture program, the Wireshark plugin and every other reader.
 *
 * A capture is a pcapng file (draft-ietf-opsawg-pcapng) with one section in the writer's byte order. The stream that
 * handled a packet (a CPU, a queue or a NUMA node) is in the packet's Interface Description Block, never in the
 * interface *id*, which dumpcap and mergecap renumber:
 *
 *     if_name         the true device name               eth0
 *     if_description  [HOST:]NAME KEY VALUE {KEY VALUE} (rxtxcpu)
 *
 *                     eth0 CPU 3 (rxtxcpu)               the packets that CPU 3 handled
 *                     eth0 CPU 3 node 1 (rxtxcpu)        the same, on a machine with several NUMA nodes
 *                     eth0 queue 2 (rxtxcpu)             queue 2; whether rx or tx is the packet's direction
 *                     eth0 queue unknown (rxtxcpu)       the driver recorded no queue
 *                     eth0 node 1 (rxtxcpu)              the CPUs of node 1
 *                     web1:eth0 CPU 3 hook napi (rxtxcpu)
 *
 * NAME and HOST hold no space and no control character, so a description is split at single spaces. The first pair
 * names the stream. VALUE is decimal without leading zeros (0 to 4294967294), the word `unknown`, or for `hook` a word.
 * Each key comes once. A reader skips keys that it does not know and takes no part of a description that breaks this
 * grammar. A name that holds a colon (eth0:1) is told from a host by if_name, which is the device's name alone.
 *
 * With comments asked for, each packet carries an opt_comment of space-separated KEY=VALUE words instead or as well:
 *
 *     cpu=3   cpu=3 node=1   cpu=3 queue=2 hash=0xd22cfd90
 *
 * Further, for each packet: epb_flags with direction and reception type; epb_queue only for a known queue (of a
 * received packet the driver must have recorded it, which those that only pass packets on, such as veth, do not);
 * epb_dropcount, the packets lost on this stream since its packet before this one, on the first packet after a loss.
 * A packet is *late* when its time is before that of an earlier packet in the file; it needs no mark. A step back of
 * RXTX_CLOCK_STEP_NS or more is a stepped clock: the packets behind it are reckoned anew and none of them is late.
 *
 * At the end of a capture there is one Interface Statistics Block for each interface, none before:
 *
 *     isb_ifrecv, isb_filteraccept   packets that passed the CPU guard, the direction test and the capture filter, as
 *                                    libpcap counts on Linux; what the filter refused is not counted by the kernel
 *     isb_ifdrop, isb_osdrop         of those, packets lost because the ring was full (Wireshark shows isb_ifdrop only)
 *     isb_usrdeliv                   of those, packets in this file
 *
 * A capture of all interfaces together has an IDB for each (interface, CPU) whose packets came, with the interface's
 * own link type, and another one when that changes. What a CPU lost there cannot be put to an interface: its statistics
 * then stand at an IDB of the name `any`, which has no packets.
 *
 * A capture on other hosts has HOST in each description, as the user called it, and may hold several; their packets are
 * in the order of their own hosts' times. With comments alone, HOST:NAME is all of an interface's description.
 *
 * The comment of an interface's first IDB is the state of its steering at that time, as text for people. It names the
 * kernel (its boot id), so that tools which make one of equal interfaces keep those of two hosts apart.
 *
 * This header is C11 and C++ clean, needs nothing else and holds no state.
 */
#ifndef RXTXCPU_CAPTURE_FORMAT_H
#define RXTXCPU_CAPTURE_FORMAT_H

/* The grammar's fixed words. */
#define RXTX_DESCRIPTION_SUFFIX "(rxtxcpu)"
#define RXTX_KEY_CPU "CPU"
#define RXTX_KEY_QUEUE "queue"
#define RXTX_KEY_NODE "node"
#define RXTX_KEY_HOOK "hook"
#define RXTX_VALUE_UNKNOWN "unknown"

#define RXTX_COMMENT_CPU "cpu="
#define RXTX_COMMENT_QUEUE "queue="
#define RXTX_COMMENT_NODE "node="
#define RXTX_COMMENT_HASH "hash="

/* dumpcap 4.0 overruns its heap with a first section header of more than this many bytes (dumpcap.c:2059). */
#define RXTX_SHB_MAX 2048
/* dumpcap 4.0 to 4.6 end the capture at a longer Enhanced Packet Block, its options counted (dumpcap.c:3033). */
#define RXTX_EPB_MAX 262144
/* Leaves room in an Enhanced Packet Block for its header, options and a comment. */
#define RXTX_SNAPLEN_MAX 262000
#define RXTX_SNAPLEN_MIN 64

/* Nanoseconds: a step back in time of this much is a stepped clock, less is a late packet. */
#define RXTX_CLOCK_STEP_NS 1000000000ull

#endif
