/* Counts queues and decides whether to believe them. What is done with the numbers is plan.c's and the engine's. */
#include "plan/queues.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool ask_driver(const char *interface, void *command)
{
    struct ifreq request = {.ifr_data = command};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool told = g_strlcpy(request.ifr_name, interface, sizeof request.ifr_name) < sizeof request.ifr_name &&
                ioctl(fd, SIOCETHTOOL, &request) == 0;

    if (fd >= 0)
        close(fd);
    return told;
}

/* /sys may show another network namespace, where the name is another interface's (nsenter --net). */
static bool is_ours(const char *folder, const char *interface)
{
    g_autofree char *path = g_strconcat(folder, "/ifindex", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strtoul(text, NULL, 10) == if_nametoindex(interface);
}

typedef bool (*queue_test)(const char *folder, const char *queue);

/* How many queues there are with this prefix, of which the test holds; NULL = all. */
static unsigned count_queues(const char *folder, const char *prefix, queue_test test)
{
    g_autofree char *path = g_strconcat(folder, "/queues", NULL);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    unsigned n = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        n += g_str_has_prefix(name, prefix) && (test == NULL || test(path, name));
    g_clear_pointer(&dir, g_dir_close);
    return n;
}

/* A mask such as 00000000,00000003. */
static bool is_steered(const char *folder, const char *queue)
{
    g_autofree char *path = g_strdup_printf("%s/%s/rps_cpus", folder, queue);
    g_autofree char *mask = NULL;

    return g_file_get_contents(path, &mask, NULL, NULL) && strpbrk(mask, "123456789abcdefABCDEF") != NULL;
}

bool rxtx_queues_steered(const char *root, const char *interface)
{
    g_autofree char *folder = g_strconcat(root, "/sys/class/net/", interface, NULL);

    return (*root != '\0' || is_ours(folder, interface)) && count_queues(folder, "rx-", is_steered) > 0;
}

/* The device behind the interface is hardware, or what stands for it (PCI, virtio, Xen, VMBus). */
static bool has_hardware(const char *folder)
{
    g_autofree char *path = g_strconcat(folder, "/device", NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

rxtx_queues rxtx_queues_read(const char *root, const char *interface)
{
    g_autofree char *folder = g_strconcat(root, "/sys/class/net/", interface, NULL);
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    rxtx_queues queues = {0};

    if (ask_driver(interface, &info))
        g_strlcpy(queues.driver, info.driver, sizeof queues.driver);
    if (*root != '\0' || is_ours(folder, interface)) {
        queues.n_rx = count_queues(folder, "rx-", NULL);
        queues.n_tx = count_queues(folder, "tx-", NULL);
        queues.rx_recorded = has_hardware(folder);
    } else if (ask_driver(interface, &channels)) {
        queues.n_rx = channels.rx_count + channels.combined_count;
        queues.n_tx = channels.tx_count + channels.combined_count;
        queues.rx_recorded = info.bus_info[0] != '\0';
    }
    queues.rx_recorded = queues.rx_recorded || strcmp(queues.driver, "tun") == 0;
    return queues;
}
