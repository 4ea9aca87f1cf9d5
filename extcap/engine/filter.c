/* Puts classic BPF programs together. Compiling the user's filter is device.c's, attaching the result afpacket.c's. */
#include "engine/filter.h"

#include <linux/bpf_common.h>
#include <linux/if_packet.h>

#include "base/error.h"
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
static bool move_offset(struct sock_filter *insn, GError **error)
{
    if ((gint32)insn->k < 0)
        return true; /* SKF_AD_*, SKF_NET_OFF */
    if (insn->k >= RXTX_SLL_SIZE)
        insn->k -= RXTX_SLL_SIZE;
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
        else if (rules->cooked && reads_packet(insn) && !move_offset(insn, error))
            return false;
    }
    return true;
}

static void append(GArray *program, struct sock_filter insn)
{
    g_array_append_val(program, insn);
}

/* Loads a word about the packet and passes on those that compare with k as wanted. */
static void append_test(GArray *program, guint32 word, guint32 k, bool wanted)
{
    append(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (guint32)SKF_AD_OFF + word));
    append(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, wanted ? 1 : 0, wanted ? 0 : 1));
    append(program, rxtx_filter_reject[0]);
}

GArray *rxtx_filter_compose(const rxtx_filter_rules *rules, const struct sock_filter *user, unsigned length,
                            GError **error)
{
    g_autoptr(GArray) program = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));

    append_test(program, SKF_AD_CPU, rules->cpu, true);
    if (rules->rx != rules->tx)
        append_test(program, SKF_AD_PKTTYPE, PACKET_OUTGOING, rules->tx);
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
