/* The post-dissector "rxtxcpu": turns the record of a packet into fields. It looks at no byte of the packet, decodes no
 * text (record.c does) and judges no time (late.c does). */
#include "ws_compat.h"

#include <epan/proto_data.h>

#include "column.h"
#include "late.h"
#include "packet-rxtxcpu.h"
#include "record.h"

static int proto_rxtxcpu = -1;
static int hf_cpu = -1;
static int hf_queue = -1;
static int hf_node = -1;
static int hf_direction = -1;
static int hf_late = -1;
static int ett_rxtxcpu = -1;

static const value_string directions[] = {
    {PACK_FLAGS_DIRECTION_INBOUND, "received"},
    {PACK_FLAGS_DIRECTION_OUTBOUND, "sent"},
    {0, NULL},
};

/* What is remembered of the file that is open. Wireshark gives a dissector no other place for it; it dissects in one
 * thread. */
static struct {
    wmem_map_t *records; /* section << 32 | interface id -> rxtx_record; file scope, so it empties with the file */
    rxtx_late late;
} file;

static void forget_times(void)
{
    file.late = (rxtx_late){0};
}

/* An interface without a name answers with its description (wiretap, file_packet_provider.c). */
static rxtx_record *decode_interface(const packet_info *pinfo)
{
    const char *description = ws_interface_description(pinfo);
    const char *name = ws_interface_name(pinfo);
    rxtx_record *record = wmem_new(wmem_file_scope(), rxtx_record);

    rxtx_record_decode(record, description, g_strcmp0(name, description) == 0 ? NULL : name);
    return record;
}

static const rxtx_record *interface_record(const packet_info *pinfo)
{
    static const rxtx_record none;
    gint64 key = (gint64)ws_section(pinfo->rec) << 32 | pinfo->rec->rec_header.packet_header.interface_id;
    rxtx_record *record;

    if (!ws_has_interface(pinfo->rec))
        return &none;
    record = (rxtx_record *)wmem_map_lookup(file.records, &key);
    if (record == NULL) {
        record = decode_interface(pinfo);
        wmem_map_insert(file.records, wmem_memdup(wmem_file_scope(), &key, sizeof key), record);
    }
    return record;
}

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

/* The option alone makes no stream record: other programs write it too. */
static void complete_from_queue_option(rxtx_record *record, wtap_block_t block)
{
    rxtx_record said = {.queue = {.presence = RXTX_KNOWN}};

    if (record->stream == RXTX_STREAM_NONE)
        return;
    if (wtap_block_get_uint32_option_value(block, OPT_PKT_QUEUE, &said.queue.number) == WTAP_OPTTYPE_SUCCESS)
        rxtx_record_complete(record, &said);
}

static rxtx_record packet_record(const packet_info *pinfo)
{
    rxtx_record record = *interface_record(pinfo);
    wtap_block_t block = pinfo->rec->block;

    if (block != NULL && record.cpu.presence != RXTX_KNOWN)
        complete_from_comments(&record, block);
    if (block != NULL)
        complete_from_queue_option(&record, block);
    return record;
}

static guint32 packet_direction(const packet_info *pinfo)
{
    guint32 flags;

    if (pinfo->rec->block == NULL ||
        wtap_block_get_uint32_option_value(pinfo->rec->block, OPT_PKT_FLAGS, &flags) != WTAP_OPTTYPE_SUCCESS)
        return PACK_FLAGS_DIRECTION_UNKNOWN;
    return PACK_FLAGS_DIRECTION(flags);
}

/* Lateness hangs on the packets before, so it is decided on the first visit, when they come in file order; only the
 * late ones are remembered. The record's own time is taken, as pinfo's can be shifted by the user. */
static void watch_time(packet_info *pinfo)
{
    const wtap_rec *rec = pinfo->rec;

    if (PINFO_FD_VISITED(pinfo) || !(rec->presence_flags & WTAP_HAS_TS))
        return;
    if (rxtx_late_next(&file.late, rec->ts.secs, rec->ts.nsecs))
        p_add_proto_data(wmem_file_scope(), pinfo, proto_rxtxcpu, 0, GUINT_TO_POINTER(TRUE));
}

static bool is_late(packet_info *pinfo)
{
    return p_get_proto_data(wmem_file_scope(), pinfo, proto_rxtxcpu, 0) != NULL;
}

static void add_number(proto_tree *tree, int hf, tvbuff_t *tvb, const rxtx_number *number)
{
    if (number->presence == RXTX_KNOWN)
        proto_item_set_generated(proto_tree_add_uint(tree, hf, tvb, 0, 0, number->number));
}

static void add_direction(proto_tree *tree, tvbuff_t *tvb, guint32 direction)
{
    const char *text = try_val_to_str(direction, directions);

    if (text == NULL)
        return;
    proto_item_set_generated(proto_tree_add_uint(tree, hf_direction, tvb, 0, 0, direction));
    proto_item_append_text(proto_tree_get_parent(tree), ", %s", text);
}

static void add_late(proto_tree *tree, tvbuff_t *tvb)
{
    proto_item_set_generated(proto_tree_add_boolean(tree, hf_late, tvb, 0, 0, TRUE));
    proto_item_append_text(proto_tree_get_parent(tree), ", late");
}

/* The CPU comes first wherever it is known; else the stream names itself. */
static void append_stream(proto_item *item, const rxtx_record *record)
{
    const struct {
        const char *word;
        rxtx_number number;
        bool names;
    } parts[] = {
        {"CPU", record->cpu, true},
        {"queue", record->queue, record->stream == RXTX_STREAM_QUEUE},
        {"node", record->node, record->stream == RXTX_STREAM_NODE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!parts[i].names || parts[i].number.presence == RXTX_ABSENT)
            continue;
        if (parts[i].number.presence == RXTX_KNOWN)
            proto_item_append_text(item, ": %s %u", parts[i].word, parts[i].number.number);
        else
            proto_item_append_text(item, ": %s unknown", parts[i].word);
        return;
    }
}

static void add_fields(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const rxtx_record *record)
{
    proto_item *item = proto_tree_add_item(tree, proto_rxtxcpu, tvb, 0, 0, ENC_NA);
    proto_tree *fields = proto_item_add_subtree(item, ett_rxtxcpu);

    proto_item_set_generated(item);
    append_stream(item, record);
    add_number(fields, hf_cpu, tvb, &record->cpu);
    add_number(fields, hf_queue, tvb, &record->queue);
    add_number(fields, hf_node, tvb, &record->node);
    add_direction(fields, tvb, packet_direction(pinfo));
    if (is_late(pinfo))
        add_late(fields, tvb);
}

/* Wireshark calls this for each packet, mostly without a tree: then nobody asks for a field. */
static int dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data G_GNUC_UNUSED)
{
    rxtx_record record;

    if (pinfo->rec->rec_type != REC_TYPE_PACKET)
        return 0;
    watch_time(pinfo);
    if (!proto_field_is_referenced(tree, proto_rxtxcpu))
        return 0;
    record = packet_record(pinfo);
    if (record.stream == RXTX_STREAM_NONE)
        return 0;
    add_fields(tree, tvb, pinfo, &record);
    return (int)tvb_captured_length(tvb);
}

static void register_fields(void)
{
    static hf_register_info fields[] = {
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
    };
    static int *trees[] = {&ett_rxtxcpu};

    proto_register_field_array(proto_rxtxcpu, fields, G_N_ELEMENTS(fields));
    proto_register_subtree_array(trees, G_N_ELEMENTS(trees));
}

void rxtx_packet_register(void)
{
    proto_rxtxcpu = proto_register_protocol("Per-CPU capture", "rxtxcpu", "rxtxcpu");
    register_fields();
    file.records = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), wmem_int64_hash, g_int64_equal);
    register_init_routine(forget_times);
    rxtx_column_register(proto_rxtxcpu);
}

/* No field of another protocol is asked for (set_postdissector_wanted_hfids): it would build a tree for each packet. */
void rxtx_packet_handoff(void)
{
    register_postdissector(create_dissector_handle(dissect, proto_rxtxcpu));
}
