"""Attacks on the sandbox: code, and what the host must see afterwards for it to count as stopped.

Placeholders in capitals between @ signs are filled in from the scene. Every attack prints `tried`
once it has got to its point; one that can only be seen from inside prints `PWNED` on success.
Whatever the attack, the host checks all of `Scene.damage` as well.
"""

from dataclasses import dataclass

from gigym.envs.sandbox import Limits

PRELUDE = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(x86, arm, *arguments):
    number = x86 if os.uname().machine == 'x86_64' else arm
    result = libc.syscall(ctypes.c_long(number), *arguments)
    print('tried')
    if result >= 0:
        print('PWNED', result)
    return result
def attempt(function, *arguments):
    print('tried', flush=True)
    try:
        result = function(*arguments)
    except BaseException as error:
        print(type(error).__name__)
        return None
    print('PWNED', result, flush=True)
    return result
"""

QUICK = Limits(seconds=3.0)
SHORT = Limits(seconds=0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    name: str
    code: str
    ends: frozenset[str] = frozenset({"ok", "error"})
    """Statuses that count as stopped."""
    level: int = 3
    """From this level on it must be stopped."""
    limits: Limits = QUICK
    raw: bool = False
    """Run without the prelude and without looking for `tried`."""


def attack(name: str, code: str, level: int = 3) -> Attack:
    return Attack(name=name, code=PRELUDE + code, level=level)


def blast(name: str, code: str, *ends: str, limits: Limits = SHORT, level: int = 3) -> Attack:
    return Attack(name=name, code=code, ends=frozenset(ends), limits=limits, level=level, raw=True)


FILES = [
    attack("read a file", "attempt(lambda: open('@FOLDER@/secret').read())"),
    attack("read passwd", "attempt(lambda: open('/etc/passwd').read())"),
    attack("read shadow", "attempt(lambda: open('/etc/shadow').read())"),
    attack("read a key", "attempt(lambda: open(os.path.expanduser('~root/.ssh/id_rsa')).read())"),
    attack("read the project", "attempt(lambda: open('@PROJECT@/pyproject.toml').read())"),
    attack("read our walls", "attempt(lambda: open('@PROJECT@/envs/sandbox/local.py').read())"),
    attack("list the folder", "attempt(os.listdir, '@FOLDER@')"),
    attack(
        "list packages",
        "attempt(lambda: os.listdir(os.path.dirname(os.__file__) + '/site-packages') or 1 / 0)",
    ),
    attack("list /etc", "attempt(os.listdir, '/etc')"),
    attack("list home", "attempt(os.listdir, '/home')"),
    attack("climb with dots", "attempt(lambda: open('../../../../../..@FOLDER@/secret').read())"),
    attack(
        "symlink out", "attempt(lambda: (os.symlink('@FOLDER@/secret', 'l'), open('l').read()))"
    ),
    attack("symlink to root", "attempt(lambda: (os.symlink('/', 'r'), os.listdir('r/etc')))"),
    attack("hard link", "attempt(lambda: (os.link('@FOLDER@/secret', 'h'), open('h').read()))"),
    attack("raw openat", "call(257, 56, -100, b'@FOLDER@/secret', 0, 0)"),
    attack("open_by_handle_at", "call(304, 265, -100, b'\\0' * 64, 0)"),
    attack("write outside", "attempt(lambda: open('@FOLDER@/new', 'w').write('x'))"),
    attack("append outside", "attempt(lambda: open('@FOLDER@/secret', 'a').write('x'))"),
    attack("delete outside", "attempt(os.unlink, '@FOLDER@/secret')"),
    attack("rename outside", "attempt(os.rename, '@FOLDER@/secret', '@FOLDER@/gone')"),
    attack("mkdir outside", "attempt(os.mkdir, '@FOLDER@/dir')"),
    attack("chmod outside", "attempt(os.chmod, '@FOLDER@/secret', 0)"),
    attack("chown outside", "attempt(os.chown, '@FOLDER@/secret', 1, 1)"),
    attack("utime outside", "attempt(os.utime, '@FOLDER@/secret', (1, 1))"),
    attack("truncate outside", "attempt(os.truncate, '@FOLDER@/secret', 0)"),
    attack("write to tmp", "attempt(lambda: open('/tmp/gigym-attack', 'w').write('x'))"),
    attack("write to the library", "attempt(lambda: open(os.__file__, 'a').write('x'))"),
    attack("write to shared memory", "attempt(lambda: open('/dev/shm/gigym', 'w').write('x'))"),
    attack("write to /sys", "attempt(lambda: open('/sys/power/state', 'w').write('mem'))"),
    attack("sysrq", "attempt(lambda: open('/proc/sysrq-trigger', 'w').write('b'))"),
    attack("kernel memory", "attempt(lambda: open('/dev/mem', 'rb').read(1))"),
    attack("raw disk", "attempt(lambda: open('/dev/vda', 'rb').read(1))"),
    attack("mknod", "attempt(os.mknod, 'disk', 0o60666, os.makedev(254, 0))"),
    attack("core pattern", "attempt(lambda: open('/proc/sys/kernel/core_pattern', 'w'))"),
    attack("chroot out", "attempt(os.chroot, '.')"),
    attack("chroot by number", "call(161, 51, b'/')", 4),
]

PEEKING = [
    attack("environment", "print('tried', dict(os.environ))"),
    attack("environ of C", "print('tried', ctypes.c_char_p.in_dll(libc, 'environ').value)"),
    attack("environ of init", "attempt(lambda: open('/proc/1/environ').read())"),
    attack("environ of itself", "attempt(lambda: open('/proc/self/environ').read())"),
    attack("environ of the host", "attempt(lambda: open('/proc/@PID@/environ').read())"),
    attack("memory of the host", "attempt(lambda: open('/proc/@PID@/mem', 'rb').read(1))"),
    attack("memory of itself", "attempt(lambda: open('/proc/self/mem', 'rb'))"),
    attack("root of init", "attempt(os.listdir, '/proc/1/root')"),
    attack("root of the parent", "attempt(os.listdir, f'/proc/{os.getppid()}/root')"),
    attack("descriptors of the parent", "attempt(os.listdir, f'/proc/{os.getppid()}/fd')"),
    attack("mounts", "attempt(lambda: open('/proc/self/mountinfo').read())"),
    attack(
        "process_vm_readv",
        "text = ctypes.create_string_buffer(64)\n"
        "part = (ctypes.c_size_t * 2)(ctypes.addressof(text), 64)\n"
        "call(310, 270, @PID@, part, 1, part, 1, 0)",
    ),
    attack("ptrace attach", "call(101, 117, 16, @DECOY@, 0, 0)"),
    attack("ptrace me", "call(101, 117, 0, 0, 0, 0)", 4),
    attack("pidfd", "call(434, 434, @DECOY@, 0)"),
    attack("kcmp", "call(312, 272, 1, @PID@, 0, 0, 0)"),
    attack(
        "inherited descriptors",
        """
for number in range(4, 1024):
    try:
        os.fstat(number)
        print('PWNED', number)
    except OSError:
        pass
print('tried')""",
    ),
    attack(
        "objects of the harness",
        """
import gc
found = [repr(o)[:500] for o in gc.get_objects() if isinstance(o, (dict, list, tuple))
         and any(isinstance(x, str) and 'gigym-' 'secret' in x
                 for x in (list(o.values()) if isinstance(o, dict) else o))]
print('tried', found)""",
    ),
    attack(
        "frames of the harness",
        """
frame, seen = sys._getframe(), []
while frame:
    seen += [repr(value) for value in (*frame.f_locals.values(), *frame.f_globals.values())]
    frame = frame.f_back
text = ' '.join(seen)
place = text.find('gigym-' 'secret')
print('tried', text[place : place + 500] if place >= 0 else None)""",
    ),
    attack(
        "preloaded library",
        "os.environ['LD_PRELOAD'] = '/x.so'; attempt(os.execv, '/bin/sh', ['sh'])",
    ),
    attack("sitecustomize", "attempt(__import__, 'sitecustomize')"),
    attack("import of the gym", "attempt(__import__, 'gigym')"),
    attack("import of another package", "attempt(__import__, 'pytest')"),
]

NETWORK = [
    attack(
        "tcp to the host",
        "import socket; attempt(socket.create_connection, ('127.0.0.1', @PORT@), 1)",
    ),
    attack("tcp abroad", "import socket; attempt(socket.create_connection, ('8.8.8.8', 53), 1)"),
    attack(
        "udp to the host",
        "import socket\nhere = ('127.0.0.1', @UDP@)\n"
        "attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', here))",
    ),
    attack("name lookup", "import socket; attempt(socket.gethostbyname, 'example.com')"),
    attack(
        "unix socket",
        "import socket\nattempt(lambda: socket.socket(socket.AF_UNIX).connect('@FOLDER@/socket'))",
    ),
    attack(
        "abstract unix socket",
        "import socket\nattempt(lambda: socket.socket(socket.AF_UNIX).connect('\\0@ABSTRACT@'))",
    ),
    attack("raw socket", "import socket; attempt(socket.socket, 2, 3, 1)"),
    attack("netlink", "import socket; attempt(socket.socket, 16, 3, 0)", 4),
    attack("packet socket", "import socket; attempt(socket.socket, 17, 3, 0)"),
    attack("vsock", "import socket; attempt(socket.socket, 40, 1, 0)", 4),
    attack(
        "urlopen",
        "import urllib.request as u; attempt(u.urlopen, 'http://127.0.0.1:@PORT@', None, 1)",
    ),
    attack("socket by number", "call(41, 198, 2, 1, 0)", 4),
    attack("descriptors over a socket", "import socket; attempt(socket.socketpair)", 4),
]

SIGNALS = [
    attack("kill the parent", "attempt(os.kill, os.getppid(), 9)", 4),
    attack("kill the host", "attempt(os.kill, @PID@, 9)"),
    attack("kill a bystander", "attempt(os.kill, @DECOY@, 9)"),
    attack("kill everyone", "attempt(os.kill, -1, 9)", 4),
    attack("kill the group of a bystander", "attempt(os.killpg, @DECOY@, 9)"),
    attack("tkill", "call(200, 130, @DECOY@, 9)"),
    attack("queue a signal", "call(129, 138, @DECOY@, 9, b'\\0' * 128)"),
    attack("stop a bystander", "attempt(os.kill, @DECOY@, 19)"),
    attack("signal through an owner", "import fcntl; attempt(fcntl.fcntl, 1, 8, @DECOY@)", 4),
    attack("push into the terminal", "import fcntl; attempt(fcntl.ioctl, 0, 0x5412, b'x')"),
    attack("limits of a bystander", "import resource as r; attempt(r.prlimit, @DECOY@, 7, (1, 1))"),
    attack("raise its own limits", "import resource as r; attempt(r.setrlimit, 7, (9999, 9999))"),
    attack("priority", "attempt(os.nice, -5)"),
    attack("affinity of a bystander", "attempt(os.sched_setaffinity, @DECOY@, {0})"),
]

KERNEL = [
    attack("setuid", "attempt(os.setuid, 0)"),
    attack("setgroups", "attempt(os.setgroups, [0])"),
    attack("capset", "call(126, 91, b'\\x22\\x05\\x08\\x20' + b'\\0' * 4, b'\\xff' * 24)"),
    attack("mount", "call(165, 40, b'none', b'/scratch', b'tmpfs', 0, 0)"),
    attack("new mount api", "call(430, 430, b'tmpfs', 0)"),
    attack("unmount", "call(166, 39, b'/scratch', 2)"),
    attack("pivot_root", "call(155, 41, b'.', b'.')"),
    attack("unshare a user namespace", "call(272, 97, 0x10000000)", 4),
    attack("unshare a mount namespace", "call(272, 97, 0x00020000)"),
    attack("setns", "call(308, 268, 0, 0)"),
    attack("bpf", "call(321, 280, 0, b'\\0' * 128, 128)", 4),
    attack("keyctl", "call(250, 219, 0, -3, 1)", 4),
    attack("add_key", "call(248, 217, b'user', b'x', b'y', 1, -3)", 4),
    attack("io_uring", "call(425, 425, 1, b'\\0' * 256)", 4),
    attack("userfaultfd", "call(323, 282, 1)", 4),
    attack("perf_event_open", "call(298, 241, b'\\0' * 128, 0, -1, -1, 0)", 4),
    attack("personality", "call(135, 92, 0x0040000)", 4),
    attack("seccomp of its own", "call(317, 277, 1, 0, b'\\0' * 16)", 4),
    attack("prctl", "call(157, 167, 4, 1, 0, 0, 0)", 4),
    attack("memfd", "call(319, 279, b'x', 0)", 4),
    attack("shmget", "call(29, 194, 0, 1 << 20, 0o1666)", 4),
    attack("message queue", "call(68, 186, 0, 0o1666)", 4),
    attack("inotify", "call(294, 26, 0)", 4),
    attack("load a module", "call(175, 105, b'x', 1, b'')"),
    attack("reboot", "call(169, 142, 0xfee1dead, 672274793, 0x1234567, 0)"),
    attack("kexec", "call(246, 104, 0, 0, 0, 0)"),
    attack("set the clock", "attempt(__import__('time').clock_settime, 0, 0)"),
    attack("host name", "call(170, 161, b'x', 1)"),
    attack("kernel log", "call(103, 116, 3, b'\\0' * 64, 64)"),
    attack("swap off", "call(168, 225, b'/dev/vda')"),
    attack("quota", "call(179, 60, 0x800002, 0, 0, 0)"),
    attack("port access", "call(172, 9999, 3)"),
]

X32 = [
    attack("x32 socket", "call(0x40000000 + 41, 198, 2, 1, 0)", 4),
    attack("x32 fork", "call(0x40000000 + 57, 9999)", 4),
    attack("x32 execve", "call(0x40000000 + 520, 221, b'/bin/sh', 0, 0)"),
]

PROCESSES = [
    attack("fork", "attempt(os.fork)", 4),
    attack("fork by number", "call(57, 9999)", 4),
    attack("vfork by number", "call(58, 9999)", 4),
    attack("clone by number", "call(56, 220, 17, 0, 0, 0, 0)", 4),
    attack("clone3 by number", "call(435, 435, b'\\0' * 64, 64)", 4),
    attack("thread", "import threading; attempt(threading.Thread(target=print).start)", 4),
    attack("system", "attempt(lambda: os.system('echo x > @FOLDER@/ran') and 1 / 0)"),
    attack("system of C", "print('tried', libc.system(b'echo x > @FOLDER@/ran'))"),
    attack("subprocess", "import subprocess; attempt(subprocess.run, ['/bin/true'])"),
    attack("execve", "attempt(os.execv, sys.executable or '/usr/bin/python3', ['python'])"),
    attack("execveat", "call(322, 281, -100, b'/bin/sh', 0, 0, 0)"),
    attack("new session", "attempt(os.setsid)", 4),
    attack(
        "multiprocessing", "import multiprocessing as m; attempt(m.Process(target=print).start)", 4
    ),
    blast(
        "fork bomb",
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "timeout",
    ),
    blast(
        "thread bomb",
        """
import threading, time
while True:
    try:
        threading.Thread(target=time.sleep, args=(60,)).start()
    except RuntimeError:
        pass""",
        "timeout",
        "memory",
    ),
    blast(
        "daemon",
        """
import os, time
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
except OSError:
    raise SystemExit('stopped')""",
        "ok",
        "error",
        "timeout",
    ),
]

EXHAUSTION = [
    blast("endless loop", "while True: pass", "timeout"),
    blast("processor time", "while True: pass", "timeout", limits=Limits(seconds=4, cpu_seconds=1)),
    blast("sleep", "import time; time.sleep(60)", "timeout"),
    blast(
        "ignore signals",
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass",
        "timeout",
    ),
    blast(
        "catch everything",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "timeout",
    ),
    blast("wait for input", "import signal; signal.pause()", "timeout"),
    blast("memory at once", "bytearray(4 << 30)", "memory"),
    blast(
        "memory bit by bit",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
        "memory",
        limits=QUICK,
    ),
    blast("long text", "'a' * 10**10", "memory"),
    blast("huge power", "x = 10**10**8", "timeout", "memory"),
    blast("digits of a huge number", "print(len(str(10**10**6)))", "error", "timeout"),
    blast("mapped memory", "import mmap; mmap.mmap(-1, 8 << 30)", "error", "memory"),
    blast("pattern that explodes", "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')", "timeout"),
    blast(
        "decompression bomb",
        "import zlib\nd = zlib.compress(bytes(64 << 20), 9)\nzlib.decompress(zlib.decompress("
        "zlib.compress(d)) )\nx = [zlib.decompress(d) for _ in range(99)]",
        "memory",
        "timeout",
        limits=Limits(seconds=0.5),
    ),
    blast("endless recursion", "def f(): return f()\nf()", "error"),
    blast(
        "stack overflow",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return repr([f(n)])\nx = []\n"
        "for _ in range(10**6): x = [x]\nrepr(x)",
        "killed",
        "error",
        "memory",
        "timeout",
        limits=Limits(seconds=1),
    ),
    blast("nested source", "eval('(' * 10**5)", "error", "memory", "killed"),
    blast("null pointer", "import ctypes; ctypes.string_at(0)", "killed"),
    blast("smash the stack", "import ctypes; ctypes.memset(id(1), 255, 10**7)", "killed"),
    blast("abort", "import os; os.abort()", "killed"),
    blast("flood of output", "while True: print('x' * 1000)", "output_limit", limits=QUICK),
    blast(
        "flood of errors",
        "import os\nwhile True: os.write(2, b'x' * 65536)",
        "output_limit",
        limits=QUICK,
    ),
    blast("flood of one line", "print('x' * 10**8)", "output_limit", limits=QUICK),
    blast(
        "flood of the report",
        "import os\nwhile True: os.write(3, b'x' * 65536)",
        "timeout",
    ),
    blast(
        "huge file",
        "f = open('big', 'wb')\nwhile True: f.write(bytes(1 << 20))",
        "error",
        limits=QUICK,
    ),
    blast(
        "many files",
        "for i in range(10**5): open(f'f{i}', 'w').close()",
        "error",
        limits=QUICK,
    ),
    blast("sparse file", "f = open('s', 'wb'); f.seek(1 << 40); f.write(b'x'); f.flush()", "error"),
    blast(
        "descriptors", "import os\nx = []\nwhile True: x.append(os.pipe())", "error", limits=QUICK
    ),
    blast("deep folders", "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')", "error"),
]

FORGERY = [
    blast(
        "claim of success",
        'import os\nos.write(3, b\'{"error": null, "timed_out": false, "killed": null}\')\n'
        "while True: pass",
        "timeout",
    ),
    blast("claim in the output", "print('{\"killed\": null}\\0R'); raise ValueError('x')", "error"),
    blast(
        "closed report",
        "import os\nos.close(3)\nos._exit(0)",
        "error",
    ),
    blast("leave early", "import os; os._exit(0)", "error"),
    blast("close all", "import os\nos.closerange(0, 1024)\nwhile True: pass", "timeout"),
    blast(
        "poisoned builtins",
        "import builtins, json\njson.dumps = len\nbuiltins.print = builtins.str = None\n1 / 0",
        "error",
    ),
    blast(
        "poisoned modules",
        "import sys, math\nmath.sqrt = lambda x: 13\nsys.modules.clear()",
        "ok",
        "error",
    ),
    blast("hostile error", "class E(Exception):\n    def __str__(self): raise E\nraise E", "error"),
    blast("error without end", "raise ValueError('x' * 10**7)", "error"),
    blast("surrogates", "raise ValueError('\\ud800')", "error"),
    blast("binary output", "import os; os.write(1, bytes(range(256)) * 9)", "ok"),
    blast(
        "pickle", "import pickle; pickle.loads(b'cos\\nsystem\\n(S\"true\"\\ntR.')", "ok", "error"
    ),
]

ATTACKS = [
    *FILES,
    *PEEKING,
    *NETWORK,
    *SIGNALS,
    *KERNEL,
    *X32,
    *PROCESSES,
    *EXHAUSTION,
    *FORGERY,
]
SWIFT = [attack for attack in ATTACKS if not attack.raw]
"""Those that do not wait for a deadline."""
