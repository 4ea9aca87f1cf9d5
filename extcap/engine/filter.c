/* Puts classic BPF programs together. Compiling the user's filter is device.c's, attaching the result afpacket.c's. */
#include "engine/filter.h"

#include <linux/bpf_common.h>
#include <linux/if_packet.h>

#include "base/error.h"
#include "engine/link.h"
#include "engine/sll.h"

const struct sock_filter rxtx_filter_reject[1] = {BPF_STMT(BPF_RET | BPF_K, 0)};

static bool reads_packet(const struct sock_filter *insn)
{
    unsigned class = BPF_CLASS(insn->code);
    unsigned mode = BPF_MODE(insn->code);

    return (class == BPF_LD && (mode == BPF_ABS || mode == BPF_IND)) || (class == BPF_LDX && mode == BPF_MSH);
}

/* The header that a cooked packet shows is not in front of the kernel's data: what lies behind it moves down, two of
 * its fields have names of their own, the rest is out of reach. */
static bool move_offset(struct sock_filter *insn, const rxtx_filter_rules *rules, GError **error)
{
    if ((gint32)insn->k < 0)
        return true; /* SKF_AD_*, SKF_NET_OFF */
    if (insn->k >= RXTX_SLL_SIZE)
        insn->k = (rules->network ? (guint32)SKF_NET_OFF : 0) + insn->k - RXTX_SLL_SIZE;
    else if (insn->k == RXTX_SLL_PROTOCOL)
        insn->k = (guint32)(SKF_AD_OFF + SKF_AD_PROTOCOL);
    else if (insn->k == RXTX_SLL_TYPE)
        insn->k = (guint32)(SKF_AD_OFF + SKF_AD_PKTTYPE);
    else
        return rxtx_set_error(error, RXTX_ERROR_INPUT,
                              "The capture filter reads the link-layer address, which this interface does not have.");
    return true;
}

bool rxtx_filter_fit(struct sock_filter *program, unsigned length, const rxtx_filter_rules *rules, GError **error)
{
    for (unsigned i = 0; i < length; i++) {
        struct sock_filter *insn = &program[i];
        if (BPF_CLASS(insn->code) == BPF_RET && BPF_RVAL(insn->code) == BPF_K && insn->k != 0)
            insn->k = rules->snaplen;
        else if ((rules->cooked || rules->network) && reads_packet(insn) && !move_offset(insn, rules, error))
            return false;
    }
    return true;
}

static void append(GArray *program, struct sock_filter insn)
{
    g_array_append_val(program, insn);
}

static void append_load(GArray *program, guint32 word)
{
    append(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (guint32)SKF_AD_OFF + word));
}

/* Passes on what is loaded and compares with k as wanted. */
static void append_test(GArray *program, guint32 k, bool wanted)
{
    append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, wanted ? 1 : 0, wanted ? 0 : 1));
    append(program, rxtx_filter_reject[0]);
}

/* Loads the queue, or n_queues for one that is not known. A sent packet has its queue as it is, a received one the
 * queue plus one, where 0 is none (skb_record_rx_queue, linux/skbuff.h). Numbers beyond those that there were at the
 * start are no member's. */
static void append_queue(GArray *program, const rxtx_filter_split *split)
{
    enum { RECORDED_TX = 4, RECORDED_UNKNOWN = 4, OTHER_UNKNOWN = 2 };

    append_load(program, SKF_AD_PKTTYPE);
    if (split->rx_recorded) {
        append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, RECORDED_TX, 0));
        append_load(program, SKF_AD_QUEUE);
        append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, RECORDED_UNKNOWN, 0));
        append(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1));
        append(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
    } else {
        append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, OTHER_UNKNOWN));
    }
    append_load(program, SKF_AD_QUEUE);
    append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, split->n_queues, 0, 1));
    append(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, split->n_queues));
}

static void append_guard(GArray *program, const rxtx_filter_rules *rules)
{
    if (rules->split.n_queues != 0)
        append_queue(program, &rules->split);
    else
        append_load(program, SKF_AD_CPU);
    append_test(program, rules->member, true);
}

GArray *rxtx_filter_compose(const rxtx_filter_rules *rules, const struct sock_filter *user, unsigned length,
                            GError **error)
{
    g_autoptr(GArray) program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));

    append_guard(program, rules);
    if (rules->rx != rules->tx) {
        append_load(program, SKF_AD_PKTTYPE);
        append_test(program, PACKET_OUTGOING, rules->tx);
    }
    if (length > 0)
        g_array_append_vals(program, user, length);
    else
        append(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rules->snaplen));
    if (program->len > BPF_MAXINSNS) {
        rxtx_set_error(error, RXTX_ERROR_INPUT,
                       "The capture filter is too long for the kernel (%u of %d instructions).", program->len,
                       BPF_MAXINSNS);
        return NULL;
    }
    return g_steal_pointer(&program);
}

GArray *rxtx_filter_queue_program(const rxtx_filter_split *split)
{
    GArray *program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));

    append_queue(program, split);
    append(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0));
    return program;
}

static void append_program(GArray *program, const GArray *part)
{
    if (part != NULL)
        g_array_append_vals(program, part->data, part->len);
    else
        append(program, rxtx_filter_reject[0]);
}

static bool is_raw(const rxtx_link *link)
{
    return link->rules.network && !link->rules.cooked;
}

/* if (hardware is one of these) go to the part that begins so many instructions behind the tests */
static void append_branches(GArray *program, bool raw, unsigned n_tests, unsigned begin)
{
    for (size_t i = 0; i < rxtx_n_links; i++) {
        const rxtx_link *link = &rxtx_links[i];
        if (raw ? !is_raw(link) : !link->rules.ethernet)
            continue;
        append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, link->hardware, 0, 1));
        append(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1 + n_tests - program->len - 1 + begin));
    }
}

GArray *rxtx_filter_dispatch(const GArray *ethernet, const GArray *raw, const GArray *cooked)
{
    GArray *program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
    unsigned cooked_length = cooked != NULL ? cooked->len : 1, ethernet_length = ethernet != NULL ? ethernet->len : 1;
    unsigned n_tests = 0;

    for (size_t i = 0; i < rxtx_n_links; i++)
        n_tests += is_raw(&rxtx_links[i]) || rxtx_links[i].rules.ethernet ? 2 : 0;
    append_load(program, SKF_AD_HATYPE);
    append_branches(program, false, n_tests, cooked_length);
    append_branches(program, true, n_tests, cooked_length + ethernet_length);
    append_program(program, cooked);
    append_program(program, ethernet);
    append_program(program, raw);
    return program;
}
