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
        sscanf(behind, ") %*c %d", &parent) != 1)
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

/* An address as libpcap reads it, which knows no zones. False when it is none. */
static bool read_address(const char *text, const char **family, char address[INET6_ADDRSTRLEN])
{
    g_autofree char *bare = g_strndup(text, strcspn(text, "%"));
    unsigned char bytes[sizeof(struct in6_addr)];
    int found = inet_pton(AF_INET, bare, bytes) == 1 ? AF_INET : inet_pton(AF_INET6, bare, bytes) == 1 ? AF_INET6 : 0;

    *family = found == AF_INET ? "ip" : "ip6";
    return found != 0 && inet_ntop(found, bytes, address, INET6_ADDRSTRLEN) != NULL;
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

char *rxtx_own_connection_join(const char *own, const char *filter)
{
    bool both = own != NULL && filter != NULL && *filter != '\0';

    if (both)
        return g_strdup_printf("%s and (%s)", own, filter);
    return g_strdup(own != NULL ? own : filter);
}
