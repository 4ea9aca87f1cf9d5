/* Menu entries that apply filters. */
#include "menu.h"

#include "packet-rxtxcpu.h"

#include <epan/epan_dissect.h>
#include <epan/plugin_if.h>
#include <wsutil/report_message.h>

/* The filter for what the selected packet has in a field; NULL if it has not. */
static char *match_of(epan_dissect_t *dissect, const char *name)
{
    GPtrArray *found = proto_find_first_finfo(dissect->tree, proto_registrar_get_id_byname(name));
    char *match = NULL, *filter = NULL;

    if (found != NULL && found->len > 0)
        match = proto_construct_match_selected_string((field_info *)g_ptr_array_index(found, 0), dissect);
    filter = g_strdup(match);
    wmem_free(NULL, match);
    if (found != NULL)
        g_ptr_array_free(found, TRUE);
    return filter;
}

/* The filter for the CPU of the selected packet, for g_free; NULL if there is none. */
static void *selected_cpu(capture_file *file, void *unused G_GNUC_UNUSED)
{
    g_autofree char *cpu = file->edt != NULL ? match_of(file->edt, RXTX_FIELD_CPU) : NULL;
    g_autofree char *host = cpu != NULL ? match_of(file->edt, RXTX_FIELD_HOST) : NULL;

    return host != NULL ? g_strdup_printf("%s && %s", host, cpu) : g_steal_pointer(&cpu);
}

static void apply_selected_cpu(ext_menubar_gui_type type G_GNUC_UNUSED, gpointer window G_GNUC_UNUSED,
                               gpointer unused G_GNUC_UNUSED)
{
    g_autofree char *filter = (char *)plugin_if_get_capture_file(selected_cpu, NULL);

    if (filter == NULL) {
        report_warning("Select a packet whose CPU is known first: one with a number in the column CPU.");
        return;
    }
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
