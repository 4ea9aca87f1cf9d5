/* Options for another host: whether they may go there, as what they travel, and what they are made of there. How they
 * are typed is options.c's. */
#include <string.h>

#include "base/error.h"
#include "plan/grammar.h"
#include "plan/options_parts.h"
#include "plan/plan.h"
#include "rxtxcpu/capture_format.h"

enum { FAR_FILTER_MAX = 131072 };

/* As it would be typed; NULL = nothing is set. Free with g_free. */
static char *value_text(const rxtx_options *options, const rxtx_option *row)
{
    const void *at = G_STRUCT_MEMBER_P(options, row->offset);
    const char *const *words;

    switch (row->kind) {
    case RXTX_OPTION_FLAG:
        return *(const bool *)at ? g_strdup("true") : NULL;
    case RXTX_OPTION_UINT:
        return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at);
    case RXTX_OPTION_CHOICE:
        for (const rxtx_choice *choice = row->choices; choice->name != NULL; choice++)
            if (choice->value == *(const int *)at)
                return g_strdup(choice->name);
        return NULL;
    case RXTX_OPTION_WORDS:
        words = *(const char *const *const *)at;
        return words != NULL ? g_strdup(words[0]) : NULL;
    case RXTX_OPTION_LIMIT:
        return NULL;
    default:
        return rxtx_option_is_given(options, row) ? g_strdup(*(char *const *)at) : NULL;
    }
}

/* Without a host nothing is done on one: better no capture than that of the wrong machine. */
static bool check_hostless(const rxtx_options *options, GError **error)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_autofree char *value = value_text(options, row);
        bool remote = (row->faces & RXTX_FACE_CLI) && rxtx_option_of_remote(row);
        if (remote && g_strcmp0(value, row->def) != 0)
            return rxtx_set_error(error, RXTX_ERROR_USAGE, "--%s is about another host. Name it: --remote-host HOST.",
                                  row->name);
    }
    return true;
}

const char *rxtx_options_host_label(const char *host)
{
    const char *at = strrchr(host, '@');

    return at != NULL ? at + 1 : host;
}

char *rxtx_options_way(const rxtx_options *options, unsigned host)
{
    GString *way = g_string_new(NULL);

    g_string_append_printf(way, " --remote-host %s", options->remote_hosts[host]);
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_autofree char *value = value_text(options, row);
        g_autofree char *quoted = value != NULL ? g_shell_quote(value) : NULL;
        bool leads = rxtx_option_of_remote(row) && (row->faces & RXTX_FACE_CLI) && row->kind != RXTX_OPTION_WORDS;
        if (leads && g_strcmp0(value, row->def) != 0)
            g_string_append_printf(way, row->kind == RXTX_OPTION_FLAG ? " --%s" : " --%s %s", row->name, quoted);
    }
    return g_string_free(way, FALSE);
}

static bool check_users(const rxtx_options *options, GError **error)
{
    for (char **host = options->remote_hosts; host != NULL && *host != NULL; host++)
        if (options->remote_username != NULL && strchr(*host, '@') != NULL)
            return rxtx_set_error(error, RXTX_ERROR_USAGE,
                                  "'%s' and --remote-username both say who to be. Leave one out.", *host);
    return true;
}

static bool check_hosts(char **hosts, GError **error)
{
    for (char **a = hosts; hosts != NULL && *a != NULL; a++)
        for (char **b = a + 1; *b != NULL; b++)
            if (strcmp(rxtx_options_host_label(*a), rxtx_options_host_label(*b)) == 0)
                return rxtx_set_error(error, RXTX_ERROR_USAGE, "The remote host '%s' is given twice.", *b);
    return true;
}

bool rxtx_options_check_remote(const rxtx_options *options, GError **error)
{
    if (!rxtx_options_remote(options))
        return options->face != RXTX_FACE_CLI || options->serve || check_hostless(options, error);
    if (options->interface != NULL && !rxtx_is_interface(options->interface))
        return rxtx_set_error(error, RXTX_ERROR_USAGE,
                              "Invalid interface '%s'. Give a name of at most 15 bytes without spaces, / and :, that "
                              "does not begin with -.",
                              options->interface);
    if (options->filter != NULL && !g_utf8_validate(options->filter, -1, NULL))
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "The filter for another host has to be UTF-8.");
    if (options->filter != NULL && strlen(options->filter) > FAR_FILTER_MAX)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "The filter is too long to be sent: at most %d bytes.",
                              FAR_FILTER_MAX);
    return check_users(options, error) && check_hosts(options->remote_hosts, error);
}

/* Wireshark has two fields for it. */
static void join_filters(rxtx_options *options)
{
    g_autofree char *first = g_steal_pointer(&options->filter), *second = g_steal_pointer(&options->remote_filter);
    bool both = first != NULL && *first != '\0' && second != NULL;

    if (both)
        options->filter = g_strdup_printf("(%s) and (%s)", first, second);
    else
        options->filter = second != NULL ? g_steal_pointer(&second) : g_steal_pointer(&first);
}

/* To count packets, their beginnings are enough. */
void rxtx_options_settle_remote(rxtx_options *options)
{
    join_filters(options);
    options->wait_for_link = options->face == RXTX_FACE_CLI;
    if (!rxtx_options_remote(options))
        return;
    options->one_linktype = options->interface == NULL && rxtx_plan_wants_pcap(options);
    if (options->face == RXTX_FACE_CLI && options->write == NULL)
        options->snaplen = RXTX_SNAPLEN_MIN;
}

GVariant *rxtx_options_request(const rxtx_options *options)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ss)"));
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_autofree char *value = row->faces & RXTX_FACE_SERVE ? value_text(options, row) : NULL;
        g_autofree char *valid = value != NULL ? g_utf8_make_valid(value, -1) : NULL;
        if (valid != NULL && g_strcmp0(valid, row->def) != 0)
            g_variant_builder_add(&builder, "(ss)", row->name, valid);
    }
    return g_variant_builder_end(&builder);
}

/* A flag that is set travels as `true`, one that is not does not. */
static bool take_value(rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
{
    if (row->kind == RXTX_OPTION_FLAG && strcmp(value, "true") != 0)
        return rxtx_option_invalid(options, row, value, error);
    return rxtx_option_set(options, row, value, error);
}

static bool take_pair(rxtx_options *options, const char *name, const char *value, GError **error)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if ((row->faces & RXTX_FACE_SERVE) && strcmp(row->name, name) == 0)
            return take_value(options, row, value, error);
    return rxtx_set_error(error, RXTX_ERROR_USAGE, "This rxtxcpu (%s) does not know the option '%s'.", RXTX_VERSION,
                          name);
}

rxtx_options *rxtx_options_from_request(GVariant *request, GError **error)
{
    g_autoptr(rxtx_options) options = g_new0(rxtx_options, 1);
    const char *name, *value;
    GVariantIter iter;

    options->program = "rxtxcpu";
    options->face = RXTX_FACE_SERVE;
    rxtx_options_set_defaults(options);
    g_variant_iter_init(&iter, request);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &value))
        if (!take_pair(options, name, value, error))
            return NULL;
    if (!rxtx_options_check_lists(options, error))
        return NULL;
    if (options->interface != NULL && !rxtx_is_interface(options->interface)) {
        rxtx_set_error(error, RXTX_ERROR_USAGE, "Invalid interface.");
        return NULL;
    }
    return g_steal_pointer(&options);
}
