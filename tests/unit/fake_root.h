/* A machine that is a folder: tests write the files of its /sys and /proc that the program reads below a given root. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>

static inline void fake_root_write(const char *root, const char *path, const char *text)
{
    g_autofree char *file = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
}

/* Free with g_free, after fake_root_remove. */
static inline char *fake_root_new(const char *possible, const char *online)
{
    char *root = g_dir_make_tmp("rxtxcpu-XXXXXX", NULL);

    fake_root_write(root, "sys/devices/system/cpu/possible", possible);
    fake_root_write(root, "sys/devices/system/cpu/online", online);
    return root;
}

static inline void fake_root_remove(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        fake_root_remove(inner);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_remove(path);
}
