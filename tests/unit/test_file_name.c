/* What files are called: the original's rule for groups, dumpcap's for rings. */
#include "sink/file_name.h"

static void the_group_stands_in_front_of_the_last_extension(void)
{
    const struct {
        const char *template, *name;
    } cases[] = {{"out.pcap", "out-3.pcap"},       {"out", "out-3"},
                 {"out.tar.gz", "out.tar-3.gz"},   {".hidden", ".hidden-3"},
                 {"dir.d/out", "dir.d/out-3"},     {".hidden.pcap", ".hidden-3.pcap"},
                 {"/a.b/c.pcap", "/a.b/c-3.pcap"}, {"./-", "./--3"},
                 {"dir/.x", "dir/.x-3"},           {"out.", "out-3."}};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = rxtx_file_name(cases[i].template, "3", &(rxtx_file_turn){0});
        g_assert_cmpstr(name, ==, cases[i].name);
    }
}

static void a_ring_is_numbered_and_dated_in_local_time(void)
{
    const rxtx_file_turn second = {.number = 2, .begun_us = G_GINT64_CONSTANT(1763892900000005)};
    g_autofree char *merged = rxtx_file_name("out.pcapng", NULL, &second);
    g_autofree char *split = rxtx_file_name("out", "unknown", &second);

    g_assert_cmpstr(merged, ==, "out_00002_20251123101500.pcapng");
    g_assert_cmpstr(split, ==, "out-unknown_00002_20251123101500");
}

static void one_file_for_all_has_the_name_that_was_given(void)
{
    g_autofree char *name = rxtx_file_name("a.b.pcapng", NULL, &(rxtx_file_turn){0});

    g_assert_cmpstr(name, ==, "a.b.pcapng");
}

int main(int argc, char **argv)
{
    g_setenv("TZ", "UTC", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file_name/the group stands in front of the last extension",
                    the_group_stands_in_front_of_the_last_extension);
    g_test_add_func("/file_name/a ring is numbered and dated in local time",
                    a_ring_is_numbered_and_dated_in_local_time);
    g_test_add_func("/file_name/one file for all has the name that was given",
                    one_file_for_all_has_the_name_that_was_given);
    return g_test_run();
}
