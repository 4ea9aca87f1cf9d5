/* The two forms of help, written from the option table. */
#pragma once

#include "plan/options.h"

/* group: whose options, rxtx_group. "Usage: rxtxcpu [--help] …", wrapped at 79 columns, ends with a newline. Free with
 * g_free. */
char *rxtx_help_usage(const char *program, int group);

/* What --help prints. Free with g_free. */
char *rxtx_help_text(const char *program, int group);
