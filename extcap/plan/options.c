/* THE option table and the parser that fills rxtx_options by it. How options are shown (--help, Wireshark's dialog)
 * is ui/'s, what they mean on this machine is plan.c's. */
#include "plan/options.h"

#include <getopt.h>
#include <string.h>

#include "base/error.h"
#include "plan/cpuset.h"
#include "rxtxcpu/capture_format.h"

#define AT(member) offsetof(rxtx_options, member)
#define STR_(number) #number
#define STR(number) STR_(number)

static const rxtx_choice directions[] = {
    {"rxtx", "Received and sent", RXTX_DIRECTION_RXTX},
    {"rx", "Received", RXTX_DIRECTION_RX},
    {"tx", "Sent", RXTX_DIRECTION_TX},
    {NULL, NULL, 0},
};

static const rxtx_choice annotations[] = {
    {"interface", "Interface (one for each CPU)", RXTX_ANNOTATE_INTERFACE},
    {"comment", "Packet comment", RXTX_ANNOTATE_COMMENT},
    {"both", "Both", RXTX_ANNOTATE_BOTH},
    {NULL, NULL, 0},
};

enum { CLI = RXTX_FACE_CLI, EXTCAP = RXTX_FACE_EXTCAP, BOTH = CLI | EXTCAP };

static const char cpus_tab[] = "CPUs";
static const char capture_tab[] = "Capture";

const rxtx_option rxtx_option_table[] = {
    {"annotate", 0, RXTX_OPTION_CHOICE, AT(annotate), "WHERE", "interface", 0, 0, annotations, BOTH, 3, cpus_tab,
     "Write the CPU as",
     "Where the CPU of each packet is written: in its interface (costs nothing), in a packet comment "
     "(for tools that show only comments), or in both."},
    {"buffer-size", 'B', RXTX_OPTION_UINT, AT(buffer), "MIB", "64", 1, 65536, NULL, BOTH, 7, capture_tab,
     "Buffer (MiB)",
     "Kernel memory for packets that wait to be written, in MiB for all CPUs together; each CPU has at "
     "least 1 MiB."},
    {"count", 'c', RXTX_OPTION_UINT, AT(count), "N", "0", 0, G_MAXINT64, NULL, BOTH, 4, capture_tab,
     "Stop after packets (0: no limit)", "Stop after exactly this many packets in total; 0 is no limit."},
    {"cpu-list", 'l', RXTX_OPTION_LIST, AT(cpu_list), "CPULIST", NULL, 0, 0, NULL, BOTH, 1, cpus_tab,
     "CPUs (none: all)", "Capture only what these CPUs handle, for instance 0,2-4,6; none chosen is all."},
    {"cpu-mask", 'm', RXTX_OPTION_MASK, AT(cpu_mask), "CPUMASK", NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Capture only what the CPUs of this hexadecimal mask handle."},
    {"direction", 'd', RXTX_OPTION_CHOICE, AT(direction), "DIRECTION", "rxtx", 0, 0, directions, BOTH, 2, cpus_tab,
     "Direction", "Capture packets that are received, that are sent, or both."},
    {"duration", 0, RXTX_OPTION_UINT, AT(duration), "SECONDS", "0", 0, G_MAXINT32 / 1000, NULL, BOTH, 5, capture_tab,
     "Stop after seconds (0: no limit)", "Stop after this many seconds; 0 is no limit."},
    {"filter", 'f', RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Capture only packets that match this filter in libpcap's syntax, for instance 'tcp port 443'."},
    {"help", 'h', RXTX_OPTION_FLAG, AT(help), NULL, NULL, 0, 0, NULL, CLI, 0, NULL, NULL, "Show this help and exit."},
    {"packet-buffered", 'U', RXTX_OPTION_FLAG, AT(packet_buffered), NULL, NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Write each packet as soon as it is captured."},
    {"promiscuous", 'p', RXTX_OPTION_FLAG, AT(promiscuous), NULL, NULL, 0, 0, NULL, BOTH, 8, capture_tab,
     "Promiscuous mode", "Also receive packets that are meant for other hosts."},
    {"snaplen", 's', RXTX_OPTION_UINT, AT(snaplen), "BYTES", STR(RXTX_SNAPLEN_MAX), RXTX_SNAPLEN_MIN, RXTX_SNAPLEN_MAX,
     NULL, BOTH, 6, capture_tab, "Snapshot length (bytes)", "Keep at most this many bytes of each packet."},
    {"verbose", 'v', RXTX_OPTION_FLAG, AT(verbose), NULL, NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Say on stderr what is done."},
    {"version", 'V', RXTX_OPTION_FLAG, AT(version), NULL, NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Show the version and exit."},
    {"write", 'w', RXTX_OPTION_STRING, AT(write), "FILE", NULL, 0, 0, NULL, CLI, 0, NULL, NULL,
     "Write the packets to FILE (pcapng, in the order of time), '-' is stdout."},

    {"capture", 0, RXTX_OPTION_FLAG, AT(capture), NULL, NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL, "Capture."},
    {"extcap-interfaces", 0, RXTX_OPTION_FLAG, AT(extcap_interfaces), NULL, NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "List the interfaces."},
    {"extcap-dlts", 0, RXTX_OPTION_FLAG, AT(extcap_dlts), NULL, NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "List the interface's link types."},
    {"extcap-config", 0, RXTX_OPTION_FLAG, AT(extcap_config), NULL, NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "List the interface's options."},
    {"extcap-reload-option", 0, RXTX_OPTION_STRING, AT(reload_option), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "List one option's values anew."},
    {"extcap-interface", 0, RXTX_OPTION_STRING, AT(extcap_interface), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "The interface."},
    {"extcap-capture-filter", 0, RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "The capture filter; without --capture: check it."},
    {"fifo", 0, RXTX_OPTION_STRING, AT(fifo), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL, "Where the packets go."},
    {"extcap-control-in", 0, RXTX_OPTION_STRING, AT(control_in), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "Messages from Wireshark's toolbar."},
    {"extcap-control-out", 0, RXTX_OPTION_STRING, AT(control_out), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, NULL, NULL,
     "Messages to Wireshark's toolbar."},
    {0},
};

/* What would have been right. Free with g_free. */
static char *right_values(const rxtx_option *row)
{
    GString *text = g_string_new(NULL);

    for (const rxtx_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
        g_string_append_printf(text, "%s%s",
                               text->len == 0           ? ""
                               : choice[1].name != NULL ? ", "
                                                        : " or ",
                               choice->name);
    if (row->kind == RXTX_OPTION_UINT)
        g_string_append_printf(text, "a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, row->min,
                               row->max);
    if (row->kind == RXTX_OPTION_LIST)
        g_string_append(text, "numbers and ranges, for instance 0,2-4,6");
    if (row->kind == RXTX_OPTION_MASK)
        g_string_append(text, "a hexadecimal number without 0x, for instance 5d");
    return g_string_free(text, FALSE);
}

/* Options that the original had keep its very line, which scripts may compare; the usage that follows helps there. What
 * the user calls the value: cpu-list is "cpu list". */
static bool invalid(const rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
{
    static const char original[] = "cdlm";
    g_autofree char *words = g_strdelimit(g_strdup(row->name), "-", ' ');
    g_autofree char *right = right_values(row);
    bool bare = options->face == RXTX_FACE_CLI && row->letter != 0 && strchr(original, row->letter) != NULL;

    return rxtx_set_error(error, RXTX_ERROR_USAGE, bare ? "Invalid %s '%s'." : "Invalid %s '%s'. Give %s.", words,
                          value, right);
}

static bool set_choice(const rxtx_options *options, const rxtx_option *row, int *at, const char *value, GError **error)
{
    for (const rxtx_choice *choice = row->choices; choice->name != NULL; choice++)
        if (strcmp(choice->name, value) == 0) {
            *at = choice->value;
            return true;
        }
    return invalid(options, row, value, error);
}

static bool set_string(char **at, const char *value)
{
    g_free(*at);
    *at = g_strdup(value);
    return true;
}

/* In Wireshark's dialog nothing checked is an empty list, and means all. */
static bool is_set(const rxtx_options *options, const rxtx_option *row, const char *value)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    if (options->face == RXTX_FACE_EXTCAP && *value == '\0')
        return true;
    return row->kind == RXTX_OPTION_LIST ? rxtx_cpuset_parse_list(set, value) : rxtx_cpuset_parse_mask(set, value);
}

static bool set_value(rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
{
    void *at = G_STRUCT_MEMBER_P(options, row->offset);

    switch (row->kind) {
    case RXTX_OPTION_FLAG:
        *(bool *)at = true;
        return true;
    case RXTX_OPTION_UINT:
        return g_ascii_string_to_unsigned(value, 10, row->min, row->max, at, NULL) ||
               invalid(options, row, value, error);
    case RXTX_OPTION_STRING:
        return set_string(at, value);
    case RXTX_OPTION_CHOICE:
        return set_choice(options, row, at, value, error);
    case RXTX_OPTION_LIST:
    case RXTX_OPTION_MASK:
        return is_set(options, row, value) ? set_string(at, value) : invalid(options, row, value, error);
    }
    g_assert_not_reached();
}

static void set_defaults(rxtx_options *options)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->def != NULL) {
            bool legal = set_value(options, row, row->def, NULL);
            g_assert(legal);
        }
    if (strcmp(options->program, "rxcpu") == 0)
        options->direction = RXTX_DIRECTION_RX;
    if (strcmp(options->program, "txcpu") == 0)
        options->direction = RXTX_DIRECTION_TX;
}

static rxtx_face face_of(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (g_str_has_prefix(argv[i], "--extcap") || strcmp(argv[i], "--capture") == 0)
            return RXTX_FACE_EXTCAP;
    return RXTX_FACE_CLI;
}

/* getopt_long's view of the rows of one face. val is the row's index + 256, so that it meets no letter. */
enum { FIRST_ROW = 256 };

static struct option *long_options(rxtx_face face, GString *letters)
{
    GArray *list = g_array_new(TRUE, TRUE, sizeof(struct option));

    g_string_assign(letters, ":");
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        bool argument = row->kind != RXTX_OPTION_FLAG;
        struct option option = {row->name, argument ? required_argument : no_argument, NULL,
                                FIRST_ROW + (int)(row - rxtx_option_table)};
        if (!(row->faces & (int)face))
            continue;
        g_array_append_val(list, option);
        if (row->letter != 0)
            g_string_append_printf(letters, "%c%s", row->letter, argument ? ":" : "");
    }
    return (struct option *)(void *)g_array_free(list, FALSE);
}

static const rxtx_option *row_of(int val)
{
    if (val >= FIRST_ROW)
        return &rxtx_option_table[val - FIRST_ROW];
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->letter == val)
            return row;
    return NULL;
}

/* Wireshark may come to pass --extcap-* options that we do not know yet: they are no error (extcap(4)). */
static bool unknown_to_us(const char *word, const struct option *known)
{
    if (!g_str_has_prefix(word, "--extcap-"))
        return false;
    for (size_t length = strcspn(word + 2, "="); known->name != NULL; known++)
        if (strlen(known->name) == length && strncmp(known->name, word + 2, length) == 0)
            return false;
    return true;
}

static int drop_unknown_extcap(int argc, char **argv, const struct option *known)
{
    int kept = 1;

    for (int i = 1; i < argc; i++)
        if (!unknown_to_us(argv[i], known))
            argv[kept++] = argv[i];
    argv[kept] = NULL;
    return kept;
}

static bool misread(int result, char **argv, GError **error)
{
    const char *word = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};

    if (result == ':')
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "Option '%s' requires an argument.", word);
    if (optopt != 0 && !g_str_has_prefix(word, "--"))
        word = letter;
    return rxtx_set_error(error, RXTX_ERROR_USAGE, "Unrecognized option '%s'.", word);
}

static bool take_operands(rxtx_options *options, int argc, char **argv, GError **error)
{
    g_autoptr(GString) all = NULL;

    if (options->face == RXTX_FACE_EXTCAP)
        return true;
    if (argc - optind <= 1) {
        options->interface = g_strdup(argv[optind]);
        return true;
    }
    all = g_string_new(NULL);
    for (int i = optind; i < argc; i++)
        g_string_append_printf(all, "%s'%s'", i > optind ? ", " : "", argv[i]);
    return rxtx_set_error(error, RXTX_ERROR_USAGE, "Only one interface argument is allowed (got [ %s ]).", all->str);
}

static bool take_extcap_interface(rxtx_options *options, GError **error)
{
    if (options->extcap_interface == NULL)
        return true;
    if (!g_str_has_prefix(options->extcap_interface, RXTX_EXTCAP_PREFIX))
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No such interface '%s': ours begin with '%s'.",
                              options->extcap_interface, RXTX_EXTCAP_PREFIX);
    options->interface = g_strdup(options->extcap_interface + strlen(RXTX_EXTCAP_PREFIX));
    return true;
}

static bool parse_words(rxtx_options *options, int argc, char **argv, GError **error)
{
    g_autoptr(GString) letters = g_string_new(NULL);
    g_autofree struct option *known = long_options(options->face, letters);
    bool good = true;
    int result;

    if (options->face == RXTX_FACE_EXTCAP)
        argc = drop_unknown_extcap(argc, argv, known);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    while ((result = getopt_long(argc, argv, letters->str, known, NULL)) != -1) {
        const rxtx_option *row = row_of(result);
        bool this_good = row != NULL ? set_value(options, row, optarg, good ? error : NULL)
                                     : misread(result, argv, good ? error : NULL);
        good = good && this_good;
        if ((!good && options->face == RXTX_FACE_CLI) || options->version)
            return good;
    }
    return good && take_operands(options, argc, argv, error);
}

rxtx_options *rxtx_options_parse(int argc, char **argv, GError **error)
{
    rxtx_options *options = g_new0(rxtx_options, 1);
    const char *slash = strrchr(argv[0], '/');

    options->program = slash != NULL ? slash + 1 : argv[0];
    options->face = face_of(argc, argv);
    set_defaults(options);
    if (!parse_words(options, argc, argv, error) || !take_extcap_interface(options, error) || options->help)
        return options;
    if (options->cpu_list != NULL && options->cpu_mask != NULL)
        rxtx_set_error(error, RXTX_ERROR_USAGE, "-l [--cpu-list] and -m [--cpu-mask] are mutually exclusive.");
    return options;
}

void rxtx_options_free(rxtx_options *options)
{
    if (options == NULL)
        return;
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->kind == RXTX_OPTION_STRING || row->kind == RXTX_OPTION_LIST || row->kind == RXTX_OPTION_MASK)
            g_clear_pointer((char **)G_STRUCT_MEMBER_P(options, row->offset), g_free);
    g_free(options->interface);
    g_free(options);
}
