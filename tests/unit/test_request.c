/* What the far end is asked: options become names and values, and these become options again. */
#include "plan/options.h"

#include <string.h>

#include "base/error.h"

static rxtx_options *parsed(const char *const *words)
{
    g_autoptr(GError) error = NULL;
    guint n = g_strv_length((char **)words);
    g_autofree char **argv = g_memdup2(words, (n + 1) * sizeof *words);
    rxtx_options *options = rxtx_options_parse((int)n, argv, &error);

    g_assert_no_error(error);
    return options;
}

static GVariant *request_of(const rxtx_options *options)
{
    GVariant *request = g_variant_ref_sink(rxtx_options_request(options));

    g_assert_cmpstr(g_variant_get_type_string(request), ==, "a(ss)");
    return request;
}

/* "name=value name=value". Free with g_free. */
static char *text_of(GVariant *request)
{
    GString *text = g_string_new(NULL);
    const char *name, *value;
    GVariantIter iter;

    g_variant_iter_init(&iter, request);
    while (g_variant_iter_next(&iter, "(&s&s)", &name, &value))
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? " " : "", name, value);
    return g_string_free(text, FALSE);
}

static GVariant *pair(const char *name, const char *value)
{
    return g_variant_ref_sink(
        g_variant_new_array(G_VARIANT_TYPE("(ss)"), (GVariant *[]){g_variant_new("(ss)", name, value)}, 1));
}

static rxtx_options *good(GVariant *request)
{
    g_autoptr(GError) error = NULL;
    rxtx_options *options = rxtx_options_from_request(request, &error);

    g_assert_no_error(error);
    g_assert_nonnull(options);
    return options;
}

/* A terminal waits for an interface that is down; this is the last row of the table. */
#define WAITS "wait-for-link=true"

/* As the near end, called so, would ask. Free with g_free. */
static char *asked(const char *const *words)
{
    g_autoptr(rxtx_options) options = parsed(words);
    g_autoptr(GVariant) request = request_of(options);

    return text_of(request);
}

#define ASKED(...) asked((const char *const[]){__VA_ARGS__, NULL})

/* A value that is not the default, as it is written again. */
static const char *other_value(const rxtx_option *row)
{
    switch (row->kind) {
    case RXTX_OPTION_FLAG:
        return "true";
    case RXTX_OPTION_UINT:
        return "77";
    case RXTX_OPTION_CHOICE:
        return row->choices[1].name;
    case RXTX_OPTION_LIST:
        return "0,2-4";
    case RXTX_OPTION_MASK:
        return "5d";
    default:
        return "udp";
    }
}

static bool travels(const rxtx_option *row)
{
    return (row->faces & RXTX_FACE_SERVE) != 0;
}

/* A list is for its group alone, so that is asked for too. */
static GVariant *request_for(const rxtx_option *row, const char *value)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ss)"));
    if (row->group != 0 && row->group != RXTX_GROUP_CPU)
        g_variant_builder_add(&builder, "(ss)", "group", rxtx_group_name(row->group));
    g_variant_builder_add(&builder, "(ss)", row->name, value);
    return g_variant_ref_sink(g_variant_builder_end(&builder));
}

/* ---- there and back ---- */

static void nothing_asked_for_is_nothing_said(void)
{
    g_autofree char *plain = ASKED("rxtxcpu", "--remote-host", "web1", "-w", "f.pcapng");
    g_autofree char *said = ASKED("rxtxcpu", "--remote-host", "web1", "-w", "f.pcapng", "-s", "262000", "-d", "rxtx",
                                  "-B", "64", "--group", "cpu", "--remote-timeout", "10");
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE("(ss)"), NULL, 0)), again = NULL;
    g_autoptr(rxtx_options) options = good(none);

    g_assert_cmpstr(plain, ==, WAITS);
    g_assert_cmpstr(said, ==, WAITS);
    again = request_of(options);
    g_assert_cmpuint(g_variant_n_children(again), ==, 0);
    g_assert_cmpint(options->face, ==, RXTX_FACE_SERVE);
    g_assert_cmpuint(options->snaplen, ==, 262000);
    g_assert_cmpuint(options->buffer, ==, 64);
    g_assert_cmpuint(options->remote_timeout, ==, 10);
    g_assert_cmpint(options->direction, ==, RXTX_DIRECTION_RXTX);
    g_assert_cmpint(options->group, ==, RXTX_GROUP_CPU);
    g_assert_null(options->interface);
}

static void every_row_of_the_far_end_comes_through(void)
{
    guint n = 0;

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_autoptr(GVariant) request = NULL, again = NULL;
        g_autoptr(rxtx_options) options = NULL;
        g_autofree char *before = NULL, *after = NULL;
        if (!travels(row))
            continue;
        request = request_for(row, other_value(row));
        options = good(request);
        again = request_of(options);
        before = text_of(request);
        after = text_of(again);
        if (strchr(before, ' ') == NULL)
            g_assert_cmpstr(after, ==, before);
        else
            g_assert_cmpuint(g_variant_n_children(again), ==, 2);
        g_assert_nonnull(strstr(after, row->name));
        n++;
    }
    g_assert_cmpuint(n, >, 15);
}

static void what_is_typed_here_is_what_is_done_there(void)
{
    g_auto(GStrv) words = g_strsplit("rxtxqueue|-l|0,2-4|-d|rx|-s|100|-B|2|-p|-f|tcp port 443 or \xc3\xa9|-i|eth0|"
                                     "--worker-cpus|1|-w|-|--remote-host|web1|--remote-timeout|30|"
                                     "--remote-own-traffic",
                                     "|", -1);
    g_autoptr(rxtx_options) near = parsed((const char *const *)words);
    g_autoptr(GVariant) request = request_of(near);
    g_autoptr(rxtx_options) far = good(request);

    g_assert_cmpint(far->group, ==, RXTX_GROUP_QUEUE);
    g_assert_cmpstr(far->queue_list, ==, "0,2-4");
    g_assert_cmpint(far->direction, ==, RXTX_DIRECTION_RX);
    g_assert_cmpuint(far->snaplen, ==, 100);
    g_assert_cmpuint(far->buffer, ==, 2);
    g_assert_true(far->promiscuous && far->remote_own_traffic);
    g_assert_cmpstr(far->filter, ==, "tcp port 443 or \xc3\xa9");
    g_assert_cmpstr(far->interface, ==, "eth0");
    g_assert_cmpstr(far->worker_cpus, ==, "1");
    g_assert_cmpuint(far->remote_timeout, ==, 30);
    g_assert_null(far->remote_hosts);
    g_assert_false(rxtx_options_remote(far));
}

static void the_name_called_travels_as_options(void)
{
    g_autofree char *rx = ASKED("rxcpu", "--remote-host", "web1", "-w", "f.pcapng");
    g_autofree char *tx = ASKED("txqueue", "--remote-host", "web1", "-w", "f.pcapng");
    g_autofree char *numa = ASKED("rxtxnuma", "--remote-host", "web1", "-w", "f.pcapng", "-m", "3", "eth0");

    g_assert_cmpstr(rx, ==, "direction=rx " WAITS);
    g_assert_cmpstr(tx, ==, "direction=tx group=queue " WAITS);
    g_assert_cmpstr(numa, ==, "group=numa interface=eth0 numa-mask=3 " WAITS);
}

/* To count packets, their beginnings are enough; Wireshark wants them whole. */
static void packets_that_nobody_keeps_need_not_come_whole(void)
{
    g_autofree char *counted = ASKED("rxtxcpu", "--remote-host", "web1", "eth0");
    g_autofree char *kept = ASKED("rxtxcpu", "--remote-host", "web1", "eth0", "-w", "-");

    g_assert_cmpstr(counted, ==, "interface=eth0 snaplen=64 " WAITS);
    g_assert_cmpstr(kept, ==, "interface=eth0 " WAITS);
}

static void pcap_files_of_all_interfaces_need_one_link_type(void)
{
    g_autofree char *all = ASKED("rxtxcpu", "--remote-host", "web1", "-w", "f.pcap");
    g_autofree char *one = ASKED("rxtxcpu", "--remote-host", "web1", "-w", "f.pcap", "eth0");
    g_autofree char *pcapng = ASKED("rxtxcpu", "--remote-host", "web1", "-w", "f.pcap", "--format", "pcapng");

    g_assert_cmpstr(all, ==, "one-linktype=true " WAITS);
    g_assert_cmpstr(one, ==, "interface=eth0 " WAITS);
    g_assert_cmpstr(pcapng, ==, WAITS);
}

static void wireshark_s_two_filters_travel_as_one(void)
{
    g_autofree char *both =
        ASKED("rxtxcpu", "--capture", "--extcap-interface", "rxtxcpu-ssh", "--remote-host", "web1",
              "--remote-interface", "eth0", "--extcap-capture-filter", "udp", "--remote-filter", "port 53 or arp",
              "--remote-cpu", "", "--remote-cpu-list", "", "--fifo", "/tmp/f", "--count", "3");
    g_autofree char *one = ASKED("rxtxcpu", "--capture", "--extcap-interface", "rxtxcpu-ssh", "--remote-host", "web1",
                                 "--remote-interface", "", "--remote-filter", "port 53");

    g_assert_cmpstr(both, ==, "filter=(udp) and (port 53 or arp) interface=eth0");
    g_assert_cmpstr(one, ==, "filter=port 53");
}

/* They say how the host is reached, and what is done here with what comes. */
static void what_is_not_for_the_far_end_does_not_travel(void)
{
    g_autofree char *cli =
        ASKED("rxtxcpu", "--remote-host", "web1", "--remote-host", "web2", "--remote-port", "2222",
              "--remote-username", "me", "--sshkey", "k", "--proxycommand", "nc %h %p", "--remote-program",
              "/opt/rxtxcpu", "--remote-priv", "sudo", "--remote-compress", "--remote-deploy", "-w", "secret.pcap",
              "-a", "packets:3", "-b", "filesize:9", "-c", "5", "--duration", "6", "--format", "pcapng", "-U", "-v",
              "-q", "--json", "--stats", "1", "--annotate", "both");
    g_autofree char *extcap =
        ASKED("rxtxcpu", "--capture", "--extcap-interface", "rxtxcpu-ssh", "--remote-host", "web1", "--fifo", "/tmp/f",
              "--extcap-control-in", "i", "--extcap-control-out", "o", "--remote-count", "9", "--sshkey", "k");

    g_assert_cmpstr(cli, ==, WAITS);
    g_assert_cmpstr(extcap, ==, "");
}

/* Another text would be another filter. */
static void a_filter_that_is_no_text_is_refused(void)
{
    const char *words[] = {"rxtxcpu", "--remote-host", "web1", "-f", "a\xff", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = rxtx_options_parse(5, (char **)words, &error);

    g_assert_nonnull(options);
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "The filter for another host has to be UTF-8.");
}

/* ---- what is refused ---- */

static void refuse(const char *name, const char *value, const char *sentence)
{
    g_autoptr(GVariant) request = pair(name, value);
    g_autoptr(GError) error = NULL;
    g_autoptr(rxtx_options) options = rxtx_options_from_request(request, &error);

    g_test_message("%s=%s", name, value);
    g_assert_null(options);
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
    if (sentence != NULL)
        g_assert_cmpstr(error->message, ==, sentence);
}

static void every_row_that_is_not_for_the_far_end_is_unknown_to_it(void)
{
    guint n = 0;

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++) {
        g_autofree char *sentence =
            g_strdup_printf("This rxtxcpu (%s) does not know the option '%s'.", RXTX_VERSION, row->name);
        if (travels(row))
            continue;
        refuse(row->name, other_value(row), sentence);
        n++;
    }
    g_assert_cmpuint(n, >, 30);
}

static void the_far_end_writes_nothing_runs_nothing_and_calls_nobody(void)
{
    static const char *const names[] = {"write",       "fifo",          "extcap-control-in", "extcap-control-out",
                                        "sshkey",      "proxycommand",  "remote-host",       "remote-program",
                                        "remote-priv", "remote-deploy", "remote-username",   "remote-port",
                                        "ring-buffer", "serve",         "capture",           "extcap-interface"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        refuse(names[i], "x", NULL);
}

static void a_name_is_whole_and_exact(void)
{
    static const char *const names[] = {"",       "filte",    "filters", "Filter",   "-f",
                                        "f",      "--filter", "inter",   "snaplen ", " group",
                                        "FILTER", "count",    "c",       "\xc3\xa9", "a\nb"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        refuse(names[i], "1", NULL);
}

static void values_are_checked_as_if_they_were_typed(void)
{
    static const struct {
        const char *name, *value;
    } cases[] = {
        {"snaplen", ""},
        {"snaplen", "63"},
        {"snaplen", "262001"},
        {"snaplen", "-1"},
        {"snaplen", "1e3"},
        {"snaplen", "64 "},
        {"buffer-size", "0"},
        {"buffer-size", "65537"},
        {"remote-timeout", "0"},
        {"remote-timeout", "1"},
        {"remote-timeout", "3601"},
        {"buffer-size", "18446744073709551617"},
        {"direction", ""},
        {"direction", "RX"},
        {"direction", "3"},
        {"group", "core"},
        {"cpu-list", ""},
        {"cpu-list", "0-"},
        {"cpu-list", "a"},
        {"cpu-list", "99999999"},
        {"cpu-list", "-1"},
        {"cpu-mask", ""},
        {"cpu-mask", "0"},
        {"cpu-mask", "0x1"},
        {"cpu-mask", "g"},
        {"worker-cpus", ""},
        {"worker-cpus", "0;1"},
        {"queue-list", "0"},
        {"numa-mask", "1"},
        {"interface", ""},
        {"interface", "-i"},
        {"interface", "a b"},
        {"interface", "../eth0"},
        {"interface", "1234567890123456"},
        {"interface", "eth0\n"},
        {"interface", ".."},
        {"interface", "eth0:1"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        refuse(cases[i].name, cases[i].value, NULL);
    refuse("snaplen", "63", "Invalid snaplen '63'. Give a whole number from 64 to 262000.");
    refuse("direction", "RX", "Invalid direction 'RX'. Give rxtx, rx or tx.");
}

/* It travels as `true`; who says anything else may mean no. */
static void a_flag_is_true_or_refused(void)
{
    static const char *const values[] = {"", "false", "no", "0", "TRUE", "true ", "1"};

    for (const rxtx_option *row = rxtx_option_table; row->name != NULL; row++)
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
            if (travels(row) && row->kind == RXTX_OPTION_FLAG)
                refuse(row->name, values[i], NULL);
}

static void what_does_not_go_together_is_refused(void)
{
    static const char *const requests[] = {
        "[('cpu-list', '0'), ('cpu-mask', '1')]",  "[('group', 'queue'), ('queue-mask', '1'), ('queue-list', '0')]",
        "[('group', 'queue'), ('cpu-list', '0')]", "[('cpu-list', '0'), ('group', 'numa')]",
        "[('filter', 'udp'), ('numa-list', '0')]", "[('snaplen', '64'), ('nope', '1')]",
        "[('snaplen', '64'), ('snaplen', '1')]",   "[('promiscuous', 'true'), ('write', 'f'), ('snaplen', '64')]",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autoptr(GVariant) request = g_variant_parse(G_VARIANT_TYPE("a(ss)"), requests[i], NULL, NULL, NULL);
        g_autoptr(GError) error = NULL;
        g_test_message("%s", requests[i]);
        g_assert_null(rxtx_options_from_request(request, &error));
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
    }
}

static void the_last_of_several_values_counts(void)
{
    g_autoptr(GVariant) request = g_variant_parse(
        G_VARIANT_TYPE("a(ss)"), "[('cpu-list', '0'), ('filter', 'udp'), ('cpu-list', '1'), ('filter', 'tcp')]", NULL,
        NULL, NULL);
    g_autoptr(rxtx_options) options = good(request);

    g_assert_cmpstr(options->cpu_list, ==, "1");
    g_assert_cmpstr(options->filter, ==, "tcp");
}

/* ---- where it goes ---- */

static void a_host_is_called_what_stands_behind_the_user(void)
{
    static const char *const hosts[][2] = {
        {"web1", "web1"}, {"me@web1", "web1"}, {"a@b@c", "c"}, {"me@fe80::1%eth0", "fe80::1%eth0"}};

    for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++)
        g_assert_cmpstr(rxtx_options_host_label(hosts[i][0]), ==, hosts[i][1]);
}

static void mistakes_about_hosts_are_said(void)
{
    static const struct {
        const char *words, *says;
    } cases[] = {
        {"rxtxcpu --remote-host -oProxyCommand=id",
         "Invalid remote host '-oProxyCommand=id'. Give a name or an address, perhaps with USER@ in front (a port is --remote-port's)."},
        {"rxtxcpu --remote-host a;b",
         "Invalid remote host 'a;b'. Give a name or an address, perhaps with USER@ in front (a port is --remote-port's)."},
        {"rxtxcpu --remote-host web1 --remote-host web1", "The remote host 'web1' is given twice."},
        {"rxtxcpu --remote-host web1 --remote-host web2 --remote-host me@web1",
         "The remote host 'me@web1' is given twice."},
        {"rxtxcpu --remote-username me --remote-host you@web1",
         "'you@web1' and --remote-username both say who to be. Leave one out."},
        {"rxtxcpu --remote-port 22", "--remote-port is about another host. Name it: --remote-host HOST."},
        {"rxtxcpu --remote-own-traffic", "--remote-own-traffic is about another host. Name it: --remote-host HOST."},
        {"rxtxcpu --proxycommand x", "--proxycommand is about another host. Name it: --remote-host HOST."},
        {"rxtxcpu --remote-host w --remote-username -l",
         "Invalid remote username '-l'. Give letters, digits and ._@+-."},
        {"rxtxcpu --remote-host w --remote-program a|b",
         "Invalid remote program 'a|b'. Give a name or a path of letters, digits and ._/+-."},
        {"rxtxcpu --remote-host w --remote-port 65536",
         "Invalid remote port '65536'. Give a whole number from 0 to 65535."},
        {"rxtxcpu --remote-host w -i eth0:1", "Invalid interface 'eth0:1'. Give a name of at most 15 bytes without "
                                              "spaces, / and :, that does not begin with -."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = g_strsplit(cases[i].words, " ", -1);
        g_autofree char **argv = g_memdup2(words, (g_strv_length(words) + 1) * sizeof *words);
        g_autoptr(GError) error = NULL;
        rxtx_options_free(rxtx_options_parse((int)g_strv_length(words), argv, &error));
        g_assert_error(error, RXTX_ERROR, RXTX_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, cases[i].says);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/request/nothing asked for is nothing said", nothing_asked_for_is_nothing_said);
    g_test_add_func("/request/every row of the far end comes through", every_row_of_the_far_end_comes_through);
    g_test_add_func("/request/what is typed here is what is done there", what_is_typed_here_is_what_is_done_there);
    g_test_add_func("/request/the name called travels as options", the_name_called_travels_as_options);
    g_test_add_func("/request/packets that nobody keeps need not come whole",
                    packets_that_nobody_keeps_need_not_come_whole);
    g_test_add_func("/request/pcap files of all interfaces need one link type",
                    pcap_files_of_all_interfaces_need_one_link_type);
    g_test_add_func("/request/Wireshark's two filters travel as one", wireshark_s_two_filters_travel_as_one);
    g_test_add_func("/request/what is not for the far end does not travel",
                    what_is_not_for_the_far_end_does_not_travel);
    g_test_add_func("/request/a filter that is no text is refused", a_filter_that_is_no_text_is_refused);
    g_test_add_func("/request/every row that is not for the far end is unknown to it",
                    every_row_that_is_not_for_the_far_end_is_unknown_to_it);
    g_test_add_func("/request/the far end writes nothing, runs nothing and calls nobody",
                    the_far_end_writes_nothing_runs_nothing_and_calls_nobody);
    g_test_add_func("/request/a name is whole and exact", a_name_is_whole_and_exact);
    g_test_add_func("/request/values are checked as if they were typed", values_are_checked_as_if_they_were_typed);
    g_test_add_func("/request/a flag is true or refused", a_flag_is_true_or_refused);
    g_test_add_func("/request/what does not go together is refused", what_does_not_go_together_is_refused);
    g_test_add_func("/request/the last of several values counts", the_last_of_several_values_counts);
    g_test_add_func("/request/a host is called what stands behind the user",
                    a_host_is_called_what_stands_behind_the_user);
    g_test_add_func("/request/mistakes about hosts are said", mistakes_about_hosts_are_said);
    return g_test_run();
}
