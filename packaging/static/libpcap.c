/* Debian's libpcap can capture on a D-Bus too, and would bring libdbus and libsystemd along. These two functions are
 * all by which it knows of that (pcap.c of libpcap 1.10, capture_source_types): linked before libpcap.a, they keep its
 * pcap-dbus.o out.
 */
#include <pcap/pcap.h>

int dbus_findalldevs(void *devices, char *message);
pcap_t *dbus_create(const char *device, char *message, int *is_ours);

int dbus_findalldevs(void *devices, char *message)
{
    (void)devices;
    (void)message;
    return 0;
}

pcap_t *dbus_create(const char *device, char *message, int *is_ours)
{
    (void)device;
    (void)message;
    *is_ours = 0;
    return NULL;
}
