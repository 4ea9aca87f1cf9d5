/* Any bytes as a request, as lines NAME=VALUE and as a GVariant: it is refused with a sentence, or becomes options that
 * keep their ranges, touch nothing but the capture and ask for the same when they are asked for again. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "plan/cpuset.h"
#include "plan/grammar.h"
#include "plan/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const rxtx_option *row_of(const char *name)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if ((row->faces & RXTX_FACE_SERVE) && strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* ---- promises ---- */

static void check_ranges(const rxtx_options *options)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        const void *at = G_STRUCT_MEMBER_P(options, row->offset);
        if (row->kind == RXTX_OPTION_UINT && (row->faces & RXTX_FACE_SERVE))
            g_assert_true(*(const guint64 *)at >= row->min && *(const guint64 *)at <= row->max);
    }
    g_assert_true(options->direction >= RXTX_DIRECTION_RX && options->direction <= RXTX_DIRECTION_RXTX);
    g_assert_true(options->group >= RXTX_GROUP_CPU && options->group <= RXTX_GROUP_NUMA);
    g_assert_true(options->interface == NULL || rxtx_is_interface(options->interface));
    g_assert_true(rxtx_options_list(options) == NULL || rxtx_options_mask(options) == NULL);
}

static void check_sets(const rxtx_options *options)
{
    const char *const lists[] = {options->cpu_list, options->queue_list, options->numa_list, options->worker_cpus};
    const char *const masks[] = {options->cpu_mask, options->queue_mask, options->numa_mask};
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_assert_true(lists[i] == NULL || rxtx_cpuset_parse_list(set, lists[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(masks); i++)
        g_assert_true(masks[i] == NULL || rxtx_cpuset_parse_mask(set, masks[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(lists) - 1; i++)
        g_assert_true(lists[i] == NULL || lists[i] == rxtx_options_list(options));
}

/* What the near end keeps to itself is as if nobody had said anything. */
static void check_nothing_else(const rxtx_options *options)
{
    const char *const none[] = {options->write,           options->fifo,          options->control_in,
                                options->control_out,     options->sshkey,        options->proxycommand,
                                options->remote_username, options->remote_filter, options->extcap_interface};

    for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
        g_assert_null(none[i]);
    g_assert_cmpint(options->face, ==, RXTX_FACE_SERVE);
    g_assert_cmpstr(options->program, ==, "rxtxcpu");
    g_assert_cmpstr(options->remote_program, ==, "rxtxcpu");
    g_assert_null(options->remote_hosts);
    g_assert_false(options->capture || options->serve || options->remote_deploy || options->version || options->help);
    g_assert_cmpuint(options->count + options->duration + options->remote_port + options->stats, ==, 0);
    g_assert_cmpint(options->remote_priv, ==, RXTX_PRIV_NONE);
}

/* The last of several counts. */
static const char *value_in(GVariant *request, const char *name)
{
    const char *key, *value, *last = NULL;
    GVariantIter iter;

    g_variant_iter_init(&iter, request);
    while (g_variant_iter_next(&iter, "(&s&s)", &key, &value))
        last = strcmp(key, name) == 0 ? value : last;
    return last;
}

/* As set_uint reads them: a sign, leading zeros and blanks in front do not count. */
static bool same_value(const rxtx_option *row, const char *a, const char *b)
{
    if (row->kind == RXTX_OPTION_UINT)
        return g_ascii_strtoull(a, NULL, 10) == g_ascii_strtoull(b, NULL, 10);
    return strcmp(a, b) == 0;
}

/* Each row says in both what it said, or what is its default where it says nothing. */
static void check_same(GVariant *request, GVariant *again)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        const char *before = value_in(request, row->name), *after = value_in(again, row->name);
        const char *unsaid = row->def != NULL ? row->def : "";
        g_assert_true(after == NULL || (row->faces & RXTX_FACE_SERVE));
        g_assert_true(after == NULL || !same_value(row, after, unsaid));
        g_assert_true(same_value(row, before != NULL ? before : unsaid, after != NULL ? after : unsaid));
    }
}

static void check_once(GVariant *again)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    const char *name, *value;
    GVariantIter iter;

    g_variant_iter_init(&iter, again);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &value)) {
        g_assert_nonnull(row_of(name));
        g_assert_true(g_hash_table_add(names, (char *)name));
    }
}

static void check_good(GVariant *request, const rxtx_options *options)
{
    g_autoptr(GVariant) again = g_variant_ref_sink(rxtx_options_request(options)), third = NULL;
    g_autoptr(rxtx_options) same = rxtx_options_from_request(again, NULL);

    check_ranges(options);
    check_sets(options);
    check_nothing_else(options);
    check_once(again);
    check_same(request, again);
    g_assert_nonnull(same);
    third = g_variant_ref_sink(rxtx_options_request(same));
    g_assert_true(g_variant_equal(again, third));
}

static void check_request(GVariant *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = rxtx_options_from_request(request, &error);

    g_assert_true((options == NULL) == (error != NULL));
    if (options != NULL)
        check_good(request, options);
    else
        g_assert_true(g_error_matches(error, RXTX_ERROR, RXTX_ERROR_USAGE) && *error->message != '\0');
}

/* ---- bytes ---- */

static GVariant *of_lines(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup(size > 0 ? (const char *)data : "", size), *valid = g_utf8_make_valid(text, -1);
    g_auto(GStrv) lines = g_strsplit(valid, "\n", -1);
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ss)"));
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) parts = g_strsplit(*line, "=", 2);
        if (parts[0] != NULL && parts[1] != NULL)
            g_variant_builder_add(&builder, "(ss)", parts[0], parts[1]);
    }
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GVariant) lines = of_lines(data, size), value = NULL;
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);

    check_request(lines);
    value = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE("a(ss)"), bytes, FALSE));
    if (g_variant_is_normal_form(value)) /* message.c lets nothing else through */
        check_request(value);
    return 0;
}
