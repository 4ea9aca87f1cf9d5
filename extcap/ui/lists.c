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

typedef struct {
    char *cells[COLUMNS_MAX]; /* the first NULL ends them */
} line;

static void clear_line(gpointer data)
{
    line *l = data;

    for (unsigned c = 0; c < COLUMNS_MAX; c++)
        g_free(l->cells[c]);
}

/* Begins with the titles. Free with g_array_unref, the cells go with it. */
static GArray *new_lines(const char *const titles[COLUMNS_MAX])
{
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(line));
    line l;

    g_array_set_clear_func(lines, clear_line);
    for (unsigned c = 0; c < COLUMNS_MAX; c++)
        l.cells[c] = g_strdup(titles[c]);
    g_array_append_val(lines, l);
    return lines;
}

static void measure(const GArray *lines, int widths[COLUMNS_MAX])
{
    for (guint i = 0; i < lines->len; i++) {
        char *const *cells = g_array_index(lines, line, i).cells;
        for (unsigned c = 0; c < COLUMNS_MAX && cells[c] != NULL; c++)
            widths[c] = MAX(widths[c], (int)strlen(cells[c]));
    }
}

/* Left-aligned; nothing pads the last one. */
static char *align(const GArray *lines)
{
    GString *text = g_string_new(NULL);
    int widths[COLUMNS_MAX] = {0};

    measure(lines, widths);
    for (guint i = 0; i < lines->len; i++) {
        char *const *cells = g_array_index(lines, line, i).cells;
        for (unsigned c = 0; c < COLUMNS_MAX && cells[c] != NULL; c++) {
            bool last = c + 1 == COLUMNS_MAX || cells[c + 1] == NULL;
            g_string_append_printf(text, "%-*s", last ? 0 : widths[c] + GAP, cells[c]);
        }
        g_string_append_c(text, '\n');
    }
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

static void add_interface(GArray *lines, int fd, const char *name)
{
    const char *state = state_of(fd, name);
    rxtx_queues queues;
    int dlt;
    line l;

    if (state == NULL || !rxtx_device_guess_dlt(name, &dlt, NULL))
        return;
    queues = rxtx_queues_read("", name);
    /* A name may be any bytes, for instance some that a terminal obeys. */
    l = (line){{g_strescape(name, NULL), g_strdup(state), g_strdup(*queues.driver != '\0' ? queues.driver : "-"),
                queues_text(&queues), link_type_text(dlt)}};
    g_array_append_val(lines, l);
}

char *rxtx_lists_interfaces(GError **error)
{
    static const char *const titles[COLUMNS_MAX] = {"NAME", "STATE", "DRIVER", "QUEUES", "LINK TYPE"};
    g_autoptr(GArray) lines = new_lines(titles);
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
    return align(lines);
}

/* ---- CPUs ---- */

static void add_cpu(GArray *lines, const rxtx_topology *topology, unsigned cpu)
{
    bool online = rxtx_cpuset_has(&topology->online, cpu);
    int node = topology->node[cpu];
    line l = {{g_strdup_printf("%u", cpu), node != RXTX_NODE_UNKNOWN ? g_strdup_printf("%d", node) : g_strdup("-"),
               g_strdup(online ? "yes" : "no"), g_strdup(online ? "yes" : "when it comes online")}};

    g_array_append_val(lines, l);
}

char *rxtx_lists_cpus(const char *root)
{
    static const char *const titles[COLUMNS_MAX] = {"CPU", "NODE", "ONLINE", "CAPTURE"};
    g_autoptr(rxtx_topology) topology = rxtx_topology_read(root);
    g_autoptr(GArray) lines = new_lines(titles);

    for (unsigned cpu = 0; cpu < topology->limit; cpu++)
        if (rxtx_cpuset_has(&topology->possible, cpu))
            add_cpu(lines, topology, cpu);
    return align(lines);
}
