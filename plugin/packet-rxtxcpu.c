/* The post-dissector "rxtxcpu": shows what analysis.c knows of a packet as fields and expert notes, and passes it on to
 * the taps. */
#include "packet-rxtxcpu.h"

#include <epan/column-info.h>
#include <epan/expert.h>
#include <epan/prefs.h>
#include <epan/tap.h>

#include "column.h"
#include "menu.h"
#include "statistics.h"

static int proto_rxtxcpu = -1;
static int tap_rxtxcpu = -1;
static int tap_expert = -1;      /* Wireshark's */
static int expert_protocol = -1; /* Wireshark's */

static int hf_host = -1;
static int hf_cpu = -1;
static int hf_queue = -1;
static int hf_node = -1;
static int hf_direction = -1;
static int hf_late = -1;
static int hf_drops = -1;
static int hf_hash = -1;
static int hf_flow = -1;
static int hf_flow_cpus = -1;
static int hf_flow_prev_cpu = -1;
static int hf_flow_moved = -1;
static int hf_flow_prev_frame = -1;
static int hf_flow_split = -1;
static int hf_flow_reordered = -1;
static int hf_repeat = -1;
static int hf_repeat_of = -1;
static int ett_rxtxcpu = -1;
static int ett_flow = -1;

static expert_field ei_moved = EI_INIT;
static expert_field ei_split = EI_INIT;
static expert_field ei_reordered = EI_INIT;
static expert_field ei_repeat = EI_INIT;
static expert_field ei_drops = EI_INIT;
static expert_field ei_late = EI_INIT;

/* The preferences; Wireshark writes into them. */
static rxtx_analysis_settings settings = {.reorder_ms = 10, .repeat_ms = 1000, .repeat_alarms = 100};
static guint flows_shown = 10;

static const value_string directions[] = {
    {RXTX_WAY_RECEIVED, "received"},
    {RXTX_WAY_SENT, "sent"},
    {0, NULL},
};

/* --- fields ------------------------------------------------------------------------------------------------------- */

static proto_item *add_uint(proto_tree *tree, int hf, tvbuff_t *tvb, guint32 value)
{
    proto_item *item = proto_tree_add_uint(tree, hf, tvb, 0, 0, value);

    proto_item_set_generated(item);
    return item;
}

static void add_known(proto_tree *tree, int hf, tvbuff_t *tvb, const rxtx_number *number)
{
    if (number->presence == RXTX_KNOWN)
        add_uint(tree, hf, tvb, number->number);
}

static void add_frame(proto_tree *tree, int hf, tvbuff_t *tvb, guint32 frame)
{
    if (frame != 0)
        add_uint(tree, hf, tvb, frame);
}

/* What is not so has no field, so that the filter "FIELD" finds what is. */
static proto_item *add_if(proto_tree *tree, int hf, tvbuff_t *tvb, bool truth)
{
    proto_item *item = truth ? proto_tree_add_boolean(tree, hf, tvb, 0, 0, TRUE) : NULL;

    proto_item_set_generated(item);
    return item;
}

static void add_host(proto_tree *tree, tvbuff_t *tvb, const char *host)
{
    if (host != NULL)
        proto_item_set_generated(proto_tree_add_string(tree, hf_host, tvb, 0, 0, host));
}

/* Behind the host that has a name, the CPU comes first wherever it is known; else the stream names itself. */
static void append_stream(proto_item *item, const rxtx_packet *packet)
{
    const rxtx_record *record = &packet->record;
    const char *behind = packet->host != NULL ? " " : ": ";
    const struct {
        const char *word;
        rxtx_number number;
        bool names;
    } parts[] = {
        {"CPU", record->cpu, true},
        {"queue", record->queue, record->stream == RXTX_STREAM_QUEUE},
        {"node", record->node, record->stream == RXTX_STREAM_NODE},
    };

    if (packet->host != NULL)
        proto_item_append_text(item, ": %s", packet->host);
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!parts[i].names || parts[i].number.presence == RXTX_ABSENT)
            continue;
        if (parts[i].number.presence == RXTX_KNOWN)
            proto_item_append_text(item, "%s%s %u", behind, parts[i].word, parts[i].number.number);
        else
            proto_item_append_text(item, "%s%s unknown", behind, parts[i].word);
        return;
    }
}

static void append_rest(proto_item *item, const rxtx_packet *packet)
{
    const char *way = try_val_to_str(packet->way, directions);

    if (way != NULL)
        proto_item_append_text(item, ", %s", way);
    if (packet->moved)
        proto_item_append_text(item, ", flow moved from CPU %u", packet->prev_cpu);
    if (packet->split)
        proto_item_append_text(item, ", flow split");
    if (packet->repeat > 0)
        proto_item_append_text(item, ", repeat %u", packet->repeat);
    if (packet->late)
        proto_item_append_text(item, ", late");
}

/* Says whose note it is: Wireshark counts equal sentences together. An expert note without an item counts as well: it
 * is listed, and lights the lamp in the status bar. */
static void note(packet_info *pinfo, proto_item *item, expert_field *field, const char *host, const char *sentence)
{
    if (host != NULL)
        expert_add_info_format(pinfo, item, field, "%s: %s", host, sentence);
    else
        expert_add_info_format(pinfo, item, field, "%s", sentence);
}

static void add_flow(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const rxtx_packet *packet)
{
    proto_item *item, *number;
    proto_tree *fields;

    if (packet->flow == 0)
        return;
    number = add_uint(tree, hf_flow, tvb, packet->flow);
    fields = proto_item_add_subtree(number, ett_flow);
    if (packet->cpus > 0)
        add_uint(fields, hf_flow_cpus, tvb, packet->cpus);
    if (packet->has_prev)
        add_uint(fields, hf_flow_prev_cpu, tvb, packet->prev_cpu);
    item = add_if(fields, hf_flow_moved, tvb, packet->moved);
    if (packet->moved) {
        add_frame(fields, hf_flow_prev_frame, tvb, packet->prev_frame);
        note(pinfo, item, &ei_moved, packet->host,
             wmem_strdup_printf(pinfo->pool, "Flow moved from CPU %u to CPU %u", packet->prev_cpu,
                                packet->record.cpu.number));
    }
    item = add_if(fields, hf_flow_split, tvb, packet->split);
    if (packet->first_split)
        note(pinfo, item, &ei_split, packet->host, expert_get_summary(&ei_split));
    item = add_if(fields, hf_flow_reordered, tvb, packet->reordered);
    if (packet->reordered)
        note(pinfo, item, &ei_reordered, packet->host, expert_get_summary(&ei_reordered));
}

static void add_repeat(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const rxtx_packet *packet)
{
    bool cut = pinfo->fd->cap_len < pinfo->fd->pkt_len;
    proto_item *item;

    if (packet->repeat == 0)
        return;
    item = add_uint(tree, hf_repeat, tvb, packet->repeat);
    if (cut)
        proto_item_append_text(item, " (as far as captured: %u of %u bytes)", pinfo->fd->cap_len, pinfo->fd->pkt_len);
    if (packet->repeat_alarm)
        note(pinfo, item, &ei_repeat, packet->host,
             wmem_strdup_printf(pinfo->pool, "The same frame again and again on this CPU: %u times by now",
                                packet->repeat));
    add_frame(tree, hf_repeat_of, tvb, packet->repeat_of);
}

static void add_drops(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const rxtx_packet *packet)
{
    proto_item *item;

    if (!packet->has_drops)
        return;
    item = proto_tree_add_uint64(tree, hf_drops, tvb, 0, 0, packet->drops);
    proto_item_set_generated(item);
    if (packet->drops > 0)
        note(pinfo, item, &ei_drops, packet->host,
             wmem_strdup_printf(pinfo->pool, "%" G_GUINT64_FORMAT " packet%s of this stream lost before this one",
                                packet->drops, packet->drops == 1 ? "" : "s"));
}

static void add_fields(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const rxtx_packet *packet)
{
    proto_item *item = proto_tree_add_item(tree, proto_rxtxcpu, tvb, 0, 0, ENC_NA);
    proto_tree *fields = proto_item_add_subtree(item, ett_rxtxcpu);

    proto_item_set_generated(item);
    append_stream(item, packet);
    append_rest(item, packet);
    add_host(fields, tvb, packet->host);
    add_known(fields, hf_cpu, tvb, &packet->record.cpu);
    add_known(fields, hf_queue, tvb, &packet->record.queue);
    add_known(fields, hf_node, tvb, &packet->record.node);
    if (packet->way != RXTX_WAY_UNKNOWN)
        add_uint(fields, hf_direction, tvb, packet->way);
    add_known(fields, hf_hash, tvb, &packet->record.hash);
    add_drops(fields, tvb, pinfo, packet);
    item = add_if(fields, hf_late, tvb, packet->late);
    if (packet->late)
        note(pinfo, item, &ei_late, packet->host, expert_get_summary(&ei_late));
    add_flow(fields, tvb, pinfo, packet);
    add_repeat(fields, tvb, pinfo, packet);
}

/* --- dissection --------------------------------------------------------------------------------------------------- */

static bool has_expert_column(const packet_info *pinfo)
{
    return pinfo->cinfo != NULL && pinfo->cinfo->col_first[COL_EXPERT] >= 0;
}

/* A filter on _ws.expert asks for our notes too. Wireshark registers that protocol behind all others. */
static bool is_expert_asked(proto_tree *tree)
{
    if (expert_protocol < 0)
        expert_protocol = proto_get_id_by_filter_name("_ws.expert");
    return expert_protocol >= 0 && proto_field_is_referenced(tree, expert_protocol);
}

static bool is_asked(const packet_info *pinfo, proto_tree *tree)
{
    return proto_field_is_referenced(tree, proto_rxtxcpu) || is_expert_asked(tree) || have_tap_listener(tap_rxtxcpu) ||
           have_tap_listener(tap_expert) || has_expert_column(pinfo);
}

/* Wireshark calls this for each packet, mostly without a tree. */
static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data G_GNUC_UNUSED)
{
    rxtx_packet packet;
    rxtx_packet *queued;

    if (pinfo->rec->rec_type != REC_TYPE_PACKET || !rxtx_analyse(pinfo, tvb, is_asked(pinfo, tree), &packet))
        return 0;
    if (have_tap_listener(tap_rxtxcpu)) {
        queued = wmem_new(pinfo->pool, rxtx_packet);
        *queued = packet;
        tap_queue_packet(tap_rxtxcpu, pinfo, queued);
    }
    add_fields(tree, tvb, pinfo, &packet);
    return (int)tvb_captured_length(tvb);
}

/* --- registration ------------------------------------------------------------------------------------------------- */

static void register_fields(void)
{
    static hf_register_info fields[] = {
        {&hf_host,
         {"Host", RXTX_FIELD_HOST, FT_STRING, BASE_NONE, NULL, 0, "The host whose interface captured the packet",
          HFILL}},
        {&hf_cpu, {"CPU", RXTX_FIELD_CPU, FT_UINT32, BASE_DEC, NULL, 0, "The CPU that handled the packet", HFILL}},
        {&hf_queue,
         {"Queue", "rxtxcpu.queue", FT_UINT32, BASE_DEC, NULL, 0,
          "The queue of the network interface, a receive queue for a received packet", HFILL}},
        {&hf_node, {"NUMA node", "rxtxcpu.node", FT_UINT32, BASE_DEC, NULL, 0, "The NUMA node of the CPU", HFILL}},
        {&hf_direction,
         {"Direction", "rxtxcpu.direction", FT_UINT8, BASE_DEC, VALS(directions), 0,
          "Received or sent by the host that captured", HFILL}},
        {&hf_late,
         {"Late", "rxtxcpu.late", FT_BOOLEAN, BASE_NONE, NULL, 0,
          "The packet's time is before that of an earlier packet in the file", HFILL}},
        {&hf_drops,
         {"Lost before", "rxtxcpu.drops", FT_UINT64, BASE_DEC, NULL, 0,
          "So many packets of this CPU (or queue, or node) were lost right before this one", HFILL}},
        {&hf_hash,
         {"Hash", "rxtxcpu.hash", FT_UINT32, BASE_HEX, NULL, 0, "A hash of the packet's flow, as the file says it",
          HFILL}},
        {&hf_flow,
         {"Flow", "rxtxcpu.flow", FT_UINT32, BASE_DEC, NULL, 0,
          "Both directions between two addresses and ports on one host, numbered from 1", HFILL}},
        {&hf_flow_cpus,
         {"CPUs so far", "rxtxcpu.flow.cpus", FT_UINT32, BASE_DEC, NULL, 0,
          "How many CPUs have handled this direction of the flow, this packet included", HFILL}},
        {&hf_flow_prev_cpu,
         {"CPU before", "rxtxcpu.flow.prev_cpu", FT_UINT32, BASE_DEC, NULL, 0,
          "The CPU that handled the packet before in this direction of the flow", HFILL}},
        {&hf_flow_moved,
         {"Moved", "rxtxcpu.flow.moved", FT_BOOLEAN, BASE_NONE, NULL, 0,
          "Another CPU handled the packet before in this direction of the flow", HFILL}},
        {&hf_flow_prev_frame,
         {"Packet before", "rxtxcpu.flow.prev_frame", FT_FRAMENUM, BASE_NONE, NULL, 0,
          "The packet before in this direction of the flow", HFILL}},
        {&hf_flow_split,
         {"Split", "rxtxcpu.flow.split", FT_BOOLEAN, BASE_NONE, NULL, 0,
          "The other direction of the flow is received on another CPU", HFILL}},
        {&hf_flow_reordered,
         {"Reordered by a move", "rxtxcpu.flow.reordered_by_move", FT_BOOLEAN, BASE_NONE, NULL, 0,
          "A TCP segment that comes behind a later one of another CPU, right after the flow moved", HFILL}},
        {&hf_repeat,
         {"Repeat", "rxtxcpu.repeat", FT_UINT32, BASE_DEC, NULL, 0,
          "The same bytes for so many times again, on the same CPU in the same direction", HFILL}},
        {&hf_repeat_of,
         {"Repeat of", "rxtxcpu.repeat.of", FT_FRAMENUM, BASE_NONE, NULL, 0, "The first frame with these bytes",
          HFILL}},
    };
    static int *trees[] = {&ett_rxtxcpu, &ett_flow};

    proto_register_field_array(proto_rxtxcpu, fields, G_N_ELEMENTS(fields));
    proto_register_subtree_array(trees, G_N_ELEMENTS(trees));
}

static void register_expert(void)
{
    static ei_register_info notes[] = {
        {&ei_moved, {"rxtxcpu.expert.moved", PI_SEQUENCE, PI_NOTE, "Flow moved to another CPU", EXPFILL}},
        {&ei_split,
         {"rxtxcpu.expert.split", PI_SEQUENCE, PI_NOTE, "The two directions of the flow are received on different CPUs",
          EXPFILL}},
        {&ei_reordered,
         {"rxtxcpu.expert.reordered_by_move", PI_SEQUENCE, PI_NOTE, "Out of order because the flow moved", EXPFILL}},
        {&ei_repeat, {"rxtxcpu.expert.repeat", PI_SEQUENCE, PI_WARN, "The same frame again and again", EXPFILL}},
        {&ei_drops, {"rxtxcpu.expert.drops", PI_SEQUENCE, PI_WARN, "Packets were lost before this one", EXPFILL}},
        {&ei_late,
         {"rxtxcpu.expert.late", PI_SEQUENCE, PI_NOTE, "Late: the packet's time is before that of an earlier packet",
          EXPFILL}},
    };

    expert_register_field_array(expert_register_protocol(proto_rxtxcpu), notes, G_N_ELEMENTS(notes));
}

static void register_preferences(module_t *module)
{
    prefs_register_uint_preference(module, "reorder_window", "Reordered by a move up to this long behind (ms)",
                                   "A TCP segment that arrives behind a later one of another CPU is put down to a move "
                                   "of its flow when the later one is at most so many milliseconds old.",
                                   10, &settings.reorder_ms);
    prefs_register_uint_preference(
        module, "repeat_window", "Copies of a frame are repeats within (ms)",
        "The same bytes on the same CPU and in the same direction are a repeat when the copy "
        "before is at most so many milliseconds old.",
        10, &settings.repeat_ms);
    prefs_register_uint_preference(
        module, "repeat_alarm", "Warn of repeats from this many in that time",
        "Some repeats are honest (ARP, spanning tree, a heartbeat, a query that is asked again). Expert "
        "information warns once of a frame that comes again so often within the time above.",
        10, &settings.repeat_alarms);
    prefs_register_uint_preference(
        module, "flows_shown", "Flows shown of each CPU",
        "How many flows of each CPU the statistic \"Flows per CPU\" lists, the largest first.", 10, &flows_shown);
}

void rxtx_packet_register(void)
{
    proto_rxtxcpu = proto_register_protocol("Per-CPU capture", "rxtxcpu", "rxtxcpu");
    register_fields();
    register_expert();
    tap_rxtxcpu = register_tap(RXTX_TAP);
    tap_expert = register_tap("expert"); /* the same number whoever comes first */
    register_preferences(rxtx_column_register(proto_rxtxcpu));
    rxtx_menu_register(proto_rxtxcpu);
}

/* No field of another protocol is asked for (set_postdissector_wanted_hfids): it would build a tree for each packet. */
void rxtx_packet_handoff(void)
{
    rxtx_analysis_register(&settings);
    rxtx_statistics_register(&flows_shown);
    register_postdissector(create_dissector_handle(dissect, proto_rxtxcpu));
}
