/* Lays the option table out as text for a terminal. What an option means stands in the table. */
#include "ui/help.h"

#include <string.h>

enum { COLUMNS = 79, TEXT_COLUMN = 31 };

static void append_long(GString *text, const rxtx_option *row)
{
    g_string_append_printf(text, row->metavar != NULL ? "--%s=%s" : "--%s", row->name, row->metavar);
}

/* A list and its mask exclude each other, and stand next to each other in the table. */
static bool shares_brackets(const rxtx_option *row)
{
    return row->kind == RXTX_OPTION_LIST && row[1].kind == RXTX_OPTION_MASK;
}

char *rxtx_help_usage(const char *program, int group)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GString) word = g_string_new(NULL);
    unsigned indent, column;

    g_string_append_printf(text, "Usage: %s", program);
    indent = column = (unsigned)text->len;
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        if (!rxtx_option_shown(row, group))
            continue;
        g_string_append(word, word->len == 0 ? "[" : "|");
        append_long(word, row);
        if (shares_brackets(row))
            continue;
        g_string_append_c(word, ']');
        if (column + 1 + word->len > COLUMNS) {
            g_string_append_printf(text, "\n%*s", (int)indent, "");
            column = indent;
        }
        g_string_append_printf(text, " %s", word->str);
        column += 1 + (unsigned)word->len;
        g_string_truncate(word, 0);
    }
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

/* Breaks the sentence at spaces; continued lines are indented. */
static void append_sentence(GString *text, const char *sentence)
{
    g_auto(GStrv) words = g_strsplit(sentence, " ", -1);
    unsigned column = TEXT_COLUMN + 1;

    g_string_append_c(text, '#');
    for (char **word = words; *word != NULL; word++) {
        if (column + 1 + strlen(*word) > COLUMNS) {
            g_string_append_printf(text, "\n%*s#  ", TEXT_COLUMN, "");
            column = TEXT_COLUMN + 3;
        }
        g_string_append_printf(text, " %s", *word);
        column += 1 + (unsigned)strlen(*word);
    }
    g_string_append_c(text, '\n');
}

/* The choices and the default, where there is one that is more than "no limit". */
static char *sentence_of(const rxtx_option *row)
{
    GString *text = g_string_new(row->help);

    for (const rxtx_choice *choice = row->choices; choice != NULL && choice->name != NULL; choice++)
        g_string_append_printf(text, "%s%s", choice == row->choices ? " One of " : ", ", choice->name);
    if (row->kind == RXTX_OPTION_UINT && row->max <= G_MAXINT32)
        g_string_append_printf(text, " From %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, row->min, row->max);
    if (row->def != NULL && strcmp(row->def, "0") != 0 && !rxtx_option_by_name(row))
        g_string_append_printf(text, text->str[text->len - 1] == '.' ? " The default is %s" : "; the default is %s",
                               row->def);
    if (text->str[text->len - 1] != '.')
        g_string_append_c(text, '.');
    return g_string_free(text, FALSE);
}

static void append_option(GString *text, const rxtx_option *row)
{
    g_autofree char *sentence = sentence_of(row);
    g_autoptr(GString) left = g_string_new("  ");

    if (row->letter != 0)
        g_string_append_printf(left, "-%c, ", row->letter);
    else
        g_string_append(left, "    ");
    g_string_append_c(left, '[');
    append_long(left, row);
    g_string_append_c(left, ']');
    g_string_append_printf(text, "%-*s", TEXT_COLUMN, left->str);
    if (left->len >= TEXT_COLUMN)
        g_string_append_printf(text, "\n%*s", TEXT_COLUMN, "");
    append_sentence(text, sentence);
}

char *rxtx_help_text(const char *program, int group)
{
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "Usage:\n  %s [OPTIONS] [INTERFACE]\n\nOptions:\n", program);
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (rxtx_option_shown(row, group))
            append_option(text, row);
    return g_string_free(text, FALSE);
}
