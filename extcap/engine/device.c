/* Asks libpcap about an interface through a short-lived handle of its own. No packet is read through it. */
#include "engine/device.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "rxtxcpu/capture_format.h"

/* Our handle never reads: as little of a ring as libpcap allows. */
static const int probe_buffer_bytes = 65536;

typedef struct bpf_program bpf_program;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcap_t, pcap_close)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(bpf_program, pcap_freecode)

int rxtx_device_linktype(int dlt)
{
    struct pcap_file_header header;
    g_autoptr(pcap_t) dead = pcap_open_dead(dlt, RXTX_SNAPLEN_MAX);
    FILE *file = fmemopen(&header, sizeof header, "w");
    pcap_dumper_t *dumper = pcap_dump_fopen(dead, file);

    if (dumper == NULL) {
        fclose(file);
        return -1;
    }
    pcap_dump_close(dumper);
    return (int)header.linktype;
}

bool rxtx_device_check_filter(int dlt, const char *filter, char **why)
{
    g_autoptr(pcap_t) dead = pcap_open_dead(dlt, RXTX_SNAPLEN_MAX);
    g_auto(bpf_program) program = {0};

    if (pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0)
        return true;
    *why = g_strdup(pcap_geterr(dead));
    return false;
}

/* One of the SIOCGIF* questions. */
static bool ask(const char *name, unsigned long question, struct ifreq *request, GError **error)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool good = g_strlcpy(request->ifr_name, name, sizeof request->ifr_name) < sizeof request->ifr_name;

    if (fd < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "opening a socket");
    if (!good)
        errno = ENODEV; /* cut short, it would be another interface's name */
    good = (good && ioctl(fd, question, request) == 0) ||
           rxtx_set_error(error, RXTX_ERROR_INTERFACE, "error setting ifname '%s': %s. To list them: ip link", name,
                          g_strerror(errno));
    close(fd);
    return good;
}

static bool find(rxtx_device *device, const char *name, GError **error)
{
    struct ifreq request = {0};

    if (!ask(name, SIOCGIFINDEX, &request, error))
        return false;
    device->ifindex = request.ifr_ifindex;
    if (!ask(name, SIOCGIFFLAGS, &request, error))
        return false;
    return (request.ifr_flags & IFF_UP) ||
           rxtx_set_error(error, RXTX_ERROR_INTERFACE, "The interface %s is down. Run: ip link set dev %s up", name,
                          name);
}

/* The common ones of map_arphrd_to_dlt in libpcap's pcap-linux.c; for the rest it captures cooked. */
bool rxtx_device_guess_dlt(const char *name, int *dlt, GError **error)
{
    static const struct {
        unsigned short hardware;
        int dlt;
    } known[] = {
        {ARPHRD_ETHER, DLT_EN10MB},
        {ARPHRD_LOOPBACK, DLT_EN10MB},
        {ARPHRD_NONE, DLT_RAW},
        {ARPHRD_TUNNEL, DLT_RAW},
        {ARPHRD_TUNNEL6, DLT_RAW},
        {ARPHRD_SIT, DLT_RAW},
        {824 /* ARPHRD_NETLINK, linux/if_arp.h */, DLT_NETLINK},
        {ARPHRD_IEEE80211, DLT_IEEE802_11},
        {ARPHRD_IEEE80211_RADIOTAP, DLT_IEEE802_11_RADIO},
    };
    struct ifreq request = {0};

    if (!ask(name, SIOCGIFHWADDR, &request, error))
        return false;
    *dlt = DLT_LINUX_SLL;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (known[i].hardware == request.ifr_hwaddr.sa_family)
            *dlt = known[i].dlt;
    return true;
}

static bool activate(pcap_t *handle, const char *name, GError **error)
{
    int status;

    pcap_set_snaplen(handle, RXTX_SNAPLEN_MAX);
    pcap_set_buffer_size(handle, probe_buffer_bytes);
    status = pcap_activate(handle);
    if (status >= 0)
        return true;
    if (status == PCAP_ERROR_PERM_DENIED)
        return rxtx_set_error(error, RXTX_ERROR_PERMISSION, "opening a packet socket on %s: %s", name,
                              g_strerror(EPERM));
    return rxtx_set_error(error, RXTX_ERROR_KERNEL, "opening %s: %s: %s", name, pcap_statustostr(status),
                          pcap_geterr(handle));
}

static bool compile(rxtx_device *device, pcap_t *handle, const char *filter, GError **error)
{
    g_auto(bpf_program) program = {0};

    /* The kernel's instruction is libpcap's, member by member (linux/filter.h, pcap/bpf.h). */
    G_STATIC_ASSERT(sizeof(struct bpf_insn) == sizeof(struct sock_filter));
    if (filter == NULL || *filter == '\0')
        return true;
    if (pcap_compile(handle, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return rxtx_set_error(error, RXTX_ERROR_INPUT, "Invalid capture filter '%s': %s. See: man pcap-filter", filter,
                              pcap_geterr(handle));
    device->filter = g_memdup2(program.bf_insns, program.bf_len * sizeof(struct sock_filter));
    device->filter_length = program.bf_len;
    return true;
}

/* Those that libpcap captures without the device's own header and with one of its own (map_arphrd_to_dlt and
 * activate_pf_packet in pcap-linux.c); all have the 16 bytes of DLT_LINUX_SLL. */
static bool is_cooked(int dlt)
{
    return dlt == DLT_LINUX_SLL || dlt == DLT_NETLINK || dlt == DLT_LINUX_IRDA || dlt == DLT_LINUX_LAPD;
}

bool rxtx_device_probe(rxtx_device *device, const char *name, const char *filter, GError **error)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    g_autoptr(pcap_t) handle = NULL;
    int dlt;

    *device = (rxtx_device){0};
    if (!find(device, name, error))
        return false;
    handle = pcap_create(name, reason);
    if (handle == NULL)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL, "opening %s: %s", name, reason);
    if (!activate(handle, name, error))
        return false;
    dlt = pcap_datalink(handle);
    device->linktype = rxtx_device_linktype(dlt);
    if (device->linktype < 0)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL, "capture files have no link type for %s (DLT %d)", name, dlt);
    device->cooked = is_cooked(dlt);
    device->ethernet = dlt == DLT_EN10MB;
    device->can = dlt == DLT_CAN_SOCKETCAN;
    return compile(device, handle, filter, error);
}

void rxtx_device_clear(rxtx_device *device)
{
    g_clear_pointer(&device->filter, g_free);
}
