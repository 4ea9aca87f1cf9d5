/* Puts the column "CPU" into Wireshark's packet list and takes it out again, at the word of a preference. What stands
 * in the column is packet-rxtxcpu.c's: a column is a title and the name of a field. */
#include "column.h"

#include <epan/column-info.h>
#include <epan/plugin_if.h>
#include <epan/prefs-int.h>
#include <wsutil/filesystem.h>

#include "packet-rxtxcpu.h"

/* Wireshark's callbacks carry no data of ours. */
static struct {
    module_t *module;
    ws_bool wanted;      /* the preference */
    bool out_of_step;    /* the widths of the columns are one column behind */
    char *added_profile; /* the profile whose columns we have added ours to; NULL if we have not */
} column = {.wanted = TRUE};

static bool in_gui(void)
{
    ws_info_t *info = NULL;

    plugin_if_get_ws_info(&info);
    return info != NULL && info->ws_info_supported;
}

/* "a || b" in one column is the user's work, and shows our field as well. */
static gint shows_cpu(gconstpointer data, gconstpointer unused G_GNUC_UNUSED)
{
    const fmt_data *format = (const fmt_data *)data;
    g_auto(GStrv) fields = NULL;

    if (format->fmt != COL_CUSTOM || format->custom_fields == NULL)
        return 1;
    fields = g_strsplit_set(format->custom_fields, " |", -1);
    return g_strv_contains((const char *const *)fields, RXTX_FIELD_CPU) ? 0 : 1;
}

static bool is_as_added(const fmt_data *format)
{
    return g_strcmp0(format->custom_fields, RXTX_FIELD_CPU) == 0 &&
           g_strcmp0(column.added_profile, get_profile_name()) == 0;
}

static gint is_info(gconstpointer data, gconstpointer unused G_GNUC_UNUSED)
{
    return ((const fmt_data *)data)->fmt == COL_INFO ? 0 : 1;
}

static fmt_data *new_format(void)
{
    fmt_data *format = g_new0(fmt_data, 1); /* Wireshark's to free, with g_free */

    format->title = g_strdup("CPU");
    format->fmt = COL_CUSTOM;
    format->custom_fields = g_strdup(RXTX_FIELD_CPU);
    format->visible = TRUE;
    ws_column_show_text(format);
    return format;
}

static void free_format(fmt_data *format)
{
    g_free(format->title);
    g_free(format->custom_fields);
    g_free(format);
}

/* What Wireshark remembers of the columns' widths is a list beside that of the columns, and which width is whose is
 * told by its place alone from 4.4 on (recent.c). The list is not a plugin's to change, and read before any plugin is
 * there: ours takes the width of the column behind it, Info's, which goes out of sight. But the file is written before
 * protocols are shut down: from the next start on, ours has its usual width, and Info what is left. */
static void forget_width(void)
{
    g_autofree char *path = get_persconffile_path("recent", TRUE);
    g_autoptr(GRegex) taken = g_regex_new("(%Cus:" RXTX_FIELD_CPU "\"?, )\\d+", 0, 0, NULL);
    g_autofree char *text = NULL, *mended = NULL;

    if (!column.out_of_step || !g_file_get_contents(path, &text, NULL, NULL))
        return;
    mended = g_regex_replace(taken, text, -1, 0, "\\1-1", 0, NULL);
    if (mended != NULL && strcmp(mended, text) != 0)
        g_file_set_contents(path, mended, -1, NULL);
}

/* Whether there are widths for the columns, and none for ours. */
static bool widths_are_without_ours(void)
{
    g_autofree char *path = get_persconffile_path("recent", TRUE);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "\ncolumn.width:") != NULL &&
           strstr(text, "%Cus:" RXTX_FIELD_CPU) == NULL;
}

static void *rebuild(capture_file *file, void *unused G_GNUC_UNUSED)
{
    col_cleanup(&file->cinfo);
    build_column_format_array(&file->cinfo, prefs.num_cols, FALSE);
    return NULL;
}

/* Of an open file Wireshark builds the list anew only if there is a custom column already (fieldsChanged in
 * wireshark_main_window_slots.cpp); without one, the text of Info would stand in ours. */
static void add(void)
{
    GList *info = g_list_find_custom(prefs.col_list, NULL, is_info);

    prefs.col_list = g_list_insert_before(prefs.col_list, info, new_format());
    prefs.num_cols++;
    column.out_of_step |= RXTX_WS_WIDTHS_BY_INDEX && widths_are_without_ours();
    g_free(column.added_profile);
    column.added_profile = g_strdup(get_profile_name());
    plugin_if_get_capture_file(rebuild, NULL);
}

/* The Preferences dialog saves first and applies then (preferences_dialog.cpp), so the column that the user has just
 * turned off is in the file by now, and would be back as the user's own with the next start. */
static void save(void)
{
    char *path = NULL;

    write_prefs(&path); /* where the dialog could not write, it has said so */
    g_free(path);
}

static void take_out(GList *link)
{
    free_format((fmt_data *)link->data);
    prefs.col_list = g_list_delete_link(prefs.col_list, link);
    prefs.num_cols--;
    column.out_of_step = true; /* once it is back */
    g_clear_pointer(&column.added_profile, g_free);
    save();
}

/* Wireshark calls apply() only after a change of our preference, and gives no other chance to touch the columns before
 * it builds the list; a change of profile brings other columns. So a change is claimed: at the start, and again
 * whenever Wireshark has taken the last one back (prefs.c, call_apply_cb; preferences_dialog.cpp). */
static void claim_change(void)
{
    column.module->prefs_changed_flags |= PREF_EFFECT_DISSECTION;
}

static gboolean claim_change_when_idle(gpointer unused G_GNUC_UNUSED)
{
    claim_change();
    return G_SOURCE_REMOVE;
}

/* The dialog makes all columns anew, so ours cannot be known by its address. But it was added because there was no
 * other for the field, so in the same profile the one that is there is ours. */
static void apply(void)
{
    GList *link;

    if (!in_gui())
        return;
    link = g_list_find_custom(prefs.col_list, NULL, shows_cpu);
    if (column.wanted && link == NULL)
        add();
    else if (!column.wanted && link != NULL && is_as_added((const fmt_data *)link->data))
        take_out(link);
    g_idle_add(claim_change_when_idle, NULL); /* not now: the flag is cleared behind us */
}

module_t *rxtx_column_register(int proto)
{
    column.module = prefs_register_protocol(proto, apply);
    prefs_register_bool_preference(column.module, "cpu_column", "Show a CPU column",
                                   "Whether the packet list has a column with the CPU that handled the packet. "
                                   "A column for the field " RXTX_FIELD_CPU " that you have made is left alone.",
                                   &column.wanted);
    /* FIELDS has Wireshark build the list's columns anew, DISSECTION what stands in them. */
    prefs_set_effect_flags_by_name(column.module, "cpu_column", PREF_EFFECT_FIELDS | PREF_EFFECT_DISSECTION);
    if (RXTX_WS_WIDTHS_BY_INDEX)
        register_shutdown_routine(forget_width);
    claim_change();
    register_init_routine(claim_change);
    return column.module;
}
