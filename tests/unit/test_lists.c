/* The lists of what there is: CPUs of machines that are folders, and this machine's lo, which every one has. */
#include "ui/lists.h"

#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "fake_root.h"

static char *shown(char *lines, bool cpus)
{
    char *text = rxtx_lists_align(lines, cpus);

    g_free(lines);
    return text;
}

static void a_cpu_that_is_offline_may_still_come(void)
{
    g_autofree char *root = fake_root_new("0-1,10\n", "0,10\n");
    g_autofree char *text = shown(rxtx_lists_cpus(root), true);

    g_assert_cmpstr(text, ==,
                    "CPU  NODE  ONLINE  CAPTURE\n"
                    "0    -     yes     yes\n"
                    "1    -     no      when it comes online\n"
                    "10   -     yes     yes\n");
    fake_root_remove(root);
}

static void a_cpu_has_its_node(void)
{
    g_autofree char *root = fake_root_new("0-2", "0-2");
    g_autofree char *text = NULL;

    fake_root_write(root, "sys/devices/system/node/has_cpu", "0,2\n");
    fake_root_write(root, "sys/devices/system/node/node0/cpulist", "0\n");
    fake_root_write(root, "sys/devices/system/node/node2/cpulist", "1\n");
    text = shown(rxtx_lists_cpus(root), true);
    g_assert_cmpstr(text, ==,
                    "CPU  NODE  ONLINE  CAPTURE\n"
                    "0    0     yes     yes\n"
                    "1    2     yes     yes\n"
                    "2    -     yes     yes\n");
    fake_root_remove(root);
}

static void every_cpu_has_one_line(void)
{
    g_autofree char *root = fake_root_new("0-1023", "0-1023");
    g_autofree char *text = shown(rxtx_lists_cpus(root), true);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    g_assert_cmpuint(g_strv_length(lines), ==, 1 + 1024 + 1);
    g_assert_cmpstr(lines[1 + 1023], ==, "1023  -     yes     yes");
    fake_root_remove(root);
}

/* Up or down: a fresh network namespace has it too, and down. How many queues it has is told by sysfs alone. */
static void lo_is_among_the_interfaces(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = shown(rxtx_lists_interfaces(&error), false);

    g_assert_no_error(error);
    g_assert_true(g_regex_match_simple("^lo +(up|down) +- +(-|[0-9]+ rx, [0-9]+ tx, rx queue not recorded) +EN10MB$",
                                       text, G_REGEX_MULTILINE, 0));
}

static void each_column_begins_where_its_title_does(void)
{
    static const char *const titles[] = {"NAME", "STATE", "DRIVER", "QUEUES", "LINK TYPE"};
    g_autofree char *text = shown(rxtx_lists_interfaces(NULL), false);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++) {
        const char *title = strstr(lines[0], titles[i]);
        size_t at = (size_t)(title - lines[0]);
        g_assert_nonnull(title);
        for (char **line = lines; **line != '\0'; line++) {
            g_assert_cmpuint(strlen(*line), >, at);
            g_assert_true(at == 0 || (*line)[at - 1] == ' ');
            g_assert_cmpint((*line)[at], !=, ' ');
        }
    }
}

/* As another host may send them: more cells than titles, fewer, none, and letters of several bytes. */
static void lines_of_another_host_fit_under_the_titles(void)
{
    g_autofree char *interfaces = rxtx_lists_align("\xc3\xa9t\xc3\xa9\tup\t-\t1 rx\tEN10MB\tmore\tand more\n"
                                                   "\n"
                                                   "lo\n"
                                                   "a name that is longer than its title\tdown",
                                                   false);
    g_autofree char *none = rxtx_lists_align("", true);

    g_assert_cmpstr(interfaces, ==,
                    "NAME                                  STATE  DRIVER  QUEUES  LINK TYPE\n"
                    "\xc3\xa9t\xc3\xa9                                   up     -       1 rx    EN10MB\n"
                    "lo\n"
                    "a name that is longer than its title  down\n");
    g_assert_cmpstr(none, ==, "CPU  NODE  ONLINE  CAPTURE\n");
}

static void what_has_no_title_is_lost(void)
{
    g_autofree char *interfaces = rxtx_lists_align("lo\tup\t-\t-\tEN10MB\tmore\tand more", false);
    g_autofree char *cpus = rxtx_lists_align("0\t-\tyes\tyes\tmore\tand more", true);

    g_assert_null(strstr(interfaces, "more"));
    g_assert_cmpstr(cpus, ==,
                    "CPU  NODE  ONLINE  CAPTURE\n"
                    "0    -     yes     yes\n");
}

static void that_nothing_can_be_asked_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    struct rlimit usual, none;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &usual), ==, 0);
    none = (struct rlimit){.rlim_cur = 0, .rlim_max = usual.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    g_assert_null(rxtx_lists_interfaces(&error));
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &usual), ==, 0);
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_KERNEL);
    g_assert_cmpstr(error->message, ==, "listing the interfaces: Too many open files");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lists/a CPU that is offline may still come", a_cpu_that_is_offline_may_still_come);
    g_test_add_func("/lists/a CPU has its node", a_cpu_has_its_node);
    g_test_add_func("/lists/every CPU has one line", every_cpu_has_one_line);
    g_test_add_func("/lists/lo is among the interfaces", lo_is_among_the_interfaces);
    g_test_add_func("/lists/each column begins where its title does", each_column_begins_where_its_title_does);
    g_test_add_func("/lists/lines of another host fit under the titles", lines_of_another_host_fit_under_the_titles);
    g_test_add_func("/lists/what has no title is lost", what_has_no_title_is_lost);
    g_test_add_func("/lists/that nothing can be asked is an error", that_nothing_can_be_asked_is_an_error);
    return g_test_run();
}
