/* Reads steering from sysfs, procfs and the driver's ethtool answers. Nothing here sets anything. */
#include "plan/steering.h"

#include <glib.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TEXT_MAX = 32000, INDIRECTION_MAX = 4096, KEY_MAX = 1024 };

typedef struct {
    const char *root;
    const char *interface;
    int fd; /* any socket, for ioctl */
    GString *text;
} steering;

/* ---- the driver ---- */

static bool ask(const steering *s, void *command)
{
    struct ifreq request = {.ifr_data = command};

    g_strlcpy(request.ifr_name, s->interface, sizeof request.ifr_name);
    return s->fd >= 0 && ioctl(s->fd, SIOCETHTOOL, &request) == 0;
}

static void describe_driver(const steering *s)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

    if (ask(s, &info))
        g_string_append_printf(s->text, "driver %.32s %.32s bus %.32s\n", info.driver, info.version, info.bus_info);
}

static void describe_channels(const steering *s)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};

    if (ask(s, &channels))
        g_string_append_printf(s->text, "channels rx %u tx %u combined %u\n", channels.rx_count, channels.tx_count,
                               channels.combined_count);
}

/* As ranges of entries with the same queue: "0-63:0 64-127:1". */
static void append_indirection(GString *text, const guint32 *queues, unsigned n)
{
    g_string_append(text, "rss indirection");
    for (unsigned from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && queues[to] == queues[from];)
            to++;
        g_string_append_printf(text, " %u-%u:%u", from, to - 1, queues[from]);
    }
    g_string_append_c(text, '\n');
}

static void append_key(GString *text, const guint8 *key, unsigned n)
{
    g_string_append(text, "rss key");
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(text, "%c%02x", i == 0 ? ' ' : ':', key[i]);
    g_string_append_c(text, '\n');
}

/* Asked twice: for the sizes, then for the contents. */
static void describe_rss(const steering *s)
{
    struct ethtool_rxfh sizes = {.cmd = ETHTOOL_GRSSH};
    g_autofree struct ethtool_rxfh *rss = NULL;
    size_t table_bytes;

    if (!ask(s, &sizes) || sizes.indir_size > INDIRECTION_MAX || sizes.key_size > KEY_MAX)
        return;
    table_bytes = sizes.indir_size * sizeof(guint32);
    rss = g_malloc0(sizeof *rss + table_bytes + sizes.key_size);
    *rss = sizes;
    if (!ask(s, rss))
        return;
    if (sizes.indir_size > 0)
        append_indirection(s->text, rss->rss_config, sizes.indir_size);
    if (sizes.key_size > 0)
        append_key(s->text, (const guint8 *)rss->rss_config + table_bytes, sizes.key_size);
}

/* ---- sysfs and procfs ---- */

static char *read_word(const char *path)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    return g_strdup(g_strstrip(text));
}

static int by_number(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t x_length = strlen(x), y_length = strlen(y);

    return x_length != y_length ? (x_length < y_length ? -1 : 1) : strcmp(x, y);
}

/* The names in a folder that begin with prefix, by the numbers at their ends. Free with g_ptr_array_unref. */
static GPtrArray *list(const char *folder, const char *prefix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, prefix))
            g_ptr_array_add(names, g_strdup(name));
    g_clear_pointer(&dir, g_dir_close);
    g_ptr_array_sort(names, by_number);
    return names;
}

/* A mounted sysfs may be that of another network namespace: then its eth0 is another device. */
static bool sysfs_is_ours(const steering *s)
{
    g_autofree char *path = g_strdup_printf("%s/sys/class/net/%s/ifindex", s->root, s->interface);
    g_autofree char *index = read_word(path);

    return index != NULL && strtoul(index, NULL, 10) == if_nametoindex(s->interface);
}

static void describe_queues(const steering *s, const char *prefix, const char *attribute)
{
    g_autofree char *folder = g_strdup_printf("%s/sys/class/net/%s/queues", s->root, s->interface);
    g_autoptr(GPtrArray) queues = list(folder, prefix);

    for (guint i = 0; i < queues->len; i++) {
        const char *queue = queues->pdata[i];
        g_autofree char *path = g_build_filename(folder, queue, attribute, NULL);
        g_autofree char *value = read_word(path);
        if (value != NULL)
            g_string_append_printf(s->text, "%s %s %s\n", queue, attribute, value);
    }
}

static void describe_interrupts(const steering *s)
{
    g_autofree char *folder = g_strdup_printf("%s/sys/class/net/%s/device/msi_irqs", s->root, s->interface);
    g_autoptr(GPtrArray) irqs = list(folder, "");

    for (guint i = 0; i < irqs->len; i++) {
        const char *irq = irqs->pdata[i];
        g_autofree char *path = g_strdup_printf("%s/proc/irq/%s/smp_affinity_list", s->root, irq);
        g_autofree char *value = read_word(path);
        if (value != NULL)
            g_string_append_printf(s->text, "irq %s cpus %s\n", irq, value);
    }
}

/* Which kernel it is whose CPUs are numbered. It also keeps mergecap from taking the interfaces of two hosts for the
 * same ones, which it does where names, descriptions and comments are equal (wiretap/merge.c, is_duplicate_idb). */
static void describe_kernel(const steering *s)
{
    g_autofree char *path = g_strdup_printf("%s/proc/sys/kernel/random/boot_id", s->root);
    g_autofree char *value = read_word(path);

    if (value != NULL)
        g_string_append_printf(s->text, "boot %s\n", value);
}

char *rxtx_steering_describe(const char *root, const char *interface)
{
    steering s = {.root = root, .interface = interface, .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};

    s.text = g_string_new(NULL);
    g_string_append_printf(s.text, "Steering of %s at the start of the capture:\n", interface);
    describe_kernel(&s);
    describe_driver(&s);
    describe_channels(&s);
    describe_rss(&s);
    if (sysfs_is_ours(&s)) {
        describe_queues(&s, "rx-", "rps_cpus");
        describe_queues(&s, "tx-", "xps_cpus");
        describe_interrupts(&s);
    } else {
        g_string_append(s.text, "sysfs is that of another network namespace: queues and interrupts unknown\n");
    }
    if (s.fd >= 0)
        close(s.fd);
    g_string_truncate(s.text, MIN(s.text->len, TEXT_MAX));
    return g_string_free(s.text, FALSE);
}
