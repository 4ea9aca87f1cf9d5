/* Any bytes as a frame of each link type: what is found stands in the bytes, is no longer than a length field or the
 * frame can say, and of a frame that is cut off it is the same or nothing. */
#include <stdint.h>
#include <string.h>

#include "segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TCP_HEADER = 20, SYN_AND_FIN = 2, TOTAL_MAX = 65535 };

static bool find(rxtx_segment *segment, rxtx_link link, const uint8_t *data, size_t size)
{
    static const rxtx_segment untouched = {1, 2, 3, 4};
    g_autofree uint8_t *exact = g_memdup2(data, size); /* so that reading too far is seen */

    *segment = untouched;
    if (rxtx_segment_find(segment, link, exact, size))
        return true;
    g_assert_cmpmem(segment, sizeof *segment, &untouched, sizeof untouched);
    return false;
}

/* Whether the ports and the sequence number are those that stand at some place behind an IPv4 header. */
static bool stands_in(const rxtx_segment *segment, const uint8_t *data, size_t size)
{
    const uint8_t wanted[] = {(uint8_t)(segment->src_port >> 8), (uint8_t)segment->src_port,
                              (uint8_t)(segment->dst_port >> 8), (uint8_t)segment->dst_port,
                              (uint8_t)(segment->seq >> 24),     (uint8_t)(segment->seq >> 16),
                              (uint8_t)(segment->seq >> 8),      (uint8_t)segment->seq};

    return size >= 20 && memmem(data + 20, size - 20, wanted, sizeof wanted) != NULL;
}

/* As many bytes as a length field can say, or as there are where it says nothing. */
static void check_bounds(const rxtx_segment *segment, size_t size)
{
    g_assert_cmpuint(size, >=, 20 + TCP_HEADER);
    g_assert_cmpuint(segment->len, <=, MAX(TOTAL_MAX, size) - TCP_HEADER + SYN_AND_FIN);
}

/* whole: of all bytes, NULL if there is none. Where no length field says it, what is cut off makes a segment shorter.
 */
static void check_cut(const rxtx_segment *whole, rxtx_link link, const uint8_t *data, size_t size)
{
    rxtx_segment cut;

    if (!find(&cut, link, data, size))
        return;
    g_assert_nonnull(whole);
    g_assert_cmpuint(cut.src_port, ==, whole->src_port);
    g_assert_cmpuint(cut.dst_port, ==, whole->dst_port);
    g_assert_cmpuint(cut.seq, ==, whole->seq);
    g_assert_cmpuint(cut.len, <=, whole->len);
}

static void check(rxtx_link link, const uint8_t *data, size_t size)
{
    rxtx_segment segment;
    bool found = find(&segment, link, data, size);

    g_assert_true(!found || link != RXTX_LINK_OTHER);
    if (found) {
        g_assert_true(stands_in(&segment, data, size));
        check_bounds(&segment, size);
    }
    for (size_t cut = size; cut > 0; cut -= cut / 8 + 1)
        check_cut(found ? &segment : NULL, link, data, cut - 1);
}

/* The first byte is the link type, the others are the frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        check((rxtx_link)(data[0] % (RXTX_LINK_SLL2 + 1)), data + 1, size - 1);
    return 0;
}
