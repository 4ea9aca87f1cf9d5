/* What is known of a packet: its record, and what the packets before it make of it. Fields, taps and statistics all say
 * what stands here.
 *
 * What depends on other packets is found out on the first visit of a packet, in the order of the file, and kept; so
 * scrolling, filtering and statistics give the same answers. Nothing is kept of a file without our packets, nor where
 * nobody can ask for it any more: in TShark's only pass, when no field, statistic or expert note of ours is wanted.
 */
#pragma once

#include "ws_compat.h"

#include "flow.h"
#include "record.h"

typedef struct {
    rxtx_record record; /* of the stream RXTX_STREAM_NONE: the packet is not ours, and nothing else is set */
    const char *host;   /* the name of the host whose interface captured it; NULL if the description has none */
    rxtx_way way;
    bool has_drops;
    guint64 drops; /* lost right before this packet on its CPU */
    bool late;
    guint32 lane; /* 0: the packet has no flow */
    guint32 flow;
    guint32 cpus;       /* 0: not known */
    bool has_prev;      /* there is a packet before in the lane: */
    guint32 prev_cpu;   /*     its CPU */
    bool moved;         /* it was on another CPU: */
    guint32 prev_frame; /*     its number; 0 if a read filter hid it */
    bool split, first_split, reordered;
    guint32 repeat;    /* 0: it is none */
    guint32 repeat_of; /* 0 if a read filter hid it */
    bool repeat_alarm;
} rxtx_packet;

typedef struct {
    guint reorder_ms;    /* how long behind a later segment of another CPU one counts as reordered by a move */
    guint repeat_ms;     /* how far apart copies of a frame may be */
    guint repeat_alarms; /* so many repeats within repeat_ms are an alarm */
} rxtx_analysis_settings;

/* Called once, at Wireshark's start. *settings are read whenever a file is opened, and stay the caller's. */
void rxtx_analysis_register(const rxtx_analysis_settings *settings);

/* Analyses a packet, on the first visit and on all others. asked: whether somebody wants the answer of this visit.
 * Returns false for a packet that is not ours, and where there is nothing to learn and nothing was asked. */
bool rxtx_analyse(packet_info *pinfo, tvbuff_t *tvb, bool asked, rxtx_packet *packet);

/* The flows of the file that is open, for those who have a lane of it. */
const rxtx_flows *rxtx_analysis_flows(void);
