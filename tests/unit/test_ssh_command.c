/* The words that ssh is called with. */
#include "remote/ssh_command.h"

#include <string.h>

/* ssh takes the first of several settings: these are before all that a user may say. */
static const char manners[] = "ssh|-T|-o|ForwardAgent=no|-o|ForwardX11=no|-o|ClearAllForwardings=yes|"
                              "-o|PermitLocalCommand=no|-o|RemoteCommand=none|-o|LogLevel=INFO|-o|EscapeChar=none|-o|ControlMaster=no";

/* As the option table has them. */
static rxtx_options defaults(void)
{
    return (rxtx_options){.face = RXTX_FACE_CLI, .remote_program = (char *)"rxtxcpu", .remote_timeout = 10};
}

/* What stands between the manners and the host, words between bars. Free with g_free. */
static char *words_for(const rxtx_options *options, bool ask)
{
    g_auto(GStrv) argv = rxtx_ssh_command(options, "web1", NULL, ask);
    g_autofree char *all = g_strjoinv("|", argv);
    const char *begin = all + strlen(manners), *end = strstr(all, "|--|web1|");

    g_assert_true(g_str_has_prefix(all, manners));
    g_assert_nonnull(end);
    g_assert_cmpstr(end, ==, "|--|web1|rxtxcpu --serve");
    return g_strndup(begin, (gsize)(end - begin));
}

static void nothing_is_said_that_was_not_asked_for(void)
{
    rxtx_options options = defaults();
    g_autofree char *words = words_for(&options, true);

    g_assert_cmpstr(words, ==, "");
}

static void ssh_asks_nobody_where_nobody_is(void)
{
    rxtx_options options = defaults();
    g_autofree char *words = words_for(&options, false);

    g_assert_cmpstr(words, ==, "|-o|BatchMode=yes|-o|ConnectTimeout=10");
}

static void each_option_is_words_of_its_own(void)
{
    const struct {
        rxtx_options options;
        const char *words;
    } cases[] = {
        {{.remote_timeout = 10, .remote_port = 2222}, "|-p|2222"},
        {{.remote_timeout = 10, .remote_port = 65535}, "|-p|65535"},
        {{.remote_timeout = 10, .remote_username = (char *)"me@corp"}, "|-l|me@corp"},
        {{.remote_timeout = 10, .sshkey = (char *)"/home/me/a key"}, "|-i|/home/me/a key"},
        {{.remote_timeout = 10, .proxycommand = (char *)"nc -x 'p q' %h %p; $(x)"},
         "|-o|ProxyCommand=nc -x 'p q' %h %p; $(x)"},
        {{.remote_timeout = 10, .remote_compress = true}, "|-o|Compression=yes"},
        {{.remote_timeout = 30}, "|-o|ConnectTimeout=30"},
        {{.remote_timeout = 2}, "|-o|ConnectTimeout=2"},
        {{.remote_timeout = 3600}, "|-o|ConnectTimeout=3600"},
        {{.remote_timeout = 10, .remote_deploy = true, .remote_own_traffic = true}, ""},
        {{.remote_timeout = 10, .filter = (char *)"udp", .interface = (char *)"eth0", .write = (char *)"f"}, ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        rxtx_options options = cases[i].options;
        g_autofree char *words = NULL;
        options.remote_program = (char *)"rxtxcpu";
        words = words_for(&options, true);
        g_assert_cmpstr(words, ==, cases[i].words);
    }
}

static void all_options_together_keep_their_order(void)
{
    rxtx_options options = {.remote_program = (char *)"rxtxcpu",
                            .remote_port = 22,
                            .remote_username = (char *)"me",
                            .sshkey = (char *)"k",
                            .proxycommand = (char *)"p",
                            .remote_compress = true,
                            .remote_timeout = 5};
    g_autofree char *words = words_for(&options, false);

    g_assert_cmpstr(words, ==,
                    "|-o|BatchMode=yes|-o|ConnectTimeout=5|-o|Compression=yes|-o|ProxyCommand=p|-p|22|-l|me|-i|k");
}

static guint index_of(char **argv, const char *word)
{
    guint i = 0;

    while (argv[i] != NULL && strcmp(argv[i], word) != 0)
        i++;
    return i;
}

/* Whatever it looks like, ssh must take it for a host. */
static void the_host_stands_behind_the_end_of_options(void)
{
    static const char *const hosts[] = {"web1", "me@web1", "fe80::1%eth0", "-oProxyCommand=id", "-", "--"};
    rxtx_options options = defaults();

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_auto(GStrv) argv = rxtx_ssh_command(&options, hosts[i], NULL, true);
        guint at = index_of(argv, "--");
        g_assert_cmpuint(at + 3, ==, g_strv_length(argv));
        g_assert_cmpstr(argv[at + 1], ==, hosts[i]);
        g_assert_cmpstr(argv[at + 2], ==, "rxtxcpu --serve");
    }
}

static void rights_are_asked_for_without_a_password(void)
{
    static const struct {
        rxtx_priv priv;
        const char *program, *command;
    } cases[] = {
        {RXTX_PRIV_NONE, "rxtxcpu", "rxtxcpu --serve"},
        {RXTX_PRIV_NONE, "~/bin/rxtxcpu", "~/bin/rxtxcpu --serve"},
        {RXTX_PRIV_SUDO, "/opt/rxtxcpu", "sudo -n -- /opt/rxtxcpu --serve"},
        {RXTX_PRIV_DOAS, "rxtxcpu", "doas -n -- rxtxcpu --serve"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        rxtx_options options = defaults();
        g_auto(GStrv) argv = NULL;
        options.remote_priv = cases[i].priv;
        options.remote_program = (char *)cases[i].program;
        argv = rxtx_ssh_command(&options, "web1", NULL, true);
        g_assert_cmpstr(argv[g_strv_length(argv) - 1], ==, cases[i].command);
        g_assert_true(g_str_has_prefix(cases[i].command, rxtx_ssh_priv(cases[i].priv)));
        g_assert_cmpuint(strlen(rxtx_ssh_priv(cases[i].priv)), ==, cases[i].priv == RXTX_PRIV_NONE ? 0 : 11);
    }
}

static void a_command_that_is_given_is_the_one(void)
{
    rxtx_options options = defaults();
    g_auto(GStrv) argv = NULL;

    options.remote_priv = RXTX_PRIV_SUDO;
    argv = rxtx_ssh_command(&options, "web1", "cat; true", true);
    g_assert_cmpstr(argv[g_strv_length(argv) - 1], ==, "cat; true");
    g_assert_cmpstr(argv[g_strv_length(argv) - 2], ==, "web1");
}

/* What was asked for travels on standard input: a filter, an interface, a file's name are no words for a shell. */
static void no_word_for_the_other_shell_is_of_the_user_s_choice(void)
{
    static const char evil[] = "x;$(id)`id`|&<>'\"\\ \n";
    rxtx_options options = defaults();
    g_auto(GStrv) argv = NULL;

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->kind == RXTX_OPTION_STRING || row->kind == RXTX_OPTION_LIST || row->kind == RXTX_OPTION_MASK)
            *(const char **)G_STRUCT_MEMBER_P(&options, row->offset) = evil;
    options.remote_program = (char *)"rxtxcpu"; /* grammar.c's business */
    argv = rxtx_ssh_command(&options, "web1", NULL, true);
    g_assert_cmpstr(argv[g_strv_length(argv) - 1], ==, "rxtxcpu --serve");
    for (char **word = argv; *word != NULL; word++) {
        bool own = word > argv && (strcmp(word[-1], "-l") == 0 || strcmp(word[-1], "-i") == 0);
        if (!own && !g_str_has_prefix(*word, "ProxyCommand="))
            g_assert_null(strstr(*word, evil));
    }
}

/* ---- what a person would type ---- */

static void a_hint_is_what_reaches_the_host(void)
{
    rxtx_options options = defaults();
    g_autofree char *plain = rxtx_ssh_typed(&options, "web1", NULL), *full = NULL;

    options.remote_port = 2222;
    options.remote_username = (char *)"me";
    options.sshkey = (char *)"~/.ssh/id_web";
    full = rxtx_ssh_typed(&options, "me@web1", "true");
    g_assert_cmpstr(plain, ==, "ssh web1");
    g_assert_cmpstr(full, ==, "ssh -p 2222 -l me -i ~/.ssh/id_web me@web1 true");
}

/* What our own call needs besides is not for people. */
static void a_hint_asks_and_forbids_nothing(void)
{
    rxtx_options options = defaults();
    g_autofree char *typed = NULL;

    options.remote_timeout = 3;
    options.remote_compress = true;
    typed = rxtx_ssh_typed(&options, "web1", NULL);
    g_assert_cmpstr(typed, ==, "ssh web1");
}

/* As a shell reads it, the hint is the words. */
static void a_hint_can_be_typed_whatever_the_key_is_called(void)
{
    rxtx_options options = defaults();
    g_autofree char *typed = NULL;
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) error = NULL;

    options.sshkey = (char *)"/home/me/it's; a $key";
    typed = rxtx_ssh_typed(&options, "web1", NULL);
    g_assert_true(g_shell_parse_argv(typed, NULL, &words, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(words), ==, 4);
    g_assert_cmpstr(words[2], ==, options.sshkey);
    g_assert_cmpstr(words[3], ==, "web1");
}

/* Without it the person would try another way than ours. */
static void a_hint_goes_through_the_same_proxy(void)
{
    rxtx_options options = defaults();
    g_autofree char *typed = NULL;
    g_auto(GStrv) words = NULL;

    options.proxycommand = (char *)"nc -x proxy %h %p";
    typed = rxtx_ssh_typed(&options, "web1", NULL);
    g_assert_true(g_shell_parse_argv(typed, NULL, &words, NULL));
    g_assert_cmpuint(g_strv_length(words), ==, 4);
    g_assert_cmpstr(words[1], ==, "-o");
    g_assert_cmpstr(words[2], ==, "ProxyCommand=nc -x proxy %h %p");
    g_assert_cmpstr(words[3], ==, "web1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ssh_command/nothing is said that was not asked for", nothing_is_said_that_was_not_asked_for);
    g_test_add_func("/ssh_command/ssh asks nobody where nobody is", ssh_asks_nobody_where_nobody_is);
    g_test_add_func("/ssh_command/each option is words of its own", each_option_is_words_of_its_own);
    g_test_add_func("/ssh_command/all options together keep their order", all_options_together_keep_their_order);
    g_test_add_func("/ssh_command/the host stands behind the end of options",
                    the_host_stands_behind_the_end_of_options);
    g_test_add_func("/ssh_command/rights are asked for without a password", rights_are_asked_for_without_a_password);
    g_test_add_func("/ssh_command/a command that is given is the one", a_command_that_is_given_is_the_one);
    g_test_add_func("/ssh_command/no word for the other shell is of the user's choice",
                    no_word_for_the_other_shell_is_of_the_user_s_choice);
    g_test_add_func("/ssh_command/a hint is what reaches the host", a_hint_is_what_reaches_the_host);
    g_test_add_func("/ssh_command/a hint asks and forbids nothing", a_hint_asks_and_forbids_nothing);
    g_test_add_func("/ssh_command/a hint can be typed whatever the key is called",
                    a_hint_can_be_typed_whatever_the_key_is_called);
    g_test_add_func("/ssh_command/a hint goes through the same proxy", a_hint_goes_through_the_same_proxy);
    return g_test_run();
}
