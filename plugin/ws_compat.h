/* Everything in which Wireshark 4.0, 4.4 and 4.6 differ for this plugin, and nothing else: no other file here asks for
 * a version. Included before any other header of Wireshark's. */
#pragma once

#include <ws_version.h>

#define RXTX_WS (WIRESHARK_VERSION_MAJOR * 100 + WIRESHARK_VERSION_MINOR)

#if RXTX_WS < 400
#error "The plugin needs Wireshark 4.0 or newer: older ones do not show a plugin the options of a packet."
#endif

#include <stdbool.h>
#include <wireshark.h>
#include <epan/packet.h>
#include <epan/column.h>
#include <wiretap/wtap.h>

/* 4.4 turned GLib's gboolean, an int, into C's bool, also behind the pointers of preferences. */
#if RXTX_WS >= 404
typedef bool ws_bool;
#else
typedef gboolean ws_bool;
#endif

/* plugin_describe() and what it may say came with 4.4, and so did the header. */
#if RXTX_WS >= 404
#include <wsutil/plugins.h>
#define RXTX_WS_PLUGIN_DESCRIBE 1
#else
#define RXTX_WS_PLUGIN_DESCRIBE 0
#endif

static inline unsigned ws_section(const wtap_rec *rec)
{
    return rec->presence_flags & WTAP_HAS_SECTION_NUMBER ? rec->section_number : 0;
}

/* Before 4.4 an interface is looked up without its section, and the answer for a later section is an interface of the
 * first (file_packet_provider.c): an interface that is not the packet's own must not name its CPU. */
static inline bool ws_has_interface(const wtap_rec *rec)
{
    return (rec->presence_flags & WTAP_HAS_INTERFACE_ID) && (RXTX_WS >= 404 || ws_section(rec) == 0);
}

/* Of an interface of the packet's section. */
static inline const char *ws_interface_description(const packet_info *pinfo, guint32 id)
{
#if RXTX_WS >= 404
    return epan_get_interface_description(pinfo->epan, id, ws_section(pinfo->rec));
#else
    return epan_get_interface_description(pinfo->epan, id);
#endif
}

static inline const char *ws_interface_name(const packet_info *pinfo, guint32 id)
{
#if RXTX_WS >= 404
    return epan_get_interface_name(pinfo->epan, id, ws_section(pinfo->rec));
#else
    return epan_get_interface_name(pinfo->epan, id);
#endif
}

/* The packet's epb_hash of the Toeplitz kind, which network cards compute; 4.0 does not show a plugin any. */
#if RXTX_WS >= 404
static inline bool ws_take_toeplitz(wtap_block_t block, unsigned id, wtap_opttype_e type, wtap_optval_t *value,
                                    void *hash)
{
    enum { TOEPLITZ = 5, LEN = 4 };

    (void)block;
    (void)type;
    if (id != OPT_PKT_HASH || value->packet_hash.type != TOEPLITZ || value->packet_hash.hash_bytes->len != LEN)
        return true;
    memcpy(hash, value->packet_hash.hash_bytes->data, LEN);
    *(guint32 *)hash = GUINT32_FROM_BE(*(guint32 *)hash);
    return false;
}

static inline bool ws_packet_hash(wtap_block_t block, guint32 *hash)
{
    return !wtap_block_foreach_option(block, ws_take_toeplitz, hash);
}
#else
static inline bool ws_packet_hash(wtap_block_t block, guint32 *hash)
{
    (void)block;
    (void)hash;
    return false;
}
#endif

/* From 4.4 on, which of the widths that Wireshark remembers is which column's is told by its place alone (recent.c). */
#define RXTX_WS_WIDTHS_BY_INDEX (RXTX_WS >= 404)

/* A column shows the value of its field as text, names resolved: a switch until 4.4, one of three ways from 4.6 on. */
static inline void ws_column_show_text(fmt_data *column)
{
#if RXTX_WS >= 406
    column->display = COLUMN_DISPLAY_STRINGS;
#else
    column->resolved = TRUE;
#endif
}
