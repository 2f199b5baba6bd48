"""Playing the walks of a check in other processes.

`elsewhere` starts them; run as a program, this module reads one job as JSON from stdin and writes
the replies as JSON to stdout. A class is found by its module's name, or else by its file.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from .walks import as_tree

if TYPE_CHECKING:
    from ..base import TextEnv
    from .subject import Subject

HASH_SEEDS = ("0", "1", "4242")
_PATIENCE_S = 120.0


def elsewhere(subject: "Subject") -> list[list[list[dict[str, Any]]] | str]:
    """Replies of all walks as each of the other processes gave them; a text where one failed."""
    assert subject.origin is not None
    job = {
        "module": subject.origin.module,
        "qualname": subject.origin.qualname,
        "file": subject.origin.file,
        "options": dict(subject.options),
        "walks": [[walk.seed, list(walk.actions)] for walk in subject.walks],
    }
    text = json.dumps(job).encode("ascii")
    running = [_spawn(seed) for seed in HASH_SEEDS]
    try:
        return [_collect(process, text) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()


def _spawn(hash_seed: str) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(path or os.getcwd() for path in sys.path)
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": hash_seed},
    )


def _collect(process: "subprocess.Popen[bytes]", job: bytes) -> list[list[dict[str, Any]]] | str:
    try:
        said, complaint = process.communicate(job, _PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {_PATIENCE_S:g} s"
    if process.returncode != 0:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        return f"exit code {process.returncode}: {lines[-1] if lines else 'no message'}"
    return json.loads(said)


def _found(job: dict[str, Any]) -> "type[TextEnv]":
    try:
        if job["module"] == "__main__":
            raise ImportError
        found: Any = importlib.import_module(job["module"])
    except ImportError:
        if job["file"] is None:
            raise
        name = "__mp_main__" if job["module"] == "__main__" else job["module"]
        spec = importlib.util.spec_from_file_location(name, job["file"])
        assert spec is not None and spec.loader is not None
        found = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
    for part in job["qualname"].split("."):
        found = getattr(found, part)
    return found


def _play(job: dict[str, Any]) -> list[list[dict[str, Any]]]:
    env = _found(job)(**job["options"])
    told: list[list[dict[str, Any]]] = []
    for seed, actions in job["walks"]:
        replies = [env.start(seed), *map(env.answer, actions)]
        told.append([as_tree(reply) for reply in replies])
    return told


def main() -> None:
    """Do one job; what environments print goes to stderr."""
    job = json.loads(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):
        told = _play(job)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
