/* glibc loads libraries also into a program that was linked statically: those of the far machine, made for the glibc
 * there, which is another one. What is here keeps it from doing so, before main.
 *
 * Names in filters ("host example.org", "port http") are looked up in /etc/hosts, the DNS and /etc/services, by what
 * libc.a itself holds since glibc 2.34. Other sources that /etc/nsswitch.conf may name, such as mDNS or LDAP, would be
 * libraries: names that only they know are unknown here. Numbers need nothing.
 *
 * Text is ASCII or, where it is not ours, the bytes that came: other character sets would be libraries too (gconv).
 */
#include <nss.h>
#include <stdlib.h>

__attribute__((constructor)) static void need_no_library(void)
{
    static const char *const databases[] = {"passwd", "group", "networks", "protocols", "services", "ethers"};

    __nss_configure_lookup("hosts", "files dns");
    for (unsigned i = 0; i < sizeof databases / sizeof *databases; i++)
        __nss_configure_lookup(databases[i], "files");
    setenv("LC_ALL", "C", 1);
}
