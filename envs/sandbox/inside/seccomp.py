"""A seccomp filter that lets through the system calls of single-threaded Python, no others.

The list is of what is allowed: a call that a later kernel brings is denied. Nothing on it starts
a process or thread, opens a socket, runs a program, signals another process, changes the owner,
mode or times of a file, or gains a privilege.
"""

import ctypes
import errno
import os
import struct

from .kernel import syscall

__all__ = ["SUPPORTED", "install", "program"]

# name, number on x86_64, number on aarch64 (-1: absent there)
_ALLOWED = """
read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69,
pwritev 296 70, close 3 57, close_range 436 436, fstat 5 80, newfstatat 262 79, stat 4 -1,
lstat 6 -1, statx 332 291, lseek 8 62, mmap 9 222, munmap 11 215, mremap 25 216, mprotect 10 226,
madvise 28 233, brk 12 214, rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139,
rt_sigpending 127 136, sigaltstack 131 132, pause 34 -1, access 21 -1, faccessat 269 48,
faccessat2 439 439, open 2 -1, openat 257 56, getcwd 79 17, chdir 80 49, fchdir 81 50, mkdir 83 -1,
mkdirat 258 34, rmdir 84 -1, unlink 87 -1, unlinkat 263 35, rename 82 -1, renameat 264 38,
renameat2 316 276, link 86 -1, linkat 265 37, symlink 88 -1, symlinkat 266 36, readlink 89 -1,
readlinkat 267 78, getdents64 217 61, dup 32 23, dup2 33 -1, dup3 292 24, pipe 22 -1, pipe2 293 59,
poll 7 -1, ppoll 271 73, select 23 -1, pselect6 270 72, epoll_create1 291 20, epoll_ctl 233 21,
epoll_wait 232 -1, epoll_pwait 281 22, nanosleep 35 101, clock_nanosleep 230 115,
clock_gettime 228 113, clock_getres 229 114, gettimeofday 96 169, time 201 -1, times 100 153,
getpid 39 172, getppid 110 173, gettid 186 178, getuid 102 174, geteuid 107 175, getgid 104 176,
getegid 108 177, getresuid 118 148, getresgid 120 150, getgroups 115 158, getpgrp 111 -1,
getrandom 318 278, getrlimit 97 163, setrlimit 160 164, getrusage 98 165, sysinfo 99 179,
uname 63 160, umask 95 166, futex 202 98, set_robust_list 273 99, rseq 334 293, sched_yield 24 124,
sched_getaffinity 204 123, getcpu 309 168, restart_syscall 219 128, exit 60 93, exit_group 231 94,
wait4 61 260, waitid 247 95, alarm 37 -1, getitimer 36 102, setitimer 38 103, ftruncate 77 46,
fsync 74 82, fdatasync 75 83, fadvise64 221 223, fallocate 285 47, flock 73 32, statfs 137 43,
fstatfs 138 44, sendfile 40 71, copy_file_range 326 285
"""
_CHECKED = "kill 62 129, tgkill 234 131, prlimit64 302 261, ioctl 16 29, fcntl 72 25"
_CLONE3 = 435
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SUPPORTED = tuple(_ARCHITECTURE)
"""Machines whose numbers are known here."""

_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)
"""Duplicates, flags, locks and the size of a pipe; not its owner, leases or notices."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_DENY, _ABSENT = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24
_SECCOMP = {"x86_64": 317, "aarch64": 277}


def install(pid: int) -> None:
    """Filter this process from here on; `pid` is the only process that it may signal."""
    code = program(os.uname().machine, pid)
    body = ctypes.create_string_buffer(code)
    header = ctypes.create_string_buffer(struct.pack("HL", len(code) // 8, ctypes.addressof(body)))
    syscall(_SECCOMP[os.uname().machine], "seccomp", 1, 0, header)


def program(machine: str, pid: int) -> bytes:
    """The filter's BPF instructions for a machine."""
    code = _step(_LOAD, _ARCH) + _step(_EQUAL, _ARCHITECTURE[machine], 1, 0) + _step(_RETURN, _KILL)
    code += _step(_LOAD, _NUMBER)
    if machine == "x86_64":
        # the x32 calls share the architecture and set this bit in the number
        code += _step(_AT_LEAST, 0x40000000, 0, 1) + _step(_RETURN, _DENY)
    for number in _numbers(_ALLOWED, machine).values():
        code += _step(_EQUAL, number, 0, 1) + _step(_RETURN, _ALLOW)
    # glibc falls back to the older calls only where clone3 seems not to exist
    code += _step(_EQUAL, _CLONE3, 0, 1) + _step(_RETURN, _ABSENT)
    checked = _numbers(_CHECKED, machine)
    for name, argument, values in (
        ("kill", _ARG0, (pid,)),
        ("tgkill", _ARG0, (pid,)),
        ("prlimit64", _ARG0, (0,)),
        ("ioctl", _ARG1, _IOCTLS),
        ("fcntl", _ARG1, _FCNTLS),
    ):
        code += _if_argument(checked[name], argument, values)
    return code + _step(_RETURN, _DENY)


def _if_argument(number: int, argument: int, values: tuple[int, ...]) -> bytes:
    """Allow the call when the low half of an argument is one of the values, else deny it."""
    body = _step(_LOAD, argument)
    for value in values:
        body += _step(_EQUAL, value, 0, 1) + _step(_RETURN, _ALLOW)
    body += _step(_RETURN, _DENY)
    return _step(_EQUAL, number, 0, len(body) // 8) + body


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", operation, if_true, if_false, value)


def _numbers(table: str, machine: str) -> dict[str, int]:
    column = SUPPORTED.index(machine) + 1
    rows = (row.split() for row in table.split(","))
    return {row[0]: int(row[column]) for row in rows if int(row[column]) >= 0}
