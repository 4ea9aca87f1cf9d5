/* Sets of allowed bytes. What to do with a name that does not fit is options.c's. */
#include "plan/grammar.h"

#include <glib.h>
#include <net/if.h>
#include <string.h>

#define ALPHANUMERIC "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

enum { HOST_MAX = 253, USER_MAX = 255, PROGRAM_MAX = 1024, LINE_MAX_BYTES = 4096 };

static bool is_word(const char *text, size_t length, size_t max, const char *bytes)
{
    return length > 0 && length <= max && *text != '-' && strspn(text, bytes) >= length;
}

bool rxtx_is_user(const char *text)
{
    return is_word(text, strlen(text), USER_MAX, ALPHANUMERIC "._@+-");
}

/* HOST:PORT, which ssh takes for a name; an address of IPv6 has more colons. */
static bool has_port(const char *host)
{
    const char *colon = strchr(host, ':');

    return colon != NULL && strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

bool rxtx_is_host(const char *text)
{
    const char *at = strrchr(text, '@');
    g_autofree char *user = at != NULL ? g_strndup(text, (gsize)(at - text)) : NULL;
    const char *host = at != NULL ? at + 1 : text;

    return is_word(host, strlen(host), HOST_MAX, ALPHANUMERIC "._:%-") && !has_port(host) &&
           (user == NULL || rxtx_is_user(user));
}

bool rxtx_is_program(const char *text)
{
    const char *path = g_str_has_prefix(text, "~/") ? text + 2 : text;

    return is_word(path, strlen(path), PROGRAM_MAX, ALPHANUMERIC "._/+-");
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

bool rxtx_is_interface(const char *text)
{
    return *text != '\0' && strlen(text) < IF_NAMESIZE && *text != '-' && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0 && strpbrk(text, "/: \t\v\f\r\n\xa0") == NULL && is_printable(text) &&
           g_utf8_validate(text, -1, NULL);
}

bool rxtx_is_line(const char *text)
{
    return *text != '\0' && strlen(text) <= LINE_MAX_BYTES && is_printable(text);
}
