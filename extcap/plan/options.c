/* The parser that fills rxtx_options by the option table (option_table.c). How options are shown (--help, Wireshark's
 * dialog) is ui/'s, what they mean on this machine is plan.c's. */
#include "plan/options_parts.h"

#include <getopt.h>
#include <string.h>

#include "base/error.h"
#include "plan/cpuset.h"
#include "plan/grammar.h"

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

enum { CPU = RXTX_GROUP_CPU, QUEUE = RXTX_GROUP_QUEUE, NUMA = RXTX_GROUP_NUMA };

/* The single letters of the original, whose users and scripts this program serves. */
static bool of_the_original(const rxtx_option *row)
{
    return row->letter != 0 && strchr("cdhlmpUvVw", row->letter) != NULL;
}

const char *rxtx_options_list(const rxtx_options *options)
{
    const char *lists[] = {[CPU] = options->cpu_list, [QUEUE] = options->queue_list, [NUMA] = options->numa_list};

    return lists[options->group];
}

bool rxtx_options_remote(const rxtx_options *options)
{
    return options->remote_hosts != NULL ||
           (options->extcap_interface != NULL && strcmp(options->extcap_interface, RXTX_EXTCAP_REMOTE) == 0);
}

bool rxtx_options_to_stdout(const rxtx_options *options)
{
    return options->write != NULL && strcmp(options->write, "-") == 0;
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

/* What goes to other programs or hosts. */
static const struct {
    size_t offset;
    bool (*fits)(const char *value);
    const char *right;
} grammars[] = {
    {offsetof(rxtx_options, remote_hosts), rxtx_is_host,
     "a name or an address, perhaps with USER@ in front (a port is --remote-port's)"},
    {offsetof(rxtx_options, remote_username), rxtx_is_user, "letters, digits and ._@+-"},
    {offsetof(rxtx_options, remote_program), rxtx_is_program, "a name or a path of letters, digits and ._/+-"},
    {offsetof(rxtx_options, proxycommand), rxtx_is_line, "one line"},
    {offsetof(rxtx_options, sshkey), rxtx_is_line, "the path of a file"},
};

static bool fits(const rxtx_option *row, const char *value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(grammars); i++)
        if (grammars[i].offset == row->offset)
            return grammars[i].fits(value);
    return true;
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
    if (row->kind == RXTX_OPTION_FLAG)
        g_string_append(text, "true, or leave it out");
    if (row->kind == RXTX_OPTION_UINT)
        g_string_append_printf(text, "a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, row->min,
                               row->max);
    if (row->kind == RXTX_OPTION_LIST)
        g_string_append(text, "numbers and ranges, for instance 0,2-4,6");
    if (row->kind == RXTX_OPTION_MASK)
        g_string_append(text, "a hexadecimal number without 0x, for instance 5d");
    if (row->kind == RXTX_OPTION_LIMIT)
        g_string_append(text, "duration:SECONDS, filesize:KB, packets:N or files:N");
    for (size_t i = 0; i < G_N_ELEMENTS(grammars); i++)
        if (grammars[i].offset == row->offset)
            g_string_append(text, grammars[i].right);
    return g_string_free(text, FALSE);
}

/* Options that the original had keep its very line, which scripts may compare; the usage that follows helps there. What
 * the user calls the value: cpu-list is "cpu list". */
bool rxtx_option_invalid(const rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
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
    return rxtx_option_invalid(options, row, value, error);
}

/* As strtoull of the original read it, but for a sign that makes another number of it. */
static bool set_uint(const rxtx_options *options, const rxtx_option *row, guint64 *at, const char *value,
                     GError **error)
{
    const char *digits = value + strspn(value, " \t\n\v\f\r");

    digits += *digits == '+' || strcmp(digits, "-0") == 0;
    return g_ascii_string_to_unsigned(digits, 10, row->min, row->max, at, NULL) ||
           rxtx_option_invalid(options, row, value, error);
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
    static const double least_s = 0.001, longest_s = G_MAXINT32 / 1000;

    if (g_str_has_prefix(value, duration)) {
        const char *text = value + strlen(duration);
        char *end;
        double seconds = g_ascii_strtod(text, &end);
        bool good =
            *end == '\0' && strspn(text, "0123456789.") == strlen(text) && seconds >= least_s && seconds <= longest_s;
        limits->duration_ms = good ? (guint64)(seconds * 1000) : 0;
        return good || rxtx_option_invalid(options, row, value, error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_str_has_prefix(value, words[i].prefix))
            return g_ascii_string_to_unsigned(value + strlen(words[i].prefix), 10, 1, G_MAXINT64 / 1000, words[i].at,
                                              NULL) ||
                   rxtx_option_invalid(options, row, value, error);
    return rxtx_option_invalid(options, row, value, error);
}

static bool set_string(char **at, const char *value)
{
    g_free(*at);
    *at = g_strdup(value);
    return true;
}

static bool add_word_to(char ***words, const char *value)
{
    guint n = *words != NULL ? g_strv_length(*words) : 0;

    *words = g_renew(char *, *words, n + 2);
    (*words)[n] = g_strdup(value);
    (*words)[n + 1] = NULL;
    return true;
}

/* In Wireshark's dialog an empty field is one that was not filled in. */
static bool set_text(rxtx_options *options, const rxtx_option *row, void *at, const char *value, GError **error)
{
    if (*value == '\0' && options->face == RXTX_FACE_EXTCAP && row->place != 0)
        return true;
    if (!fits(row, value))
        return rxtx_option_invalid(options, row, value, error);
    return row->kind == RXTX_OPTION_WORDS ? add_word_to(at, value) : set_string(at, value);
}

/* In Wireshark's dialog nothing checked is an empty list, and means all. */
static bool is_set(const rxtx_options *options, const rxtx_option *row, const char *value)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    if (options->face == RXTX_FACE_EXTCAP && *value == '\0')
        return true;
    return row->kind == RXTX_OPTION_LIST ? rxtx_cpuset_parse_list(set, value) : rxtx_cpuset_parse_mask(set, value);
}

static bool add_to_list(char **at, const char *value)
{
    g_autofree char *both = *at != NULL && *value != '\0' ? g_strconcat(*at, ",", value, NULL) : NULL;

    return *value == '\0' || set_string(at, both != NULL ? both : value);
}

bool rxtx_option_set(rxtx_options *options, const rxtx_option *row, const char *value, GError **error)
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
    case RXTX_OPTION_WORDS:
        return set_text(options, row, at, value, error);
    case RXTX_OPTION_CHOICE:
        return set_choice(options, row, at, value, error);
    case RXTX_OPTION_LIST:
    case RXTX_OPTION_MASK:
        if (rxtx_option_of_remote(row) && is_set(options, row, value))
            return add_to_list(at, value); /* two fields for the same */
        return is_set(options, row, value) ? set_string(at, value) : rxtx_option_invalid(options, row, value, error);
    }
    g_assert_not_reached();
}

void rxtx_options_set_defaults(rxtx_options *options)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->def != NULL) {
            bool legal = rxtx_option_set(options, row, row->def, NULL);
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
    if (optopt > 0 && optopt < FIRST_ROW)
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
    if (options->extcap_interface == NULL || rxtx_options_remote(options))
        return true;
    if (!g_str_has_prefix(options->extcap_interface, RXTX_EXTCAP_PREFIX))
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "No such interface '%s': ours begin with '%s'.",
                              options->extcap_interface, RXTX_EXTCAP_PREFIX);
    return set_string(&options->interface, options->extcap_interface + strlen(RXTX_EXTCAP_PREFIX));
}

/* What -l and -m mean depends on it, wherever it stands. On a copy: getopt permutes, which hides a missing argument. */
static void find_group(rxtx_options *options, int argc, char **argv, const char *letters, const struct option *known)
{
    g_autofree char **copy = g_memdup2(argv, ((size_t)argc + 1) * sizeof *argv);
    int result;

    optind = 0; /* glibc: start anew */
    while ((result = getopt_long(argc, copy, letters, known, NULL)) != -1)
        if (result >= FIRST_ROW && rxtx_option_table[result - FIRST_ROW].offset == offsetof(rxtx_options, group))
            rxtx_option_set(options, &rxtx_option_table[result - FIRST_ROW], optarg, NULL);
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
    opterr = 0;
    find_group(options, argc, argv, letters->str, known);
    optind = 0;
    while ((result = getopt_long(argc, argv, letters->str, known, NULL)) != -1) {
        const rxtx_option *row = row_of(options, result);
        bool this_good = row != NULL ? rxtx_option_set(options, row, optarg, good ? error : NULL)
                                     : misread(result, argv, good ? error : NULL);
        good = good && this_good;
        if ((!good && options->face == RXTX_FACE_CLI) || options->version)
            return good;
    }
    return good;
}

/* ---- what does not go together ---- */

bool rxtx_option_is_given(const rxtx_options *options, const rxtx_option *row)
{
    const char *value = *(char *const *)G_STRUCT_MEMBER_P(options, row->offset);

    return value != NULL && *value != '\0';
}

bool rxtx_options_check_lists(const rxtx_options *options, GError **error)
{
    const char *name = rxtx_group_name(options->group);

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->group != 0 && row->group != options->group && rxtx_option_is_given(options, row))
            return rxtx_set_error(error, RXTX_ERROR_USAGE, "--%s goes with --group %s, but packets are grouped by %s.",
                                  row->name, rxtx_group_name(row->group), rxtx_group_noun(options->group));
    return rxtx_options_list(options) == NULL || rxtx_options_mask(options) == NULL ||
           rxtx_set_error(error, RXTX_ERROR_USAGE, "-l [--%s-list] and -m [--%s-mask] are mutually exclusive.", name,
                          name);
}

static bool check_together(const rxtx_options *options, GError **error)
{
    const rxtx_limits *ring = &options->ring;
    bool sized = options->autostop.filesize_kb > 0 || options->autostop.files > 0;
    bool cut = ring->duration_ms > 0 || ring->filesize_kb > 0 || ring->packets > 0;

    if ((sized || cut || ring->files > 0) && (options->write == NULL || rxtx_options_to_stdout(options)))
        return rxtx_set_error(error, RXTX_ERROR_USAGE, "%s needs files. Name them: -w FILE.",
                              sized ? "-a filesize or files" : "-b");
    if (!cut && (ring->files > 0 || options->autostop.files > 0))
        return rxtx_set_error(error, RXTX_ERROR_USAGE,
                              "A number of files needs an end for each. Add: -b filesize:KB, duration:SECONDS or "
                              "packets:N.");
    if (options->persist && options->interface == NULL && options->face == RXTX_FACE_CLI)
        return rxtx_set_error(error, RXTX_ERROR_USAGE,
                              "--persist is about one interface. Name it: %s --persist INTERFACE.", options->program);
    return options->format == RXTX_FORMAT_AUTO || options->write != NULL || options->face == RXTX_FACE_EXTCAP ||
           rxtx_set_error(error, RXTX_ERROR_USAGE, "--format needs a file. Name it: -w FILE.");
}

rxtx_options *rxtx_options_parse(int argc, char **argv, GError **error)
{
    rxtx_options *options = g_new0(rxtx_options, 1);
    const char *slash = strrchr(argv[0], '/');

    options->program = slash != NULL ? slash + 1 : argv[0];
    options->face = face_of(argc, argv);
    rxtx_options_set_defaults(options);
    if (parse_words(options, argc, argv, error) && !options->version && !options->help &&
        rxtx_options_check_lists(options, error) && take_operands(options, argc, argv, error) &&
        take_extcap_interface(options, error) && check_together(options, error))
        rxtx_options_check_remote(options, error);
    rxtx_options_settle_remote(options);
    return options;
}

void rxtx_options_free(rxtx_options *options)
{
    if (options == NULL)
        return;
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->kind == RXTX_OPTION_STRING || row->kind == RXTX_OPTION_LIST || row->kind == RXTX_OPTION_MASK)
            g_clear_pointer((char **)G_STRUCT_MEMBER_P(options, row->offset), g_free);
    g_strfreev(options->remote_hosts);
    g_free(options);
}
