/* argv -> who calls -> one call; an error -> one sentence, a hint and an exit status. The only place that prints and
 * the only one that ends the program. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/privilege.h"
#include "base/stop.h"
#include "remote/deploy.h"
#include "remote/remote.h"
#include "remote/serve.h"
#include "session.h"
#include "ui/extcap_query.h"
#include "ui/help.h"
#include "ui/lists.h"
#include "ui/reloaded.h"

enum { EXIT_REFUSED = 1, EXIT_TYPED_WRONGLY = 2 };

/* What main makes of an error, besides saying it. */
static const struct {
    int status;
    bool usage;
    bool capability;
} verdicts[] = {
    [RXTX_ERROR_USAGE] = {.status = EXIT_TYPED_WRONGLY, .usage = true},
    [RXTX_ERROR_INPUT] = {.status = EXIT_TYPED_WRONGLY},
    [RXTX_ERROR_PERMISSION] = {.status = EXIT_REFUSED, .capability = true},
    [RXTX_ERROR_KERNEL] = {.status = EXIT_REFUSED},
    [RXTX_ERROR_INTERFACE] = {.status = EXIT_REFUSED},
    [RXTX_ERROR_OUTPUT] = {.status = EXIT_REFUSED},
    [RXTX_ERROR_REMOTE] = {.status = EXIT_REFUSED},
};

/* A message and what may stand behind its newline: what to type next. For a person that is a line of its own, so that
 * the first is the one that scripts know. */
static void say_error(const rxtx_options *options, const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", 2);
    bool cli = options->face == RXTX_FACE_CLI;

    fprintf(stderr, "%s: %s", options->program, lines[0]);
    if (lines[1] != NULL)
        fprintf(stderr, "%s%s%s",
                cli                               ? "\n"
                : g_str_has_suffix(lines[0], ".") ? " "
                                                  : ". ",
                cli ? options->program : "", cli ? ": " : "");
    fprintf(stderr, "%s\n", lines[1] != NULL ? lines[1] : "");
}

/* Wireshark shows stderr in a dialog, where our usage would not help. */
static int complain(const rxtx_options *options, const GError *error)
{
    g_assert(error != NULL);

    g_autofree char *usage = rxtx_help_usage(options->program, options->group);
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *hint = g_strconcat("\nRun: sudo setcap cap_net_raw+ep ", self, NULL);
    g_autofree char *message = g_strconcat(error->message, verdicts[error->code].capability ? hint : "", NULL);

    say_error(options, message);
    if (verdicts[error->code].usage && options->face == RXTX_FACE_CLI)
        fputs(usage, stderr);
    return verdicts[error->code].status;
}

/* A reader who is slow is waited for, but not against the user's will. */
static bool put(int fd, const char *text)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    while (*text != '\0') {
        ssize_t n;
        if (poll(&ready, 1, 0) == 0) {
            rxtx_stop_by_signals();
            (void)poll(&ready, 1, -1);
        }
        n = write(fd, text, MIN(strlen(text), PIPE_BUF));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        text += MAX(n, 0);
    }
    return true;
}

/* What nobody got is not said: a full disk or a closed pipe behind stdout is an error. */
static int say(const rxtx_options *options, int fd, const char *text)
{
    if (put(fd, text))
        return EXIT_SUCCESS;
    fprintf(stderr, "%s: writing to standard output: %s\n", options->program, g_strerror(errno));
    return EXIT_REFUSED;
}

/* What another host has is asked of it, when somebody presses Reload. */
static char *reload(rxtx_options *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *lines = NULL;

    options->list_interfaces = !options->list_cpus;
    rxtx_privilege_drop(0);
    if (options->remote_hosts != NULL)
        lines = rxtx_remote_ask(options, 0, &error);
    else
        rxtx_set_error(&error, RXTX_ERROR_USAGE, "No host given: fill in 'Host' first.");
    if (lines == NULL)
        return rxtx_extcap_no_values(options->reload_option, error->message);
    rxtx_reloaded_keep(options->reload_option, rxtx_options_host_label(options->remote_hosts[0]), lines);
    return rxtx_extcap_values(options->reload_option, lines);
}

static int answer(rxtx_options *options)
{
    g_autoptr(GError) error = NULL;
    bool there = options->extcap_config && options->reload_option != NULL && rxtx_options_remote(options) &&
                 rxtx_extcap_reloads(options->reload_option, &options->list_cpus);
    g_autofree char *text = there ? reload(options) : rxtx_extcap_answer(options, &error);

    return text != NULL ? say(options, STDOUT_FILENO, text) : complain(options, error);
}

/* refused: what was wrong with the options, NULL = nothing. */
static int capture(const rxtx_options *options, const GError *refused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_session) session = rxtx_session_new(options, &error);
    g_autofree char *notes = NULL, *counts = NULL;
    int status = EXIT_SUCCESS, said;

    if (refused != NULL)
        return complain(options, refused);
    if (session == NULL)
        return complain(options, error);
    if (!rxtx_session_run(session, &error))
        status = complain(options, error);
    if (options->face != RXTX_FACE_CLI)
        return status;
    notes = rxtx_session_notes(session);
    counts = rxtx_session_counts(session);
    put(STDERR_FILENO, notes);
    said = say(options, rxtx_options_to_stdout(options) ? STDERR_FILENO : STDOUT_FILENO, counts);
    return status != EXIT_SUCCESS ? status : said;
}

static bool serve_capture(rxtx_serve *serving, const rxtx_options *request, GError **error)
{
    g_autoptr(rxtx_session) session = rxtx_session_new(request, error);
    bool good;

    if (session == NULL) {
        rxtx_serve_end(serving, *error, 0, 0, 0);
        return false;
    }
    rxtx_session_serve(session, serving);
    good = rxtx_session_run(session, error);
    rxtx_session_end_serving(session, *error);
    return good;
}

static bool serve_list(rxtx_serve *serving, const rxtx_options *request, GError **error)
{
    g_autofree char *lines = request->list_cpus ? rxtx_lists_cpus("") : rxtx_lists_interfaces(error);

    if (lines != NULL)
        rxtx_serve_text(serving, lines);
    rxtx_serve_end(serving, *error, 0, 0, 0);
    return lines != NULL;
}

/* Whatever goes wrong is the other host's to say: our stderr is ssh's. */
static int serve(const rxtx_options *options)
{
    g_autoptr(rxtx_serve) serving = rxtx_serve_new();
    g_autoptr(GError) error = NULL;
    const rxtx_options *request;
    bool good;

    if (options->remote_deploy)
        rxtx_deploy_remove_ourselves();
    if (isatty(STDIN_FILENO)) {
        rxtx_set_error(&error, RXTX_ERROR_INPUT,
                       "--serve is for another rxtxcpu, which runs it. To capture on another "
                       "host: rxtxcpu --remote-host HOST INTERFACE");
        return complain(options, error);
    }
    request = rxtx_serve_request(serving, &error);
    if (request == NULL) {
        rxtx_serve_end(serving, error, 0, 0, 0);
        return EXIT_REFUSED;
    }
    good = request->list_cpus || request->list_interfaces ? serve_list(serving, request, &error)
                                                          : serve_capture(serving, request, &error);
    return good ? EXIT_SUCCESS : EXIT_REFUSED;
}

/* Into `head`, say: like other programs, it ends without a word when that has enough. */
static int show(const rxtx_options *options, char *text)
{
    int status;

    signal(SIGPIPE, SIG_DFL);
    status = say(options, STDOUT_FILENO, text);
    g_free(text);
    return status;
}

static char *list_there(const rxtx_options *options, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool several = options->remote_hosts[1] != NULL;

    rxtx_privilege_drop(0);
    for (unsigned i = 0; options->remote_hosts[i] != NULL; i++) {
        g_autofree char *lines = rxtx_remote_ask(options, i, error);
        g_autofree char *aligned = lines != NULL ? rxtx_lists_align(lines, options->list_cpus) : NULL;
        if (aligned == NULL)
            return NULL;
        if (several)
            g_string_append_printf(text, "%s%s:\n", i > 0 ? "\n" : "", options->remote_hosts[i]);
        g_string_append(text, aligned);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *list_here(const rxtx_options *options, GError **error)
{
    g_autofree char *lines = options->list_cpus ? rxtx_lists_cpus("") : rxtx_lists_interfaces(error);

    return lines != NULL ? rxtx_lists_align(lines, options->list_cpus) : NULL;
}

/* -D and --list-cpus. */
static int list(const rxtx_options *options)
{
    g_autoptr(GError) error = NULL;
    char *text = rxtx_options_remote(options) ? list_there(options, &error) : list_here(options, &error);

    return text != NULL ? show(options, text) : complain(options, error);
}

/* Or a socket of ours would become stderr, and our messages packets on the captured interface. What was closed cannot
 * be written to afterwards either. */
static void open_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            abort();
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = NULL;

    open_standard_streams();
    setlocale(LC_CTYPE, "");  /* how wide a bar of the table may be drawn; numbers stay as they are */
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is an error to handle, not an end */
    options = rxtx_options_parse(argc, argv, &error);
    if (options->face == RXTX_FACE_EXTCAP && options->capture)
        return capture(options, error);
    if (error != NULL)
        return complain(options, error);
    if (options->version)
        return show(options, g_strdup_printf("%s version " RXTX_VERSION "\n", options->program));
    if (options->help)
        return show(options, rxtx_help_text(options->program, options->group));
    if (options->serve)
        return serve(options);
    if ((options->list_cpus || options->list_interfaces) && options->face == RXTX_FACE_CLI)
        return list(options);
    return options->face == RXTX_FACE_EXTCAP ? answer(options) : capture(options, NULL);
}
