/* Feeds each file named on the command line to a fuzzer's entry, once. What the input must not do is the sanitizers'
 * and the fuzzer's own business; here only a file that cannot be read is an error. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autofree char *contents = NULL;
        g_autofree uint8_t *exact = NULL;
        g_autoptr(GError) error = NULL;
        gsize size;

        if (!g_file_get_contents(argv[i], &contents, &size, &error)) {
            g_printerr("%s\n", error->message);
            return EXIT_FAILURE;
        }
        exact = g_memdup2(contents, size); /* without GLib's NUL behind it, so that reading too far is seen */
        LLVMFuzzerTestOneInput(exact, size);
    }
    g_print("%d inputs\n", argc - 1);
    return EXIT_SUCCESS;
}
