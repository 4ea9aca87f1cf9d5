/* Privileges: what a capture needs while it opens its sockets is given up before the first packet is read. */
#pragma once

/* Drops every capability of the calling thread, and so of the threads that it starts. For good. */
void rxtx_privilege_drop(void);
