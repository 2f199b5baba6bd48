"""Linux system calls that Python lacks: namespaces, mounts, capabilities and Landlock.

Each function does one thing and raises `OSError` when the kernel refuses.
"""

import ctypes
import os
import stat
import struct

__all__ = [
    "NEW_IPC",
    "NEW_MOUNT",
    "NEW_NET",
    "NEW_PID",
    "NEW_USER",
    "NEW_UTS",
    "allow_beneath",
    "detach",
    "die_with_parent",
    "drop_capabilities",
    "hide_memory",
    "landlock_abi",
    "landlock_ruleset",
    "map_user",
    "mount",
    "no_new_privileges",
    "pivot_root",
    "restrict_self",
    "syscall",
    "unshare",
]

NEW_MOUNT = 0x00020000
NEW_UTS = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PID = 0x20000000
NEW_NET = 0x40000000

_INSIDE_ID = 65534
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_FS_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From which Landlock ABI on how many file system rights exist."""
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = 1 << 1 | 1 << 2 | 1 << 14
_SPECIAL_FILES = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 15

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, what: str, *arguments: object) -> int:
    """The system call of this number; `what` names it in the error."""
    return _checked(int(_libc.syscall(ctypes.c_long(number), *arguments)), what)


def _prctl(option: int, value: int, what: str) -> None:
    _checked(int(_libc.prctl(option, *(ctypes.c_ulong(v) for v in (value, 0, 0, 0)))), what)


def unshare(flags: int) -> None:
    """Leave the namespaces named by the flags for fresh ones."""
    _checked(int(_libc.unshare(flags)), "unshare")


def map_user(proc: int, user: int, group: int) -> None:
    """Appear as nobody in a fresh user namespace; `proc` is a descriptor of /proc."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_INSIDE_ID} {user} 1"),
        ("gid_map", f"{_INSIDE_ID} {group} 1"),
    ):
        target = os.open(f"self/{name}", os.O_WRONLY, dir_fd=proc)
        try:
            os.write(target, text.encode())
        finally:
            os.close(target)


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """mount(2)."""
    words = (None if word is None else os.fsencode(word) for word in (source, target, kind))
    result = _libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options))
    _checked(int(result), f"mount {target}")


def detach(target: str) -> None:
    """Take a mount and what lies under it out of sight."""
    _checked(int(_libc.umount2(os.fsencode(target), 2)), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and hang the former root under `old`."""
    number = _PIVOT_ROOT[os.uname().machine]
    syscall(number, "pivot_root", os.fsencode(new), os.fsencode(old))


def drop_capabilities() -> None:
    """Give up every capability for good."""
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability, "capbset_drop")
        except OSError:
            break
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0))
    syscall(_CAPSET[os.uname().machine], "capset", header, ctypes.create_string_buffer(24))


def no_new_privileges() -> None:
    """Make set-uid programs powerless for this process and all it starts."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")


def die_with_parent() -> None:
    """Be killed when the parent ends."""
    _prctl(_PR_SET_PDEATHSIG, 9, "pdeathsig")


def hide_memory(hidden: bool) -> None:
    """Whether processes of the same user may look into this one."""
    _prctl(_PR_SET_DUMPABLE, 0 if hidden else 1, "dumpable")


def landlock_abi() -> int:
    """Version of Landlock in this kernel; 0 where it is absent or off."""
    try:
        return syscall(_LANDLOCK_CREATE, "landlock", None, ctypes.c_size_t(0), 1)
    except OSError:
        return 0


def _fs_rights(abi: int) -> int:
    return (1 << max(bits for since, bits in _FS_RIGHTS if abi >= since)) - 1


def landlock_ruleset(abi: int) -> int:
    """Descriptor of a rule set that denies files, TCP, abstract sockets and signals to others.

    TCP is known from ABI 4 on, the last two from ABI 6 on; older kernels take a shorter record.
    """
    tcp, scopes = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    record = ctypes.create_string_buffer(struct.pack("QQQ", _fs_rights(abi), tcp, scopes))
    return syscall(_LANDLOCK_CREATE, "landlock_create", record, ctypes.c_size_t(size), 0)


def allow_beneath(ruleset: int, place: int, abi: int, writable: bool = False) -> None:
    """Let files beneath the open `place` be read, and written if `writable`; never executed."""
    rights = _fs_rights(abi) & ~_SPECIAL_FILES if writable else _READ_FILE | _READ_DIR
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= _FILE_RIGHTS
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
    syscall(_LANDLOCK_ADD, "landlock_add", ruleset, 1, rule, 0)


def restrict_self(ruleset: int) -> None:
    """Obey the rule set from here on."""
    syscall(_LANDLOCK_RESTRICT, "landlock_restrict", ruleset, 0)
