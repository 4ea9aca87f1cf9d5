/* Preloaded into the program under test: tries what a sandbox should refuse, once at the start and once when the
 * capture asks for its rings' counters at the end, and writes "before NAME ERRNO" and "after NAME ERRNO" to stderr. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long value)
{
    int code = value < 0 ? errno : 0;

    return code;
}

static int closed(long fd)
{
    int code = result(fd);

    if (fd >= 0)
        close((int)fd);
    return code;
}

static int try_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    int code = result(pid);

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        syscall(SYS_wait4, pid, NULL, 0, NULL);
    return code;
}

/* Each would do nothing, or fail for another reason, where it is allowed. */
static void try_all(const char *when)
{
    char *const none[] = {NULL};
    const struct {
        const char *name;
        int code;
    } calls[] = {
        {"execve", result(syscall(SYS_execve, "/nowhere", none, none))},
        {"fork", try_fork()},
        {"internet", closed(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0))},
        {"packet", closed(syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0))},
        {"connect", result(syscall(SYS_connect, -1, NULL, 0))},
        {"sendto", result(syscall(SYS_sendto, -1, NULL, 0, 0, NULL, 0))},
        {"write", closed(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY))},
        {"read", closed(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY))},
        {"unlink", result(syscall(SYS_unlinkat, AT_FDCWD, "/nowhere", 0))},
        {"kill", result(syscall(SYS_kill, getpid(), 0))},
        {"setns", result(syscall(SYS_setns, -1, 0))},
        {"process_vm_readv", result(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0))},
    };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        dprintf(STDERR_FILENO, "%s %s %s\n", when, calls[i].name, calls[i].code == EPERM ? "refused" : "allowed");
}

__attribute__((constructor)) static void begin(void)
{
    try_all("before");
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    static atomic_flag tried = ATOMIC_FLAG_INIT;

    if (level == SOL_PACKET && option == PACKET_STATISTICS && !atomic_flag_test_and_set(&tried))
        try_all("after");
    return (int)syscall(SYS_getsockopt, fd, level, option, value, size);
}
