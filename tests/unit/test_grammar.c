/* What names may be that go to other programs and other hosts. */
#include "plan/grammar.h"

#include <glib.h>
#include <string.h>

typedef struct {
    const char *text;
    bool right;
} name;

static void check(bool (*is_right)(const char *text), const name *names, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *shown = g_strescape(names[i].text, NULL);
        g_test_message("\"%s\"", shown);
        g_assert_cmpint(is_right(names[i].text), ==, names[i].right);
    }
}

/* The longest text is right, one byte more is not. */
static void check_longest(bool (*is_right)(const char *text), const char *front, gsize max)
{
    g_autofree char *fill = g_strnfill(max + 1, 'x'), *longer = g_strconcat(front, fill, NULL);

    g_assert_false(is_right(longer));
    longer[strlen(longer) - 1] = '\0';
    g_assert_true(is_right(longer));
}

/* Each byte alone between two letters, but for those named. */
static void check_bytes(bool (*is_right)(const char *text), const char *right)
{
    for (int byte = 1; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, 'b', '\0'};
        g_test_message("%d", byte);
        g_assert_cmpint(is_right(text), ==, g_ascii_isalnum((char)byte) || strchr(right, byte) != NULL);
    }
}

static void a_host_is_what_ssh_reaches_and_nothing_that_a_shell_obeys(void)
{
    static const name names[] = {
        {"web1", true},
        {"web1.example.org", true},
        {"web1.example.org.", true},
        {"WEB_1-b", true},
        {"192.0.2.7", true},
        {"2001:db8::7", true},
        {"::1", true},
        {"fe80::1%eth0", true},
        {"fe80::1%en-0.7", true},
        {"me@web1", true},
        {"me@fe80::1%eth0", true},
        {"me@corp.example@web1", true}, /* as ssh has it: the last one divides */
        {"a@b@c", true},
        {"me+tag@web1", true},
        {"", false},
        {"@", false},
        {"@web1", false},
        {"me@", false},
        {"a@b@", false},
        {"-oProxyCommand=id", false},
        {"-oProxyCommand", false},
        {"-", false},
        {"--", false},
        {"me@-oProxyCommand", false},
        {"-lme@web1", false},
        {"a@-b", false},
        {"a;b", false},
        {"me;id@web1", false},
        {"$(id)", false},
        {"$(x)@web1", false},
        {"$HOME", false},
        {"`id`", false},
        {"a|b", false},
        {"a&b", false},
        {"a>b", false},
        {"a<b", false},
        {"a'b", false},
        {"a\"b", false},
        {"a\\b", false},
        {"a!b", false},
        {"a*", false},
        {"a?b", false},
        {"a{b}", false},
        {"~", false},
        {"a#b", false},
        {"a=b", false},
        {"a,b", false},
        {"a/b", false},
        {"ssh://web1", false},
        {"web1+b", false}, /* of a user only */
        {"[::1]", false},
        {"a b", false},
        {" web1", false},
        {"web1 ", false},
        {"me @web1", false},
        {"web1\n", false},
        {"\nweb1", false},
        {"web1\nweb2", false},
        {"web1\r", false},
        {"web1\t", false},
        {"web1\x1b[2J", false},
        {"w\xc3\xa9"
         "b1",
         false},
        {"w\xef\xbd\x85"
         "b1",
         false}, /* a full-width e */
        {"web1\xe2\x80\xae", false},
        {"web1\xff", false},
    };

    check(rxtx_is_host, names, G_N_ELEMENTS(names));
    check_bytes(rxtx_is_host, "._:%-@");
    check_longest(rxtx_is_host, "", 253);
    check_longest(rxtx_is_host, "me@", 253);
}

static void a_user_in_front_of_a_host_has_a_user_s_length(void)
{
    g_autofree char *longest = g_strnfill(255, 'u');
    g_autofree char *right = g_strconcat(longest, "@web1", NULL), *wrong = g_strconcat("u", right, NULL);

    g_assert_true(rxtx_is_host(right));
    g_assert_false(rxtx_is_host(wrong));
}

static void a_user_is_one_word(void)
{
    static const name names[] = {
        {"root", true},       {"me@corp.example", true},
        {"first.last", true}, {"me+ssh_1-2", true},
        {"", false},          {"-oProxyCommand", false},
        {"-", false},         {"a b", false},
        {"a;b", false},       {"$(id)", false},
        {"a:b", false},       {"a%h", false},
        {"CORP\\me", false},  {"a\n", false},
        {"a/b", false},       {"\xc3\xa9", false},
        {"a\x7f", false},
    };

    check(rxtx_is_user, names, G_N_ELEMENTS(names));
    check_bytes(rxtx_is_user, "._@+-");
    check_longest(rxtx_is_user, "", 255);
}

static void a_program_is_one_word_for_the_other_host_s_shell(void)
{
    static const name names[] = {
        {"rxtxcpu", true},
        {"/usr/local/bin/rxtxcpu", true},
        {"./rxtxcpu-1.0+git", true},
        {"~/bin/rxtxcpu", true},
        {"../bin/rxtxcpu", true},
        {"", false},
        {"~", false},
        {"~/", false},
        {"~me/rxtxcpu", false},
        {"~/~/rxtxcpu", false},
        {"a~", false},
        {"-rxtxcpu", false},
        {"--help", false},
        {"~/-rxtxcpu", false},
        {"rxtxcpu --serve", false},
        {"rxtxcpu;id", false},
        {"rxtxcpu\nid", false},
        {"rxtxcpu\n", false},
        {"rxtxcpu&", false},
        {"rxtxcpu|id", false},
        {"$(id)", false},
        {"${IFS}", false},
        {"`id`", false},
        {"A=b", false},
        {"rxtxcpu #", false},
        {"rx*", false},
        {"a'b", false},
        {"a\\b", false},
        {"a@b", false},
        {"a:b", false},
        {"a%b", false},
        {"\xc3\xa9", false},
    };

    check(rxtx_is_program, names, G_N_ELEMENTS(names));
    check_bytes(rxtx_is_program, "._/+-");
    check_longest(rxtx_is_program, "", 1024);
}

static void an_interface_is_what_the_kernel_takes_for_one(void)
{
    static const name names[] = {
        {"eth0", true},
        {"lo", true},
        {"eth0.100", true},
        {"br-0a1b2c3d4e5f", true},
        {"123456789012345", true},
        {"1234567890123456", false},
        {"a;b", true}, /* the kernel does not mind, and no shell sees it */
        {"$(x)", true},
        {"a@b", true},
        {"...", true},
        {"\xc3\xa9t\xc3\xa9", true},
        {"", false},
        {".", false},
        {"..", false},
        {"-i", false},
        {"--", false},
        {"a/b", false},
        {"eth0:1", false},
        {"a b", false},
        {" ", false},
        {"a\tb", false},
        {"a\nb", false},
        {"a\vb", false},
        {"a\fb", false},
        {"a\rb", false},
        {"a\xa0", false}, /* the kernel's isspace goes by Latin-1 */
        {"\xc3\xa0", false},
        {"a\x01", false},
        {"a\x1b[m", false},
        {"a\x7f", false},
    };

    check(rxtx_is_interface, names, G_N_ELEMENTS(names));
    check_longest(rxtx_is_interface, "", 15);
}

static void a_line_is_anything_but_control_characters(void)
{
    static const name names[] = {
        {"", false},
        {"nc -X connect -x proxy:3128 %h %p", true},
        {"ssh -W '[%h]:%p' \"jump host\" | tee $(x); true", true},
        {"/home/me/.ssh/a key", true},
        {"\xc3\xa9", true},
        {"a\nb", false},
        {"a\n", false},
        {"a\rb", false},
        {"a\tb", false},
        {"a\x1b", false},
        {"a\x7f", false},
        {"\x01", false},
    };

    check(rxtx_is_line, names, G_N_ELEMENTS(names));
    check_longest(rxtx_is_line, "", 4096);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/grammar/a host is what ssh reaches and nothing that a shell obeys",
                    a_host_is_what_ssh_reaches_and_nothing_that_a_shell_obeys);
    g_test_add_func("/grammar/a user in front of a host has a user's length",
                    a_user_in_front_of_a_host_has_a_user_s_length);
    g_test_add_func("/grammar/a user is one word", a_user_is_one_word);
    g_test_add_func("/grammar/a program is one word for the other host's shell",
                    a_program_is_one_word_for_the_other_host_s_shell);
    g_test_add_func("/grammar/an interface is what the kernel takes for one",
                    an_interface_is_what_the_kernel_takes_for_one);
    g_test_add_func("/grammar/a line is anything but control characters", a_line_is_anything_but_control_characters);
    return g_test_run();
}
