/* The command that reaches another host: options in, argv out. Pure.
 *
 * It is the user's own OpenSSH client with the user's own configuration: what works as `ssh HOST` works here. No shell
 * of ours is between. What the other host's shell gets is fixed words and a program's name of plan/grammar.h;
 * everything else travels on standard input (rxtxcpu/remote_protocol.h).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "plan/options.h"

/* host: as given, perhaps with USER@. command: of the other host's shell; NULL = that which serves. ask: whether ssh
 * may ask a person. Free with g_strfreev. */
char **rxtx_ssh_command(const rxtx_options *options, const char *host, const char *command, bool ask);

/* The words in front of a command of the other host: "sudo -n -- " or another; "" = none. */
const char *rxtx_ssh_priv(int priv);

/* What a person would type to reach the host, with a command behind it or NULL: "ssh -p 2222 web1". Free with g_free.
 */
char *rxtx_ssh_typed(const rxtx_options *options, const char *host, const char *command);
