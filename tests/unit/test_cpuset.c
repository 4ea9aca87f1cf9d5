/* CPU lists and masks. */
#include "plan/cpuset.h"

/* What the text means, as a list; "?" if it is refused. */
static char *meaning(bool (*parse)(rxtx_cpuset *, const char *), const char *text)
{
    g_autofree rxtx_cpuset *set = g_new0(rxtx_cpuset, 1);

    return parse(set, text) ? rxtx_cpuset_format(set) : g_strdup("?");
}

typedef struct {
    const char *text, *means;
} example;

static void check(bool (*parse)(rxtx_cpuset *, const char *), const example *examples)
{
    for (; examples->text != NULL; examples++) {
        g_autofree char *means = meaning(parse, examples->text);
        g_test_message("'%s'", examples->text);
        g_assert_cmpstr(means, ==, examples->means);
    }
}

static void lists_mean_what_the_kernel_s_lists_mean(void)
{
    static const example examples[] = {
        {"0", "0"},
        {"3,1", "1,3"},
        {"0-3", "0-3"},
        {"0,2-4,6", "0,2-4,6"},
        {"1-1", "1"},
        {"0-1,1-2", "0-2"},
        {"65535", "65535"},
        {"0-65535", "0-65535"},
        {"0,2-4,6\n", "0,2-4,6"},
        {"0,", "0"},
        {",0", "0"},
        {"1,,3", "1,3"},
        {" 1,+2", "1-2"},
        {NULL, NULL},
    };

    check(rxtx_cpuset_parse_list, examples);
}

static void what_is_no_list_is_refused(void)
{
    static const example examples[] = {
        {"", "?"},
        {",", "?"},
        {"0-", "?"},
        {"0 1", "?"},
        {"+", "?"},
        {"-0", "?"},
        {"0 ", "?"},
        {"1-0", "?"},
        {"0--1", "?"},
        {"0-1-2", "?"},
        {"0x1", "?"},
        {"all", "?"},
        {"10j", "?"},
        {"65536", "?"},
        {"-1", "?"},
        {"4294967297", "?"},
        {"0-2147483647", "?"},
        {"18446744073709551617", "?"},
        {NULL, NULL},
    };

    check(rxtx_cpuset_parse_list, examples);
}

static void masks_are_hexadecimal_and_commas_do_not_count(void)
{
    static const example examples[] = {
        {"1", "0"},           {"5d", "0,2-4,6"}, {"5D", "0,2-4,6"}, {"1,0", "4"},
        {"1,00000000", "32"}, {"0001", "0"},     {"f,", "0-3"},     {NULL, NULL},
    };

    check(rxtx_cpuset_parse_mask, examples);
}

static void what_is_no_mask_is_refused(void)
{
    static const example examples[] = {{"", "?"},   {"0", "?"},  {",", "?"},   {"0x1", "?"},
                                       {"-1", "?"}, {" 1", "?"}, {"10j", "?"}, {NULL, NULL}};

    check(rxtx_cpuset_parse_mask, examples);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuset/lists mean what the kernel's lists mean", lists_mean_what_the_kernel_s_lists_mean);
    g_test_add_func("/cpuset/what is no list is refused", what_is_no_list_is_refused);
    g_test_add_func("/cpuset/masks are hexadecimal and commas do not count",
                    masks_are_hexadecimal_and_commas_do_not_count);
    g_test_add_func("/cpuset/what is no mask is refused", what_is_no_mask_is_refused);
    return g_test_run();
}
