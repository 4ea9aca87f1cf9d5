/* Privileges: what a capture needs while it opens its sockets is given up before the first packet is read. */
#pragma once

#include <stdbool.h>

/* Drops every capability of the calling thread, and so of the threads that it starts. For good. keep_files: all but the
 * one with which root opens files in the folders of others (CAP_DAC_OVERRIDE), for captures that open more of them. */
void rxtx_privilege_drop(bool keep_files);
