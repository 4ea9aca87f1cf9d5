/* Remembers the interfaces of the file that is open. What a description says is decoded by record.c. */
#include "interface.h"

#include <epan/epan.h>

/* The captures of a section, told apart as its interfaces are walked. */
typedef struct {
    wmem_map_t *seen;      /* "name\ndescription" of the current capture's interfaces */
    wmem_array_t *capture; /* of guint32, by interface id */
    guint32 current;
} section_walk;

/* Wireshark gives a plugin no other place for what belongs to a file. */
static struct {
    wmem_map_t *interfaces; /* section << 32 | id -> rxtx_interface */
    wmem_map_t *sections;   /* section -> section_walk */
    wmem_map_t *hosts;      /* "section\ncapture\nname" -> number */
    wmem_map_t *devices;    /* name -> number */
} file;

/* The number of a text, from 1, a new one for a new text. */
static guint16 number_of(wmem_map_t *map, const char *text)
{
    guint number = GPOINTER_TO_UINT(wmem_map_lookup(map, text));

    if (number == 0 && wmem_map_size(map) < G_MAXUINT16) {
        number = wmem_map_size(map) + 1;
        wmem_map_insert(map, wmem_strdup(wmem_file_scope(), text), GUINT_TO_POINTER(number));
    }
    return (guint16)number;
}

static section_walk *find_walk(guint32 section)
{
    section_walk *walk = (section_walk *)wmem_map_lookup(file.sections, GUINT_TO_POINTER(section));

    if (walk == NULL) {
        walk = wmem_new0(wmem_file_scope(), section_walk);
        walk->seen = wmem_map_new(wmem_file_scope(), wmem_str_hash, g_str_equal);
        walk->capture = wmem_array_new(wmem_file_scope(), sizeof(guint32));
        wmem_map_insert(file.sections, GUINT_TO_POINTER(section), walk);
    }
    return walk;
}

static void walk_on(section_walk *walk, const packet_info *pinfo)
{
    guint32 id = wmem_array_get_count(walk->capture);
    const char *name = ws_interface_name(pinfo, id);
    const char *description = ws_interface_description(pinfo, id);
    char *text = wmem_strdup_printf(wmem_file_scope(), "%s\n%s", name != NULL ? name : "",
                                    description != NULL ? description : "");

    if (description != NULL && wmem_map_contains(walk->seen, text)) {
        walk->seen = wmem_map_new(wmem_file_scope(), wmem_str_hash, g_str_equal);
        walk->current++;
    }
    wmem_map_insert(walk->seen, text, text);
    wmem_array_append_one(walk->capture, walk->current);
}

/* Which of the section's captures an interface belongs to. */
static guint32 capture_of(const packet_info *pinfo, guint32 id)
{
    section_walk *walk = find_walk(ws_section(pinfo->rec));

    while (wmem_array_get_count(walk->capture) <= id)
        walk_on(walk, pinfo);
    return *(guint32 *)wmem_array_index(walk->capture, id);
}

static guint16 host_of(const packet_info *pinfo, guint32 id, const char *name, gsize len)
{
    char *text = wmem_strdup_printf(pinfo->pool, "%u\n%u\n%.*s", ws_section(pinfo->rec), capture_of(pinfo, id),
                                    (int)len, name != NULL ? name : "");

    return number_of(file.hosts, text);
}

/* An interface without a name answers with its description (wiretap, file_packet_provider.c). */
static rxtx_interface *decode(const packet_info *pinfo, guint32 id)
{
    const char *description = ws_interface_description(pinfo, id);
    const char *name = ws_interface_name(pinfo, id);
    rxtx_interface *interface = wmem_new(wmem_file_scope(), rxtx_interface);

    if (g_strcmp0(name, description) == 0)
        name = NULL;
    rxtx_record_decode(&interface->record, description, name);
    interface->host = host_of(pinfo, id, description, interface->record.host_len);
    interface->device = number_of(file.devices, name != NULL ? name : "");
    return interface;
}

/* For the packets of a section whose interface cannot be asked for. */
static rxtx_interface *unknown(const packet_info *pinfo)
{
    rxtx_interface *interface = wmem_new0(wmem_file_scope(), rxtx_interface);

    interface->host = number_of(file.hosts, wmem_strdup_printf(pinfo->pool, "%u", ws_section(pinfo->rec)));
    interface->device = number_of(file.devices, "");
    return interface;
}

const rxtx_interface *rxtx_interface_of(const packet_info *pinfo)
{
    bool known = ws_has_interface(pinfo->rec);
    guint32 id = known ? pinfo->rec->rec_header.packet_header.interface_id : G_MAXUINT32;
    gint64 key = (gint64)ws_section(pinfo->rec) << 32 | id;
    rxtx_interface *interface = (rxtx_interface *)wmem_map_lookup(file.interfaces, &key);

    if (interface == NULL) {
        interface = known ? decode(pinfo, id) : unknown(pinfo);
        wmem_map_insert(file.interfaces, wmem_memdup(wmem_file_scope(), &key, sizeof key), interface);
    }
    return interface;
}

static wmem_map_t *new_map(GHashFunc hash, GEqualFunc equal)
{
    return wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), hash, equal);
}

void rxtx_interface_register(void)
{
    file.interfaces = new_map(wmem_int64_hash, g_int64_equal);
    file.sections = new_map(g_direct_hash, g_direct_equal);
    file.hosts = new_map(wmem_str_hash, g_str_equal);
    file.devices = new_map(wmem_str_hash, g_str_equal);
}
