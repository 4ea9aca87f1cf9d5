/* The output in front of pipes and files that break, with real descriptors. */
#include "sink/output.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "sink/sink_pcapng.h"

typedef struct {
    rxtx_stop stop;
    char *folder, *path;
    int reader; /* of the fifo at path */
    rxtx_output *output;
} fixture;

static void set_up(fixture *f)
{
    *f = (fixture){.folder = g_dir_make_tmp("rxtxcpu-XXXXXX", NULL), .reader = -1};
    f->path = g_build_filename(f->folder, "out", NULL);
    g_assert_true(rxtx_stop_init(&f->stop, NULL));
}

static void set_up_fifo(fixture *f)
{
    set_up(f);
    g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
    f->reader = open(f->path, O_RDONLY | O_NONBLOCK);
    f->output = rxtx_output_open(f->path, &f->stop, NULL);
    g_assert_nonnull(f->output);
}

static void set_up_file(fixture *f)
{
    set_up(f);
    f->output = rxtx_output_create(f->path, &f->stop, NULL);
    g_assert_nonnull(f->output);
}

static void tear_down(fixture *f)
{
    rxtx_output_free(f->output);
    if (f->reader >= 0)
        close(f->reader);
    rxtx_stop_clear(&f->stop);
    g_unlink(f->path);
    g_rmdir(f->folder);
    g_free(f->path);
    g_free(f->folder);
}

static bool put(fixture *f, gsize size)
{
    guint8 *at = rxtx_output_reserve(f->output, size);

    if (at == NULL)
        return false;
    memset(at, 'x', size);
    rxtx_output_commit(f->output, size);
    return true;
}

static void nothing_goes_out_before_a_flush(void)
{
    char got[16];
    fixture f;

    set_up_fifo(&f);
    g_assert_true(put(&f, 5));
    g_assert_cmpint(read(f.reader, got, sizeof got), <, 0);
    g_assert_true(rxtx_output_flush(f.output));
    g_assert_cmpint(read(f.reader, got, sizeof got), ==, 5);
    tear_down(&f);
}

static void a_reader_that_leaves_is_told_from_other_failures(void)
{
    fixture f;

    set_up_fifo(&f);
    close(f.reader);
    f.reader = -1;
    put(&f, 5);
    g_assert_false(rxtx_output_flush(f.output));
    g_assert_true(rxtx_output_reader_gone(f.output));
    g_assert_nonnull(rxtx_output_failure(f.output));
    g_assert_false(put(&f, 1));
    tear_down(&f);
}

static void a_full_device_is_a_failure_with_a_name(void)
{
    g_autoptr(GError) error = NULL;
    fixture f;

    set_up(&f);
    f.output = rxtx_output_create("/dev/full", &f.stop, &error);
    put(&f, 5);
    g_assert_false(rxtx_output_flush(f.output));
    g_assert_false(rxtx_output_reader_gone(f.output));
    g_assert_cmpstr(rxtx_output_failure(f.output)->message, ==,
                    "error writing to savefile '/dev/full': No space left on device");
    tear_down(&f);
}

static gpointer read_slowly(gpointer data)
{
    const fixture *f = data;
    gsize *got = g_new0(gsize, 1);
    char piece[16384];
    ssize_t n;

    fcntl(f->reader, F_SETFL, 0);
    while ((n = read(f->reader, piece, sizeof piece)) > 0)
        *got += (gsize)n;
    return got;
}

static void a_slow_reader_gets_everything_even_after_a_stop(void)
{
    enum { PIECES = 64, SIZE = 200000 };
    g_autofree gsize *got = NULL;
    GThread *reader;
    fixture f;

    set_up_fifo(&f);
    rxtx_stop_request(&f.stop, RXTX_STOP_USER);
    reader = g_thread_new("reader", read_slowly, &f);
    for (int i = 0; i < PIECES; i++)
        g_assert_true(put(&f, SIZE));
    g_assert_true(rxtx_output_flush(f.output));
    g_clear_pointer(&f.output, rxtx_output_free);
    got = g_thread_join(reader);
    g_assert_cmpuint(*got, ==, (gsize)PIECES * SIZE);
    tear_down(&f);
}

static void a_reader_that_does_nothing_does_not_keep_a_stop(void)
{
    fixture f;
    int pieces = 0;

    set_up_fifo(&f);
    rxtx_stop_request(&f.stop, RXTX_STOP_USER);
    while (pieces < 100 && put(&f, 200000))
        pieces++;
    g_assert_cmpint(pieces, <, 100);
    g_assert_false(rxtx_output_reader_gone(f.output));
    g_assert_nonnull(strstr(rxtx_output_failure(f.output)->message, "stopped reading"));
    tear_down(&f);
}

static void what_went_out_can_be_taken_back_from_a_file(void)
{
    g_autofree char *contents = NULL;
    gsize size;
    fixture f;

    set_up_file(&f);
    put(&f, 100);
    g_assert_true(rxtx_output_flush(f.output));
    rxtx_output_take_back(f.output, 40);
    g_assert_true(g_file_get_contents(f.path, &contents, &size, NULL));
    g_assert_cmpuint(size, ==, 60);
    rxtx_output_take_back(f.output, 60);
    g_assert_false(g_file_test(f.path, G_FILE_TEST_EXISTS));
    tear_down(&f);
}

/* Renamed, it is still somewhere. */
static void a_file_that_is_deleted_meanwhile_is_a_failure_at_the_end(void)
{
    g_autofree char *other = NULL;
    fixture f;

    set_up_file(&f);
    other = g_strconcat(f.path, ".other", NULL);
    put(&f, 100);
    g_assert_cmpint(g_rename(f.path, other), ==, 0);
    g_assert_true(rxtx_output_finish(f.output));
    g_assert_false(rxtx_output_deleted(f.output));
    g_assert_cmpint(g_unlink(other), ==, 0);
    g_assert_false(rxtx_output_finish(f.output));
    g_assert_true(rxtx_output_deleted(f.output));
    g_assert_nonnull(strstr(rxtx_output_failure(f.output)->message, "deleted meanwhile"));
    tear_down(&f);
}

/* Pieces are cut at places of the file that have nothing to do with what was committed. */
static void a_file_holds_what_was_committed_whatever_its_pieces(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(3);
    g_autoptr(GByteArray) expected = g_byte_array_new();
    g_autofree char *contents = NULL;
    gsize size;
    fixture f;

    set_up_file(&f);
    for (int i = 0; i < 20000; i++) {
        gsize length = (gsize)g_rand_int_range(random, 1, i % 500 == 0 ? 262144 : 400);
        guint8 *at = rxtx_output_reserve(f.output, length);
        g_assert_nonnull(at);
        for (gsize byte = 0; byte < length; byte++)
            at[byte] = (guint8)g_rand_int(random);
        g_byte_array_append(expected, at, (guint)length);
        rxtx_output_commit(f.output, length);
        if (i % 3000 == 0)
            g_assert_true(rxtx_output_flush(f.output));
    }
    g_assert_true(rxtx_output_flush(f.output));
    g_assert_true(g_file_get_contents(f.path, &contents, &size, NULL));
    g_assert_cmpmem(contents, size, expected->data, expected->len);
    tear_down(&f);
}

/* All of it was taken, and none of it got out. */
static void a_capture_whose_reader_left_counts_only_what_got_out(void)
{
    const rxtx_sink_pcapng_settings settings = {.snaplen = 262000, .application = "test", .annotate_interface = true};
    const rxtx_source eth0 = {.interface = "eth0", .linktype = 1};
    const rxtx_group_label labels[] = {{.key = "CPU", .number = 0, .node = -1, .due = true, .source = &eth0},
                                       {.key = "CPU", .number = 1, .node = -1, .due = true, .source = &eth0}};
    static const guint8 data[60000];
    const rxtx_packet packet = {.data = data, .caplen = sizeof data, .len = sizeof data};
    rxtx_stats stats[2] = {{0}, {0}};
    rxtx_sink *sink;
    fixture f;

    set_up_fifo(&f);
    sink = rxtx_sink_pcapng_new(&settings, labels, 2, g_steal_pointer(&f.output), &f.stop);
    for (guint i = 0; i < 6; i++)
        if (sink->ops->push(sink, i % 2, &packet))
            stats[i % 2].accepted = ++stats[i % 2].delivered;
    g_assert_cmpuint(stats[0].delivered, ==, 3);
    close(f.reader);
    f.reader = -1;
    sink->ops->finish(sink, stats);
    g_assert_cmpuint(stats[0].delivered, ==, 0);
    g_assert_cmpuint(stats[1].delivered, ==, 0);
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_READER_GONE);
    g_assert_no_error(sink->failure);
    sink->ops->free(sink);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/output/nothing goes out before a flush", nothing_goes_out_before_a_flush);
    g_test_add_func("/output/a reader that leaves is told from other failures",
                    a_reader_that_leaves_is_told_from_other_failures);
    g_test_add_func("/output/a full device is a failure with a name", a_full_device_is_a_failure_with_a_name);
    g_test_add_func("/output/a slow reader gets everything even after a stop",
                    a_slow_reader_gets_everything_even_after_a_stop);
    g_test_add_func("/output/a reader that does nothing does not keep a stop",
                    a_reader_that_does_nothing_does_not_keep_a_stop);
    g_test_add_func("/output/what went out can be taken back from a file", what_went_out_can_be_taken_back_from_a_file);
    g_test_add_func("/output/a file that is deleted meanwhile is a failure at the end",
                    a_file_that_is_deleted_meanwhile_is_a_failure_at_the_end);
    g_test_add_func("/output/a file holds what was committed whatever its pieces",
                    a_file_holds_what_was_committed_whatever_its_pieces);
    g_test_add_func("/output/a capture whose reader left counts only what got out",
                    a_capture_whose_reader_left_counts_only_what_got_out);
    return g_test_run();
}
