/* What names may be that go to other programs or other hosts: checked before anything is done with them. Pure.
 *
 * Names of hosts, users, programs and interfaces do not begin with a dash, or they would be options to whoever gets
 * them (CVE-2017-1000117, CVE-2024-34713), and what reaches another host's shell holds nothing that it obeys
 * (CVE-2023-51385).
 */
#pragma once

#include <stdbool.h>

/* A host's name, address or alias of ~/.ssh/config, perhaps with USER@ in front: letters, digits and ._:%-. */
bool rxtx_is_host(const char *text);
/* Letters, digits and ._@+-, at most 255 bytes. */
bool rxtx_is_user(const char *text);
/* A path or a name on the other host, with ~/ in front or not: letters, digits and ._/+-, at most 1,024 bytes. */
bool rxtx_is_program(const char *text);
/* As the kernel has it (dev_valid_name in net/core/dev.c), as UTF-8 and without control characters. */
bool rxtx_is_interface(const char *text);
/* One line without control characters: ssh takes it as it is. */
bool rxtx_is_line(const char *text);
