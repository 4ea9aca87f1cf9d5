/* Lists what can be captured, for people. What a capture makes of a choice among them is plan.c's. */
#include "ui/lists.h"

#include <net/if.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/device.h"
#include "plan/queues.h"
#include "plan/topology.h"

/* ---- lines with columns ---- */

enum { COLUMNS_MAX = 5, GAP = 2 };

static void measure(char **lines, unsigned columns, int widths[COLUMNS_MAX])
{
    for (; *lines != NULL; lines++) {
        g_auto(GStrv) cells = g_strsplit(*lines, "\t", COLUMNS_MAX + 1);
        for (unsigned c = 0; c < columns && cells[c] != NULL; c++)
            widths[c] = MAX(widths[c], (int)g_utf8_strlen(cells[c], -1));
    }
}

/* Left-aligned; nothing pads the last one. */
static void append_line(GString *text, const char *line, unsigned columns, const int widths[COLUMNS_MAX])
{
    g_auto(GStrv) cells = g_strsplit(line, "\t", COLUMNS_MAX + 1);

    for (unsigned c = 0; c < columns && cells[c] != NULL; c++) {
        bool last = c + 1 == columns || cells[c + 1] == NULL;
        int missing = widths[c] + GAP - (int)g_utf8_strlen(cells[c], -1);
        g_string_append_printf(text, "%s%*s", cells[c], last ? 0 : missing, "");
    }
    g_string_append_c(text, '\n');
}

char *rxtx_lists_align(const char *lines, bool cpus)
{
    static const char cpu_titles[] = "CPU\tNODE\tONLINE\tCAPTURE\n";
    static const char interface_titles[] = "NAME\tSTATE\tDRIVER\tQUEUES\tLINK TYPE\n";
    g_autofree char *all = g_strconcat(cpus ? cpu_titles : interface_titles, lines, NULL);
    g_auto(GStrv) each = g_strsplit(all, "\n", -1);
    GString *text = g_string_new(NULL);
    unsigned columns = cpus ? COLUMNS_MAX - 1 : COLUMNS_MAX;
    int widths[COLUMNS_MAX] = {0};

    measure(each, columns, widths);
    for (char **line = each; *line != NULL; line++)
        if (**line != '\0')
            append_line(text, *line, columns, widths);
    return g_string_free(text, FALSE);
}

/* ---- interfaces ---- */

/* As `ip link` tells them. NULL when it is gone again. */
static const char *state_of(int fd, const char *name)
{
    struct ifreq request = {0};

    g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return NULL;
    if (!(request.ifr_flags & IFF_UP))
        return "down";
    return request.ifr_flags & IFF_RUNNING ? "up" : "no carrier";
}

static char *queues_text(const rxtx_queues *queues)
{
    GString *text = g_string_new(NULL);

    if (queues->n_rx > 0)
        g_string_append_printf(text, "%u rx", queues->n_rx);
    if (queues->n_tx > 0)
        g_string_append_printf(text, "%s%u tx", text->len > 0 ? ", " : "", queues->n_tx);
    if (queues->n_rx > 0 && !queues->rx_recorded)
        g_string_append(text, ", rx queue not recorded");
    return g_string_free(text->len > 0 ? text : g_string_append_c(text, '-'), FALSE);
}

static char *link_type_text(int dlt)
{
    const char *name = pcap_datalink_val_to_name(dlt);

    return name != NULL ? g_strdup(name) : g_strdup_printf("DLT %d", dlt);
}

static void add_interface(GString *lines, int fd, const char *name)
{
    const char *state = state_of(fd, name);
    g_autofree char *escaped =
        g_strescape(name, NULL); /* a name may be any bytes, for instance some a terminal obeys */
    g_autofree char *queues_cell = NULL, *link_cell = NULL;
    rxtx_queues queues;
    int dlt;

    if (state == NULL || !rxtx_device_guess_dlt(name, &dlt, NULL))
        return;
    queues = rxtx_queues_read("", name);
    queues_cell = queues_text(&queues);
    link_cell = link_type_text(dlt);
    g_string_append_printf(lines, "%s\t%s\t%s\t%s\t%s\n", escaped, state, *queues.driver != '\0' ? queues.driver : "-",
                           queues_cell, link_cell);
}

char *rxtx_lists_interfaces(GError **error)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    struct if_nameindex *all = if_nameindex();
    int fd = all != NULL ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        rxtx_set_errno(error, RXTX_ERROR_KERNEL, "listing the interfaces");
    for (const struct if_nameindex *i = all; fd >= 0 && i->if_index != 0; i++)
        add_interface(lines, fd, i->if_name);
    if (all != NULL)
        if_freenameindex(all);
    if (fd < 0)
        return NULL;
    close(fd);
    return g_string_free(g_steal_pointer(&lines), FALSE);
}

/* ---- CPUs ---- */

static void add_cpu(GString *lines, const rxtx_topology *topology, unsigned cpu)
{
    bool online = rxtx_cpuset_has(&topology->online, cpu);
    int node = topology->node[cpu];
    g_autofree char *node_cell = node != RXTX_NODE_UNKNOWN ? g_strdup_printf("%d", node) : g_strdup("-");

    g_string_append_printf(lines, "%u\t%s\t%s\t%s\n", cpu, node_cell, online ? "yes" : "no",
                           online ? "yes" : "when it comes online");
}

char *rxtx_lists_cpus(const char *root)
{
    g_autoptr(rxtx_topology) topology = rxtx_topology_read(root);
    GString *lines = g_string_new(NULL);

    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (rxtx_cpuset_has(&topology->possible, cpu))
            add_cpu(lines, topology, cpu);
    return g_string_free(lines, FALSE);
}
