/* Turns what Wireshark says of a packet into what flow.c, repeat.c and late.c take, and keeps their answers. */
#include "analysis.h"

#include <epan/conversation.h>
#include <epan/tap.h>

#include "history.h"
#include "interface.h"
#include "late.h"
#include "repeat.h"

#define NS_PER_MS 1000000u

/* What is remembered of the file that is open. Wireshark gives a dissector no other place for it; it dissects in one
 * thread. */
static struct {
    const rxtx_analysis_settings *settings;
    int icmp, icmpv6;
    rxtx_late late;
    rxtx_history *history; /* this and the next two are NULL until the first packet of ours */
    rxtx_flows *flows;
    rxtx_repeats *repeats;
    guint first_visits;
    bool listening; /* for the sign of an only pass, which comes at the end of the first visit */
    bool only_pass; /* each packet is seen once, and never again */
} file;

static void complete_from_comments(rxtx_record *record, wtap_block_t block)
{
    rxtx_record said;
    char *comment;

    for (guint i = 0; wtap_block_get_nth_string_option_value(block, OPT_COMMENT, i, &comment) == WTAP_OPTTYPE_SUCCESS;
         i++)
        if (rxtx_record_decode_comment(&said, comment)) {
            rxtx_record_complete(record, &said);
            return;
        }
}

/* The options alone make no record: other programs write them too. */
static void complete_from_options(rxtx_record *record, wtap_block_t block)
{
    rxtx_record said = {.queue = {.presence = RXTX_KNOWN}};

    if (record->stream == RXTX_STREAM_NONE)
        return;
    if (wtap_block_get_uint32_option_value(block, OPT_PKT_QUEUE, &said.queue.number) != WTAP_OPTTYPE_SUCCESS)
        said.queue.presence = RXTX_ABSENT;
    if (ws_packet_hash(block, &said.hash.number))
        said.hash.presence = RXTX_KNOWN;
    rxtx_record_complete(record, &said);
}

static rxtx_way way_of(wtap_block_t block)
{
    guint32 flags;

    if (wtap_block_get_uint32_option_value(block, OPT_PKT_FLAGS, &flags) != WTAP_OPTTYPE_SUCCESS)
        return RXTX_WAY_UNKNOWN;
    switch (PACK_FLAGS_DIRECTION(flags)) {
    case PACK_FLAGS_DIRECTION_INBOUND:
        return RXTX_WAY_RECEIVED;
    case PACK_FLAGS_DIRECTION_OUTBOUND:
        return RXTX_WAY_SENT;
    default:
        return RXTX_WAY_UNKNOWN;
    }
}

/* What the packet says by itself. */
static void read_packet(rxtx_packet *packet, const rxtx_interface *interface, wtap_block_t block)
{
    *packet = (rxtx_packet){.record = interface->record, .host = interface->host_name};
    if (block == NULL)
        return;
    complete_from_comments(&packet->record, block);
    complete_from_options(&packet->record, block);
    packet->way = way_of(block);
    packet->has_drops =
        wtap_block_get_uint64_option_value(block, OPT_PKT_DROPCOUNT, &packet->drops) == WTAP_OPTTYPE_SUCCESS;
}

/* --- the first visit ---------------------------------------------------------------------------------------------- */

/* An ICMP error holds a packet of another flow, whose ports Wireshark leaves in pinfo. */
static bool has_icmp(const packet_info *pinfo)
{
    for (wmem_list_frame_t *at = wmem_list_head(pinfo->layers); at != NULL; at = wmem_list_frame_next(at)) {
        int layer = GPOINTER_TO_INT(wmem_list_frame_data(at));

        if (layer == file.icmp || layer == file.icmpv6)
            return true;
    }
    return false;
}

static bool has_ports(const packet_info *pinfo)
{
    return (pinfo->ptype == PT_TCP || pinfo->ptype == PT_UDP || pinfo->ptype == PT_SCTP || pinfo->ptype == PT_DCCP) &&
           !has_icmp(pinfo);
}

static bool take_addresses(rxtx_endpoints *ends, const address *src, const address *dst)
{
    if (src->type != dst->type || src->len != dst->len || src->len < 1 || src->len > RXTX_ADDRESS_MAX)
        return false;
    ends->address_type = (guint8)src->type;
    ends->address_len = (guint8)src->len;
    memcpy(ends->src.bytes, src->data, (gsize)src->len);
    memcpy(ends->dst.bytes, dst->data, (gsize)dst->len);
    return true;
}

/* Wireshark's own conversation knows that a port is used again by another connection. Not find_conversation_pinfo(): a
 * dissector further up may have left the elements of its own conversation in pinfo. */
static guint32 conversation_of(packet_info *pinfo)
{
    const conversation_t *conversation = NULL;

    if (pinfo->ptype == PT_TCP || pinfo->ptype == PT_UDP)
        conversation =
            find_conversation(pinfo->num, &pinfo->src, &pinfo->dst, conversation_pt_to_conversation_type(pinfo->ptype),
                              pinfo->srcport, pinfo->destport, 0);
    return conversation != NULL ? conversation->conv_index + 1 : 0;
}

static bool take_endpoints(rxtx_flow_packet *taken, packet_info *pinfo)
{
    if (!take_addresses(&taken->endpoints, &pinfo->src, &pinfo->dst))
        return false;
    if (has_ports(pinfo)) {
        taken->endpoints.port_type = (guint8)pinfo->ptype;
        taken->endpoints.src_port = (guint16)pinfo->srcport;
        taken->endpoints.dst_port = (guint16)pinfo->destport;
        taken->conversation = conversation_of(pinfo);
    }
    return true;
}

static rxtx_link link_of(const wtap_rec *rec)
{
    switch (rec->rec_header.packet_header.pkt_encap) {
    case WTAP_ENCAP_ETHERNET:
        return RXTX_LINK_ETHERNET;
    case WTAP_ENCAP_RAW_IP:
    case WTAP_ENCAP_RAW_IP4:
    case WTAP_ENCAP_RAW_IP6:
        return RXTX_LINK_RAW_IP;
    case WTAP_ENCAP_SLL:
        return RXTX_LINK_SLL;
    case WTAP_ENCAP_SLL2:
        return RXTX_LINK_SLL2;
    default:
        return RXTX_LINK_OTHER;
    }
}

/* The segment must be the one whose ports Wireshark shows, and not that of an outer header. */
static void take_segment(rxtx_flow_packet *taken, const packet_info *pinfo, tvbuff_t *tvb)
{
    const rxtx_endpoints *ends = &taken->endpoints;
    guint len = tvb_captured_length(tvb);

    if (ends->port_type != PT_TCP)
        return;
    taken->has_segment = rxtx_segment_find(&taken->segment, link_of(pinfo->rec), tvb_get_ptr(tvb, 0, (gint)len), len) &&
                         taken->segment.src_port == ends->src_port && taken->segment.dst_port == ends->dst_port;
}

/* Whatever a file says: it wraps, and does not overflow. */
static guint64 time_ns(const packet_info *pinfo)
{
    return (guint64)pinfo->rec->ts.secs * NS_PER_MS * 1000 + (guint64)pinfo->rec->ts.nsecs;
}

static void learn_flow(packet_info *pinfo, tvbuff_t *tvb, const rxtx_packet *packet, const rxtx_interface *interface,
                       rxtx_past *past)
{
    rxtx_flow_packet taken = {
        .frame = pinfo->num,
        .host = interface->host,
        .device = interface->device,
        .way = packet->way,
        .cpu = packet->record.cpu,
        .time_ns = time_ns(pinfo),
        .late = past->late,
    };

    if (!take_endpoints(&taken, pinfo))
        return;
    take_segment(&taken, pinfo, tvb);
    rxtx_flows_next(file.flows, &taken, past);
}

static void learn_repeat(const packet_info *pinfo, tvbuff_t *tvb, const rxtx_packet *packet,
                         const rxtx_interface *interface, rxtx_past *past)
{
    guint len = tvb_captured_length(tvb);
    rxtx_repeat_scope scope = {
        .host = interface->host,
        .device = interface->device,
        .way = packet->way,
        .cpu = packet->record.cpu.presence == RXTX_KNOWN ? packet->record.cpu.number : G_MAXUINT32,
        .len = pinfo->fd->pkt_len,
    };

    rxtx_repeats_next(file.repeats, pinfo->num, time_ns(pinfo), &scope, tvb_get_ptr(tvb, 0, (gint)len), len, past);
}

static void begin_file(void)
{
    const rxtx_analysis_settings *set = file.settings;
    guint64 key = (guint64)g_random_int() << 32 | g_random_int();

    file.history = rxtx_history_new();
    file.flows = rxtx_flows_new((guint64)set->reorder_ms * NS_PER_MS);
    file.repeats = rxtx_repeats_new(key, (guint64)set->repeat_ms * NS_PER_MS, MAX(1, set->repeat_alarms));
}

/* The record's own time is taken, as pinfo's can be shifted by the user. */
static bool take_time(const wtap_rec *rec)
{
    return (rec->presence_flags & WTAP_HAS_TS) && rxtx_late_next(&file.late, rec->ts.secs, rec->ts.nsecs);
}

/* What there is to learn of the packet, kept if it may be visited again. */
static rxtx_past learn(packet_info *pinfo, tvbuff_t *tvb, const rxtx_packet *packet, const rxtx_interface *interface)
{
    rxtx_past past = {.late = take_time(pinfo->rec)}; /* packets of others are before ours, too */

    if (packet->record.stream == RXTX_STREAM_NONE)
        return past;
    if (file.history == NULL)
        begin_file();
    if (interface->host != 0 && interface->device != 0 && tvb_captured_length(tvb) > 0) {
        learn_flow(pinfo, tvb, packet, interface, &past);
        if (!past.late)
            learn_repeat(pinfo, tvb, packet, interface, &past);
    }
    if (!file.only_pass)
        rxtx_history_set(file.history, pinfo->num, &past);
    return past;
}

/* --- all visits --------------------------------------------------------------------------------------------------- */

/* A read filter gives a packet's number to the next one when it hides it: then that number is another packet's. Where
 * nothing is kept there is no read filter (TShark wants -2 with it). */
static guint32 prev_frame(const rxtx_past *past, guint32 frame)
{
    guint32 prev = past->prev_frame;

    return file.only_pass || (prev < frame && rxtx_history_get(file.history, prev).lane == past->lane) ? prev : 0;
}

static guint32 original(const rxtx_past *past, guint32 frame)
{
    guint32 first = past->repeat_of;

    return file.only_pass || (first < frame && rxtx_history_get(file.history, first).repeat == 0) ? first : 0;
}

static void recall_lane(rxtx_packet *packet, const rxtx_past *past, guint32 frame)
{
    packet->lane = past->lane;
    packet->flow = rxtx_flows_number(file.flows, past->lane);
    if (rxtx_flows_follows(file.flows, &packet->record.cpu))
        packet->cpus = rxtx_flows_cpus(file.flows, past->lane, frame);
    packet->first_split = past->split && rxtx_flows_first_split(file.flows, past->lane) == frame;
    packet->has_prev = past->prev_slot != 0 && packet->record.cpu.presence == RXTX_KNOWN; /* a user may edit comments */
    if (!packet->has_prev)
        return;
    packet->prev_cpu = rxtx_flows_cpu(file.flows, past->prev_slot);
    packet->moved = packet->prev_cpu != packet->record.cpu.number;
    packet->prev_frame = prev_frame(past, frame);
}

static void recall(rxtx_packet *packet, const rxtx_past *past, guint32 frame)
{
    packet->late = past->late;
    packet->split = past->split;
    packet->reordered = past->reordered;
    packet->repeat = past->repeat;
    packet->repeat_of = past->repeat > 0 ? original(past, frame) : 0;
    packet->repeat_alarm = past->repeat_alarm;
    if (past->lane != 0)
        recall_lane(packet, past, frame);
}

static void stop_listening(void)
{
    if (file.listening)
        remove_tap_listener(&file);
    file.listening = false;
}

/* Whether there is something to learn from the packet, for this visit or a later one. */
static bool is_to_be_learned(const packet_info *pinfo, bool asked)
{
    if (PINFO_FD_VISITED(pinfo))
        return false;
    if (file.first_visits++ > 0)
        stop_listening();
    return asked || !file.only_pass;
}

bool rxtx_analyse(packet_info *pinfo, tvbuff_t *tvb, bool asked, rxtx_packet *packet)
{
    bool learns = is_to_be_learned(pinfo, asked);
    const rxtx_interface *interface;
    rxtx_past past = {0};

    if (!asked && !learns)
        return false;
    interface = rxtx_interface_of(pinfo);
    read_packet(packet, interface, pinfo->rec->block);
    if (learns)
        past = learn(pinfo, tvb, packet, interface);
    if (packet->record.stream == RXTX_STREAM_NONE)
        return false;
    if (!learns && file.history != NULL)
        past = rxtx_history_get(file.history, pinfo->num);
    recall(packet, &past, pinfo->num);
    return true;
}

const rxtx_flows *rxtx_analysis_flows(void)
{
    return file.flows;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void end_file(void)
{
    g_clear_pointer(&file.history, rxtx_history_free);
    g_clear_pointer(&file.flows, rxtx_flows_free);
    g_clear_pointer(&file.repeats, rxtx_repeats_free);
    file.late = (rxtx_late){0};
}

/* TShark serves taps in its only pass and in the second of two, but not in the first of two, in which there is more to
 * come (tshark.c, process_packet_pass_one and process_packet_single_pass). Other programs keep their packets. */
static tap_packet_status notice_only_pass(void *unused G_GNUC_UNUSED, packet_info *pinfo G_GNUC_UNUSED,
                                          epan_dissect_t *dissect G_GNUC_UNUSED, const void *data G_GNUC_UNUSED,
                                          tap_flags_t flags G_GNUC_UNUSED)
{
    file.only_pass = true;
    return TAP_PACKET_DONT_REDRAW;
}

static void listen_for_only_pass(void)
{
    GString *error;

    if (file.listening || g_strcmp0(g_get_prgname(), "tshark") != 0)
        return;
    error = register_tap_listener("frame", &file, NULL, TL_IS_DISSECTOR_HELPER, NULL, notice_only_pass, NULL, NULL);
    file.listening = error == NULL;
    if (error != NULL)
        g_string_free(error, TRUE);
}

static void start_file(void)
{
    end_file();
    file.first_visits = 0;
    file.only_pass = false;
    listen_for_only_pass();
}

void rxtx_analysis_register(const rxtx_analysis_settings *settings)
{
    file.settings = settings;
    file.icmp = proto_get_id_by_filter_name("icmp");
    file.icmpv6 = proto_get_id_by_filter_name("icmpv6");
    rxtx_interface_register();
    register_init_routine(start_file);
    register_cleanup_routine(end_file);
}
