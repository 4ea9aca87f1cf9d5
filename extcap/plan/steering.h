/* The state of packet steering at one moment, as text for people: what decides where a packet lands. */
#pragma once

/* The kernel's boot id, driver, channels, RSS key and indirection table, rps_cpus and xps_cpus of each queue, and the
 * CPUs of the device's interrupts; a line each, what cannot be read is left out, and at most 32 KiB. Only reads. root:
 * "" for this machine's sysfs and procfs. Never NULL. Free with g_free. */
char *rxtx_steering_describe(const char *root, const char *interface);
