/* From sshd's words to libpcap's. Who uses the filter is serve.c's business. */
#include "remote/own_traffic.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { GENERATIONS = 8 };

static const char variable[] = "SSH_CONNECTION=";

/* Of a process's first environment, as it was started; only of processes that we may look into. */
static char *connection_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/environ", (int)pid), *bytes = NULL;
    gsize size;

    if (!g_file_get_contents(path, &bytes, &size, NULL))
        return NULL;
    for (const char *at = bytes; at < bytes + size; at += strlen(at) + 1)
        if (g_str_has_prefix(at, variable))
            return g_strdup(at + strlen(variable));
    return NULL;
}

/* 0 = none, or not told. The name in parentheses may hold anything. */
static pid_t parent_of(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid), *text = NULL;
    const char *behind;
    int parent;

    if (!g_file_get_contents(path, &text, NULL, NULL) || (behind = strrchr(text, ')')) == NULL ||
        sscanf(behind, ") %*c %d", &parent) != 1) /* NOLINT(cert-err34-c): the kernel wrote it */
        return 0;
    return parent;
}

char *rxtx_own_connection(void)
{
    char *connection = g_strdup(g_getenv("SSH_CONNECTION"));
    pid_t pid = getpid();

    for (unsigned i = 0; i < GENERATIONS && connection == NULL && (pid = parent_of(pid)) > 1; i++)
        connection = connection_of(pid);
    return connection;
}

/* An address as libpcap reads it, which knows no zones, and as it is on the wire: a server that listens on :: alone may
 * tell ::ffff:192.0.2.7, which is IPv4. False when it is none. */
static bool read_address(const char *text, const char **family, char address[INET6_ADDRSTRLEN])
{
    g_autofree char *bare = g_strndup(text, strcspn(text, "%"));
    struct in6_addr six;
    struct in_addr four;
    bool is_six = inet_pton(AF_INET6, bare, &six) == 1;
    bool mapped = is_six && IN6_IS_ADDR_V4MAPPED(&six);

    if (mapped)
        memcpy(&four, six.s6_addr + sizeof six - sizeof four, sizeof four);
    *family = is_six && !mapped ? "ip6" : "ip";
    if (is_six && !mapped)
        return inet_ntop(AF_INET6, &six, address, INET6_ADDRSTRLEN) != NULL;
    return (mapped || inet_pton(AF_INET, bare, &four) == 1) &&
           inet_ntop(AF_INET, &four, address, INET6_ADDRSTRLEN) != NULL;
}

static bool read_port(const char *text, guint64 *port)
{
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, port, NULL);
}

char *rxtx_own_connection_filter(const char *connection)
{
    g_auto(GStrv) words = g_strsplit(connection, " ", -1);
    char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
    const char *family, *other_family;
    guint64 client_port, server_port;

    if (g_strv_length(words) != 4 || !read_address(words[0], &family, client) || !read_port(words[1], &client_port) ||
        !read_address(words[2], &other_family, server) || !read_port(words[3], &server_port) || family != other_family)
        return NULL;
    return g_strdup_printf("not (%s and tcp and ((src host %s and src port %" G_GUINT64_FORMAT
                           " and dst host %s and dst port %" G_GUINT64_FORMAT ") or (src host %s and src port "
                           "%" G_GUINT64_FORMAT " and dst host %s and dst port %" G_GUINT64_FORMAT ")))",
                           family, client, client_port, server, server_port, server, server_port, client, client_port);
}

bool rxtx_own_connection_is_local(const char *connection)
{
    return g_str_has_prefix(connection, "127.") || g_str_has_prefix(connection, "::1 ");
}

char *rxtx_own_connection_join(const char *own, const char *filter)
{
    bool any = filter != NULL && filter[strspn(filter, " \t\r\n")] != '\0'; /* blanks alone are no filter in () */

    if (own != NULL && any)
        return g_strdup_printf("%s and (%s)", own, filter);
    return g_strdup(own != NULL ? own : filter);
}
