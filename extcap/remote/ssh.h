/* One running ssh: its three ends, what it says on stderr, and what that means.
 *
 * ssh ends with us, whatever ends us. The main thread starts and stops it; its descriptors may be used by another.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/options.h"

typedef struct {
    const rxtx_options *options; /* borrowed */
    const char *host;            /* as given; borrowed */
    GPid pid;                    /* 0 = none */
    int in, out, err;            /* its stdin, stdout, stderr: none of them blocks; -1 = closed */
    GString *said;               /* on stderr: its last 8 KiB */
    int status;                  /* as waitpid(2) gives it, once pid is 0 again */
} rxtx_ssh;

/* command: see rxtx_ssh_command. Safe to clear also on failure (RXTX_ERROR_REMOTE). */
bool rxtx_ssh_start(rxtx_ssh *ssh, const rxtx_options *options, const char *host, const char *command, GError **error);

/* Has the other host's program been started? Asked after something was written to `in`: as long as ssh connects, and
 * perhaps asks a person, it lies in the pipe. */
bool rxtx_ssh_is_through(const rxtx_ssh *ssh);

/* Takes what there is on stderr. */
void rxtx_ssh_listen(rxtx_ssh *ssh);

/* Without waiting. */
bool rxtx_ssh_has_ended(rxtx_ssh *ssh);

/* Waits until it has ended, at most so long; then it is ended. */
void rxtx_ssh_end(rxtx_ssh *ssh, int patience_ms);

/* After rxtx_ssh_end: one sentence for what went wrong, with what to type next behind a newline (RXTX_ERROR_REMOTE).
 * capturing: it had worked. Returns false. */
bool rxtx_ssh_explain(const rxtx_ssh *ssh, bool capturing, GError **error);

void rxtx_ssh_clear(rxtx_ssh *ssh);
