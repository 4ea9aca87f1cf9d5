/* How far another host's clock is from ours, from messages that went there and back. Pure.
 *
 * As in NTP (RFC 5905, section 8): the round trip that took the shortest time tells best, and its length is how wrong
 * it may be; what it told grows old, for clocks drift, and is wrong when a later one contradicts it. Nothing is
 * corrected by it: times stay what the hosts wrote.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool known;
    int64_t offset_ns;      /* what the other clock shows more than ours */
    int64_t error_ns;       /* it may be so much more or less, not negative */
    uint64_t at_ns;         /* by our clock, when that was so */
    int64_t first_ns;       /* the offset that was found first, */
    int64_t first_error_ns; /* and how wrong it may have been */
} rxtx_clock_offset;

/* sent, got: by our clock, when the question left and the answer came; there, back: by the other clock, when the
 * question came and the answer left. Readings that contradict each other are left out. */
void rxtx_clock_offset_take(rxtx_clock_offset *offset, uint64_t sent_ns, uint64_t there_ns, uint64_t back_ns,
                            uint64_t got_ns);

/* How wrong the offset may be by now. Two clocks may drift apart by 100 us in a second: RFC 5905 takes 15 for one that
 * is kept, and quartzes are worse. */
int64_t rxtx_clock_offset_error(const rxtx_clock_offset *offset, uint64_t now_ns);
