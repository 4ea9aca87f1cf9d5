/* The counts for programs: one JSON object on one line. Its members are a contract; the README shows them too.
 *
 *     program        "rxtxcpu"
 *     version        of it
 *     interface      its name; null: all of them
 *     group          "cpu", "queue" or "numa": what packets are put down to
 *     start_ns       packets were accepted from here, by this machine's clock
 *     end_ns         to here; the moment of these counts while the capture runs
 *     over           true: the capture has ended
 *     hosts          of a remote capture, an array of the hosts:
 *       host         its name, as it was given
 *       clock_offset_ns  what its clock shows more than this machine's, negative for less; absent: not known, like
 *       clock_error_ns   by how much that may be wrong
 *     groups         an array, by number, of those that were there from the beginning or had packets:
 *       host         of a remote capture
 *       cpu          the number, under the name that "group" says (cpu, queue or numa); null: what has none
 *       node         NUMA node of the CPU; absent: not known, or the machine has only one
 *       packets      that were delivered
 *       bytes        of these, as on the wire; absent, as rx, tx and other are, when the output broke and did not take
 *                    all that was counted
 *       accepted     packets that passed the filters; absent before the end
 *       dropped      of these, lost because the buffer was full; before the end, as far as it is known
 *       rx           of those delivered, received:
 *         packets, bytes
 *         first_ns   time of the oldest; null without packets
 *         last_ns    time of the newest; likewise
 *       tx           sent: likewise
 *       other        of unknown direction: likewise; absent without packets
 *     total          of all groups: packets to other, as in each of them
 *     late           packets that are out of order; absent before the end, like
 *     clock_steps    how often the clock was set back, and
 *     downs          how often the interface went down
 *     absent         numbers that were asked for and do not exist, as a list ("8,12-15"); absent: none
 *     offline        those that were asked for and were offline at the start; likewise
 *     events         what happened meanwhile, an array in the order in which it was told; absent before the end:
 *       time_ns      when, by the clock of the host it happened on
 *       host         of a remote capture
 *       event        cpu-offline, cpu-online, link-down, link-up, carrier-lost, carrier-back, link-renamed, link-gone,
 *                    link-back, clock-set, ended (with an error), unseen (the kernel could not tell all), other
 *       cpu          that it is about; absent: none
 *       text         a sentence
 *     more_events    how many came after the last of them; absent: none
 *
 * All numbers are integers. Times are nanoseconds since 1970-01-01 UTC: more than a double holds exactly.
 */
#pragma once

#include "ui/summary.h"

/* Ends with a newline. What is not known (yet) is null or absent, never 0. Free with g_free. */
char *rxtx_json_text(const rxtx_summary *summary);
