/* Any bytes as the file in which another host's list is kept, and as that list when it comes: each sentence for
 * Wireshark's dialogue has the form of one, and stands for what may be chosen.
 *
 * The first byte says whether it is a list of CPUs. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/cpuset.h"
#include "plan/grammar.h"
#include "plan/options.h"
#include "scratch_folder.h"
#include "ui/extcap_query.h"
#include "ui/reloaded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *cache;

static void remove_cache(void)
{
    static const char *const files[] = {"rxtxcpu/remote-cpu", "rxtxcpu/remote-interface", "rxtxcpu", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(cache, files[i], NULL);
        g_remove(path);
    }
    g_free(cache);
}

static void make_cache(void)
{
    g_autofree char *folder = NULL;

    cache = scratch_folder_new();
    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    folder = g_build_filename(cache, "rxtxcpu", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    atexit(remove_cache);
}

/* {KEY=VALUE} of a sentence, or NULL. Free with g_free. */
static char *value_of(const char *sentence, const char *key)
{
    g_autofree char *start = g_strdup_printf("{%s=", key);
    const char *at = strstr(sentence, start);

    return at != NULL ? g_strndup(at + strlen(start), strcspn(at + strlen(start), "}")) : NULL;
}

/* Braces that Wireshark cuts at come in pairs and not in each other. */
static void check_sentence(const char *line)
{
    bool inside = false;

    g_assert_true(g_utf8_validate(line, -1, NULL));
    for (const char *at = line; *at != '\0'; at++) {
        g_assert_true((*at != '{' || !inside) && (*at != '}' || inside));
        inside = *at == '{' || (inside && *at != '}');
    }
    g_assert_false(inside);
}

static void check_value(const char *line, bool cpus)
{
    g_autofree char *value = value_of(line, "value"), *display = value_of(line, "display");
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    check_sentence(line);
    g_assert_true(g_str_has_prefix(line, "value {arg="));
    g_assert_true(value != NULL && display != NULL && *display != '\0');
    if (*value != '\0')
        g_assert_true(cpus ? rxtx_cpuset_parse_list(set, value) : rxtx_is_interface(value));
}

static void check_values(const char *option, const char *lines, bool cpus)
{
    g_autofree char *text = rxtx_extcap_values(option, lines), *none = rxtx_extcap_no_values(option, lines);
    g_auto(GStrv) sentences = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(sentences);

    g_assert_cmpuint(n, >=, 2); /* "all", and nothing behind the last newline */
    g_assert_cmpstr(sentences[n - 1], ==, "");
    for (guint i = 0; i < n - 1; i++)
        check_value(sentences[i], cpus);
    g_assert_true(g_str_has_suffix(none, "\n") && strchr(none, '\n') == none + strlen(none) - 1);
}

static char *answer(const char *option)
{
    char *argv[] = {(char *)"rxtxcpu",
                    (char *)"--extcap-config",
                    (char *)"--extcap-interface",
                    (char *)"rxtxcpu-ssh",
                    (char *)"--extcap-reload-option",
                    (char *)option,
                    NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = rxtx_options_parse(G_N_ELEMENTS(argv) - 1, argv, &error);
    char *text;

    g_assert_no_error(error);
    text = rxtx_extcap_answer(options, &error);
    g_assert_no_error(error);
    return text;
}

/* From the file it is as it was when it came, but that the host is named. */
static void check_kept(const char *option, const char *bytes, size_t size, bool cpus)
{
    g_autofree char *path = g_build_filename(cache, "rxtxcpu", option, NULL), *text = NULL;
    g_auto(GStrv) sentences = NULL;

    g_assert_true(g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    text = answer(option);
    sentences = g_strsplit(text, "\n", -1);
    for (char **line = sentences; *line != NULL; line++)
        if (**line != '\0')
            check_value(*line, cpus);
}

static void check_again(const char *option, const char *lines)
{
    g_autofree char *host = NULL, *read = NULL;

    rxtx_reloaded_keep(option, "web1", lines);
    read = rxtx_reloaded_lines(option, &host);
    g_assert_cmpstr(read, ==, strlen(lines) + strlen("web1\n") <= 65536 ? lines : "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool cpus = size > 0 && data[0] % 2;
    const char *option = cpus ? "remote-cpu" : "remote-interface";
    g_autofree char *text = g_strndup(size > 1 ? (const char *)data + 1 : "", size > 1 ? size - 1 : 0);

    if (cache == NULL)
        make_cache();
    check_kept(option, size > 1 ? (const char *)data + 1 : "", size > 1 ? size - 1 : 0, cpus);
    check_values(option, text, cpus);
    if (g_utf8_validate(text, -1, NULL))
        check_again(option, text);
    return 0;
}
