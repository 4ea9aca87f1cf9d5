/* One buffer in front of one descriptor. What the bytes mean, and what is to be done about a failure, is the sinks'
 * business. */
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum {
    BUFFER_BYTES = 1024 * 1024,
    PIPE_BYTES = 1024 * 1024, /* the most an ordinary user may ask for (fs.pipe-max-size) */
    /* After a stop: how long a reader may do nothing, and how long it may take with everything. */
    STALL_MS = 500,
    REST_MS = 10000,
    US_PER_MS = 1000,
};

struct rxtx_output {
    rxtx_stop *stop;
    char *name;
    int fd;
    bool pipe;
    uint8_t *buffer;
    size_t filled;
    uint64_t written;        /* in all */
    size_t piece;            /* what is, or was last, being written: so much of the buffer */
    size_t piece_written;    /* of that */
    gint64 rest_deadline_us; /* 0 = no stop seen yet */
    GError *failure;
    bool reader_gone;
};

static rxtx_output *new_output(const char *name, int fd, rxtx_stop *stop)
{
    rxtx_output *output = g_new0(rxtx_output, 1);
    struct stat status;

    output->name = g_strdup(name);
    output->fd = fd;
    output->stop = stop;
    output->buffer = g_malloc(BUFFER_BYTES);
    output->pipe = fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
    if (output->pipe)
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES); /* fails where it is no pipe: no harm */
    return output;
}

/* Non-blocking by a descriptor of our own: O_NONBLOCK belongs to the open file, which a shell shares with others. Only
 * a pipe can be opened anew; anything else is waited for with poll in front of each write. Takes fd over. */
static int make_nonblocking(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    struct stat status;
    int own = -1;

    if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode))
        own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own < 0)
        return fd;
    close(fd);
    return own;
}

rxtx_output *rxtx_output_open(const char *path, bool create, rxtx_stop *stop, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0666);

    if (fd < 0) {
        rxtx_set_errno(error, RXTX_ERROR_OUTPUT, "opening '%s' for writing", path);
        return NULL;
    }
    return new_output(path, make_nonblocking(fd), stop);
}

rxtx_output *rxtx_output_stdout(rxtx_stop *stop, GError **error)
{
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    if (fd < 0) {
        rxtx_set_errno(error, RXTX_ERROR_OUTPUT, "opening standard output");
        return NULL;
    }
    close(STDOUT_FILENO); /* ours is then the only end, and the reader sees us close it */
    return new_output("-", make_nonblocking(fd), stop);
}

static void fail(rxtx_output *output)
{
    output->reader_gone = errno == EPIPE;
    rxtx_set_errno(&output->failure, RXTX_ERROR_OUTPUT, "writing to '%s'", output->name);
}

/* How long to wait for the reader; false = no longer. */
static bool patience_ms(rxtx_output *output, int *timeout_ms)
{
    gint64 now_us = g_get_monotonic_time();

    *timeout_ms = -1;
    if (rxtx_stop_why(output->stop) == RXTX_STOP_NONE)
        return true;
    if (output->rest_deadline_us == 0)
        output->rest_deadline_us = now_us + REST_MS * US_PER_MS;
    *timeout_ms = STALL_MS;
    return now_us < output->rest_deadline_us && !rxtx_stop_hurry(output->stop);
}

/* Waits until the descriptor takes bytes. False when the reader has been waited for long enough. */
static bool wait_for_reader(rxtx_output *output)
{
    int timeout_ms;

    while (patience_ms(output, &timeout_ms)) {
        bool stopped = timeout_ms >= 0;
        struct pollfd polls[] = {{.fd = output->fd, .events = POLLOUT},
                                 {.fd = stopped ? -1 : output->stop->fd, .events = POLLIN}};
        int n = poll(polls, G_N_ELEMENTS(polls), timeout_ms);
        if (polls[0].revents != 0 && n > 0)
            return true;
        if (n == 0)
            break;
    }
    rxtx_set_error(&output->failure, RXTX_ERROR_OUTPUT,
                   "The reader of '%s' stopped reading: what it did not take is lost", output->name);
    return false;
}

static bool write_piece(rxtx_output *output, size_t size)
{
    output->piece = size;
    output->piece_written = 0;
    while (output->piece_written < size && output->failure == NULL) {
        ssize_t n;
        if (output->pipe && !wait_for_reader(output))
            return false;
        n = write(output->fd, output->buffer + output->piece_written, size - output->piece_written);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            fail(output);
        if (n > 0) {
            output->piece_written += (size_t)n;
            output->written += (uint64_t)n;
        }
    }
    return output->failure == NULL;
}

uint8_t *rxtx_output_reserve(rxtx_output *output, size_t size)
{
    g_assert(size <= RXTX_OUTPUT_PIECE_MAX);
    if (BUFFER_BYTES - output->filled < size && !rxtx_output_flush(output))
        return NULL;
    return output->failure == NULL ? output->buffer + output->filled : NULL;
}

void rxtx_output_commit(rxtx_output *output, size_t size)
{
    output->filled += size;
}

bool rxtx_output_flush(rxtx_output *output)
{
    size_t filled = output->filled;

    output->filled = 0;
    return output->failure == NULL && write_piece(output, filled);
}

const GError *rxtx_output_failure(const rxtx_output *output)
{
    return output->failure;
}

bool rxtx_output_reader_gone(const rxtx_output *output)
{
    return output->reader_gone;
}

const uint8_t *rxtx_output_failed_piece(const rxtx_output *output, size_t *size, size_t *written)
{
    *size = output->failure != NULL ? output->piece : 0;
    *written = output->piece_written;
    return output->buffer;
}

void rxtx_output_take_back(rxtx_output *output, size_t size)
{
    if (output->pipe)
        return;
    output->written -= size;
    if (output->written == 0)
        (void)unlink(output->name);
    else if (ftruncate(output->fd, (off_t)output->written) < 0)
        output->written += size;
}

int rxtx_output_watch_fd(const rxtx_output *output)
{
    return output->pipe ? output->fd : -1;
}

void rxtx_output_free(rxtx_output *output)
{
    if (output == NULL)
        return;
    close(output->fd);
    g_clear_error(&output->failure);
    g_free(output->buffer);
    g_free(output->name);
    g_free(output);
}
