/* A set of CPU numbers (or of queues, or of nodes), and the two ways to write one.
 *
 *     list   0,2-4,6     decimal numbers and ranges, what the kernel calls cpulist; as there, a comma too many is
 *                        nothing, and so are a space or a plus sign in front of a number
 *     mask   5d or 1,0   hexadecimal, commas ignored wherever they are, no 0x
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* As many as a fan-out group can have members (PACKET_FANOUT_MAX, net/packet/internal.h). */
#define RXTX_CPUSET_MAX 65536u

typedef struct {
    guint64 words[RXTX_CPUSET_MAX / 64];
} rxtx_cpuset;

void rxtx_cpuset_add(rxtx_cpuset *set, unsigned cpu);
bool rxtx_cpuset_has(const rxtx_cpuset *set, unsigned cpu);
unsigned rxtx_cpuset_count(const rxtx_cpuset *set);
/* 0 for the empty set, else the highest member + 1. */
unsigned rxtx_cpuset_limit(const rxtx_cpuset *set);
/* Keeps in set what is in other too. */
void rxtx_cpuset_intersect(rxtx_cpuset *set, const rxtx_cpuset *other);
void rxtx_cpuset_unite(rxtx_cpuset *set, const rxtx_cpuset *other);

/* Both refuse what names no member, anything but the grammar above, a range that runs backwards and a number of
 * RXTX_CPUSET_MAX or more: they return false and leave set undefined. One trailing newline is allowed, for sysfs. */
bool rxtx_cpuset_parse_list(rxtx_cpuset *set, const char *text);
bool rxtx_cpuset_parse_mask(rxtx_cpuset *set, const char *text);

/* The list form, "" for the empty set. Free with g_free. */
char *rxtx_cpuset_format(const rxtx_cpuset *set);
