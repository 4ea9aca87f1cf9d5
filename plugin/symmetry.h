/* The statistic rxtxcpu,symmetry. */
#pragma once

/* Called once, at Wireshark's start, after the tap is registered. */
void rxtx_symmetry_register(void);
