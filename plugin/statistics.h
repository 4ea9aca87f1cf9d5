/* The statistics: rxtxcpu,stat; rxtxcpu,flows; rxtxcpu,symmetry; rxtxcpu,tree. */
#pragma once

/* Called once, at Wireshark's start, after the tap is registered. *flows_shown: how many flows of each CPU
 * rxtxcpu,flows lists where nothing else is said; read when it is drawn. */
void rxtx_statistics_register(const unsigned *flows_shown);
