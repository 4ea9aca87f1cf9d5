/* Starts ssh, ends it, and turns what it says into a sentence. With which words it is called is ssh_command.c's. */
#include "remote/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "remote/message.h"
#include "rxtxcpu/remote_protocol.h"
#include "remote/ssh_command.h"

enum {
    SAID_MAX = 8192,
    LAST_PATIENCE_MS = 1000,
    SLICE_MS = 20,
    PIPE_BYTES = 1024 * 1024, /* the most an ordinary user may ask for (fs.pipe-max-size) */
    NOT_FOUND = 127,
    NOT_EXECUTABLE = 126,
    SSH_FAILED = 255
};

/* ---- start and end ---- */

typedef struct {
    pid_t parent;
    bool alone; /* without a terminal */
} child;

/* In the child. What a terminal sends to all is for us, who stop the capture in order; the signals that we block are
 * not blocked there. Called by Wireshark there may be a terminal all the same, on which nobody waits for a question,
 * such as that of a jump host's ssh, which is not told of BatchMode. */
static void settle_child(gpointer data)
{
    const child *c = data;
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    if (c->alone)
        setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != c->parent)
        _exit(1); /* it was over before we were told */
}

/* Where nobody sits at a terminal, an askpass program is asked, or nobody. */
static char **environment(const rxtx_options *options, bool *ask)
{
    char **env = g_get_environ();
    bool extcap = options->face == RXTX_FACE_EXTCAP;

    *ask = !extcap || g_environ_getenv(env, "SSH_ASKPASS") != NULL;
    return extcap && *ask ? g_environ_setenv(env, "SSH_ASKPASS_REQUIRE", "force", TRUE) : env;
}

static void unblock(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

bool rxtx_ssh_start(rxtx_ssh *ssh, const rxtx_options *options, const char *host, const char *command, GError **error)
{
    static const GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD;
    child settings = {.parent = getpid(), .alone = options->face == RXTX_FACE_EXTCAP};
    bool ask;
    g_auto(GStrv) env = environment(options, &ask);
    g_auto(GStrv) argv = rxtx_ssh_command(options, host, command, ask);
    g_autoptr(GError) why = NULL;

    *ssh = (rxtx_ssh){.options = options, .host = host, .in = -1, .out = -1, .err = -1, .said = g_string_new(NULL)};
    if (!g_spawn_async_with_pipes(NULL, argv, env, flags, settle_child, &settings, &ssh->pid, &ssh->in, &ssh->out,
                                  &ssh->err, &why))
        return rxtx_set_error(error, RXTX_ERROR_REMOTE, "Running ssh: %s\nInstall it: apt-get install openssh-client",
                              why->message);
    unblock(ssh->in);
    (void)fcntl(ssh->in, F_SETPIPE_SZ, RXTX_MESSAGE_MAX); /* a request is written in one piece */
    unblock(ssh->out);
    (void)fcntl(ssh->out, F_SETPIPE_SZ, PIPE_BYTES); /* refused where the user has many pipes: no harm */
    unblock(ssh->err);
    return true;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void rxtx_ssh_listen(rxtx_ssh *ssh)
{
    char piece[1024];
    ssize_t n = -1;

    while (ssh->err >= 0 && (n = read(ssh->err, piece, sizeof piece)) > 0) {
        g_string_append_len(ssh->said, piece, n);
        if (ssh->said->len > SAID_MAX)
            g_string_erase(ssh->said, 0, (gssize)(ssh->said->len - SAID_MAX));
    }
    if (ssh->err >= 0 && n == 0)
        close_end(&ssh->err);
}

/* A connection that is shared keeps a process in the background, and its stderr open: the end of ssh itself counts. */
static bool has_ended(rxtx_ssh *ssh, int patience_ms)
{
    int pidfd = (int)syscall(SYS_pidfd_open, ssh->pid, 0);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    while (pidfd >= 0 && poll(&end, 1, patience_ms) < 0 && errno == EINTR)
        continue;
    if (pidfd >= 0)
        close(pidfd);
    for (int left_ms = pidfd >= 0 ? 0 : patience_ms; waitpid(ssh->pid, &ssh->status, WNOHANG) != ssh->pid;) {
        if (left_ms <= 0)
            return false;
        g_usleep(SLICE_MS * 1000); /* before Linux 5.3 */
        left_ms -= SLICE_MS;
    }
    ssh->pid = 0;
    return true;
}

bool rxtx_ssh_has_ended(rxtx_ssh *ssh)
{
    return ssh->pid == 0 || has_ended(ssh, 0);
}

void rxtx_ssh_end(rxtx_ssh *ssh, int patience_ms)
{
    if (ssh->pid != 0 && !has_ended(ssh, patience_ms)) {
        kill(ssh->pid, SIGTERM);
        if (!has_ended(ssh, LAST_PATIENCE_MS)) {
            kill(ssh->pid, SIGKILL);
            (void)waitpid(ssh->pid, &ssh->status, 0);
            ssh->pid = 0;
        }
    }
    rxtx_ssh_listen(ssh);
}

void rxtx_ssh_clear(rxtx_ssh *ssh)
{
    close_end(&ssh->in);
    close_end(&ssh->out);
    if (ssh->said != NULL)
        rxtx_ssh_end(ssh, LAST_PATIENCE_MS);
    close_end(&ssh->err);
    if (ssh->said != NULL)
        g_string_free(g_steal_pointer(&ssh->said), TRUE);
}

/* It reads its standard input once the other host's program is started, and not before. */
bool rxtx_ssh_is_through(const rxtx_ssh *ssh)
{
    int left = 0;

    return ioctl(ssh->in, FIONREAD, &left) == 0 && left == 0;
}

/* ---- what it said ---- */

/* %s in a hint: how a person reaches the host. */
typedef struct {
    const char *said; /* in a line on stderr */
    const char *sentence;
    const char *hint;
    bool quote; /* that line belongs to the sentence */
    bool far;   /* it is the other host's that says so, not ssh */
} meaning;

/* In hints: PROGRAM, HOST and, for %s, how a person reaches the host. What is brought along can be named nowhere. */
#define SUDO_LINE                                                                                                      \
    "There, run: echo \"$USER ALL=(root) NOPASSWD: $(command -v PROGRAM || echo /usr/bin/PROGRAM) --serve\" | sudo "   \
    "tee /etc/sudoers.d/rxtxcpu"
#define DOAS_LINE                                                                                                      \
    "There, as root, run: echo \"permit nopass USER cmd PROGRAM\" >>/etc/doas.conf (USER: who you are there)"
#define RIGHTS_HINT "Log in there as root (--remote-username root), or install rxtxcpu there"

/* In the words of OpenSSH (sshconnect.c, sshconnect2.c, readconf.c), sudo, doas and the shells. */
static const meaning meanings[] = {
    {"Could not resolve hostname", "The host's name is not known.", "Try: %s", false, false},
    {"HOST IDENTIFICATION HAS CHANGED", "The host's key has changed: another machine may have taken its place.",
     "If you know why it did: ssh-keygen -R HOST", false, false},
    {"Host key verification failed", "The host's key is not known yet.", "Connect once and check its fingerprint: %s",
     false, false},
    {"Permission denied (", "You are not let in:", "Try: %s", true, false},
    {"Too many authentication failures", "You are not let in:", "Try: %s", true, false},
    {"no mutual", "ssh has no way in common with the host:", "Try: %s", true, false},
    {"Connection refused", "Connection refused: nothing listens there.", "Try: %s", false, false},
    {"timed out", "The connection timed out.", "Try: %s", false, false},
    {"No route to host", "There is no route to the host.", "Try: %s", false, false},
    {"Network is unreachable", "The network is unreachable.", "Try: %s", false, false},
    {"a password is required", "sudo there wants a password, and nobody can type one.", SUDO_LINE, false, true},
    {"a terminal is required", "sudo there wants a password, and nobody can type one.", SUDO_LINE, false, true},
    {"is not allowed to", "sudo there does not allow it:", "Ask who administers the host", true, true},
    {"not in the sudoers file", "sudo there does not allow it:", "Ask who administers the host", true, true},
    {"doas: Operation not permitted", "doas there does not allow it.", DOAS_LINE, false, true},
    {"doas is not enabled", "doas there is not set up.", DOAS_LINE, false, true},
    {"doas: Authentication", "doas there wants a password, and nobody can type one.", DOAS_LINE, false, true},
    {"Unrecognized option '--serve'", "The rxtxcpu there is too old for this: it does not know --serve.",
     "Update it there, or bring ours along: --remote-deploy", false, true},
    {"nrecognized option", "The program there is none of ours, or too old for this: it does not know --serve.",
     "Update it there, or bring ours along: --remote-deploy", false, true},
    {"No space left on device", "There is no space left there:", "Make room there: df -h", true, true},
    {"sudo: command not found", "There is no sudo.", "Leave out --remote-priv sudo, or try: --remote-priv doas", false,
     true},
    {"sudo: not found", "There is no sudo.", "Leave out --remote-priv sudo, or try: --remote-priv doas", false, true},
    {"doas: command not found", "There is no doas.", "Leave out --remote-priv doas, or try: --remote-priv sudo", false,
     true},
    {"doas: not found", "There is no doas.", "Leave out --remote-priv doas, or try: --remote-priv sudo", false, true},
};

static const meaning *meaning_in(const char *line, bool far)
{
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (meanings[i].far == far && strstr(line, meanings[i].said) != NULL)
            return &meanings[i];
    return NULL;
}

/* What was said last counts, for a host may greet with anything; but that its key has changed ssh says before the rest.
 */
static const meaning *meaning_of(const rxtx_ssh *ssh)
{
    static const char changed[] = "HOST IDENTIFICATION HAS CHANGED";
    bool far = WIFEXITED(ssh->status) && WEXITSTATUS(ssh->status) != SSH_FAILED;
    g_auto(GStrv) lines = g_strsplit(ssh->said->str, "\n", -1);
    const meaning *found = NULL;

    if (!far && strstr(ssh->said->str, changed) != NULL)
        return meaning_in(changed, false);
    for (guint i = g_strv_length(lines); i > 0 && found == NULL; i--)
        found = meaning_in(lines[i - 1], far);
    return found;
}

/* The line that holds `what`; NULL = the last one that is not empty. Cleaned; free with g_free. */
static char *line_with(const char *said, const char *what)
{
    g_autofree char *unix_lines = g_strdelimit(g_strdup(said), "\r", '\n');
    g_autofree char *clean = rxtx_message_clean(unix_lines, G_MAXUINT);
    g_auto(GStrv) lines = g_strsplit(clean, "\n", -1);
    char *found = NULL;

    for (char **line = lines; *line != NULL && (what == NULL || found == NULL); line++) {
        g_strstrip(*line);
        if (what == NULL ? **line != '\0' : strstr(*line, what) != NULL) {
            g_free(found);
            found = g_strdup(*line);
        }
    }
    return found != NULL ? found : g_strdup("");
}

static char *replace(char *text, const char *word, const char *by)
{
    g_auto(GStrv) parts = g_strsplit(text, word, -1);

    g_free(text);
    return g_strjoinv(by, parts);
}

/* The words in the hint first: what is typed may hold them too. */
static bool explain(const rxtx_ssh *ssh, const char *sentence, const char *rest, const char *hint, GError **error)
{
    const char *label = rxtx_options_host_label(ssh->host);
    g_autofree char *typed = rxtx_ssh_typed(ssh->options, ssh->host, NULL);
    bool lasting = !ssh->options->remote_deploy || strstr(hint, "PROGRAM") == NULL;
    g_autofree char *text = replace(g_strdup(lasting ? hint : RIGHTS_HINT), "PROGRAM", ssh->options->remote_program);

    text = replace(g_steal_pointer(&text), "HOST", label);
    text = replace(g_steal_pointer(&text), "%s", typed);
    return rxtx_set_error(error, RXTX_ERROR_REMOTE, "%s: %s%s%s\n%s", label, sentence, *rest != '\0' ? " " : "", rest,
                          text);
}

/* ssh of some systems says which line of which file it is. */
static bool explain_changed_key(const rxtx_ssh *ssh, const meaning *changed, GError **error)
{
    g_autofree char *told = line_with(ssh->said->str, "ssh-keygen -f ");
    g_autofree char *hint = g_strconcat("If you know why it did: ", told, NULL);

    return explain(ssh, changed->sentence, "", *told != '\0' ? hint : changed->hint, error);
}

static bool explain_missing(const rxtx_ssh *ssh, GError **error)
{
    g_autofree char *sentence = g_strdup_printf("There is no program '%s'.", ssh->options->remote_program);

    return explain(ssh, sentence, "",
                   "Install it there, say where it is (--remote-program PATH), or bring it along (--remote-deploy)",
                   error);
}

/* A package lets nobody but the group wireshark run it. */
static bool explain_refused(const rxtx_ssh *ssh, GError **error)
{
    g_autofree char *sentence = g_strdup_printf("The program '%s' cannot be run:", ssh->options->remote_program);
    g_autofree char *denied = line_with(ssh->said->str, "denied");
    g_autofree char *last = *denied != '\0' ? g_steal_pointer(&denied) : line_with(ssh->said->str, NULL);

    return explain(
        ssh, sentence, last,
        strstr(last, "denied") != NULL
            ? "There, run: sudo adduser USER wireshark (or say which program may be run: --remote-program PATH)"
            : "Say which program is to be run (--remote-program PATH), or bring it along (--remote-deploy)",
        error);
}

static bool explain_nothing(const rxtx_ssh *ssh, GError **error)
{
    g_autofree char *sentence = g_strdup_printf("The program there ended without a word: '%s' may be another one.",
                                                ssh->options->remote_program);

    return explain(ssh, sentence, "", "Say which program is to be run: --remote-program PATH. Or try: %s", error);
}

/* Some shells say so with the status of what is not there. */
static bool was_refused(const rxtx_ssh *ssh)
{
    int status = WIFEXITED(ssh->status) ? WEXITSTATUS(ssh->status) : 0;

    return status == NOT_EXECUTABLE || (status == NOT_FOUND && strstr(ssh->said->str, "ermission denied") != NULL);
}

static bool was_not_found(const rxtx_ssh *ssh)
{
    return (WIFEXITED(ssh->status) && WEXITSTATUS(ssh->status) == NOT_FOUND) ||
           strstr(ssh->said->str, "ommand not found") != NULL;
}

bool rxtx_ssh_explain(const rxtx_ssh *ssh, bool capturing, GError **error)
{
    const meaning *known = meaning_of(ssh);
    g_autofree char *last = line_with(ssh->said->str, known != NULL ? known->said : NULL);

    if (capturing && WIFSIGNALED(ssh->status) && WTERMSIG(ssh->status) == SIGTERM)
        return explain(ssh, "The connection was lost: ssh got a SIGTERM too.", "",
                       "To end a capture in order, signal rxtxcpu alone (timeout --foreground), or send SIGINT", error);
    if (capturing)
        return explain(ssh, "The connection was lost", *last != '\0' ? last : "(its other end is gone).",
                       "What came before is whole. Try: %s", error);
    if (known != NULL && strstr(known->said, "CHANGED") != NULL)
        return explain_changed_key(ssh, known, error);
    if (known != NULL)
        return explain(ssh, known->sentence, known->quote ? last : "", known->hint, error);
    if (was_refused(ssh))
        return explain_refused(ssh, error);
    if (was_not_found(ssh))
        return explain_missing(ssh, error);
    if (*last == '\0')
        return explain_nothing(ssh, error);
    return explain(ssh, "The other end said nothing that we know:", last, "Try: %s", error);
}
