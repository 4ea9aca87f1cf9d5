/* Words for ssh. That it runs is ssh.c's business, what the names may be plan/grammar.c's. */
#include "remote/ssh_command.h"

#include <string.h>

static void add(GPtrArray *argv, const char *word)
{
    g_ptr_array_add(argv, g_strdup(word));
}

static void add_setting(GPtrArray *argv, const char *setting)
{
    add(argv, "-o");
    add(argv, setting);
}

static void add_given(GPtrArray *argv, const char *option, const char *value)
{
    if (value == NULL)
        return;
    add(argv, option);
    add(argv, value);
}

/* What a configuration may have for interactive use and what would be in our way, or a gift to the other host. */
static void add_manners(GPtrArray *argv)
{
    static const char *const settings[] = {
        "ForwardAgent=no", "ForwardX11=no",   "ClearAllForwardings=yes", "PermitLocalCommand=no", "RemoteCommand=none",
        "LogLevel=INFO",   "EscapeChar=none", "ControlMaster=no", /* or others' sessions would end with ours; one that
                                                                     is there is used */
    };

    add(argv, "-T");
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        add_setting(argv, settings[i]);
}

static guint64 default_timeout(void)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        if (row->offset == offsetof(rxtx_options, remote_timeout))
            return g_ascii_strtoull(row->def, NULL, 10);
    g_assert_not_reached();
}

/* How long to wait for the connection is ssh's configuration's, unless it was said, or nobody sits there to end it. */
static void add_settings(GPtrArray *argv, const rxtx_options *options, bool ask)
{
    g_autofree char *timeout = g_strdup_printf("ConnectTimeout=%" G_GUINT64_FORMAT, options->remote_timeout);

    if (!ask)
        add_setting(argv, "BatchMode=yes");
    if (!ask || options->remote_timeout != default_timeout())
        add_setting(argv, timeout);
    if (options->remote_compress)
        add_setting(argv, "Compression=yes");
}

static void add_way(GPtrArray *argv, const rxtx_options *options)
{
    g_autofree char *port = g_strdup_printf("%" G_GUINT64_FORMAT, options->remote_port);
    g_autofree char *proxy =
        options->proxycommand != NULL ? g_strconcat("ProxyCommand=", options->proxycommand, NULL) : NULL;

    add_given(argv, "-o", proxy);
    add_given(argv, "-p", options->remote_port != 0 ? port : NULL);
    add_given(argv, "-l", options->remote_username);
    add_given(argv, "-i", options->sshkey);
}

const char *rxtx_ssh_priv(int priv)
{
    static const char *const words[] = {
        [RXTX_PRIV_NONE] = "", [RXTX_PRIV_SUDO] = "sudo -n -- ", [RXTX_PRIV_DOAS] = "doas -n -- "};

    return words[priv];
}

char **rxtx_ssh_command(const rxtx_options *options, const char *host, const char *command, bool ask)
{
    g_autofree char *serving =
        g_strconcat(rxtx_ssh_priv(options->remote_priv), options->remote_program, " --serve", NULL);
    GPtrArray *argv = g_ptr_array_new();

    add(argv, "ssh");
    add_manners(argv);
    add_settings(argv, options, ask);
    add_way(argv, options);
    add(argv, "--");
    add(argv, host);
    add(argv, command != NULL ? command : serving);
    g_ptr_array_add(argv, NULL);
    return (char **)g_ptr_array_free(argv, FALSE);
}

/* For the shell of whoever types it. What needs no quotes has none: a key's ~/ may have been meant for the shell. */
static char *quoted(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/~@%:=+,-";

    return *word != '\0' && word[strspn(word, plain)] == '\0' ? g_strdup(word) : g_shell_quote(word);
}

char *rxtx_ssh_typed(const rxtx_options *options, const char *host, const char *command)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);

    add(words, "ssh");
    add_way(words, options);
    add(words, host);
    for (guint i = 0; i < words->len; i++) {
        char *bare = words->pdata[i];
        words->pdata[i] = quoted(bare);
        g_free(bare);
    }
    if (command != NULL)
        add(words, command);
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **)words->pdata);
}
