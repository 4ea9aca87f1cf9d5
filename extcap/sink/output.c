/* One buffer in front of one descriptor. What the bytes mean, and what is to be done about a failure, is the sinks'
 * business. */
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum {
    BUFFER_BYTES = 512 * 1024,
    LEAST_BUFFER_BYTES = 8 * 1024,
    FILE_WAIT_MS = 100,
    FILE_ALIGN = 64 * 1024,
    PIPE_BYTES = 1024 * 1024, /* the most an ordinary user may ask for (fs.pipe-max-size) */
    /* After a stop: how long a reader may do nothing, and how long it may take with everything. */
    STALL_MS = 500,
    REST_MS = 10000,
    US_PER_MS = 1000,
};

typedef enum {
    TARGET_FILE,   /* takes what it gets */
    TARGET_PIPE,   /* non-blocking */
    TARGET_SOCKET, /* is told not to block with each piece */
    TARGET_SLOW,   /* could not be made non-blocking: takes, when poll says so, at least PIPE_BUF without blocking */
} target;

struct rxtx_output {
    rxtx_stop *stop;
    char *name;
    int fd;
    target target;
    bool created; /* a regular file that was not there before */
    bool stale;   /* a regular file that was: emptied by the first write */
    bool named;   /* a regular file that somebody can open */
    bool deleted; /* and that nobody can any more */
    uint8_t *buffer;
    size_t capacity;  /* of the buffer; a piece that does not fit makes it larger for a while */
    size_t usual;     /* what the capacity is otherwise */
    size_t filled;    /* bytes in the buffer, which begins with a commit */
    size_t out;       /* of those, handed to the kernel: a commit that was cut in two keeps its first part here */
    uint64_t written; /* bytes handed to the kernel in all */
    size_t cut;       /* where the last commit begins that goes beyond a multiple of FILE_ALIGN in the file */
    gint64 flushed_us;
    gint64 rest_deadline_us; /* 0 = no stop seen yet */
    int stall_ms;
    GError *failure;
    bool reader_gone;
};

static mode_t type_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/* Non-blocking by a descriptor of our own: O_NONBLOCK belongs to the open file, which a shell shares with others. */
static bool make_nonblocking(int *fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", *fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (own < 0)
        return false;
    close(*fd);
    *fd = own;
    (void)fcntl(own, F_SETPIPE_SZ, PIPE_BYTES); /* refused where the user has many pipes: no harm */
    return true;
}

static bool is_named_file(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink > 0;
}

static target target_of(int *fd)
{
    switch (type_of(*fd)) {
    case S_IFREG:
    case S_IFBLK:
        return TARGET_FILE;
    case S_IFSOCK:
        return TARGET_SOCKET;
    default:
        return make_nonblocking(fd) ? TARGET_PIPE : TARGET_SLOW;
    }
}

static rxtx_output *new_output(const char *name, int fd, rxtx_stop *stop)
{
    rxtx_output *output = g_new0(rxtx_output, 1);

    output->name = g_strdup(name);
    output->target = target_of(&fd);
    output->fd = fd;
    output->stop = stop;
    output->stall_ms = STALL_MS;
    output->usual = output->capacity = BUFFER_BYTES;
    output->buffer = g_malloc(output->capacity);
    return output;
}

void rxtx_output_limit_buffer(rxtx_output *output, size_t bytes)
{
    g_assert(output->filled == 0);
    output->usual = output->capacity = CLAMP(bytes, LEAST_BUFFER_BYTES, BUFFER_BYTES);
    output->buffer = g_realloc(output->buffer, output->capacity);
}

void rxtx_output_set_patience(rxtx_output *output, int stall_ms)
{
    output->stall_ms = stall_ms;
}

static rxtx_output *refuse(const char *path, GError **error)
{
    rxtx_set_error(error, RXTX_ERROR_OUTPUT, "error opening savefile '%s': libpcap: %s: %s\nName another file: -w FILE",
                   path, path, errno == ENXIO ? "Nobody reads this fifo" : g_strerror(errno));
    return NULL;
}

rxtx_output *rxtx_output_open(const char *path, rxtx_stop *stop, GError **error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    return fd >= 0 ? new_output(path, fd, stop) : refuse(path, error);
}

/* What was there before is not emptied until there is something to write: it may not come to that. */
rxtx_output *rxtx_output_create(const char *path, rxtx_stop *stop, GError **error)
{
    static const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_CREAT;
    int fd = open(path, flags | O_EXCL, 0666);
    bool created = fd >= 0;
    rxtx_output *output;

    if (!created && errno == EEXIST)
        fd = open(path, flags, 0666);
    if (fd < 0)
        return refuse(path, error);
    output = new_output(path, fd, stop);
    output->created = created;
    output->stale = !created && type_of(output->fd) == S_IFREG;
    output->named = is_named_file(output->fd);
    return output;
}

/* What else the program might print goes nowhere: ours is the only end, and the reader sees us close it. */
rxtx_output *rxtx_output_stdout(rxtx_stop *stop, GError **error)
{
    int fd, nowhere;

    if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        rxtx_set_error(error, RXTX_ERROR_OUTPUT, "Standard output is closed. Name a file: -w FILE");
        return NULL;
    }
    if (isatty(STDOUT_FILENO)) {
        rxtx_set_error(
            error, RXTX_ERROR_OUTPUT,
            "Standard output is a terminal, which a capture would garble. Name a file, -w FILE, or add a pipe");
        return NULL;
    }
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) {
        rxtx_set_errno(error, RXTX_ERROR_OUTPUT, "opening standard output");
        return NULL;
    }
    close(nowhere);
    return new_output("-", fd, stop);
}

static void fail(rxtx_output *output)
{
    output->reader_gone = errno == EPIPE || errno == ECONNRESET;
    rxtx_set_errno(&output->failure, RXTX_ERROR_OUTPUT, "error writing to savefile '%s'", output->name);
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
    *timeout_ms = output->stall_ms;
    return (now_us < output->rest_deadline_us || output->stall_ms != STALL_MS) && !rxtx_stop_hurry(output->stop);
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
    rxtx_set_error(
        &output->failure, RXTX_ERROR_OUTPUT, "%s '%s' %s",
        rxtx_stop_hurry(output->stop) ? "Told twice to stop: what the reader of" : "The reader of", output->name,
        rxtx_stop_hurry(output->stop) ? "had not taken is lost" : "stopped reading: what it had not taken is lost");
    return false;
}

static ssize_t write_some(const rxtx_output *output, size_t end)
{
    const uint8_t *from = output->buffer + output->out;
    size_t size = end - output->out;

    if (output->target == TARGET_SOCKET)
        return send(output->fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(output->fd, from, output->target == TARGET_SLOW ? MIN(size, PIPE_BUF) : size);
}

static void empty(rxtx_output *output)
{
    output->stale = false;
    if (ftruncate(output->fd, 0) < 0)
        fail(output);
}

static bool write_up_to(rxtx_output *output, size_t end)
{
    if (output->stale && end > 0)
        empty(output);
    while (output->out < end && output->failure == NULL) {
        ssize_t n;
        if (output->target != TARGET_FILE && !wait_for_reader(output))
            return false;
        n = write_some(output, end);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            fail(output);
        if (n > 0) {
            output->out += (size_t)n;
            output->written += (uint64_t)n;
        }
    }
    return output->failure == NULL;
}

/* How far a place in the buffer is, in the file, behind a multiple of FILE_ALIGN. */
static size_t misalignment(const rxtx_output *output, size_t at)
{
    return (output->written - output->out + at) % FILE_ALIGN;
}

/* A file takes pieces that end at such a multiple for a fifth less (large folios). What is behind stays, together with
 * the whole commit that was cut, so that a failure still finds the beginning of what did not get out. */
static bool write_aligned(rxtx_output *output)
{
    size_t behind = misalignment(output, output->filled), end = output->filled - behind;

    if (output->target != TARGET_FILE || behind > output->filled || end <= output->out)
        return rxtx_output_flush(output);
    if (!write_up_to(output, end))
        return false;
    output->filled -= output->cut;
    output->out -= output->cut;
    memmove(output->buffer, output->buffer + output->cut, output->filled);
    output->cut = 0;
    return true;
}

uint8_t *rxtx_output_reserve(rxtx_output *output, size_t size)
{
    g_assert(size <= RXTX_OUTPUT_PIECE_MAX);
    if (output->capacity - output->filled < size && !write_aligned(output))
        return NULL;
    if (output->capacity - output->filled < size && !rxtx_output_flush(output))
        return NULL;
    if (output->capacity < size) {
        output->capacity = size;
        output->buffer = g_realloc(output->buffer, size);
    }
    return output->failure == NULL ? output->buffer + output->filled : NULL;
}

void rxtx_output_commit(rxtx_output *output, size_t size)
{
    if (misalignment(output, output->filled) + size >= FILE_ALIGN)
        output->cut = output->filled;
    output->filled += size;
}

bool rxtx_output_flush_some(rxtx_output *output)
{
    bool wait = output->target == TARGET_FILE && g_get_monotonic_time() - output->flushed_us < FILE_WAIT_MS * US_PER_MS;

    return wait ? output->failure == NULL : rxtx_output_flush(output);
}

bool rxtx_output_flush(rxtx_output *output)
{
    output->flushed_us = g_get_monotonic_time();
    if (output->failure != NULL || !write_up_to(output, output->filled))
        return false;
    output->filled = output->out = output->cut = 0;
    if (output->capacity > output->usual) {
        output->capacity = output->usual;
        output->buffer = g_realloc(output->buffer, output->usual);
    }
    return true;
}

/* A file without a name takes all that it is given, and is gone when it is closed. */
bool rxtx_output_finish(rxtx_output *output)
{
    if (!rxtx_output_flush(output))
        return false;
    output->deleted = output->named && !is_named_file(output->fd);
    return !output->deleted ||
           rxtx_set_error(&output->failure, RXTX_ERROR_OUTPUT,
                          "error writing to savefile '%s': It was deleted meanwhile, what was in it is lost",
                          output->name);
}

bool rxtx_output_deleted(const rxtx_output *output)
{
    return output->deleted;
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
    *size = output->failure != NULL ? output->filled : 0;
    *written = output->out;
    return output->buffer;
}

uint64_t rxtx_output_position(const rxtx_output *output)
{
    return output->written - output->out;
}

/* From where we are, not from the beginning: standard output may have been appended to. */
void rxtx_output_take_back(rxtx_output *output, size_t size)
{
    off_t end;

    if (output->target != TARGET_FILE || output->stale || type_of(output->fd) != S_IFREG)
        return;
    end = lseek(output->fd, 0, SEEK_CUR);
    if (end < (off_t)size || ftruncate(output->fd, end - (off_t)size) < 0)
        return;
    output->written -= size;
    if (output->written == 0 && output->created)
        (void)unlink(output->name);
}

int rxtx_output_watch_fd(const rxtx_output *output)
{
    return output->target != TARGET_FILE ? output->fd : -1;
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
