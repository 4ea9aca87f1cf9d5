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
#include "engine/filter.h"
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
           rxtx_set_error(error, RXTX_ERROR_INTERFACE, "error setting ifname '%s': %s\nTo list them: rxtxcpu -D", name,
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

bool rxtx_device_is_up(const char *name)
{
    struct ifreq request = {0};

    return ask(name, SIOCGIFFLAGS, &request, NULL) && (request.ifr_flags & IFF_UP);
}

/* Protocol 0: it hears nothing. */
bool rxtx_device_may_capture(GError **error)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return rxtx_set_errno(error, RXTX_ERROR_KERNEL, "error creating socket");
    close(fd);
    return true;
}

bool rxtx_device_guess_dlt(const char *name, int *dlt, GError **error)
{
    struct ifreq request = {0};

    if (!ask(name, SIOCGIFHWADDR, &request, error))
        return false;
    *dlt = rxtx_link_of(request.ifr_hwaddr.sa_family)->dlt;
    return true;
}

static bool activate(pcap_t *handle, const char *name, GError **error)
{
    int status = pcap_set_snaplen(handle, RXTX_SNAPLEN_MAX);
    const char *what;

    if (status == 0)
        status = pcap_set_buffer_size(handle, probe_buffer_bytes);
    if (status == 0)
        status = pcap_activate(handle);
    if (status >= 0)
        return true;
    if (status == PCAP_ERROR_PERM_DENIED)
        return rxtx_set_error(error, RXTX_ERROR_PERMISSION, "error creating socket: %s", g_strerror(EPERM));
    what = pcap_statustostr(status);
    if (*pcap_geterr(handle) == '\0' || strcmp(what, pcap_geterr(handle)) == 0)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL, "opening %s: %s", name, what);
    return rxtx_set_error(error, RXTX_ERROR_KERNEL, "opening %s: %s: %s", name, what, pcap_geterr(handle));
}

static GArray *compile(pcap_t *handle, const char *filter, GError **error)
{
    g_auto(bpf_program) program = {0};
    GArray *copy;

    /* The kernel's instruction is libpcap's, member by member (linux/filter.h, pcap/bpf.h). */
    G_STATIC_ASSERT(sizeof(struct bpf_insn) == sizeof(struct sock_filter));
    if (pcap_compile(handle, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        rxtx_set_error(error, RXTX_ERROR_INPUT, "Invalid capture filter '%s': %s. See: man pcap-filter", filter,
                       pcap_geterr(handle));
        return NULL;
    }
    copy = g_array_new(FALSE, FALSE, sizeof(struct sock_filter));
    return g_array_append_vals(copy, program.bf_insns, program.bf_len);
}

static bool is_text(const char *text)
{
    return text != NULL && *text != '\0';
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
    device->rules = (rxtx_frame_rules){.linktype = rxtx_device_linktype(dlt),
                                       .cooked = is_cooked(dlt),
                                       .ethernet = dlt == DLT_EN10MB,
                                       .can = dlt == DLT_CAN_SOCKETCAN};
    if (device->rules.linktype < 0)
        return rxtx_set_error(error, RXTX_ERROR_KERNEL, "capture files have no link type for %s (DLT %d)", name, dlt);
    device->filter = is_text(filter) ? compile(handle, filter, error) : NULL;
    return device->filter != NULL || !is_text(filter);
}

/* ---- all devices ---- */

/* A live handle knows what a dead one does not: that the kernel keeps VLAN tags aside. */
static pcap_t *open_any_ethernet(void)
{
    struct if_nameindex *all = if_nameindex();
    pcap_t *handle = NULL;

    for (const struct if_nameindex *i = all; i != NULL && i->if_index != 0 && handle == NULL; i++) {
        char reason[PCAP_ERRBUF_SIZE];
        int dlt;
        if (!rxtx_device_guess_dlt(i->if_name, &dlt, NULL) || dlt != DLT_EN10MB)
            continue;
        handle = pcap_create(i->if_name, reason);
        if (handle != NULL && !activate(handle, i->if_name, NULL))
            g_clear_pointer(&handle, pcap_close);
    }
    if (all != NULL)
        if_freenameindex(all);
    return handle != NULL ? handle : pcap_open_dead(DLT_EN10MB, RXTX_SNAPLEN_MAX);
}

/* A filter that such devices cannot have (ether host) matches nothing of theirs. */
static GArray *compile_dead(int dlt, const char *filter, const rxtx_filter_rules *rules)
{
    g_autoptr(pcap_t) dead = pcap_open_dead(dlt, RXTX_SNAPLEN_MAX);
    GArray *program = compile(dead, filter, NULL);

    if (program != NULL && !rxtx_filter_fit((struct sock_filter *)(void *)program->data, program->len, rules, NULL))
        g_clear_pointer(&program, g_array_unref);
    return program;
}

bool rxtx_device_probe_all(rxtx_device *device, bool one_linktype, const char *filter, GError **error)
{
    const rxtx_filter_rules plain = {.snaplen = RXTX_SNAPLEN_MAX},
                            cooked = {.snaplen = RXTX_SNAPLEN_MAX, .network = true};
    g_autoptr(pcap_t) handle = NULL;
    g_autoptr(GArray) for_ethernet = NULL, for_raw = NULL, for_others = NULL;

    *device = (rxtx_device){.rules = one_linktype ? rxtx_link_cooked2 : (rxtx_frame_rules){.by_device = true}};
    if (!is_text(filter))
        return true;
    handle = open_any_ethernet();
    for_ethernet = compile(handle, filter, error);
    if (for_ethernet == NULL)
        return false;
    for_raw = compile_dead(DLT_RAW, filter, &plain);
    for_others = compile_dead(DLT_LINUX_SLL, filter, &cooked);
    device->filter = rxtx_filter_dispatch(for_ethernet, for_raw, for_others);
    return true;
}

void rxtx_device_clear(rxtx_device *device)
{
    g_clear_pointer(&device->filter, g_array_unref);
}
