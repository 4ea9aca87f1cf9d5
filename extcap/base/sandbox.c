/* The list of what is allowed, as a filter of seccomp(2). When to enter is session.c's decision. */
#include "base/sandbox.h"

#include <glib.h>
#include <sys/prctl.h>

#ifdef RXTX_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>

#define CALL(name) SCMP_SYS(name)

/* On what is open, on memory, threads and time. Those that an architecture does not have are left out by libseccomp. */
static const int always[] = {
    CALL(read),
    CALL(readv),
    CALL(pread64),
    CALL(write),
    CALL(writev),
    CALL(pwrite64),
    CALL(close),
    CALL(lseek),
    CALL(_llseek),
    CALL(ftruncate),
    CALL(ftruncate64),
    CALL(fsync),
    CALL(fstat),
    CALL(fstat64),
    CALL(newfstatat),
    CALL(fstatat64),
    CALL(stat),
    CALL(stat64),
    CALL(lstat),
    CALL(lstat64),
    CALL(statx),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(getdents64),
    CALL(fcntl),
    CALL(fcntl64),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(ioctl),
    CALL(poll),
    CALL(ppoll),
    CALL(ppoll_time64),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(eventfd2),
    CALL(pipe2),
    CALL(timerfd_settime),
    CALL(timerfd_settime64),
    CALL(timerfd_gettime),
    CALL(signalfd4),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(shutdown),
    CALL(mmap),
    CALL(mmap2),
    CALL(munmap),
    CALL(mprotect),
    CALL(mremap),
    CALL(madvise),
    CALL(brk),
    CALL(futex),
    CALL(futex_time64),
    CALL(set_robust_list),
    CALL(rseq),
    CALL(membarrier),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(gettid),
    CALL(getpid),
    CALL(getppid),
    CALL(getpgrp),
    CALL(getpgid), /* what getpgrp() is on arm64 and riscv64 */
    CALL(getuid),
    CALL(getuid32),
    CALL(geteuid),
    CALL(geteuid32),
    CALL(getgid),
    CALL(getgid32),
    CALL(getegid),
    CALL(getegid32),
    CALL(getrandom),
    CALL(uname),
    CALL(sysinfo),
    CALL(clock_gettime),
    CALL(clock_gettime64),
    CALL(clock_getres),
    CALL(gettimeofday),
    CALL(clock_nanosleep),
    CALL(clock_nanosleep_time64),
    CALL(nanosleep),
    CALL(restart_syscall),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigreturn),
    CALL(rt_sigtimedwait),
    CALL(sigaltstack),
    CALL(tgkill),
    CALL(exit),
    CALL(exit_group),
    CALL(capget),
    CALL(getrlimit),
    CALL(ugetrlimit),
};
static const int files[] = {CALL(open), CALL(openat), CALL(creat), CALL(unlink), CALL(unlinkat)};
static const int sockets[] = {CALL(socket),    CALL(bind),      CALL(connect),  CALL(send),
                              CALL(sendto),    CALL(sendmsg),   CALL(sendmmsg), CALL(getpeername),
                              CALL(prlimit64), CALL(setrlimit), CALL(recvmmsg)};
static const int children[] = {CALL(kill), CALL(wait4), CALL(waitid), CALL(pidfd_open), CALL(pidfd_send_signal)};

static const struct {
    unsigned allow; /* 0 = always */
    const int *calls;
    size_t n;
} lists[] = {
    {0, always, G_N_ELEMENTS(always)},
    {RXTX_SANDBOX_FILES, files, G_N_ELEMENTS(files)},
    {RXTX_SANDBOX_SOCKETS, sockets, G_N_ELEMENTS(sockets)},
    {RXTX_SANDBOX_CHILDREN, children, G_N_ELEMENTS(children)},
};

/* Of these, only what is harmless: reading files, threads, asking for an interface's name. */
static int allow_parts(scmp_filter_ctx filter)
{
    static const struct scmp_arg_cmp read_at = {2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY};
    static const struct scmp_arg_cmp read = {1, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY};
    static const struct scmp_arg_cmp thread = {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD};
    static const struct scmp_arg_cmp local = {0, SCMP_CMP_EQ, AF_UNIX, 0};
    static const struct scmp_arg_cmp name = {0, SCMP_CMP_EQ, PR_SET_NAME, 0};

    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(openat), 1, &read_at) |
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(open), 1, &read) |
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(clone), 1, &thread) |
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(socket), 1, &local) |
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, CALL(prctl), 1, &name) |
           /* its flags are in memory, where a filter cannot look; the C library then takes clone */
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
}

static int allow_lists(scmp_filter_ctx filter, unsigned allow)
{
    int failed = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (size_t call = 0; call < lists[i].n && (lists[i].allow & ~allow) == 0; call++)
            failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, lists[i].calls[call], 0);
    return failed;
}

/* A kernel that has none, or refuses, is no reason not to capture. */
static void load_filter(unsigned allow)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

    if (filter == NULL)
        return;
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);    /* threads that are there already */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);      /* before Linux 5.16 a filter slows loads down otherwise */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree instead of a row */
    if (allow_lists(filter, allow) == 0 && allow_parts(filter) == 0)
        (void)seccomp_load(filter);
    seccomp_release(filter);
}

#else

static void load_filter(unsigned allow)
{
    (void)allow;
}

#endif

void rxtx_sandbox_enter(unsigned allow)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    load_filter(allow);
}
