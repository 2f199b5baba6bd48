"""What a run gives back, and that it leaves nothing behind."""

import importlib.util
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sandbox_scene import processes, settles

from gigym.envs.sandbox import Limits, LocalSandbox, SandboxFailed
from gigym.envs.sandbox.inside.plan import Plan

ZYGOTE = "inside.zygote"
ORDINARY = {
    "arithmetic": ("print(2**100, 7 // 2, -7 % 3)", "1267650600228229401496703205376 3 2\n"),
    "math": (
        "import math; print(math.comb(50, 25), math.isqrt(10**40))",
        f"126410606437752 {10**20}\n",
    ),
    "fractions": ("from fractions import Fraction as F; print(F(1, 3) + F(1, 6))", "1/2\n"),
    "itertools": (
        "from itertools import permutations as p; print(len(list(p(range(6)))))",
        "720\n",
    ),
    "json": ("import json; print(json.dumps({'a': [1, 2.5, None]}))", '{"a": [1, 2.5, null]}\n'),
    "re": ("import re; print(re.findall(r'\\d+', 'a1b22'))", "['1', '22']\n"),
    "collections": (
        "from collections import Counter; print(Counter('aab'))",
        "Counter({'a': 2, 'b': 1})\n",
    ),
    "decimal": ("from decimal import Decimal as D; print(D('0.1') * 3)", "0.3\n"),
    "statistics": ("import statistics; print(statistics.median([3, 1, 2]))", "2\n"),
    "datetime": ("from datetime import date; print(date(2024, 2, 29).weekday())", "3\n"),
    "hashes": ("import hashlib; print(hashlib.sha256(b'').hexdigest()[:8])", "e3b0c442\n"),
    "dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(3))",
        "P(x=3)\n",
    ),
    "pickle": (
        "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__)",
        "A\n",
    ),
    "modules not loaded before": (
        "import colorsys; print(colorsys.rgb_to_hsv(1, 0, 0))",
        "(0.0, 1.0, 1)\n",
    ),
    "ctypes": ("import ctypes; print(ctypes.sizeof(ctypes.c_int64))", "8\n"),
    "sqlite": (
        "import sqlite3; print(sqlite3.connect(':memory:').execute('select 6*7').fetchone())",
        "(42,)\n",
    ),
    "recursion": ("f = lambda n: n < 2 or n * f(n - 1)\nprint(f(20))", "2432902008176640000\n"),
    "main": ("if __name__ == '__main__': print('main')", "main\n"),
    "exit": ("print(1)\nexit()\nprint(2)", "1\n"),
    "unicode": ("print('\\u221a2 \\U0001f600')", "\u221a2 \U0001f600\n"),
    "standard error": (
        "import sys; print('a'); print('b', file=sys.stderr); print('c')",
        "a\nb\nc\n",
    ),
    "alarm": ("import signal; print(signal.alarm(0))", "0\n"),
    "sorted set of words": ("print({'one', 'two', 'three'})", None),
    "random": ("import random; print(random.random())", "0.8444218515250481\n"),
}


@pytest.mark.parametrize("code, expected", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_code_runs_with_exact_output(
    sandbox: LocalSandbox, code: str, expected: str | None
) -> None:
    outcome = sandbox.run(code, Limits())
    assert (outcome.error, outcome.killed, outcome.status) == (None, None, "ok")
    assert expected is None or outcome.output == expected
    assert outcome.level == sandbox.level


@pytest.mark.parametrize(
    "package, code, expected",
    [
        ("numpy", "import numpy as np; print(np.linalg.det(np.eye(3)).round(3))", "1.0\n"),
        ("numpy", "import numpy.polynomial as p; print(p.Polynomial([1, 2])(3))", "7.0\n"),
        (
            "sympy",
            "import sympy as s; x = s.symbols('x'); print(s.solve(x**2 - 4, x))",
            "[-2, 2]\n",
        ),
        ("sympy", "import sympy.crypto.crypto as c; print(c.gcd(4, 6))", "2\n"),
        ("mpmath", "import mpmath; print(mpmath.mp.dps)", "15\n"),
    ],
)
def test_packages_of_the_list_can_be_imported(
    sandbox: LocalSandbox, package: str, code: str, expected: str
) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    outcome = sandbox.run(code, Limits(memory_bytes=1 << 30))
    assert (outcome.output, outcome.error) == (expected, None)


@pytest.mark.parametrize(
    "code, error",
    [
        ("x = 1\n1 / 0", "ZeroDivisionError: division by zero (line 2)"),
        ("def f():\n    raise ValueError('no')\n\nf()", "ValueError: no (line 2)"),
        ("import json\njson.loads('{')", None),
        ("x = (", "SyntaxError: '(' was never closed (line 1)"),
        ("assert False", "AssertionError (line 1)"),
        ("input()", "EOFError: EOF when reading a line (line 1)"),
        ("raise SystemExit(3)", "SystemExit: 3 (line 1)"),
        ("class Odd(Exception): pass\nraise Odd('x')", "Odd: x (line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (line 1)"),
        ("\0", None),
        ("'\ud800'", None),
    ],
)
def test_errors_are_one_line_with_its_number(
    sandbox: LocalSandbox, code: str, error: str | None
) -> None:
    outcome = sandbox.run(code, Limits())
    assert outcome.status == "error"
    assert error is None or outcome.error == error


def test_errors_hold_no_paths_of_the_host(sandbox: LocalSandbox) -> None:
    outcome = sandbox.run("from json.decoder import nothing", Limits())
    assert outcome.error is not None and "<python>/json/decoder.py" in outcome.error
    assert str(Path(os.__file__).parent) not in outcome.error


def test_the_same_code_gives_the_same_output_in_every_zygote(sandbox: LocalSandbox) -> None:
    code = "import random\nprint(set('abcdefg'), hash('x'), random.random(), {'p', 'q', 'r'})"
    plan = Plan(seccomp=True)
    with LocalSandbox(plan) as one, LocalSandbox(plan) as two:
        outputs = {place.run(code, Limits()).output for place in (sandbox, one, two)}
    assert len(outputs) == 1 and "{" in outputs.pop()


def test_nothing_stays_from_one_run_to_the_next(sandbox: LocalSandbox) -> None:
    poison = "import math, builtins, sys\nmath.pi = 3\nbuiltins.len = None\nsys.path.clear()"
    assert sandbox.run(poison + "\nopen('kept', 'w').write('x')", Limits()).status == "ok"
    look = "import math, os\nprint(math.pi > 3.1, len('ab'), os.listdir('.'))"
    assert sandbox.run(look, Limits()).output == "True 2 []\n"


def test_output_before_the_deadline_is_kept(sandbox: LocalSandbox) -> None:
    outcome = sandbox.run("print('so far')\nwhile True: pass", Limits(seconds=0.3))
    assert (outcome.output, outcome.killed) == ("so far\n", "time")
    assert outcome.timed_out and 0.3 <= outcome.seconds < 0.8


def test_output_is_cut_at_the_limit_and_not_before(sandbox: LocalSandbox) -> None:
    exact = sandbox.run("print('x' * 99)", Limits(output_chars=100))
    assert (len(exact.output), exact.status) == (100, "ok")
    over = sandbox.run("print('x' * 100)", Limits(output_chars=100))
    assert (len(over.output), over.status) == (100, "output_limit")


def test_scratch_files_can_be_written_up_to_their_limits(sandbox: LocalSandbox) -> None:
    code = """
import os
for i in range(9):
    try:
        open(f'f{i}', 'wb').write(bytes(1 << 10))
    except OSError as error:
        print(i, error.errno)
print(len(os.listdir('.')))"""
    assert sandbox.run(code, Limits(files=3)).output.endswith("8 28\n3\n")
    big = sandbox.run("open('b', 'wb').write(bytes(1 << 16))", Limits(file_bytes=1 << 12))
    assert big.error is not None and big.error.startswith("OSError: [Errno 27]")


def test_the_kernel_confirms_the_walls_from_outside(sandbox: LocalSandbox) -> None:
    before = processes(ZYGOTE)
    code = "import time; time.sleep(1)"
    runner = threading.Thread(target=sandbox.run, args=(code, Limits(seconds=1.5)))
    runner.start()
    time.sleep(0.5)
    states = [status(pid) for pid in processes(ZYGOTE) - before]
    runner.join()
    walled = [state for state in states if state["Seccomp"] == "2"]
    assert len(walled) == 1
    assert (walled[0]["NoNewPrivs"], walled[0]["CapEff"]) == ("1", "0" * 16)
    assert (walled[0]["CapBnd"], walled[0]["Uid"].split()[0] != "0") == ("0" * 16, True)


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_nothing_grows_over_two_hundred_mixed_runs(sandbox: LocalSandbox) -> None:
    codes = ["print(1)", "1 / 0", "import os; os.abort()", "print('x' * 10**6)", "while True: pass"]
    sandbox.run("print(0)", Limits())
    before, open_before = processes(ZYGOTE), len(os.listdir("/proc/self/fd"))
    with ThreadPoolExecutor(4) as pool:
        wanted = [codes[i % 5] if i % 50 == 4 else codes[i % 4] for i in range(200)]
        outcomes = list(pool.map(lambda code: sandbox.run(code, Limits(seconds=0.5)), wanted))
    assert [o.output for o, code in zip(outcomes, wanted, strict=True) if code == codes[0]] == (
        ["1\n"] * wanted.count(codes[0])
    )
    assert settles(ZYGOTE, before)
    assert len(os.listdir("/proc/self/fd")) <= open_before


def test_a_zygote_that_was_killed_is_replaced(sandbox: LocalSandbox) -> None:
    with LocalSandbox(Plan(seccomp=True)) as own:
        before = processes(ZYGOTE)
        own.run("print(1)", Limits())
        for pid in processes(ZYGOTE) - before:
            os.kill(pid, 9)
        assert own.run("print(2)", Limits()).output == "2\n"


def test_a_forked_process_shares_the_sandbox(sandbox: LocalSandbox) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, sandbox.run("print('from a fork')", Limits()).output.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "from a fork\n"
    assert sandbox.run("print(1)", Limits()).output == "1\n"


def test_a_layer_that_does_not_go_up_refuses_the_run() -> None:
    # no rule set of Landlock can be made for an ABI of another century
    with LocalSandbox(Plan(landlock=1, namespaces=False, view=False)) as sound:
        assert sound.run("print(1)", Limits()).output == "1\n"
    broken = Plan(library=(str(Path(os.__file__).parent),), landlock=1, packages=("/nowhere",))
    with LocalSandbox(broken) as sandbox, pytest.raises(SandboxFailed, match="nowhere"):
        sandbox.run("print(1)", Limits())


def test_code_that_is_too_long_is_not_run(sandbox: LocalSandbox) -> None:
    outcome = sandbox.run("#" * (1 << 20) + "\n", Limits())
    assert outcome.error is not None and "1048577 characters" in outcome.error


def test_limits_refuse_what_is_no_limit() -> None:
    with pytest.raises(ValueError, match="seconds of the sandbox's limits must be above 0"):
        Limits(seconds=0)
    with pytest.raises(ValueError, match="memory_bytes"):
        Limits(memory_bytes=-1)
    with pytest.raises(ValueError, match="seconds"):
        Limits(seconds=float("nan"))


def test_plans_survive_the_way_to_the_zygote() -> None:
    plan = Plan(landlock=3, seccomp=True, packages=("/a b",), preload=("x",))
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["landlock"] == 3
