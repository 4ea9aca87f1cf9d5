/* The menu Tools > Per-CPU of Wireshark: each entry applies a display filter that is one of the questions. */
#pragma once

/* Registers the menu, for the protocol proto. Called once, at Wireshark's start; without a window it does nothing. */
void rxtx_menu_register(int proto);
