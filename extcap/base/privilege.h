/* Privileges: what a capture needs while it opens its sockets is given up before the first packet is read. */
#pragma once

/* What is kept: 0, or several of these. */
typedef enum {
    RXTX_PRIVILEGE_FILES = 1,   /* root's right to open files in the folders of others (CAP_DAC_OVERRIDE) */
    RXTX_PRIVILEGE_SOCKETS = 2, /* packet sockets (CAP_NET_RAW), for an interface that is waited for */
} rxtx_privilege;

/* Drops every other capability of the calling thread, and so of the threads that it starts. For good. */
void rxtx_privilege_drop(unsigned keep);
