/* The sandbox: once everything is open, the kernel refuses this process what a capture does not need.
 *
 * Captured bytes and other hosts are hostile; what breaks in here is not to become a program, a connection or a file of
 * somebody else's. A refused call fails with EPERM, it does not end the capture.
 */
#pragma once

/* What is allowed beside reading, writing and waiting on what is open: 0, or several of these. */
typedef enum {
    RXTX_SANDBOX_FILES = 1,    /* files are made and deleted */
    RXTX_SANDBOX_SOCKETS = 2,  /* sockets are opened again, names of a filter looked up */
    RXTX_SANDBOX_CHILDREN = 4, /* a program that was started before is waited for and ended */
} rxtx_sandbox_allow;

/* For all threads, and for good. No new privileges in any case; the rest where the program was
 * built with libseccomp and the kernel has seccomp(2). */
void rxtx_sandbox_enter(unsigned allow);
