/* Sentences for Wireshark. What the options are is the table's, what the machine has is topology.c's. */
#include "ui/extcap_query.h"

#include <net/if.h>
#include <pcap/pcap.h>
#include <string.h>

#include "base/error.h"
#include "engine/device.h"
#include "plan/grammar.h"
#include "plan/topology.h"
#include "ui/reloaded.h"
#include "ui/toolbar.h"

enum { FAR_NODES = 64 };

/* A sentence is cut at braces (extcap_parser.c: extcap_tokenize_sentence). */
static bool fits_into_sentence(const char *text)
{
    return strpbrk(text, "{}") == NULL && g_utf8_validate(text, -1, NULL);
}

/* ---- interfaces ---- */

/* libpcap also lists what is no network interface: any, nflog, USB buses. */
static bool offered(const pcap_if_t *interface)
{
    return (interface->flags & PCAP_IF_UP) && if_nametoindex(interface->name) != 0 &&
           fits_into_sentence(interface->name);
}

static char *answer_interfaces(GError **error)
{
    g_autoptr(GString) text = g_string_new("extcap {version=" RXTX_VERSION "}{display=Per-CPU capture}\n");
    char reason[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t *all;

    if (pcap_findalldevs(&all, reason) != 0) {
        rxtx_set_error(error, RXTX_ERROR_KERNEL, "listing the interfaces: %s", reason);
        return NULL;
    }
    for (const pcap_if_t *interface = all; interface != NULL; interface = interface->next)
        if (offered(interface))
            g_string_append_printf(text, "interface {value=" RXTX_EXTCAP_PREFIX "%s}{display=Per-CPU capture: %s}\n",
                                   interface->name, interface->name);
    pcap_freealldevs(all);
    g_string_append(text,
                    "interface {value=" RXTX_EXTCAP_REMOTE "}{display=Per-CPU capture of another host, by ssh}\n");
    g_string_append(text, rxtx_toolbar_controls);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* ---- link types ---- */

static bool find_dlt(const rxtx_options *options, int *dlt, GError **error)
{
    if (options->interface == NULL)
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No interface given: add --extcap-interface %sNAME.",
                              RXTX_EXTCAP_PREFIX);
    return rxtx_device_guess_dlt(options->interface, dlt, error);
}

static char *answer_dlts(const rxtx_options *options, GError **error)
{
    const char *name, *description;
    int dlt = -1;

    if (rxtx_options_remote(options))
        return g_strdup("dlt {number=147}{name=" RXTX_EXTCAP_REMOTE "}{display=What the other host's interface has}\n");
    if (!find_dlt(options, &dlt, error))
        return NULL;
    name = pcap_datalink_val_to_name(dlt);
    description = pcap_datalink_val_to_description(dlt);
    return g_strdup_printf("dlt {number=%d}{name=%s}{display=%s}\n", dlt, name != NULL ? name : "unknown",
                           description != NULL ? description : "unknown");
}

/* ---- the options ---- */

static void append_cpu(GString *text, unsigned argument, const rxtx_topology *topology, unsigned cpu)
{
    g_string_append_printf(text, "value {arg=%u}{value=%u}{display=CPU %u%s}{default=false}{enabled=true}", argument,
                           cpu, cpu, rxtx_cpuset_has(&topology->online, cpu) ? "" : " (offline)");
    if (topology->node[cpu] != RXTX_NODE_UNKNOWN)
        g_string_append_printf(text, "{parent=node%d}", topology->node[cpu]);
    g_string_append_c(text, '\n');
}

static bool has_cpus(const rxtx_topology *topology, int node)
{
    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (topology->node[cpu] == node && rxtx_cpuset_has(&topology->possible, cpu))
            return true;
    return false;
}

static int highest_node(const rxtx_topology *topology)
{
    int highest = RXTX_NODE_UNKNOWN;

    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        highest = MAX(highest, topology->node[cpu]);
    return highest;
}

/* Headings first: a value's parent must have been said before it. */
static void append_cpus(GString *text, unsigned argument)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read("");
    int nodes = highest_node(topology) + 1;

    for (int node = 0; node < nodes; node++)
        if (has_cpus(topology, node))
            g_string_append_printf(text,
                                   "value {arg=%u}{value=node%d}{display=NUMA node %d}{default=false}{enabled=false}\n",
                                   argument, node, node);
    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (rxtx_cpuset_has(&topology->possible, cpu))
            append_cpu(text, argument, topology, cpu);
}

/* What is chosen from a list that the other host gives, when Reload is pressed; which Wireshark has for selectors only.
 */
static const struct {
    const char *option, *all, *reload;
} far_lists[] = {
    {"remote-interface", "All interfaces", "Reload the interfaces"},
    {"remote-cpu", "All CPUs", "Reload the CPUs"},
};

static int far_list_of(const rxtx_option *row)
{
    for (size_t i = 0; i < G_N_ELEMENTS(far_lists); i++)
        if (strcmp(far_lists[i].option, row->name) == 0)
            return (int)i;
    return -1;
}

/* Until it was asked, and before what it has: all of it. */
static void append_all(GString *text, const rxtx_option *row, unsigned argument)
{
    int list = far_list_of(row);

    if (list >= 0)
        g_string_append_printf(text, "value {arg=%u}{value=}{display=%s}{default=true}\n", argument,
                               far_lists[list].all);
}

/* A line of the other host, which may hold anything. */
static bool is_whole(char **cells, const char *line)
{
    return g_strv_length(cells) >= 4 && fits_into_sentence(line);
}

static void append_far_interface(GString *text, unsigned argument, char **cells, const char *of)
{
    g_autofree char *name = g_str_has_suffix(cells[0], "\\") ? g_strdup("") : g_strcompress(cells[0]);

    if (rxtx_is_interface(name) && fits_into_sentence(name))
        g_string_append_printf(text, "value {arg=%u}{value=%s}{display=%s (%s)%s}{default=false}\n", argument, name,
                               name, cells[1], of);
}

static void append_far_cpu(GString *text, unsigned argument, char **cells, const char *of)
{
    bool online = strcmp(cells[2], "yes") == 0;
    guint64 cpu;

    if (g_ascii_string_to_unsigned(cells[0], 10, 0, RXTX_CPUSET_MAX - 1, &cpu, NULL))
        g_string_append_printf(
            text, "value {arg=%u}{value=%" G_GUINT64_FORMAT "}{display=CPU %" G_GUINT64_FORMAT "%s%s}{default=false}\n",
            argument, cpu, cpu, online ? "" : " (offline)", of);
}

/* The CPUs of a node together, in front of each alone. */
static void append_far_nodes(GString *text, unsigned argument, char **lines, const char *of)
{
    g_autofree rxtx_cpuset *nodes = g_new0(rxtx_cpuset, FAR_NODES);
    guint64 cpu, node;

    for (; *lines != NULL; lines++) {
        g_auto(GStrv) cells = g_strsplit(*lines, "\t", -1);
        if (is_whole(cells, *lines) && g_ascii_string_to_unsigned(cells[0], 10, 0, RXTX_CPUSET_MAX - 1, &cpu, NULL) &&
            g_ascii_string_to_unsigned(cells[1], 10, 0, FAR_NODES - 1, &node, NULL))
            rxtx_cpuset_add(&nodes[node], (unsigned)cpu);
    }
    for (unsigned i = 0; i < FAR_NODES; i++) {
        g_autofree char *list = rxtx_cpuset_format(&nodes[i]);
        if (rxtx_cpuset_count(&nodes[i]) > 0)
            g_string_append_printf(text, "value {arg=%u}{value=%s}{display=NUMA node %u (CPUs %s)%s}{default=false}\n",
                                   argument, list, i, list, of);
    }
}

/* host: whose they are, if that may be another one than the dialogue's; NULL = it is not. */
static void append_far_values(GString *text, const rxtx_option *row, unsigned argument, const char *lines,
                              const char *host)
{
    g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
    g_autofree char *of = host != NULL && rxtx_is_host(host) ? g_strdup_printf(" of %s", host) : g_strdup("");
    bool cpus;

    if (!rxtx_extcap_reloads(row->name, &cpus))
        return;
    append_all(text, row, argument);
    if (cpus)
        append_far_nodes(text, argument, each, of);
    for (char **line = each; *line != NULL; line++) {
        g_auto(GStrv) cells = g_strsplit(*line, "\t", -1);
        if (is_whole(cells, *line))
            (cpus ? append_far_cpu : append_far_interface)(text, argument, cells, of);
    }
}

static void append_values(GString *text, const rxtx_option *row, unsigned argument, bool remote)
{
    g_autofree char *host = NULL, *reloaded = remote ? rxtx_reloaded_lines(row->name, &host) : NULL;

    if (remote)
        append_far_values(text, row, argument, reloaded, host);
    else if (row->kind == RXTX_OPTION_LIST)
        append_cpus(text, argument);
    for (const rxtx_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
        g_string_append_printf(text, "value {arg=%u}{value=%s}{display=%s}{default=%s}\n", argument, choice->name,
                               choice->display, strcmp(choice->name, row->def) == 0 ? "true" : "false");
}

/* extcap_parser.c reads ranges of "unsigned" into 32 bits: a wider one is left out, and our own check stands. */
static void append_number(GString *text, const rxtx_option *row)
{
    g_string_append_printf(text, "{default=%s}", row->def);
    if (row->max <= G_MAXINT32)
        g_string_append_printf(text, "{range=%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "}", row->min, row->max);
}

static const char *type_of(const rxtx_option *row)
{
    static const char *const types[] = {
        [RXTX_OPTION_FLAG] = "boolflag",   [RXTX_OPTION_UINT] = "unsigned",   [RXTX_OPTION_STRING] = "string",
        [RXTX_OPTION_CHOICE] = "selector", [RXTX_OPTION_LIST] = "multicheck", [RXTX_OPTION_MASK] = "string",
        [RXTX_OPTION_WORDS] = "string",
    };

    if (row->offset == offsetof(rxtx_options, sshkey))
        return "fileselect";
    if (far_list_of(row) >= 0)
        return "selector";
    return rxtx_option_of_remote(row) && row->kind == RXTX_OPTION_LIST ? "string" : types[row->kind];
}

static void append_argument(GString *text, const rxtx_option *row, unsigned argument)
{
    g_string_append_printf(text, "arg {number=%u}{call=--%s}{display=%s}{type=%s}{tooltip=%s}{group=%s}", argument,
                           row->name, row->display, type_of(row), row->help, row->tab);
    if (row->kind == RXTX_OPTION_UINT)
        append_number(text, row);
    if (row->kind == RXTX_OPTION_FLAG)
        g_string_append(text, "{default=false}");
    if (far_list_of(row) >= 0)
        g_string_append_printf(text, "{reload=true}{placeholder=%s}", far_lists[far_list_of(row)].reload);
    else if (row->kind == RXTX_OPTION_LIST && !rxtx_option_of_remote(row))
        g_string_append(text, "{reload=true}{placeholder=Reload the CPUs}");
    if (row->offset == offsetof(rxtx_options, remote_hosts))
        g_string_append(text, "{required=true}{placeholder=web1, or user@web1}");
    if (row->kind == RXTX_OPTION_STRING && row->def != NULL)
        g_string_append_printf(text, "{default=%s}", row->def);
    g_string_append_c(text, '\n');
}

/* All of it, or with a name the values of that option alone. */
static char *answer_config(bool remote, const char *reload)
{
    GString *text = g_string_new(NULL);
    const rxtx_option *row;

    for (unsigned argument = 0; (row = rxtx_option_in_dialog(remote, argument)) != NULL; argument++) {
        if (reload == NULL)
            append_argument(text, row, argument);
        if (reload == NULL || strcmp(row->name, reload) == 0)
            append_values(text, row, argument, remote);
    }
    return g_string_free(text, FALSE);
}

/* ---- what another host has ---- */

static unsigned place_of(const char *name)
{
    const rxtx_option *row;
    unsigned argument = 0;

    while ((row = rxtx_option_in_dialog(true, argument)) != NULL && strcmp(row->name, name) != 0)
        argument++;
    return argument;
}

bool rxtx_extcap_reloads(const char *option, bool *cpus)
{
    *cpus = strcmp(option, "remote-cpu") == 0;
    return *cpus || strcmp(option, "remote-interface") == 0;
}

char *rxtx_extcap_values(const char *option, const char *lines)
{
    GString *text = g_string_new(NULL);
    unsigned argument = place_of(option);

    append_far_values(text, rxtx_option_in_dialog(true, argument), argument, lines, NULL);
    return g_string_free(text, FALSE);
}

char *rxtx_extcap_no_values(const char *option, const char *why)
{
    g_autofree char *line = g_strndup(why, strcspn(why, "\n"));

    return g_strdup_printf("value {arg=%u}{value=}{display=%s}{default=true}\n", place_of(option),
                           g_strdelimit(line, "{}", '?'));
}

/* ---- the capture filter ---- */

/* The other host's link type is not known: what is right for one that there may be is not refused here. */
static char *answer_far_filter(const char *filter)
{
    static const int dlts[] = {DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO};
    g_autofree char *first = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(dlts); i++) {
        g_autofree char *why = NULL;
        if (rxtx_device_check_filter(dlts[i], filter, &why))
            return g_strdup("");
        if (first == NULL)
            first = g_steal_pointer(&why);
    }
    return g_strconcat(first, "\n", NULL);
}

static char *answer_filter(const rxtx_options *options, GError **error)
{
    g_autofree char *why = NULL;
    int dlt = -1;

    if (rxtx_options_remote(options))
        return answer_far_filter(options->filter);
    if (!find_dlt(options, &dlt, error))
        return NULL;
    return rxtx_device_check_filter(dlt, options->filter, &why) ? g_strdup("") : g_strconcat(why, "\n", NULL);
}

char *rxtx_extcap_answer(const rxtx_options *options, GError **error)
{
    if (options->extcap_interfaces)
        return answer_interfaces(error);
    if (options->extcap_dlts)
        return answer_dlts(options, error);
    if (options->extcap_config)
        return answer_config(rxtx_options_remote(options), options->reload_option);
    if (options->filter != NULL)
        return answer_filter(options, error);
    rxtx_set_error(
        error, RXTX_ERROR_USAGE,
        "Nothing to do: Wireshark calls with --extcap-interfaces, --extcap-config, --extcap-dlts or --capture.");
    return NULL;
}
