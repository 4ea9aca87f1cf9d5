/* Any text as sshd's SSH_CONNECTION, and any as the filter that was asked for: what is made of them is a filter to
 * libpcap wherever the one that was asked for is one alone.
 *
 * The first line is the variable, the rest is the filter. */
#include <glib.h>
#include <pcap/pcap.h>
#include <stdint.h>
#include <string.h>

#include "remote/own_traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILTER_LENGTH = 200 };

static bool compiles(const char *filter)
{
    pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
    struct bpf_program program;
    bool good = pcap_compile(dead, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == 0;

    if (good)
        pcap_freecode(&program);
    pcap_close(dead);
    return good;
}

/* Nothing of the text itself but addresses and ports. */
static void check_own(const char *own, const char *connection)
{
    g_auto(GStrv) words = g_strsplit(connection, " ", -1);

    g_assert_cmpuint(g_strv_length(words), ==, 4);
    g_assert_cmpuint(strlen(own), <, 600);
    g_assert_true(g_str_is_ascii(own));
    g_assert_cmpuint(strspn(own, "abcdefghijklmnopqrstuvwxyz0123456789 .:()"), ==, strlen(own));
    g_assert_true(g_str_has_prefix(own, strchr(own, ':') != NULL ? "not (ip6 and" : "not (ip and"));
    g_assert_true(compiles(own));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup(size > 0 ? (const char *)data : "", size), *own = NULL, *joined = NULL;
    char *filter = strchr(text, '\n');

    if (filter != NULL)
        *filter++ = '\0';
    own = rxtx_own_connection_filter(text);
    rxtx_own_connection_is_local(text);
    if (own != NULL)
        check_own(own, text);
    joined = rxtx_own_connection_join(own, filter);
    g_assert_true((joined == NULL) == (own == NULL && filter == NULL));
    /* A filter that is one alone is one together with ours: serve.c tries them in this order. */
    if (own != NULL && filter != NULL && strlen(filter) < FILTER_LENGTH && compiles(filter))
        g_assert_true(compiles(joined));
    return 0;
}
