"""Has the kernel refuse one call of a program: refusal.py CALL ERRNO INDEX=VALUE… -- PROGRAM WORD…

It installs a seccomp filter and becomes the program. A library put in front of libc's would be in a sanitizer's way, and
a debugger in that of LeakSanitizer, which needs ptrace itself."""

import ctypes
import errno
import os
import platform
import struct
import sys

CALLS = {"x86_64": {"socket": 41, "bind": 49, "setsockopt": 54, "getsockopt": 55, "mmap": 9, "eventfd2": 290,
                    "signalfd4": 289},
         "aarch64": {"socket": 198, "bind": 200, "setsockopt": 208, "getsockopt": 209, "mmap": 222, "eventfd2": 19,
                     "signalfd4": 74}}
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, FIRST_ARGUMENT = 0, 16  # where they stand in struct seccomp_data; an argument's lower half comes first


def words(call, why, arguments, program):
    """How `program` is launched; arguments is {index: value}, of which all have to match."""
    return [sys.executable, __file__, call, why, *(f"{index}={value}" for index, value in arguments.items()), "--",
            *program]


def known():
    return platform.machine() in CALLS


def _filter(call, why, arguments):
    """The program: each condition that does not hold jumps to its end, which allows."""
    conditions = [(NUMBER, CALLS[platform.machine()][call]),
                  *((FIRST_ARGUMENT + 8 * index, value) for index, value in arguments)]
    code = b""
    for left, (where, value) in zip(range(len(conditions), 0, -1), conditions):
        code += struct.pack("=HBBI", LOAD, 0, 0, where)
        code += struct.pack("=HBBI", JUMP_IF_EQUAL, 0, 2 * left - 1, value)
    code += struct.pack("=HBBI", RETURN, 0, 0, ERRNO | getattr(errno, why))
    return code + struct.pack("=HBBI", RETURN, 0, 0, ALLOW)


def main(call, why, *rest):
    end = rest.index("--")
    code = _filter(call, why, [tuple(map(int, word.split("="))) for word in rest[:end]])
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(rest[end + 1], rest[end + 1:])


if __name__ == "__main__":
    main(*sys.argv[1:])
