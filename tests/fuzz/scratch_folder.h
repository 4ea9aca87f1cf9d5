/* A folder for a fuzzer whose input is files: in memory, for many of them in little time. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

/* Free with g_free, after the caller has emptied and removed it. */
static inline char *scratch_folder_new(void)
{
    const char *parent = g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir();
    char *folder = g_build_filename(parent, "rxtxcpu-fuzz-XXXXXX", NULL);

    g_assert_nonnull(g_mkdtemp(folder));
    return folder;
}
