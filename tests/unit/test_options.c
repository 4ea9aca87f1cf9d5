/* The option table and the command lines it accepts. */
#include "plan/options.h"

#include <string.h>

#include "base/error.h"
#include "rxtxcpu/capture_format.h"

/* Parses words given as one string, split at spaces. */
static rxtx_options *parse(const char *line, GError **error)
{
    static char **words; /* lives as long as the options' program name, which is borrowed */
    rxtx_options *options;

    g_strfreev(words);
    words = g_strsplit(line, " ", -1);
    {
        /* getopt permutes and we drop: on a copy, or words would leak. */
        g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *words);
        options = rxtx_options_parse((int)g_strv_length(words), argv, error);
    }
    return options;
}

static rxtx_options *good(const char *line)
{
    g_autoptr(GError) error = NULL;
    rxtx_options *options = parse(line, &error);

    g_assert_no_error(error);
    return options;
}

static void defaults_are_those_of_the_table(void)
{
    g_autoptr(rxtx_options) options = good("rxtxcpu eth0");

    g_assert_cmpstr(options->interface, ==, "eth0");
    g_assert_cmpint(options->direction, ==, RXTX_DIRECTION_RXTX);
    g_assert_cmpint(options->annotate, ==, RXTX_ANNOTATE_INTERFACE);
    g_assert_cmpuint(options->snaplen, ==, RXTX_SNAPLEN_MAX);
    g_assert_cmpuint(options->buffer, ==, 64);
    g_assert_cmpuint(options->count, ==, 0);
    g_assert_null(options->cpu_list);
}

static void options_come_in_any_order_and_form(void)
{
    static const char *const lines[] = {
        "rxtxcpu -c 5 -d rx -l 0-1 -pU eth0 -w f",
        "rxtxcpu eth0 -pUc5 -drx -l0-1 -wf",
        "rxtxcpu --count=5 --dir=rx --cpu-l 0-1 --promisc --pa eth0 --w f",
        "rxtxcpu -c 9 -c5 -d tx -d rx -l 7 -l 0-1 -pU -w g -wf eth0",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(rxtx_options) options = good(lines[i]);
        g_assert_cmpuint(options->count, ==, 5);
        g_assert_cmpint(options->direction, ==, RXTX_DIRECTION_RX);
        g_assert_cmpstr(options->cpu_list, ==, "0-1");
        g_assert_true(options->promiscuous && options->packet_buffered);
        g_assert_cmpstr(options->write, ==, "f");
        g_assert_cmpstr(options->interface, ==, "eth0");
    }
}

static void the_name_called_sets_the_direction(void)
{
    const struct {
        const char *line;
        int direction;
    } cases[] = {{"/usr/bin/rxcpu eth0", RXTX_DIRECTION_RX}, {"txcpu eth0", RXTX_DIRECTION_TX},
                 {"rxtxcpu eth0", RXTX_DIRECTION_RXTX},      {"rx eth0", RXTX_DIRECTION_RXTX},
                 {"rxtxqueue eth0", RXTX_DIRECTION_RXTX},    {"/usr/sbin/rxnuma eth0", RXTX_DIRECTION_RX},
                 {"txqueue eth0", RXTX_DIRECTION_TX},        {"rxcpu -d tx eth0", RXTX_DIRECTION_TX}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(rxtx_options) options = good(cases[i].line);
        g_assert_cmpint(options->direction, ==, cases[i].direction);
    }
}

static void the_name_called_sets_what_letters_mean(void)
{
    g_autoptr(rxtx_options) queues = good("rxtxqueue -l 1-2 eth0");
    g_autoptr(rxtx_options) nodes = good("rxtxcpu -m 5 --group numa -i eth0");

    g_assert_cmpint(queues->group, ==, RXTX_GROUP_QUEUE);
    g_assert_cmpstr(queues->queue_list, ==, "1-2");
    g_assert_cmpstr(rxtx_options_list(queues), ==, "1-2");
    g_assert_null(rxtx_options_mask(queues));
    g_assert_cmpint(nodes->group, ==, RXTX_GROUP_NUMA);
    g_assert_cmpstr(rxtx_options_mask(nodes), ==, "5");
    g_assert_cmpstr(nodes->interface, ==, "eth0");
}

/* Options that came later begin with the same letters: duration, format, filter, worker-cpus, quiet … */
static void beginnings_that_the_original_took_are_still_enough(void)
{
    static const char *const words[] = {"--co=5",    "--c=5",     "--d=rx",     "--h",       "--pa",
                                        "--pr",      "--verb",    "--vers",     "--w=f",     "--write=f",
                                        "--cpu-l=0", "--cpu-m=1", "--packet-b", "--promisc", "--di=tx"};
    static const char *const queue_words[] = {"--q=0", "--queue-m=1", "--d=rx", "--c=3"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *line = g_strdup_printf("rxtxcpu %s", words[i]);
        g_autoptr(GError) error = NULL;
        g_test_message("%s", line);
        rxtx_options_free(parse(line, &error));
        if (i == 1) /* count, cpu-list, cpu-mask: the original refused it too */
            g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
        else
            g_assert_no_error(error);
    }
    for (gsize i = 1; i < G_N_ELEMENTS(queue_words); i++) {
        g_autofree char *line = g_strdup_printf("rxqueue %s", queue_words[i]);
        g_test_message("%s", line);
        rxtx_options_free(good(line));
    }
}

static void counts_are_read_as_strtoull_reads_them(void)
{
    const struct {
        const char *word;
        guint64 count;
    } cases[] = {{"-c+5", 5}, {"-c\t5", 5}, {"-c-0", 0}, {"-c007", 7}, {"--count=12", 12}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = g_strdup_printf("rxtxcpu %s", cases[i].word);
        g_autoptr(rxtx_options) options = good(line);
        g_assert_cmpuint(options->count, ==, cases[i].count);
    }
}

static void limits_add_up(void)
{
    g_autoptr(rxtx_options) options =
        good("rxtxcpu -a duration:1.5 -a packets:7 -b filesize:10 -b files:3 -b filesize:20 -w f eth0");

    g_assert_cmpuint(options->autostop.duration_ms, ==, 1500);
    g_assert_cmpuint(options->autostop.packets, ==, 7);
    g_assert_cmpuint(options->autostop.filesize_kb, ==, 0);
    g_assert_cmpuint(options->ring.filesize_kb, ==, 20);
    g_assert_cmpuint(options->ring.files, ==, 3);
}

static void what_is_typed_wrongly_is_said_in_one_sentence(void)
{
    const struct {
        const char *line, *says;
    } cases[] = {
        {"rxtxcpu -c 10j", "Invalid count '10j'."},
        {"rxtxcpu -c -1", "Invalid count '-1'."},
        {"rxtxcpu -c 0x10", "Invalid count '0x10'."},
        {"rxtxcpu -c 99999999999999999999999", "Invalid count '99999999999999999999999'."},
        {"rxtxcpu -d RX", "Invalid direction 'RX'."},
        {"rxtxcpu -l 10j", "Invalid cpu list '10j'."},
        {"rxtxcpu -l ", "Invalid cpu list ''."},
        {"rxqueue -l 0x1", "Invalid queue list '0x1'."},
        {"txnuma -m 0", "Invalid numa mask '0'."},
        {"rxtxnuma -l 0 -m 1", "-l [--numa-list] and -m [--numa-mask] are mutually exclusive."},
        {"rxtxqueue --cpu-list 0 eth0", "--cpu-list goes with --group cpu, but packets are grouped by queue."},
        {"rxtxcpu -a 5", "Invalid autostop '5'. Give duration:SECONDS, filesize:KB, packets:N or files:N."},
        {"rxtxcpu -a packets:0",
         "Invalid autostop 'packets:0'. Give duration:SECONDS, filesize:KB, packets:N or files:N."},
        {"rxtxcpu -a duration:-1",
         "Invalid autostop 'duration:-1'. Give duration:SECONDS, filesize:KB, packets:N or files:N."},
        {"rxtxcpu -b filesize:1", "-b needs files. Name them: -w FILE."},
        {"rxtxcpu -w - -b filesize:1", "-b needs files. Name them: -w FILE."},
        {"rxtxcpu -w f -b files:2",
         "A number of files needs an end for each. Add: -b filesize:KB, duration:SECONDS or packets:N."},
        {"rxtxcpu --format pcap", "--format needs a file. Name it: -w FILE."},
        {"rxtxcpu -i lo lo", "Only one interface argument is allowed (got [ 'lo', 'lo' ])."},
        {"rxtxcpu -m 0x1", "Invalid cpu mask '0x1'."},
        {"rxtxcpu -s 63", "Invalid snaplen '63'. Give a whole number from 64 to 262000."},
        {"rxtxcpu -s 262001", "Invalid snaplen '262001'. Give a whole number from 64 to 262000."},
        {"rxtxcpu -B 0", "Invalid buffer size '0'. Give a whole number from 1 to 65536."},
        {"rxtxcpu --annotate=none", "Invalid annotate 'none'. Give interface, comment or both."},
        {"rxtxcpu -z", "Unrecognized option '-z'."},
        {"rxtxcpu -vz", "Unrecognized option '-z'."},
        {"rxtxcpu --nope=1", "Unrecognized option '--nope=1'."},
        {"rxtxcpu --ver", "Unrecognized option '--ver'."},
        {"rxtxcpu -c", "Option '-c' requires an argument."},
        {"rxtxcpu -vw", "Option '-vw' requires an argument."},
        {"rxtxcpu -l 0 -m 1 eth0", "-l [--cpu-list] and -m [--cpu-mask] are mutually exclusive."},
        {"rxtxcpu lo lo2", "Only one interface argument is allowed (got [ 'lo', 'lo2' ])."},
        {"rxtxcpu --capture --extcap-interface eth0", "No such interface 'eth0': ours begin with 'rxtxcpu-'."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        rxtx_options_free(parse(cases[i].line, &error));
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, cases[i].says);
    }
}

static void wireshark_s_words_are_understood(void)
{
    g_autoptr(rxtx_options) options =
        good("rxtxcpu --capture --extcap-interface rxtxcpu-eth0 --extcap-capture-filter udp --fifo /tmp/f --count 3 "
             "--direction tx "
             "--cpu-list 0,1 --promiscuous --extcap-version=4.6 --extcap-control-in /tmp/i");

    g_assert_cmpint(options->face, ==, RXTX_FACE_EXTCAP);
    g_assert_cmpstr(options->interface, ==, "eth0");
    g_assert_cmpstr(options->filter, ==, "udp");
    g_assert_cmpstr(options->fifo, ==, "/tmp/f");
    g_assert_cmpstr(options->control_in, ==, "/tmp/i");
    g_assert_cmpuint(options->count, ==, 3);
    g_assert_cmpint(options->direction, ==, RXTX_DIRECTION_TX);
    g_assert_true(options->promiscuous);
}

static void an_extcap_option_of_the_future_is_ignored(void)
{
    g_autoptr(rxtx_options) options = good("rxtxcpu --extcap-interfaces --extcap-cleanup-postkill --extcap-new=x");

    g_assert_true(options->extcap_interfaces);
}

static void nothing_checked_in_the_dialog_is_an_empty_list(void)
{
    g_auto(GStrv) words = g_strsplit("rxtxcpu|--capture|--cpu-list||--fifo|/tmp/f", "|", -1);
    g_autofree char **argv = g_memdup2(words, 7 * sizeof *words);
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = rxtx_options_parse(6, argv, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(options->cpu_list, ==, "");
}

/* A wrong value must not keep Wireshark waiting at a fifo that nobody opens. */
static void the_fifo_is_known_even_behind_a_wrong_option(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = parse("rxtxcpu --capture --count x --nope --fifo /tmp/f", &error);

    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
    g_assert_true(g_str_has_prefix(error->message, "Invalid count 'x'. Give a whole number from 0 to "));
    g_assert_true(options->capture);
    g_assert_cmpstr(options->fifo, ==, "/tmp/f");
}

static void every_row_can_be_shown_to_its_faces(void)
{
    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_test_message("%s", row->name);
        g_assert_nonnull(row->help);
        g_assert_null(strpbrk(row->help, "{}\n"));
        g_assert_cmpint(row->faces, !=, 0);
        g_assert_cmpint(row->metavar == NULL, ==, row->kind == RXTX_OPTION_FLAG);
        g_assert_cmpint(row->tab != NULL, ==, row->place != 0);
        g_assert_cmpint(row->display != NULL, ==, row->place != 0);
        if (row->place != 0)
            g_assert_true(row->faces & RXTX_FACE_EXTCAP);
        if (row->kind == RXTX_OPTION_UINT || row->kind == RXTX_OPTION_CHOICE)
            g_assert_nonnull(row->def);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/defaults are those of the table", defaults_are_those_of_the_table);
    g_test_add_func("/options/options come in any order and form", options_come_in_any_order_and_form);
    g_test_add_func("/options/the name called sets the direction", the_name_called_sets_the_direction);
    g_test_add_func("/options/the name called sets what letters mean", the_name_called_sets_what_letters_mean);
    g_test_add_func("/options/beginnings that the original took are still enough",
                    beginnings_that_the_original_took_are_still_enough);
    g_test_add_func("/options/counts are read as strtoull reads them", counts_are_read_as_strtoull_reads_them);
    g_test_add_func("/options/limits add up", limits_add_up);
    g_test_add_func("/options/what is typed wrongly is said in one sentence",
                    what_is_typed_wrongly_is_said_in_one_sentence);
    g_test_add_func("/options/Wireshark's words are understood", wireshark_s_words_are_understood);
    g_test_add_func("/options/an extcap option of the future is ignored", an_extcap_option_of_the_future_is_ignored);
    g_test_add_func("/options/nothing checked in the dialog is an empty list",
                    nothing_checked_in_the_dialog_is_an_empty_list);
    g_test_add_func("/options/the fifo is known even behind a wrong option",
                    the_fifo_is_known_even_behind_a_wrong_option);
    g_test_add_func("/options/every row can be shown to its faces", every_row_can_be_shown_to_its_faces);
    return g_test_run();
}
