/* Brings the program along to a host where it is not installed (--remote-deploy).
 *
 * A small script of the other host's sh makes a private folder where programs may be run, takes the file from standard
 * input, checks its sum and runs it in its own place. The program removes file and folder as soon as it runs, so that
 * nothing is left whatever happens to the connection afterwards.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "remote/ssh.h"

/* What the other host's shell is to run. Pure. Free with g_free. */
char *rxtx_deploy_command(const rxtx_options *options);

/* Sends the program to an ssh that runs that command; once it returns, what is said on both ends is the program's.
 * tick: called at least twice a second meanwhile. False with RXTX_ERROR_REMOTE. */
bool rxtx_deploy_send(rxtx_ssh *ssh, void (*tick)(gpointer data), gpointer data, GError **error);

/* The other end's: removes the program that runs, which was brought along, and its folder. */
void rxtx_deploy_remove_ourselves(void);
