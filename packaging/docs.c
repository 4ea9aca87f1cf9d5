/* Writes what else users read of the options, from THE option table, when the program is built:
 *
 *     rxtx_docs manual|bash|zsh|fish TEMPLATE RESULT
 *
 * The result is the template with a row for each option in place of @OPTIONS@. What does not come from the table stands
 * in the templates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/options.h"

/* What may stand behind an option. */
typedef enum { NOTHING, ANYTHING, WORDS, BEGINNINGS, INTERFACE, FILE_NAME } value_kind;

/* The row's metavar says which text it is. */
static value_kind kind_of(const rxtx_option *row)
{
    switch (row->kind) {
    case RXTX_OPTION_FLAG:
        return NOTHING;
    case RXTX_OPTION_CHOICE:
        return WORDS;
    case RXTX_OPTION_LIMIT:
        return BEGINNINGS;
    default:
        return strcmp(row->metavar, "INTERFACE") == 0 ? INTERFACE
               : strcmp(row->metavar, "FILE") == 0    ? FILE_NAME
                                                      : ANYTHING;
    }
}

/* The words to choose from, or those that a value begins with. Free with g_free. */
static char *words_of(const rxtx_option *row, const char *separator)
{
    GString *text = g_string_new(NULL);

    for (const rxtx_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
        g_string_append_printf(text, "%s%s", text->len > 0 ? separator : "", choice->name);
    if (row->kind == RXTX_OPTION_LIMIT)
        g_string_append(text, "duration: filesize: packets: files:");
    return g_string_free(text, FALSE);
}

static char *replace(const char *text, const char *what, const char *by)
{
    g_auto(GStrv) parts = g_strsplit(text, what, -1);

    return g_strjoinv(by, parts);
}

/* ---- the manual, in mdoc ---- */

/* A sentence a line, as roff wants it; dashes and quotes that can be copied into a shell. Free with g_free. */
static char *roff_text(const char *text)
{
    static const char *const pairs[][2] = {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {". ", ".\n"}};
    char *result = g_strdup(text);

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        char *before = result;
        result = replace(before, pairs[i][0], pairs[i][1]);
        g_free(before);
    }
    return result;
}

static void append_limits(GString *text, const rxtx_option *row)
{
    g_autofree char *words = words_of(row, " , ");

    if (row->kind == RXTX_OPTION_CHOICE)
        g_string_append_printf(text, "One of\n.Cm %s .\n", words);
    if (row->kind == RXTX_OPTION_UINT && row->max <= G_MAXINT32)
        g_string_append_printf(text, "From %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT ".\n", row->min, row->max);
    if (row->def != NULL && strcmp(row->def, "0") != 0 && !rxtx_option_by_name(row))
        g_string_append_printf(text, "The default is\n.Cm %s .\n", row->def);
    if (row->group != 0)
        g_string_append_printf(text, "Only with\n.Fl -group Ns = Ns Cm %s\nor a name that means it.\n",
                               rxtx_group_name(row->group));
}

static void append_manual(GString *text, const rxtx_option *row)
{
    g_autofree char *help = roff_text(row->help);

    g_string_append(text, ".It ");
    if (row->letter != 0)
        g_string_append_printf(text, "Fl %c , ", row->letter);
    g_string_append_printf(text, "Fl -%s", row->name);
    if (row->metavar != NULL)
        g_string_append_printf(text, " Ns = Ns Ar %s", row->metavar);
    g_string_append_printf(text, "\n%s\n", help);
    append_limits(text, row);
}

/* ---- the shells ---- */

/* The help as far as it fits beside an option: what stands behind a stop is detail. Free with g_free. */
static char *short_help(const rxtx_option *row)
{
    static const char *const stops[] = {": ", "; ", ". "};
    size_t length = strlen(row->help) - 1;

    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        const char *stop = strstr(row->help, stops[i]);
        if (stop != NULL)
            length = MIN(length, (size_t)(stop - row->help));
    }
    return g_strndup(row->help, length);
}

/* any -d,--direction words rxtx rx tx */
static void append_bash(GString *text, const rxtx_option *row)
{
    static const char *const kinds[] = {[NOTHING] = "nothing",       [ANYTHING] = "anything",   [WORDS] = "words",
                                        [BEGINNINGS] = "beginnings", [INTERFACE] = "interface", [FILE_NAME] = "file"};
    g_autofree char *words = words_of(row, " ");

    g_string_append(text, row->group != 0 ? rxtx_group_name(row->group) : "any");
    g_string_append_c(text, ' ');
    if (row->letter != 0)
        g_string_append_printf(text, "-%c,", row->letter);
    g_string_append_printf(text, "--%s %s%s%s\n", row->name, kinds[kind_of(row)], *words != '\0' ? " " : "", words);
}

/* ":METAVAR:" and what _arguments(zshcompsys) shall do there. Free with g_free. */
static char *zsh_value(const rxtx_option *row)
{
    static const char *const actions[][2] = {
        [NOTHING] = {"", ""},
        [ANYTHING] = {" ", ""},
        [WORDS] = {"(", ")"},
        [BEGINNINGS] = {"compadd -S \"\" - ", ""},
        [INTERFACE] = {"_rxtxcpu_interfaces", ""},
        [FILE_NAME] = {"_files", ""},
    };
    const char *const *action = actions[kind_of(row)];
    g_autofree char *words = words_of(row, " ");
    g_autofree char *escaped = replace(words, ":", "\\:");

    if (row->metavar == NULL)
        return g_strdup("");
    return g_strdup_printf(":%s:%s%s%s", row->metavar, action[0], escaped, action[1]);
}

/* [[ $group == cpu ]] && rows+=('(-l --cpu-list)'{-l+,--cpu-list=}'[Capture only …]:CPULIST: ') */
static void append_zsh(GString *text, const rxtx_option *row)
{
    bool valued = row->kind != RXTX_OPTION_FLAG;
    g_autofree char *help = short_help(row), *value = zsh_value(row);
    g_autofree char *behind = g_strdup_printf("[%s]%s", help, value);
    g_autofree char *quoted = g_shell_quote(behind);

    if (row->group != 0)
        g_string_append_printf(text, "[[ $group == %s ]] && ", rxtx_group_name(row->group));
    g_string_append(text, "rows+=(");
    if (row->kind == RXTX_OPTION_LIMIT)
        g_string_append(text, "'*'"); /* again and again */
    else if (row->letter != 0)
        g_string_append_printf(text, "'(-%c --%s)'", row->letter, row->name);
    if (row->letter != 0)
        g_string_append_printf(text, "{-%c%s,--%s%s}", row->letter, valued ? "+" : "", row->name, valued ? "=" : "");
    else
        g_string_append_printf(text, "--%s%s", row->name, valued ? "=" : "");
    g_string_append_printf(text, "%s)\n", quoted);
}

/* complete -c $name -n '__rxtxcpu_groups cpu' -s l -l cpu-list -x -d 'Capture only …' */
static void append_fish(GString *text, const rxtx_option *row)
{
    static const char *const kinds[] = {[NOTHING] = "",
                                        [ANYTHING] = " -x",
                                        [WORDS] = " -x -a",
                                        [BEGINNINGS] = " -x -a",
                                        [INTERFACE] = " -x -a '(__rxtxcpu_interfaces)'",
                                        [FILE_NAME] = " -r -F"};
    g_autofree char *help = short_help(row), *words = words_of(row, " ");
    g_autofree char *quoted_help = g_shell_quote(help), *quoted_words = g_shell_quote(words);

    g_string_append(text, "    complete -c $name");
    if (row->group != 0)
        g_string_append_printf(text, " -n '__rxtxcpu_groups %s'", rxtx_group_name(row->group));
    if (row->letter != 0)
        g_string_append_printf(text, " -s %c", row->letter);
    g_string_append_printf(text, " -l %s%s%s%s -d %s\n", row->name, kinds[kind_of(row)], *words != '\0' ? " " : "",
                           *words != '\0' ? quoted_words : "", quoted_help);
}

/* ---- all of them ---- */

typedef void (*append_row)(GString *text, const rxtx_option *row);

static const struct {
    const char *name;
    append_row append;
} formats[] = {{"manual", append_manual}, {"bash", append_bash}, {"zsh", append_zsh}, {"fish", append_fish}};

static append_row format_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].append;
    fprintf(stderr, "rxtx_docs: no such format: %s\n", name);
    exit(EXIT_FAILURE);
}

static char *rows_of(append_row append)
{
    GString *text = g_string_new(NULL);

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->faces & RXTX_FACE_CLI)
            append(text, row);
    g_string_truncate(text, text->len - 1); /* the template has the last newline */
    return g_string_free(text, FALSE);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *template = NULL, *rows = NULL, *versioned = NULL, *result = NULL;

    if (argc != 4)
        return EXIT_FAILURE;
    rows = rows_of(format_of(argv[1]));
    if (g_file_get_contents(argv[2], &template, NULL, &error)) {
        versioned = replace(template, "@VERSION@", RXTX_VERSION);
        result = replace(versioned, "@OPTIONS@", rows);
        g_file_set_contents(argv[3], result, -1, &error);
    }
    if (error != NULL)
        fprintf(stderr, "rxtx_docs: %s\n", error->message);
    return error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
