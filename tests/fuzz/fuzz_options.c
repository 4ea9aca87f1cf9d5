/* Any words as a command line, separated by NUL: parsing ends with options that keep their ranges or with an error that
 * has a sentence, and the dialogue's texts can be made of them. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "plan/cpuset.h"
#include "plan/grammar.h"
#include "plan/options.h"
#include "rxtxcpu/capture_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 64 };

static void check(const rxtx_options *options)
{
    g_assert(options->snaplen >= RXTX_SNAPLEN_MIN && options->snaplen <= RXTX_SNAPLEN_MAX);
    g_assert(options->direction >= RXTX_DIRECTION_RX && options->direction <= RXTX_DIRECTION_RXTX);
    g_assert(options->annotate >= RXTX_ANNOTATE_INTERFACE && options->annotate <= RXTX_ANNOTATE_BOTH);
    g_assert(options->buffer >= 1);
    g_assert(options->group >= RXTX_GROUP_CPU && options->group <= RXTX_GROUP_NUMA);
    for (char **host = options->remote_hosts; host != NULL && *host != NULL; host++)
        g_assert(rxtx_is_host(*host));
    g_assert(options->remote_username == NULL || rxtx_is_user(options->remote_username));
    g_assert(options->remote_program == NULL || rxtx_is_program(options->remote_program));
    g_assert(options->ring.duration_ms <= G_MAXINT32 && options->autostop.duration_ms <= G_MAXINT32);
    g_assert(options->ring.filesize_kb <= G_MAXUINT64 / 1000 && options->autostop.filesize_kb <= G_MAXUINT64 / 1000);
}

/* A list that is accepted means the same once it has been written and read again. */
static void check_list(const char *text)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);
    g_autofree rxtx_cpuset *again = g_new0(rxtx_cpuset, 1);
    g_autofree char *written = NULL;

    if (text == NULL || !rxtx_cpuset_parse_list(set, text))
        return;
    written = rxtx_cpuset_format(set);
    g_assert(rxtx_cpuset_parse_list(again, written));
    g_assert(memcmp(set, again, sizeof *set) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_malloc0(size + 1);
    char *argv[WORDS_MAX + 2] = {(char *)"rxtxcpu"};
    int argc = 1;
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = NULL;

    memcpy(text, data, size);
    for (size_t at = 0; at < size && argc <= WORDS_MAX; at += strlen(text + at) + 1)
        argv[argc++] = text + at;
    options = rxtx_options_parse(argc, argv, &error);
    g_assert(options != NULL);
    g_assert(error == NULL || error->message[0] != '\0');
    check(options);
    check_list(options->cpu_list);
    check_list(options->queue_list);
    check_list(options->numa_list);
    check_list(options->worker_cpus);
    return 0;
}
