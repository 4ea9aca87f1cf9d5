/* What two rxtxcpu say to each other over ssh: the contract between programs of different versions.
 *
 * The near end (Wireshark's machine) starts `rxtxcpu --serve` on the far end and writes to its standard input; the far
 * end answers on its standard output. Both directions are a stream of blocks with the framing of pcapng
 * (draft-ietf-opsawg-pcapng, section 3.1), each end in its own byte order, which the first word tells:
 *
 *     type  u32 | length u32, of the whole block, a multiple of 4 | body | length u32 again
 *
 * Blocks with one of the types below are messages. Their body is a size (u32) and so many bytes, a GVariant of the type
 * that stands with each in its serialised form, padded with zeros; all in the byte order of the end that wrote it, and
 * what is longer than it need be is no error. Between them the far end writes the blocks of one pcapng capture as
 * rxtxcpu/capture_format.h has it (one section, interfaces, packets, statistics at the end).
 *
 *     near                                far
 *     REQUEST (first)             ───►    checks, opens, accepts nothing yet
 *                                 ◄───    HELLO, or TEXT and END, or ERROR
 *     PING, as often as wanted    ───►
 *                                 ◄───    STATUS, with the clock's readings
 *     START                       ───►    accepts packets
 *                                 ◄───    pcapng; STATUS at least once in RXTX_REMOTE_STATUS_MS when quiet; WARNING,
 *                                      EVENT
 *     PING once in a second       ───►
 *     STOP                        ───►    accepts no more, writes what it has
 *                                 ◄───    pcapng to its end, STATUS, then END (or ERROR if something broke)
 *
 * The far end stops at once when its standard input ends, holds anything else, or is silent for the time that the
 * request says. Nothing that either end reads is believed: every length is bounded, every block of another type ends
 * the conversation.
 *
 * This header is C11 and C++ clean, needs nothing else and holds no state.
 */
#ifndef RXTXCPU_REMOTE_PROTOCOL_H
#define RXTXCPU_REMOTE_PROTOCOL_H

/* A far end takes requests of its own version only, and an older near end a HELLO of its own only. */
#define RXTX_REMOTE_PROTOCOL 2

/* Local block types (bit 31), none of them the same when its bytes are turned around. */
#define RXTX_BLOCK_REQUEST 0xD2C70001u
#define RXTX_BLOCK_START 0xD2C70002u
#define RXTX_BLOCK_STOP 0xD2C70003u
#define RXTX_BLOCK_PING 0xD2C70004u
#define RXTX_BLOCK_HELLO 0xD2C70101u
#define RXTX_BLOCK_STATUS 0xD2C70102u
#define RXTX_BLOCK_WARNING 0xD2C70103u
#define RXTX_BLOCK_ERROR 0xD2C70104u
#define RXTX_BLOCK_TEXT 0xD2C70105u
#define RXTX_BLOCK_END 0xD2C70106u
#define RXTX_BLOCK_EVENT 0xD2C70107u

/* (version, options as names of the option table and values as they would be typed) */
#define RXTX_REQUEST_TYPE "(ua(ss))"
/* nothing */
#define RXTX_START_TYPE "()"
#define RXTX_STOP_TYPE "()"
/* (sender's clock, ns) */
#define RXTX_PING_TYPE "(t)"
/* Facts: version (of the program), linktype (LINKTYPE_* of all packets, 0 = each interface has its own), filter (what the
 * packets pass, our own connection's part included; absent = all of them).
 * (version, facts as names and values, the groups of packets: number or -1, NUMA node or -1, there from the start) */
#define RXTX_HELLO_TYPE "(ua(ss)a(iib))"
/* (the last PING's time, when it was read, now: ns of either clock, 0 = there was none; until when the packets written
 * are complete; is everything over; counters of each group: accepted, dropped, delivered) */
#define RXTX_STATUS_TYPE "(ttttba(ttt))"
/* (a sentence) */
#define RXTX_WARNING_TYPE "(s)"
/* (rxtx_error_code, a sentence and perhaps a hint behind a newline, the far program's path) */
#define RXTX_ERROR_TYPE "(uss)"
/* (an answer: lines of columns between tabs) */
#define RXTX_TEXT_TYPE "(s)"
/* (times the clock was set back, times the interface went down, packets out of order) */
#define RXTX_END_TYPE "(ttt)"
/* (when it happened, ns since 1970 by the far clock; what, by a name as in the JSON; the CPU it is about or -1; a
 * sentence) */
#define RXTX_EVENT_TYPE "(tsis)"

/* Bytes, framing included. */
#define RXTX_MESSAGE_MAX 262144
/* Bytes of an interface's block: its longest part is a comment of 32 KiB. */
#define RXTX_IDB_MAX 65536
/* Interfaces of one far end. */
#define RXTX_REMOTE_INTERFACES_MAX 65536
/* Groups of one far end: CPUs, queues or nodes. */
#define RXTX_REMOTE_GROUPS_MAX 8192
#define RXTX_REMOTE_STATUS_MS 500

#endif
