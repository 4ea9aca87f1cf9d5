/* The program on its way to another host. Where the files that are sent come from is packaging/static/build's. */
#include "remote/deploy.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "remote/ssh_command.h"

enum { LOOK_MS = 500, LINE_BYTES_MAX = 4096, LINES_MAX = 200, PIECE_BYTES = 131072, MACHINE_MAX = 32 };

#define SAYS "rxtxcpu-deploy "
#define SILENT "silent"
#define PIECE "131072" /* PIECE_BYTES */

/* Without single quotes, for it stands between some, and without exclamation marks, which csh takes for its own; what
 * is printed is read by send(), and may stand behind what the shell's start-up files printed. The folder is one in
 * which a program can be run: /tmp often is none. No piece is sent before it is asked for, so head may read as far as
 * it likes. The shell stays until the program has ended, for it may never be run: sudo may refuse. */
static const char script[] =
    "echo; read -r go || exit 1; "
    "umask 077; "
    "for base in \"${TMPDIR:-/tmp}\" /tmp /var/tmp \"$HOME\" /dev/shm; do "
    "d=$(mktemp -d \"$base/rxtxcpu.XXXXXXXXXX\" 2>/dev/null) || continue; "
    "trap \"rm -rf \\\"$d\\\"\" EXIT; trap \"exit 1\" HUP INT TERM PIPE; "
    "printf \"#\\041/bin/sh\\nexit 0\\n\" >\"$d/rxtxcpu\"; chmod 700 \"$d/rxtxcpu\"; "
    "\"$d/rxtxcpu\" 2>/dev/null && break; "
    "rm -rf \"$d\"; d=; done; "
    "[ -n \"$d\" ] || { echo " SAYS "nowhere; exit 1; }; "
    "echo " SAYS "machine \"$(uname -m)\"; "
    "read -r size sum || exit 1; "
    ": >\"$d/rxtxcpu\"; "
    "while [ \"$size\" -gt 0 ]; do "
    "n=$size; [ \"$n\" -le " PIECE " ] || n=" PIECE "; "
    "echo " SAYS "more; head -c \"$n\" >>\"$d/rxtxcpu\" || exit 1; "
    "size=$((size - n)); done; "
    "echo \"$sum  $d/rxtxcpu\" | sha256sum -c - >/dev/null 2>&1 || { echo " SAYS "sum; exit 1; }; "
    "\"$d/rxtxcpu\" --version >/dev/null 2>&1 || { echo " SAYS "broken; exit 1; }; "
    "echo " SAYS "run; ";

char *rxtx_deploy_command(const rxtx_options *options)
{
    return g_strdup_printf("exec /bin/sh -c '%s%s\"$d/rxtxcpu\" --serve --remote-deploy; exit $?'", script,
                           rxtx_ssh_priv(options->remote_priv));
}

/* ---- lines of the script ---- */

/* The next line that the script says, without our word in front; others may be printed by the shell's start-up files.
 * "" = it ended, or never says such a line; SILENT = it says nothing though it runs. Free with g_free. */
static char *hear(rxtx_ssh *ssh, void (*tick)(gpointer data), gpointer data)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct pollfd polls[] = {{.fd = ssh->out, .events = POLLIN}, {.fd = ssh->err, .events = POLLIN}};
    gint64 deadline_us = G_MAXINT64;
    unsigned lines = 0;
    ssize_t n = 1;
    char byte;

    while (n != 0 && lines < LINES_MAX && line->len < LINE_BYTES_MAX && g_get_monotonic_time() < deadline_us) {
        if (deadline_us == G_MAXINT64 && rxtx_ssh_is_through(ssh))
            deadline_us = g_get_monotonic_time() + (gint64)ssh->options->remote_timeout * G_USEC_PER_SEC;
        if (poll(polls, G_N_ELEMENTS(polls), LOOK_MS) >= 0)
            rxtx_ssh_listen(ssh);
        polls[1].fd = ssh->err; /* it may be closed by now */
        tick(data);
        while ((n = read(ssh->out, &byte, 1)) == 1 && byte != '\n' && line->len < LINE_BYTES_MAX)
            g_string_append_c(line, byte);
        if (n == 1 && g_str_has_prefix(line->str, SAYS))
            return g_strdup(line->str + strlen(SAYS));
        if (n == 1) {
            lines++;
            g_string_truncate(line, 0);
        }
    }
    return g_strdup(g_get_monotonic_time() < deadline_us ? "" : SILENT);
}

/* False = it takes nothing any more. */
static bool put(rxtx_ssh *ssh, const char *bytes, size_t size, void (*tick)(gpointer data), gpointer data)
{
    struct pollfd in = {.fd = ssh->in, .events = POLLOUT};
    gint64 deadline_us = g_get_monotonic_time() + (gint64)ssh->options->remote_timeout * G_USEC_PER_SEC;

    while (size > 0) {
        ssize_t n = poll(&in, 1, LOOK_MS) > 0 ? write(ssh->in, bytes, size) : 0;
        if ((n < 0 && errno != EAGAIN && errno != EINTR) || g_get_monotonic_time() > deadline_us)
            return false;
        bytes += MAX(n, 0);
        size -= (size_t)MAX(n, 0);
        tick(data);
    }
    return true;
}

/* ---- the file ---- */

/* Installed programs and builds have it at the same place, seen from where they lie. Free with g_free. */
static char *folder(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *own = self != NULL ? g_path_get_dirname(self) : g_strdup(".");

    return g_build_filename(own, "..", "lib", "rxtxcpu", "deploy", NULL);
}

static bool has_sum(const char *in, const char *name, const char *sum)
{
    g_autofree char *path = g_build_filename(in, "SHA256SUMS", NULL), *text = NULL;
    g_autofree char *line = g_strdup_printf("%s  %s", sum, name);
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return false;
    lines = g_strsplit(text, "\n", -1);
    return g_strv_contains((const char *const *)lines, line);
}

/* The program for a machine, as `uname -m` calls it, and its sum. */
static char *load(const char *machine, gsize *size, char **sum, GError **error)
{
    g_autofree char *in = folder(), *name = NULL, *path = NULL, *bytes = NULL;

    if (strspn(machine, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(machine) || *machine == '\0' ||
        strlen(machine) > MACHINE_MAX) {
        rxtx_set_error(error, RXTX_ERROR_REMOTE, "It does not tell what machine it is.\nInstall rxtxcpu there instead");
        return NULL;
    }
    name = g_strconcat("rxtxcpu-", machine, NULL);
    path = g_build_filename(in, name, NULL);
    if (!g_file_get_contents(path, &bytes, size, NULL)) {
        rxtx_set_error(error, RXTX_ERROR_REMOTE,
                       "There is no program to bring along for its machine (%s): %s is not there.\nMake it: "
                       "packaging/static/build %s",
                       machine, path, machine);
        return NULL;
    }
    *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)bytes, *size);
    if (!has_sum(in, name, *sum)) {
        rxtx_set_error(error, RXTX_ERROR_REMOTE,
                       "%s is not what SHA256SUMS beside it says.\nMake it anew: "
                       "packaging/static/build %s",
                       path, machine);
        return NULL;
    }
    return g_steal_pointer(&bytes);
}

/* ---- all of it ---- */

static bool explain(const rxtx_ssh *ssh, const char *said, GError **error)
{
    static const struct {
        const char *said, *sentence;
    } meanings[] = {
        {"nowhere", "There is no folder in which a program could be run (/tmp, /var/tmp, the home, /dev/shm).\nInstall "
                    "rxtxcpu there instead"},
        {"sum", "The program did not arrive as it was sent, or there is no sha256sum.\nTry again, or install rxtxcpu "
                "there instead"},
        {"broken", "The program that was brought along does not run there.\nInstall rxtxcpu there instead"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_strcmp0(said, meanings[i].said) == 0)
            return rxtx_set_error(error, RXTX_ERROR_REMOTE, "%s", meanings[i].sentence);
    if (strcmp(said, SILENT) == 0)
        return rxtx_set_error(error, RXTX_ERROR_REMOTE,
                              "The other end does not answer: nothing was heard for %" G_GUINT64_FORMAT
                              " seconds.\nTo wait longer: --remote-timeout SECONDS",
                              ssh->options->remote_timeout);
    return rxtx_set_error(error, RXTX_ERROR_REMOTE,
                          "The other end said what makes no sense here.\nInstall rxtxcpu there instead");
}

/* What it says last. Free with g_free. */
static char *send_pieces(rxtx_ssh *ssh, const char *bytes, gsize size, void (*tick)(gpointer data), gpointer data)
{
    g_autofree char *said = hear(ssh, tick, data);

    while (size > 0 && strcmp(said, "more") == 0) {
        gsize piece = MIN(size, (gsize)PIECE_BYTES);
        bool taken = put(ssh, bytes, piece, tick, data);
        bytes += piece;
        size -= piece;
        g_free(said);
        said = taken ? hear(ssh, tick, data) : g_strdup(SILENT);
    }
    return g_steal_pointer(&said);
}

static bool send_file(rxtx_ssh *ssh, const char *machine, char **said, void (*tick)(gpointer data), gpointer data,
                      GError **error)
{
    g_autofree char *sum = NULL, *head = NULL, *bytes = NULL;
    gsize size;

    bytes = load(machine, &size, &sum, error);
    if (bytes == NULL)
        return false;
    head = g_strdup_printf("%" G_GSIZE_FORMAT " %s\n", size, sum);
    g_free(*said);
    *said = put(ssh, head, strlen(head), tick, data) ? send_pieces(ssh, bytes, size, tick, data) : g_strdup(SILENT);
    return true;
}

bool rxtx_deploy_send(rxtx_ssh *ssh, void (*tick)(gpointer data), gpointer data, GError **error)
{
    static const char machine[] = "machine ";
    g_autoptr(GError) why = NULL;
    g_autofree char *host = g_strconcat(rxtx_options_host_label(ssh->host), ": ", NULL), *said = NULL, *name = NULL;

    (void)put(ssh, "\n", 1, tick, data); /* once ssh has taken it, the script runs */
    said = hear(ssh, tick, data);
    if (g_str_has_prefix(said, machine)) {
        name = g_strdup(said + strlen(machine));
        if (send_file(ssh, name, &said, tick, data, &why) && strcmp(said, "run") == 0)
            return true;
    }
    if (why == NULL && *said != '\0' && ssh->pid != 0 && !(strcmp(said, SILENT) == 0 && rxtx_ssh_has_ended(ssh)))
        explain(ssh, said, &why);
    if (why != NULL)
        return rxtx_set_error(error, RXTX_ERROR_REMOTE, "%s%s", host, why->message);
    rxtx_ssh_end(ssh, 1000);
    return rxtx_ssh_explain(ssh, false, error);
}

void rxtx_deploy_remove_ourselves(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *in = self != NULL ? g_path_get_dirname(self) : g_strdup("");
    g_autofree char *name = g_path_get_basename(in);

    if (self != NULL && g_str_has_prefix(name, "rxtxcpu.") && unlink(self) == 0)
        (void)rmdir(in);
}
