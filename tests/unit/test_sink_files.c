/* Classic pcap files, one for each group, in a real folder. */
#include "sink/sink_files.h"

#include <glib/gstdio.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

typedef struct {
    char *folder, *template;
    rxtx_stop stop;
    rxtx_sink *sink;
} fixture;

static const rxtx_source eth0 = {.interface = "eth0", .linktype = 1};
static const rxtx_group_label labels[] = {{.key = "CPU", .number = 0, .due = true, .source = &eth0},
                                          {.key = "CPU", .number = 3, .due = true, .source = &eth0},
                                          {.key = "CPU", .number = 7, .source = &eth0}};

static void set_up(fixture *f)
{
    *f = (fixture){.folder = g_dir_make_tmp("rxtxcpu-XXXXXX", NULL)};
    f->template = g_build_filename(f->folder, "out.pcap", NULL);
    g_assert_true(rxtx_stop_init(&f->stop, NULL));
}

static void begin(fixture *f, GError **error)
{
    rxtx_sink_files_settings settings = {.template = f->template, .snaplen = 262000};

    f->sink = rxtx_sink_files_new(&settings, labels, G_N_ELEMENTS(labels), NULL, &f->stop, error);
}

static char *path_of(const fixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

/* Bytes of a file; -1 = it is not there. */
static gssize size_of(const fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);
    GStatBuf status;

    return g_stat(path, &status) == 0 ? status.st_size : -1;
}

static void tear_down(fixture *f)
{
    GDir *dir = g_dir_open(f->folder, 0, NULL);
    const char *name;

    if (f->sink != NULL)
        f->sink->ops->free(f->sink);
    rxtx_stop_clear(&f->stop);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = path_of(f, name);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(f->folder);
    g_free(f->template);
    g_free(f->folder);
}

static bool push(fixture *f, unsigned group, uint64_t ts_ns, const char *bytes)
{
    rxtx_packet packet = {.ts_ns = ts_ns, .data = (const guint8 *)bytes, .caplen = (guint32)strlen(bytes), .len = 1514};

    return f->sink->ops->push(f->sink, group, &packet);
}

static void files_of_groups_that_are_there_have_their_header_at_once(void)
{
    fixture f;

    set_up(&f);
    begin(&f, NULL);
    g_assert_cmpint(size_of(&f, "out-0.pcap"), ==, 24);
    g_assert_cmpint(size_of(&f, "out-3.pcap"), ==, 24);
    g_assert_cmpint(size_of(&f, "out-7.pcap"), ==, -1);
    g_assert_true(push(&f, 2, 1, "late"));
    g_assert_cmpint(size_of(&f, "out-7.pcap"), ==, 24);
    g_assert_cmpuint(f.sink->files->len, ==, 3);
    tear_down(&f);
}

static void libpcap_reads_nanoseconds_and_true_lengths(void)
{
    char reason[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const guint8 *data;
    g_autofree char *path = NULL;
    rxtx_stats stats[3] = {{0}};
    pcap_t *file;
    fixture f;

    set_up(&f);
    begin(&f, NULL);
    g_assert_true(push(&f, 1, 1700000000123456789, "odd"));
    g_assert_true(push(&f, 1, 1700000001000000000, "even"));
    f.sink->ops->finish(f.sink, stats);
    path = path_of(&f, "out-3.pcap");
    file = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, reason);
    g_assert_cmpint(pcap_datalink(file), ==, DLT_EN10MB);
    g_assert_cmpint(pcap_next_ex(file, &header, &data), ==, 1);
    g_assert_cmpint(header->ts.tv_usec, ==, 123456789);
    g_assert_cmpmem(data, header->caplen, "odd", 3);
    g_assert_cmpuint(header->len, ==, 1514);
    g_assert_cmpint(pcap_next_ex(file, &header, &data), ==, 1);
    g_assert_cmpint(pcap_next_ex(file, &header, &data), ==, PCAP_ERROR_BREAK);
    pcap_close(file);
    tear_down(&f);
}

static void a_file_that_cannot_be_made_leaves_none(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *taken = NULL;
    fixture f;

    set_up(&f);
    taken = path_of(&f, "out-3.pcap");
    g_assert_cmpint(g_mkdir(taken, 0700), ==, 0);
    begin(&f, &error);
    g_assert_error(error, RXTX_ERROR, RXTX_ERROR_OUTPUT);
    g_assert_null(f.sink);
    g_assert_cmpint(size_of(&f, "out-0.pcap"), ==, -1);
    g_rmdir(taken);
    tear_down(&f);
}

/* One file is on a full disk, the other is not. */
static void a_full_disk_is_a_failure_and_only_what_is_there_counts(void)
{
    g_autofree char *full = NULL, *big = g_strnfill(200000, 'x');
    rxtx_stats stats[3] = {{0}};
    fixture f;

    set_up(&f);
    full = path_of(&f, "out-3.pcap");
    begin(&f, NULL);
    f.sink->ops->free(f.sink);
    g_unlink(full);
    g_assert_cmpint(symlink("/dev/full", full), ==, 0);
    begin(&f, NULL); /* the header does not fit already */
    for (unsigned i = 0; i < 3; i++) {
        stats[0].delivered += push(&f, 0, i, big);
        stats[1].delivered += push(&f, 1, i, big);
    }
    f.sink->ops->finish(f.sink, stats);
    g_assert_cmpuint(stats[1].delivered, ==, 0);
    g_assert_cmpint(size_of(&f, "out-0.pcap"), ==, 24 + (gssize)stats[0].delivered * (16 + 200000));
    g_assert_error(f.sink->failure, RXTX_ERROR, RXTX_ERROR_OUTPUT);
    g_assert_nonnull(strstr(f.sink->failure->message, "No space left on device"));
    g_assert_cmpint(rxtx_stop_why(&f.stop), ==, RXTX_STOP_OUTPUT_FAILED);
    tear_down(&f);
}

/* ---- several hosts ---- */

static const rxtx_source web1 = {.host = "web1", .linktype = 1}, v6 = {.host = "fe80::1%eth0", .linktype = 276};

/* Of each group's host and number; "" = not made yet. */
static void files_of_several_hosts_are_named_after_them(void)
{
    static const rxtx_group_label hosts[] = {{.key = "CPU", .number = 0, .due = true, .source = &web1},
                                             {.key = "CPU", .number = 1, .source = &web1},
                                             {.key = "CPU", .number = 0, .due = true, .source = &v6},
                                             {.key = "queue", .number = -1, .due = true, .source = &v6}};
    static const char *const names[] = {"out-web1-0.pcap", "out-fe80::1%eth0-0.pcap", "out-fe80::1%eth0-unknown.pcap",
                                        "out-web1-1.pcap"};
    rxtx_sink_files_settings settings = {.snaplen = 262000, .name_hosts = true};
    fixture f;

    set_up(&f);
    settings.template = f.template;
    f.sink = rxtx_sink_files_new(&settings, hosts, G_N_ELEMENTS(hosts), NULL, &f.stop, NULL);
    g_assert_cmpuint(f.sink->files->len, ==, 3);
    g_assert_cmpint(size_of(&f, names[3]), ==, -1);
    g_assert_true(push(&f, 1, 1, "late"));
    g_assert_cmpuint(f.sink->files->len, ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *path = path_of(&f, names[i]);
        g_assert_cmpstr(f.sink->files->pdata[i], ==, path);
        g_assert_cmpint(size_of(&f, names[i]), ==, 24);
    }
    tear_down(&f);
}

/* Each file has its own host's link type. */
static void a_file_has_the_link_type_of_its_host(void)
{
    static const rxtx_group_label hosts[] = {{.key = "CPU", .number = 0, .due = true, .source = &web1},
                                             {.key = "CPU", .number = 0, .due = true, .source = &v6}};
    rxtx_sink_files_settings settings = {.snaplen = 262000, .name_hosts = true};
    char reason[PCAP_ERRBUF_SIZE];
    fixture f;

    set_up(&f);
    settings.template = f.template;
    f.sink = rxtx_sink_files_new(&settings, hosts, G_N_ELEMENTS(hosts), NULL, &f.stop, NULL);
    for (unsigned i = 0; i < 2; i++) {
        pcap_t *file = pcap_open_offline(f.sink->files->pdata[i], reason);
        g_assert_cmpint(pcap_datalink(file), ==, i == 0 ? DLT_EN10MB : DLT_LINUX_SLL2);
        pcap_close(file);
    }
    tear_down(&f);
}

/* Of one host, files are named as if it were this one. */
static void the_name_of_one_host_is_in_no_file_s_name(void)
{
    static const rxtx_group_label host = {.key = "CPU", .number = 5, .due = true, .source = &web1};
    rxtx_sink_files_settings settings = {.snaplen = 262000};
    fixture f;

    set_up(&f);
    settings.template = f.template;
    f.sink = rxtx_sink_files_new(&settings, &host, 1, NULL, &f.stop, NULL);
    g_assert_cmpint(size_of(&f, "out-5.pcap"), ==, 24);
    tear_down(&f);
}

static void a_ring_of_several_hosts_has_both_in_its_names(void)
{
    static const rxtx_group_label host = {.key = "CPU", .number = 5, .due = true, .source = &web1};
    rxtx_sink_files_settings settings = {.snaplen = 262000, .name_hosts = true, .turn = {2, 1700000000000000}};
    g_autoptr(GDateTime) begun = g_date_time_new_from_unix_local(1700000000);
    g_autofree char *name = g_date_time_format(begun, "out-web1-5_00002_%Y%m%d%H%M%S.pcap");
    fixture f;

    set_up(&f);
    settings.template = f.template;
    f.sink = rxtx_sink_files_new(&settings, &host, 1, NULL, &f.stop, NULL);
    g_assert_cmpint(size_of(&f, name), ==, 24);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sink_files/files of groups that are there have their header at once",
                    files_of_groups_that_are_there_have_their_header_at_once);
    g_test_add_func("/sink_files/libpcap reads nanoseconds and true lengths",
                    libpcap_reads_nanoseconds_and_true_lengths);
    g_test_add_func("/sink_files/a file that cannot be made leaves none", a_file_that_cannot_be_made_leaves_none);
    g_test_add_func("/sink_files/a full disk is a failure and only what is there counts",
                    a_full_disk_is_a_failure_and_only_what_is_there_counts);
    g_test_add_func("/sink_files/files of several hosts are named after them",
                    files_of_several_hosts_are_named_after_them);
    g_test_add_func("/sink_files/a file has the link type of its host", a_file_has_the_link_type_of_its_host);
    g_test_add_func("/sink_files/the name of one host is in no file's name", the_name_of_one_host_is_in_no_file_s_name);
    g_test_add_func("/sink_files/a ring of several hosts has both in its names",
                    a_ring_of_several_hosts_has_both_in_its_names);
    return g_test_run();
}
