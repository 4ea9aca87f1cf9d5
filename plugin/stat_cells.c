/* Texts for cells. Which cells a table has is for those who write it. */
#include "stat_cells.h"

#include <epan/to_str.h>

char *rxtx_cell_number(guint64 number, int width)
{
    return g_strdup_printf("%*" G_GUINT64_FORMAT, width, number);
}

char *rxtx_cell_known(const rxtx_number *number, int width)
{
    if (number->presence == RXTX_KNOWN)
        return rxtx_cell_number(number->number, width);
    return g_strdup_printf("%*s", width, number->presence == RXTX_UNKNOWN ? "unknown" : "");
}

char *rxtx_cell_cpu(const rxtx_number *cpu)
{
    return cpu->presence == RXTX_KNOWN ? rxtx_cell_number(cpu->number, RXTX_WIDTH_CPU) : g_strdup("unknown");
}

char *rxtx_cell_host_cpu(const rxtx_tally *tally, const char *host, const rxtx_number *cpu)
{
    g_autofree char *number = rxtx_cell_cpu(cpu);
    int width = (int)rxtx_tally_host_width(tally);

    return width > 0 ? g_strdup_printf("%-*s CPU %s", width, host, number) : g_steal_pointer(&number);
}

int rxtx_cell_host_cpu_width(const rxtx_tally *tally)
{
    int width = (int)rxtx_tally_host_width(tally);

    return width > 0 ? width + (int)strlen(" CPU ") + RXTX_WIDTH_CPU : RXTX_WIDTH_CPU;
}

char *rxtx_cell_share(guint64 part, guint64 whole)
{
    return g_strdup_printf("%*.1f%%", RXTX_WIDTH_SHARE - 1, whole > 0 ? 100.0 * (double)part / (double)whole : 0.0);
}

/* One end of a flow, as Wireshark writes it. */
static char *end_text(const rxtx_endpoints *ends, const rxtx_address *bytes, guint16 port)
{
    bool bracketed = ends->port_type != PT_NONE && ends->address_type == AT_IPv6;
    address one;
    char *host, *text;

    set_address(&one, ends->address_type, ends->address_len, bytes->bytes);
    host = address_to_str(NULL, &one);
    if (ends->port_type == PT_NONE)
        text = g_strdup(host);
    else
        text = g_strdup_printf(bracketed ? "[%s]:%u" : "%s:%u", host, port);
    wmem_free(NULL, host);
    return text;
}

static const char *port_type_text(guint8 port_type)
{
    switch (port_type) {
    case PT_TCP:
        return "TCP ";
    case PT_UDP:
        return "UDP ";
    case PT_SCTP:
        return "SCTP ";
    case PT_DCCP:
        return "DCCP ";
    default:
        return "";
    }
}

char *rxtx_cell_ends(const rxtx_endpoints *ends)
{
    g_autofree char *low = end_text(ends, &ends->src, ends->src_port);
    g_autofree char *high = end_text(ends, &ends->dst, ends->dst_port);

    return g_strdup_printf("%s%s <-> %s", port_type_text(ends->port_type), low, high);
}

char *rxtx_cell_host_ends(const rxtx_tally *tally, const rxtx_flow_row *flow)
{
    g_autofree char *ends = rxtx_cell_ends(&flow->endpoints);

    if (rxtx_tally_host_width(tally) == 0 || *flow->host == '\0')
        return g_steal_pointer(&ends);
    return g_strdup_printf("%s: %s", flow->host, ends);
}
