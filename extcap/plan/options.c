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

static const rxtx_choice groups[] = {
    {"cpu", "CPU", RXTX_GROUP_CPU},
    {"queue", "Queue of the interface", RXTX_GROUP_QUEUE},
    {"numa", "NUMA node", RXTX_GROUP_NUMA},
    {NULL, NULL, 0},
};

static const rxtx_choice formats[] = {
    {"auto", "By the file's name", RXTX_FORMAT_AUTO},
    {"pcap", "pcap, a file for each CPU", RXTX_FORMAT_PCAP},
    {"pcapng", "pcapng, one file", RXTX_FORMAT_PCAPNG},
    {NULL, NULL, 0},
};

/* What the links are called, and what that says. Any other name is rxtxcpu. */
static const struct {
    const char *program;
    rxtx_group group;
    rxtx_direction direction;
} names[] = {
    {"rxtxcpu", RXTX_GROUP_CPU, RXTX_DIRECTION_RXTX},   {"rxcpu", RXTX_GROUP_CPU, RXTX_DIRECTION_RX},
    {"txcpu", RXTX_GROUP_CPU, RXTX_DIRECTION_TX},       {"rxtxqueue", RXTX_GROUP_QUEUE, RXTX_DIRECTION_RXTX},
    {"rxqueue", RXTX_GROUP_QUEUE, RXTX_DIRECTION_RX},   {"txqueue", RXTX_GROUP_QUEUE, RXTX_DIRECTION_TX},
    {"rxtxnuma", RXTX_GROUP_NUMA, RXTX_DIRECTION_RXTX}, {"rxnuma", RXTX_GROUP_NUMA, RXTX_DIRECTION_RX},
    {"txnuma", RXTX_GROUP_NUMA, RXTX_DIRECTION_TX},
};

enum { CLI = RXTX_FACE_CLI, EXTCAP = RXTX_FACE_EXTCAP, BOTH = CLI | EXTCAP };
enum { CPU = RXTX_GROUP_CPU, QUEUE = RXTX_GROUP_QUEUE, NUMA = RXTX_GROUP_NUMA };

static const char cpus_tab[] = "CPUs";
static const char capture_tab[] = "Capture";

const rxtx_option rxtx_option_table[] = {
    {"annotate", 0, RXTX_OPTION_CHOICE, AT(annotate), "WHERE", "interface", 0, 0, annotations, BOTH, 0, 4, cpus_tab,
     "Write the CPU as",
     "Where the CPU of each packet is written: in its interface (costs nothing), in a packet comment "
     "(for tools that show only comments), or in both."},
    {"autostop", 'a', RXTX_OPTION_LIMIT, AT(autostop), "LIMIT", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Stop after duration:SECONDS, filesize:KB (of 1000 bytes, the largest file), packets:N or files:N; may be given "
     "several times."},
    {"buffer-size", 'B', RXTX_OPTION_UINT, AT(buffer), "MIB", "64", 1, 65536, NULL, BOTH, 0, 8, capture_tab,
     "Buffer (MiB)",
     "Kernel memory for packets that wait to be written, in MiB for all CPUs together; each CPU has at "
     "least 1 MiB."},
    {"count", 'c', RXTX_OPTION_UINT, AT(count), "N", "0", 0, G_MAXINT64, NULL, BOTH, 0, 5, capture_tab,
     "Stop after packets (0: no limit)", "Stop after exactly this many packets in total; 0 is no limit."},
    {"cpu-list", 'l', RXTX_OPTION_LIST, AT(cpu_list), "CPULIST", NULL, 0, 0, NULL, BOTH, CPU, 2, cpus_tab,
     "CPUs (none: all)", "Capture only what these CPUs handle, for instance 0,2-4,6; none chosen is all."},
    {"cpu-mask", 'm', RXTX_OPTION_MASK, AT(cpu_mask), "CPUMASK", NULL, 0, 0, NULL, CLI, CPU, 0, NULL, NULL,
     "Capture only what the CPUs of this hexadecimal mask handle."},
    {"direction", 'd', RXTX_OPTION_CHOICE, AT(direction), "DIRECTION", "rxtx", 0, 0, directions, BOTH, 0, 3, cpus_tab,
     "Direction",
     "Capture packets that are received, that are sent, or both. Under names that begin with rx or tx alone, such as "
     "rxcpu, it is that."},
    {"duration", 0, RXTX_OPTION_UINT, AT(duration), "SECONDS", "0", 0, G_MAXINT32 / 1000, NULL, BOTH, 0, 6, capture_tab,
     "Stop after seconds (0: no limit)", "Stop after this many seconds; 0 is no limit."},
    {"filter", 'f', RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Capture only packets that match this filter in libpcap's syntax, for instance 'tcp port 443'."},
    {"format", 0, RXTX_OPTION_CHOICE, AT(format), "FORMAT", "auto", 0, 0, formats, CLI, 0, 0, NULL, NULL,
     "How -w writes: one pcap file for each CPU, or one pcapng file of all in the order of time; auto is pcapng for a "
     "FILE that ends in .pcapng and for several CPUs on stdout."},
    {"group", 0, RXTX_OPTION_CHOICE, AT(group), "GROUP", "cpu", 0, 0, groups, BOTH, 0, 1, cpus_tab, "Tell apart",
     "What packets are put down to: the CPU that handled them, the queue of the interface, or the CPU's NUMA node. "
     "Under the names rxtxqueue and rxtxnuma it is those."},
    {"help", 'h', RXTX_OPTION_FLAG, AT(help), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Show this help and exit."},
    {"interface", 'i', RXTX_OPTION_STRING, AT(interface), "INTERFACE", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Capture on this interface, as the operand does; without either, on all."},
    {"json", 0, RXTX_OPTION_FLAG, AT(json), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Give the counts as one JSON object instead of lines, with --stats also one a line while it runs."},
    {"list-cpus", 0, RXTX_OPTION_FLAG, AT(list_cpus), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "List the CPUs with node and state and exit."},
    {"list-interfaces", 'D', RXTX_OPTION_FLAG, AT(list_interfaces), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "List the interfaces with driver, queues and state and exit."},
    {"numa-list", 'l', RXTX_OPTION_LIST, AT(numa_list), "NUMALIST", NULL, 0, 0, NULL, CLI, NUMA, 0, NULL, NULL,
     "Capture only what the CPUs of these NUMA nodes handle, for instance 0,2-4,6."},
    {"numa-mask", 'm', RXTX_OPTION_MASK, AT(numa_mask), "NUMAMASK", NULL, 0, 0, NULL, CLI, NUMA, 0, NULL, NULL,
     "Capture only what the CPUs of the NUMA nodes of this hexadecimal mask handle."},
    {"packet-buffered", 'U', RXTX_OPTION_FLAG, AT(packet_buffered), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Write each packet as soon as it is captured."},
    {"promiscuous", 'p', RXTX_OPTION_FLAG, AT(promiscuous), NULL, NULL, 0, 0, NULL, BOTH, 0, 9, capture_tab,
     "Promiscuous mode", "Also receive packets that are meant for other hosts."},
    {"queue-list", 'l', RXTX_OPTION_LIST, AT(queue_list), "QUEUELIST", NULL, 0, 0, NULL, CLI, QUEUE, 0, NULL, NULL,
     "Capture only what passes these queues, for instance 0,2-4,6."},
    {"queue-mask", 'm', RXTX_OPTION_MASK, AT(queue_mask), "QUEUEMASK", NULL, 0, 0, NULL, CLI, QUEUE, 0, NULL, NULL,
     "Capture only what passes the queues of this hexadecimal mask."},
    {"quiet", 'q', RXTX_OPTION_FLAG, AT(quiet), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "No status line and no table on a terminal."},
    {"ring-buffer", 'b', RXTX_OPTION_LIMIT, AT(ring), "LIMIT", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Begin a new file after duration:SECONDS, filesize:KB or packets:N, and keep the last files:N; may be given "
     "several times. Files are numbered and dated."},
    {"snaplen", 's', RXTX_OPTION_UINT, AT(snaplen), "BYTES", STR(RXTX_SNAPLEN_MAX), RXTX_SNAPLEN_MIN, RXTX_SNAPLEN_MAX,
     NULL, BOTH, 0, 7, capture_tab, "Snapshot length (bytes)", "Keep at most this many bytes of each packet."},
    {"stats", 0, RXTX_OPTION_UINT, AT(stats), "SECONDS", "0", 0, G_MAXINT32 / 1000, NULL, CLI, 0, 0, NULL, NULL,
     "Give the counts every so many seconds while it runs: as a table on stderr, with --json as a line on stdout; 0 is "
     "never."},
    {"verbose", 'v', RXTX_OPTION_FLAG, AT(verbose), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Say on stderr what is done, and close with a table."},
    {"version", 'V', RXTX_OPTION_FLAG, AT(version), NULL, NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Show the version and exit."},
    {"worker-cpus", 0, RXTX_OPTION_LIST, AT(worker_cpus), "CPULIST", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Run on these CPUs only, to keep off those under test."},
    {"write", 'w', RXTX_OPTION_STRING, AT(write), "FILE", NULL, 0, 0, NULL, CLI, 0, 0, NULL, NULL,
     "Write the packets: FILE out.pcap becomes out-0.pcap, out-1.pcap and so on, one for each CPU; out.pcapng is one "
     "file of all; '-' is stdout."},

    {"capture", 0, RXTX_OPTION_FLAG, AT(capture), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL, "Capture."},
    {"extcap-interfaces", 0, RXTX_OPTION_FLAG, AT(extcap_interfaces), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interfaces."},
    {"extcap-dlts", 0, RXTX_OPTION_FLAG, AT(extcap_dlts), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interface's link types."},
    {"extcap-config", 0, RXTX_OPTION_FLAG, AT(extcap_config), NULL, NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "List the interface's options."},
    {"extcap-reload-option", 0, RXTX_OPTION_STRING, AT(reload_option), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL,
     NULL, "List one option's values anew."},
    {"extcap-interface", 0, RXTX_OPTION_STRING, AT(extcap_interface), "NAME", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL,
     NULL, "The interface."},
    {"extcap-capture-filter", 0, RXTX_OPTION_STRING, AT(filter), "FILTER", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "The capture filter; without --capture: check it."},
    {"fifo", 0, RXTX_OPTION_STRING, AT(fifo), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Where the packets go."},
    {"extcap-control-in", 0, RXTX_OPTION_STRING, AT(control_in), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Messages from Wireshark's toolbar."},
    {"extcap-control-out", 0, RXTX_OPTION_STRING, AT(control_out), "PATH", NULL, 0, 0, NULL, EXTCAP, 0, 0, NULL, NULL,
     "Messages to Wireshark's toolbar."},
    {0},
};

/* The single letters of the original, whose users and scripts this program serves. */
static bool of_the_original(const rxtx_option *row)
{
    return row->letter != 0 && strchr("cdhlmpUvVw", row->letter) != NULL;
}

bool rxtx_option_shown(const rxtx_option *row, int group)
{
    return (row->faces & RXTX_FACE_CLI) && (row->group == 0 || row->group == group);
}

bool rxtx_option_by_name(const rxtx_option *row)
{
    return row->offset == AT(direction) || row->offset == AT(group);
}

const char *rxtx_options_list(const rxtx_options *options)
{
    const char *lists[] = {[CPU] = options->cpu_list, [QUEUE] = options->queue_list, [NUMA] = options->numa_list};

    return lists[options->group];
}

const char *rxtx_options_mask(const rxtx_options *options)
{
    const char *masks[] = {[CPU] = options->cpu_mask, [QUEUE] = options->queue_mask, [NUMA] = options->numa_mask};

    return masks[options->group];
}

const char *rxtx_group_name(int group)
{
    static const char *const texts[] = {[CPU] = "cpu", [QUEUE] = "queue", [NUMA] = "numa"};

    return texts[group];
}

const char *rxtx_group_noun(int group)
{
    static const char *const texts[] = {[CPU] = "cpu", [QUEUE] = "queue", [NUMA] = "numa node"};

    return texts[group];
}

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
    if (row->kind == RXTX_OPTION_LIMIT)
        g_string_append(text, "duration:SECONDS, filesize:KB, packets:N or files:N");
    return g_string_free(text, FALSE);
}

/* Options that the original had keep its very line, which scripts may compare; the usage that follows helps there. What
 * the user calls the value: cpu-list is "cpu list". */
static bool invalid(const rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
{
    g_autofree char *words = g_strdelimit(g_strdup(row->name), "-", ' ');
    g_autofree char *right = right_values(row);
    bool bare = options->face == RXTX_FACE_CLI && of_the_original(row);

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

/* As strtoull of the original read it, but for a sign that makes another number of it. */
static bool set_uint(const rxtx_options *options, const rxtx_option *row, guint64 *at, const char *value,
                     GError **error)
{
    const char *digits = value + strspn(value, " \t\n\v\f\r");

    digits += *digits == '+' || strcmp(digits, "-0") == 0;
    return g_ascii_string_to_unsigned(digits, 10, row->min, row->max, at, NULL) || invalid(options, row, value, error);
}

/* Durations may have a fraction, as dumpcap's; a limit of nothing is none. */
static bool set_limit(const rxtx_options *options, const rxtx_option *row, rxtx_limits *limits, const char *value,
                      GError **error)
{
    const struct {
        const char *prefix;
        guint64 *at;
    } words[] = {{"filesize:", &limits->filesize_kb}, {"packets:", &limits->packets}, {"files:", &limits->files}};
    static const char duration[] = "duration:";
    static const double longest_s = G_MAXINT32 / 1000;

    if (g_str_has_prefix(value, duration)) {
        const char *text = value + strlen(duration);
        double seconds = strspn(text, "0123456789.") == strlen(text) ? g_ascii_strtod(text, NULL) : 0;
        limits->duration_ms = (guint64)(seconds * 1000);
        return (seconds <= longest_s && limits->duration_ms > 0) || invalid(options, row, value, error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_has_prefix(value, words[i].prefix))
            return g_ascii_string_to_unsigned(value + strlen(words[i].prefix), 10, 1, G_MAXINT64 / 1000, words[i].at,
                                              NULL) ||
                   invalid(options, row, value, error);
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
        return set_uint(options, row, at, value, error);
    case RXTX_OPTION_LIMIT:
        return set_limit(options, row, at, value, error);
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
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(options->program, names[i].program) == 0) {
            options->group = names[i].group;
            options->direction = names[i].direction;
        }
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

static void add_word(GArray *list, const rxtx_option *row, const char *word)
{
    struct option option = {word, row->kind != RXTX_OPTION_FLAG ? required_argument : no_argument, NULL,
                            FIRST_ROW + (int)(row - rxtx_option_table)};

    g_array_append_val(list, option);
}

/* How many bytes of the name the original took for it: as many as no other name of that program begins with. */
static size_t unique_length(const rxtx_option *row, int group)
{
    size_t length = 1;

    for (const rxtx_option *other = rxtx_option_table; other->name != NULL; other++)
        if (other != row && of_the_original(other) && rxtx_option_shown(other, group))
            while (strncmp(row->name, other->name, length) == 0)
                length++;
    return length;
}

/* A beginning that was enough for the original is a word of its own, whatever new names begin so too: scripts say --d.
 * The words live in the chunk. */
static void add_beginnings(GArray *list, GStringChunk *chunk, const rxtx_option *row, int group)
{
    for (size_t length = unique_length(row, group); row->name[length] != '\0'; length++)
        add_word(list, row, g_string_chunk_insert_len(chunk, row->name, (gssize)length));
}

static struct option *long_options(const rxtx_options *options, GString *letters, GStringChunk *chunk)
{
    GArray *list = g_array_new(TRUE, TRUE, sizeof(struct option));

    g_string_assign(letters, ":");
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        if (!(row->faces & (int)options->face))
            continue;
        add_word(list, row, row->name);
        if (row->letter != 0)
            g_string_append_printf(letters, "%c%s", row->letter, row->kind != RXTX_OPTION_FLAG ? ":" : "");
        if (of_the_original(row) && rxtx_option_shown(row, options->group) && options->face == RXTX_FACE_CLI)
            add_beginnings(list, chunk, row, options->group);
    }
    return (struct option *)(void *)g_array_free(list, FALSE);
}

/* A letter that several groups have means the group's. */
static const rxtx_option *row_of(const rxtx_options *options, int val)
{
    if (val >= FIRST_ROW)
        return &rxtx_option_table[val - FIRST_ROW];
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->letter == val && rxtx_option_shown(row, options->group))
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
    g_autoptr(GString) all = g_string_new(NULL);

    if (options->face == RXTX_FACE_EXTCAP || optind == argc)
        return true;
    if (argc - optind == 1 && options->interface == NULL)
        return set_string(&options->interface, argv[optind]);
    if (options->interface != NULL)
        g_string_append_printf(all, "'%s', ", options->interface);
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
    return set_string(&options->interface, options->extcap_interface + strlen(RXTX_EXTCAP_PREFIX));
}

static bool parse_words(rxtx_options *options, int argc, char **argv, GError **error)
{
    g_autoptr(GString) letters = g_string_new(NULL);
    g_autoptr(GStringChunk) chunk = g_string_chunk_new(64);
    g_autofree struct option *known = long_options(options, letters, chunk);
    bool good = true;
    int result;

    if (options->face == RXTX_FACE_EXTCAP)
        argc = drop_unknown_extcap(argc, argv, known);
    optind = 0; /* glibc: start anew */
    opterr = 0;
    while ((result = getopt_long(argc, argv, letters->str, known, NULL)) != -1) {
        const rxtx_option *row = row_of(options, result);
        bool this_good = row != NULL ? set_value(options, row, optarg, good ? error : NULL)
                                     : misread(result, argv, good ? error : NULL);
        good = good && this_good;
        if ((!good && options->face == RXTX_FACE_CLI) || options->version)
            return good;
    }
    return good && take_operands(options, argc, argv, error);
}

/* ---- what does not go together ---- */

static bool is_given(const rxtx_options *options, const rxtx_option *row)
{
    const char *value = *(char *const *)G_STRUCT_MEMBER_P(options, row->offset);

    return value != NULL && *value != '\0';
}

static bool check_lists(const rxtx_options *options, GError **error)
{
    const char *name = rxtx_group_name(options->group);

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->group != 0 && row->group != options->group && is_given(options, row))
            return rxtx_set_error(error, RXTX_ERROR_USAGE, "--%s goes with --group %s, but packets are grouped by %s.",
                                  row->name, rxtx_group_name(row->group), rxtx_group_noun(options->group));
    return rxtx_options_list(options) == NULL || rxtx_options_mask(options) == NULL ||
           rxtx_set_error(error, RXTX_ERROR_USAGE, "-l [--%s-list] and -m [--%s-mask] are mutually exclusive.", name,
                          name);
}

static bool check_files(const rxtx_options *options, GError **error)
{
    const rxtx_limits *ring = &options->ring;
    bool sized = options->autostop.filesize_kb > 0 || options->autostop.files > 0;
    bool cut = ring->duration_ms > 0 || ring->filesize_kb > 0 || ring->packets > 0;

    if ((sized || cut || ring->files > 0) && (options->write == NULL || strcmp(options->write, "-") == 0))
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "%s needs files. Name them: -w FILE.",
                              sized ? "-a filesize or files" : "-b");
    if (!cut && (ring->files > 0 || options->autostop.files > 0))
        return rxtx_set_error(error, RXTX_ERROR_USAGE,
                              "A number of files needs an end for each. Add: -b filesize:KB, duration:SECONDS or "
                              "packets:N.");
    return options->format == RXTX_FORMAT_AUTO || options->write != NULL || options->face == RXTX_FACE_EXTCAP ||
           rxtx_set_error(error, RXTX_ERROR_USAGE, "--format needs a file. Name it: -w FILE.");
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
    if (check_lists(options, error))
        check_files(options, error);
    return options;
}

void rxtx_options_free(rxtx_options *options)
{
    if (options == NULL)
        return;
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->kind == RXTX_OPTION_STRING || row->kind == RXTX_OPTION_LIST || row->kind == RXTX_OPTION_MASK)
            g_clear_pointer((char **)G_STRUCT_MEMBER_P(options, row->offset), g_free);
    g_free(options);
}
