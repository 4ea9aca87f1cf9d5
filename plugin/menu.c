/* Menu entries that apply filters. */
#include "menu.h"

#include "packet-rxtxcpu.h"

#include <epan/epan_dissect.h>
#include <epan/plugin_if.h>
#include <wsutil/report_message.h>

/* The CPU of the selected packet, as a pointer to a number of ours; NULL if there is none. */
static void *selected_cpu(capture_file *file, void *unused G_GNUC_UNUSED)
{
    int field = proto_registrar_get_id_byname(RXTX_FIELD_CPU);
    GPtrArray *found = file->edt != NULL ? proto_find_first_finfo(file->edt->tree, field) : NULL;
    guint32 *cpu = NULL;

    if (found != NULL && found->len > 0) {
        cpu = g_new(guint32, 1);
        *cpu = ws_uint_value((field_info *)g_ptr_array_index(found, 0));
    }
    if (found != NULL)
        g_ptr_array_free(found, TRUE);
    return cpu;
}

static void apply_selected_cpu(ext_menubar_gui_type type G_GNUC_UNUSED, gpointer window G_GNUC_UNUSED,
                               gpointer unused G_GNUC_UNUSED)
{
    g_autofree guint32 *cpu = (guint32 *)plugin_if_get_capture_file(selected_cpu, NULL);
    g_autofree char *filter = NULL;

    if (cpu == NULL) {
        report_warning("Select a packet whose CPU is known first: one with a number in the column CPU.");
        return;
    }
    filter = g_strdup_printf(RXTX_FIELD_CPU " == %u", *cpu);
    plugin_if_apply_filter(filter, TRUE);
}

static void apply_filter(ext_menubar_gui_type type G_GNUC_UNUSED, gpointer window G_GNUC_UNUSED, gpointer filter)
{
    plugin_if_apply_filter((const char *)filter, TRUE);
}

void rxtx_menu_register(int proto)
{
    static const struct {
        const char *label, *tooltip;
        ext_menubar_action_cb action;
        const char *filter;
    } entries[] = {
        {"This Packet's CPU", "Show the packets of the selected packet's CPU", apply_selected_cpu, NULL},
        {"Flows That Moved", "Show the packets that another CPU handled than the one before in their flow",
         apply_filter, "rxtxcpu.flow.moved"},
        {"Split Flows", "Show the packets whose flow is received on another CPU in the other direction", apply_filter,
         "rxtxcpu.flow.split"},
        {"Repeats", "Show the frames that came before, byte for byte, on the same CPU", apply_filter, "rxtxcpu.repeat"},
    };
    ext_menu_t *menu = ext_menubar_register_menu(proto, "Per-CPU", TRUE);

    ext_menubar_set_parentmenu(menu, "Tools");
    for (gsize i = 0; i < G_N_ELEMENTS(entries); i++)
        ext_menubar_add_entry(menu, entries[i].label, entries[i].tooltip, entries[i].action,
                              (gpointer)entries[i].filter);
}
