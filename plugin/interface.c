/* Remembers the interfaces of the file that is open. What a description says is decoded by record.c. */
#include "interface.h"

#include <epan/epan.h>

/* The captures of one host, or of those without a name. */
typedef struct {
    wmem_map_t *seen; /* "name\ndescription" of the current capture's interfaces */
    guint32 current;
} host_walk;

/* The captures of a section, told apart as its interfaces are walked. */
typedef struct {
    wmem_map_t *hosts;     /* name -> host_walk */
    wmem_array_t *capture; /* of guint32, by interface id */
} section_walk;

typedef struct {
    const char *name, *description; /* NULL where the interface has none */
    rxtx_record record;
} interface_texts;

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
        walk->hosts = wmem_map_new(wmem_file_scope(), wmem_str_hash, g_str_equal);
        walk->capture = wmem_array_new(wmem_file_scope(), sizeof(guint32));
        wmem_map_insert(file.sections, GUINT_TO_POINTER(section), walk);
    }
    return walk;
}

static host_walk *find_host(section_walk *walk, const interface_texts *texts)
{
    char *name =
        wmem_strndup(wmem_file_scope(), texts->record.host_len > 0 ? texts->description : "", texts->record.host_len);
    host_walk *host = (host_walk *)wmem_map_lookup(walk->hosts, name);

    if (host == NULL) {
        host = wmem_new0(wmem_file_scope(), host_walk);
        host->seen = wmem_map_new(wmem_file_scope(), wmem_str_hash, g_str_equal);
        wmem_map_insert(walk->hosts, name, host);
    }
    return host;
}

/* An interface without a name answers with its description (wiretap, file_packet_provider.c). */
static interface_texts texts_of(const packet_info *pinfo, guint32 id)
{
    interface_texts texts = {ws_interface_name(pinfo, id), ws_interface_description(pinfo, id), {0}};

    if (g_strcmp0(texts.name, texts.description) == 0)
        texts.name = NULL;
    rxtx_record_decode(&texts.record, texts.description, texts.name);
    return texts;
}

static guint32 walk_on(section_walk *walk, const interface_texts *texts)
{
    host_walk *host = find_host(walk, texts);
    char *text = wmem_strdup_printf(wmem_file_scope(), "%s\n%s", texts->name != NULL ? texts->name : "",
                                    texts->description != NULL ? texts->description : "");

    if (texts->description != NULL && wmem_map_contains(host->seen, text)) {
        host->seen = wmem_map_new(wmem_file_scope(), wmem_str_hash, g_str_equal);
        host->current++;
    }
    wmem_map_insert(host->seen, text, text);
    return host->current;
}

/* Which of the section's captures an interface belongs to. */
static guint32 capture_of(const packet_info *pinfo, guint32 id)
{
    section_walk *walk = find_walk(ws_section(pinfo->rec));

    for (guint32 next = wmem_array_get_count(walk->capture); next <= id; next++) {
        interface_texts texts = texts_of(pinfo, next);
        guint32 capture = walk_on(walk, &texts);

        wmem_array_append_one(walk->capture, capture);
    }
    return *(guint32 *)wmem_array_index(walk->capture, id);
}

static guint16 host_of(const packet_info *pinfo, guint32 id, const interface_texts *texts)
{
    char *text = wmem_strdup_printf(pinfo->pool, "%u\n%u\n%.*s", ws_section(pinfo->rec), capture_of(pinfo, id),
                                    (int)texts->record.host_len, texts->description != NULL ? texts->description : "");

    return number_of(file.hosts, text);
}

/* Whatever bytes the file has: fields and tables want UTF-8. */
static const char *host_name_of(const interface_texts *texts)
{
    g_autofree char *name = NULL;

    if (texts->record.host_len == 0)
        return NULL;
    name = g_utf8_make_valid(texts->description, (gssize)texts->record.host_len);
    return wmem_strdup(wmem_file_scope(), name);
}

static rxtx_interface *decode(const packet_info *pinfo, guint32 id)
{
    interface_texts texts = texts_of(pinfo, id);
    rxtx_interface *interface = wmem_new(wmem_file_scope(), rxtx_interface);

    *interface = (rxtx_interface){
        .record = texts.record,
        .host = host_of(pinfo, id, &texts),
        .device = number_of(file.devices, texts.name != NULL ? texts.name : ""),
        .host_name = host_name_of(&texts),
    };
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
