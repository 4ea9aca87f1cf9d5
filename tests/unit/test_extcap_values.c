/* What another host lists, as sentences for Wireshark's Reload button. The other host may be hostile. */
#include "ui/extcap_query.h"

#include <string.h>

#include "plan/grammar.h"

/* The number of the option in the dialog, as it is told in each sentence. */
static unsigned place_of(const char *name)
{
    const rxtx_option *row;
    unsigned place = 0;

    while ((row = rxtx_option_in_dialog(true, place)) != NULL && strcmp(row->name, name) != 0)
        place++;
    g_assert_nonnull(row);
    return place;
}

/* Of the option's sentences, those behind what is always there; each without its number. Free with g_free. */
static char *values(const char *option, const char *lines)
{
    g_autofree char *all = rxtx_extcap_values(option, lines);
    g_autofree char *begin = g_strdup_printf("value {arg=%u}", place_of(option));
    g_auto(GStrv) each = g_strsplit(all, "\n", -1);
    GString *text = g_string_new(NULL);

    for (char **line = each; *line != NULL && **line != '\0'; line++) {
        g_assert_true(g_str_has_prefix(*line, begin));
        g_string_append_printf(text, "%s\n", *line + strlen(begin));
    }
    {
        const char *always = strcmp(option, "remote-cpu") == 0 ? "{value=}{display=All CPUs}{default=true}\n"
                                                               : "{value=}{display=All interfaces}{default=true}\n";
        g_assert_true(g_str_has_prefix(text->str, always));
        g_string_erase(text, 0, (gssize)strlen(always));
    }
    return g_string_free(text, FALSE);
}

static void assert_values(const char *option, const char *lines, const char *wanted)
{
    g_autofree char *shown = g_strescape(lines, NULL), *text = values(option, lines);

    g_test_message("%s", shown);
    g_assert_cmpstr(text, ==, wanted);
}

/* ---- interfaces ---- */

static void each_interface_is_a_value_with_its_state(void)
{
    assert_values("remote-interface",
                  "lo\tup\t-\t-\tEN10MB\n"
                  "eth0.7\tno carrier\tvirtio_net\t2 rx, 2 tx, rx queue not recorded\tEN10MB\n",
                  "{value=lo}{display=lo (up)}{default=false}\n"
                  "{value=eth0.7}{display=eth0.7 (no carrier)}{default=false}\n");
}

static void without_interfaces_there_are_still_all(void)
{
    static const char *const nothings[] = {"", "\n", "\n\n\n", "\t", "no tabs here\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(nothings); i++)
        assert_values("remote-interface", nothings[i], "");
}

/* As lists.c writes what is no printable ASCII. */
static void an_escaped_name_is_read_as_what_it_is(void)
{
    assert_values("remote-interface", "\\303\\251t\\303\\251\tup\t-\t-\tEN10MB\n",
                  "{value=\xc3\xa9t\xc3\xa9}{display=\xc3\xa9t\xc3\xa9 (up)}{default=false}\n");
    assert_values("remote-interface", "a\\\"b\tup\t-\t-\tEN10MB\n", "{value=a\"b}{display=a\"b (up)}{default=false}\n");
}

/* A sentence is cut at braces, and a name is a word on a command line. */
static void an_interface_that_is_none_is_left_out(void)
{
    static const char *const names[] = {"",          "-i",      "--fifo=/tmp/f",    "\\055i", "a{b",    "a}b",
                                        "\\173a",    "a\\175",  "a}{default=true",  "a b",    "\\040",  "a\\tb",
                                        "a\\nb",     "a\\012b", "a\\033[2J",        "a\\177", "a/b",    "..",
                                        "eth0:1",    "a\\001",  "1234567890123456", "\\377",  "a\\303", "\xff",
                                        "\\303\\240"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *lines = g_strdup_printf("%s\tup\t-\t-\tEN10MB\nlo\tup\t-\t-\tEN10MB\n", names[i]);
        assert_values("remote-interface", lines, "{value=lo}{display=lo (up)}{default=false}\n");
    }
}

static void a_line_that_would_break_a_sentence_is_left_out(void)
{
    static const char *const lines[] = {"eth0\tup}{default=true\t-\t-\tEN10MB", "eth0\tup\t{\t-\tEN10MB",
                                        "eth0\t\xff\t-\t-\tEN10MB", "eth0\tup\t-\t-\tEN10MB\xc3"};

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_values("remote-interface", lines[i], "");
}

static void a_line_with_too_few_cells_is_left_out(void)
{
    assert_values("remote-interface", "eth0\neth1\tup\neth2\tup\t-\n", "");
    assert_values("remote-cpu", "0\n1\t-\n2\t-\tyes\n", "");
}

static void the_last_line_needs_no_end(void)
{
    assert_values("remote-interface", "lo\tup\t-\t-\tEN10MB", "{value=lo}{display=lo (up)}{default=false}\n");
    assert_values("remote-cpu", "0\t-\tyes\tyes", "{value=0}{display=CPU 0}{default=false}\n");
}

/* Nothing of what the other host says makes us say something on stderr, which Wireshark shows. */
static void a_broken_escape_is_no_warning(void)
{
    if (g_test_subprocess()) {
        g_autofree char *text = rxtx_extcap_values("remote-interface", "eth0\\\tup\t-\t-\tEN10MB\n");
        g_assert_null(strstr(text, "eth0"));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("");
}

/* ---- CPUs ---- */

static void each_cpu_is_a_value(void)
{
    assert_values("remote-cpu",
                  "0\t-\tyes\tyes\n"
                  "1\t-\tno\twhen it comes online\n"
                  "1023\t-\tyes\tyes\n",
                  "{value=0}{display=CPU 0}{default=false}\n"
                  "{value=1}{display=CPU 1 (offline)}{default=false}\n"
                  "{value=1023}{display=CPU 1023}{default=false}\n");
}

static void the_cpus_of_a_node_are_a_value_together(void)
{
    assert_values("remote-cpu",
                  "0\t1\tyes\tyes\n"
                  "1\t0\tyes\tyes\n"
                  "2\t1\tyes\tyes\n"
                  "3\t1\tno\twhen it comes online\n"
                  "9\t-\tyes\tyes\n",
                  "{value=1}{display=NUMA node 0 (CPUs 1)}{default=false}\n"
                  "{value=0,2-3}{display=NUMA node 1 (CPUs 0,2-3)}{default=false}\n"
                  "{value=0}{display=CPU 0}{default=false}\n"
                  "{value=1}{display=CPU 1}{default=false}\n"
                  "{value=2}{display=CPU 2}{default=false}\n"
                  "{value=3}{display=CPU 3 (offline)}{default=false}\n"
                  "{value=9}{display=CPU 9}{default=false}\n");
}

static void a_line_that_is_left_out_is_in_no_node(void)
{
    assert_values("remote-cpu", "1\t0\n2\t0\tyes\n3\t0\t{\tyes\n", "");
}

static void without_cpus_there_are_none(void)
{
    assert_values("remote-cpu", "", "");
    assert_values("remote-cpu", "\n\n", "");
}

static void a_cpu_s_line_that_would_break_a_sentence_is_left_out(void)
{
    static const char *const lines[] = {"0}{default=true\t-\tyes\tyes", "0\t{\tyes\tyes", "0\t-\tyes\tyes}",
                                        "0\t-\t\xff\tyes"};

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_values("remote-cpu", lines[i], "");
}

/* What is checked in the dialog comes back to us as --remote-cpu. */
static void a_cpu_that_is_no_number_is_left_out(void)
{
    static const char *const numbers[] = {"-1",   "--fifo=/tmp/f",        "",   "a",    "0x1", "1 2", "0-1023", "0,1",
                                          "1;id", "99999999999999999999", "+1", "\\061"};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *lines = g_strdup_printf("%s\t-\tyes\tyes\n7\t-\tyes\tyes\n", numbers[i]);
        assert_values("remote-cpu", lines, "{value=7}{display=CPU 7}{default=false}\n");
    }
}

static void a_node_that_is_no_number_is_none(void)
{
    static const char *const nodes[] = {"",    "-1", "<b>evil\x1b[2J</b>", "64", "99999999999999999999", "0x0",
                                        "1 2", "+1"};

    for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
        g_autofree char *lines = g_strdup_printf("0\t%s\tyes\tyes\n", nodes[i]);
        assert_values("remote-cpu", lines, "{value=0}{display=CPU 0}{default=false}\n");
    }
}

static void only_what_the_other_host_knows_is_reloaded(void)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        bool cpus = false, interfaces = strcmp(row->name, "remote-interface") == 0;
        bool reloads = rxtx_extcap_reloads(row->name, &cpus);
        g_assert_cmpint(cpus, ==, strcmp(row->name, "remote-cpu") == 0);
        g_assert_cmpint(reloads, ==, cpus || interfaces);
    }
}

/* ---- what lists.c writes ---- */

static void a_thousand_lines_are_a_thousand_values(void)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) each = NULL;

    for (unsigned i = 0; i < 1000; i++)
        g_string_append_printf(lines, "veth%u\tup\tveth\t1 rx, 1 tx, rx queue not recorded\tEN10MB\n", i);
    text = values("remote-interface", lines->str);
    each = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(each), ==, 1001);
    g_assert_cmpstr(each[999], ==, "{value=veth999}{display=veth999 (up)}{default=false}");
}

/* Whatever stands in the lines: each sentence is one, and its value one that we take back. */
static void any_lines_are_sentences(void)
{
    static const char letters[] = "a0-{}=\\\\\t\t\t\t\n 1,7\"'x\xc3\xa9\xff\x1b/:.";
    g_autoptr(GRand) random = g_rand_new_with_seed(3);

    for (int i = 0; i < 3000; i++) {
        char lines[64] = {0};
        g_autofree char *text = NULL;
        g_auto(GStrv) each = NULL;
        for (size_t k = 0; k + 1 < sizeof lines; k++)
            lines[k] = letters[g_rand_int_range(random, 0, sizeof letters - 1)];
        for (char *c = lines; (c = strstr(c, "\\\t")) != NULL;)
            *c = 'a'; /* told apart, see a_broken_escape_is_no_warning */
        text = values("remote-interface", lines);
        each = g_strsplit(text, "\n", -1);
        for (char **line = each; *line != NULL && **line != '\0'; line++) {
            g_autoptr(GMatchInfo) match = NULL;
            g_autoptr(GRegex) sentence =
                g_regex_new("^{value=([^{}]+)}{display=[^{}]+ \\([^{}]*\\)}{default=false}$", G_REGEX_DEFAULT, 0, NULL);
            g_autofree char *name = NULL;
            g_assert_true(g_regex_match(sentence, *line, 0, &match));
            name = g_match_info_fetch(match, 1);
            g_assert_true(rxtx_is_interface(name));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extcap_values/each interface is a value with its state",
                    each_interface_is_a_value_with_its_state);
    g_test_add_func("/extcap_values/without interfaces there are still all", without_interfaces_there_are_still_all);
    g_test_add_func("/extcap_values/an escaped name is read as what it is", an_escaped_name_is_read_as_what_it_is);
    g_test_add_func("/extcap_values/an interface that is none is left out", an_interface_that_is_none_is_left_out);
    g_test_add_func("/extcap_values/a line that would break a sentence is left out",
                    a_line_that_would_break_a_sentence_is_left_out);
    g_test_add_func("/extcap_values/a line with too few cells is left out", a_line_with_too_few_cells_is_left_out);
    g_test_add_func("/extcap_values/the last line needs no end", the_last_line_needs_no_end);
    g_test_add_func("/extcap_values/each CPU is a value", each_cpu_is_a_value);
    g_test_add_func("/extcap_values/the CPUs of a node are a value together", the_cpus_of_a_node_are_a_value_together);
    g_test_add_func("/extcap_values/without CPUs there are none", without_cpus_there_are_none);
    g_test_add_func("/extcap_values/a CPU's line that would break a sentence is left out",
                    a_cpu_s_line_that_would_break_a_sentence_is_left_out);
    g_test_add_func("/extcap_values/a thousand lines are a thousand values", a_thousand_lines_are_a_thousand_values);
    g_test_add_func("/extcap_values/any lines are sentences", any_lines_are_sentences);
    g_test_add_func("/extcap_values/a broken escape is no warning", a_broken_escape_is_no_warning);
    g_test_add_func("/extcap_values/a CPU that is no number is left out", a_cpu_that_is_no_number_is_left_out);
    g_test_add_func("/extcap_values/a node that is no number is none", a_node_that_is_no_number_is_none);
    g_test_add_func("/extcap_values/only what the other host knows is reloaded",
                    only_what_the_other_host_knows_is_reloaded);
    g_test_add_func("/extcap_values/a line that is left out is in no node", a_line_that_is_left_out_is_in_no_node);
    return g_test_run();
}
