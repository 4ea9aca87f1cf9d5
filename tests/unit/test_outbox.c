/* Texts to a reader who is slow, over a real pipe. */
#include "ui/outbox.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int reader, writer;
    rxtx_outbox outbox;
} fixture;

static void set_up(fixture *f)
{
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    *f = (fixture){.reader = ends[0], .writer = ends[1]};
    g_assert_cmpint(fcntl(f->reader, F_SETFL, O_NONBLOCK), ==, 0);
    rxtx_outbox_init(&f->outbox, f->writer);
}

static void tear_down(fixture *f)
{
    rxtx_outbox_clear(&f->outbox);
    if (f->reader >= 0)
        close(f->reader);
    close(f->writer);
}

/* Reads what is there and lets the outbox go on, until nothing comes any more. */
static GString *read_all(fixture *f)
{
    GString *all = g_string_new(NULL);
    char buffer[65536];
    ssize_t n;

    do {
        n = read(f->reader, buffer, sizeof buffer);
        if (n > 0)
            g_string_append_len(all, buffer, n);
    } while (g_main_context_iteration(NULL, FALSE) || n > 0);
    return all;
}

static void a_text_that_is_larger_than_the_pipe_comes_whole(void)
{
    g_autofree char *text = g_strnfill(300000, 'x');
    g_autoptr(GString) got = NULL;
    fixture f;

    set_up(&f);
    g_assert_true(rxtx_outbox_put(&f.outbox, text));
    got = read_all(&f);
    g_assert_cmpuint(got->len, ==, 300000);
    g_assert_null(f.outbox.rest);
    tear_down(&f);
}

static void what_is_said_meanwhile_is_left_out_and_not_cut(void)
{
    g_autofree char *text = g_strnfill(300000, 'x');
    g_autoptr(GString) got = NULL;
    fixture f;

    set_up(&f);
    rxtx_outbox_put(&f.outbox, text);
    rxtx_outbox_put(&f.outbox, "meanwhile\n");
    got = read_all(&f);
    g_assert_cmpuint(got->len, ==, 300000);
    rxtx_outbox_put(&f.outbox, "afterwards\n");
    g_string_free(g_steal_pointer(&got), TRUE);
    got = read_all(&f);
    g_assert_cmpstr(got->str, ==, "afterwards\n");
    tear_down(&f);
}

static void what_must_be_said_comes_behind_what_is_on_its_way(void)
{
    g_autofree char *text = g_strnfill(300000, 'x');
    g_autoptr(GString) got = NULL;
    fixture f;

    set_up(&f);
    rxtx_outbox_say(&f.outbox, text);
    rxtx_outbox_say(&f.outbox, "too much before it\n");
    got = read_all(&f);
    g_assert_cmpuint(got->len, ==, 300000);
    rxtx_outbox_put(&f.outbox, "x");
    g_string_free(read_all(&f), TRUE);
    while (f.outbox.rest == NULL) /* until the pipe is full */
        rxtx_outbox_say(&f.outbox, "12345678\n");
    rxtx_outbox_put(&f.outbox, "left out\n");
    rxtx_outbox_say(&f.outbox, "first\n");
    rxtx_outbox_say(&f.outbox, "second\n");
    g_string_free(g_steal_pointer(&got), TRUE);
    got = read_all(&f);
    g_assert_true(g_str_has_suffix(got->str, "12345678\nfirst\nsecond\n"));
    g_assert_null(strstr(got->str, "left out"));
    tear_down(&f);
}

static void a_reader_that_left_is_told(void)
{
    fixture f;

    set_up(&f);
    close(f.reader);
    f.reader = -1;
    g_assert_false(rxtx_outbox_put(&f.outbox, "anybody?"));
    tear_down(&f);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/outbox/a text that is larger than the pipe comes whole",
                    a_text_that_is_larger_than_the_pipe_comes_whole);
    g_test_add_func("/outbox/what is said meanwhile is left out and not cut",
                    what_is_said_meanwhile_is_left_out_and_not_cut);
    g_test_add_func("/outbox/what must be said comes behind what is on its way",
                    what_must_be_said_comes_behind_what_is_on_its_way);
    g_test_add_func("/outbox/a reader that left is told", a_reader_that_left_is_told);
    return g_test_run();
}
