"""How strong a sandbox this machine can give: features tried, layers chosen, the result proved.

A level is only reported after code that would break it has been run and has failed to.
"""

import functools
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace

from ..errors import BadOption
from .canaries import proved_level
from .errors import SandboxFailed, SandboxTooWeak
from .inside.plan import Plan
from .launch import command, furnish
from .local import LocalSandbox
from .types import Report, Row

__all__ = ["LEVELS", "local_sandbox", "plans", "probe"]

LEVELS = (
    "none",
    "process limits only",
    "no network",
    "no network, no host files",
    "no network, no host files, no new processes or odd system calls",
)
"""What each level stops, in words."""

_REMEDIES = {
    "platform": "run on Linux >= 5.4 (x86_64 or aarch64), or use a remote sandbox",
    "limits": "run outside of what restricts setrlimit",
    "no_new_privs": "run on Linux >= 3.5",
    "namespaces": "allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 (Debian), "
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), "
    "docker run --security-opt seccomp=unconfined (Docker); or install bubblewrap",
    "view": "as for namespaces",
    "landlock": "boot a kernel >= 5.13 with landlock in lsm=",
    "seccomp": "run on x86_64 or aarch64 with a kernel that has seccomp filters",
    "bubblewrap": "apt-get install bubblewrap (or the like)",
    "drop": "put Python where any user can read it",
    "proof": "report the detail of this row; until then use a remote sandbox",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the throw-away children found."""

    abi: int
    wrong: dict[str, str | None]
    """Feature -> None where it works, else what went wrong; absent: not looked at."""

    def works(self, name: str) -> bool:
        return name in self.wrong and self.wrong[name] is None


def probe() -> Report:
    """Find the strongest sandbox; tried once in each process (about a second)."""
    return _strongest()[0]


def local_sandbox(required_level: int = 3) -> LocalSandbox:
    """The sandbox of this process, shared by all who ask; refuses below the required level."""
    if required_level not in (1, 2, 3, 4):
        raise BadOption(f"required_level of the sandbox must be 1 to 4: got {required_level!r}")
    report = probe()
    if report.level < required_level:
        raise SandboxTooWeak(_refusal(report, required_level), report.level, required_level)
    return _shared(_strongest()[1], report.level)


def plans() -> tuple[Plan, ...]:
    """The plans whose layers each work here, strongest first; whether they hold is not proved."""
    return tuple(_candidates(_look()))


@functools.cache
def _strongest() -> tuple[Report, Plan]:
    if not sys.platform.startswith("linux"):
        row = _row("platform", f"{sys.platform} has none of the layers")
        return Report(level=0, rows=(row,)), Plan()
    try:
        found = _look()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        row = _row("platform", f"a bare interpreter cannot be started: {error}")
        return Report(level=0, rows=(row,)), Plan()
    level, plan, doubts = _prove(_candidates(found))
    return Report(level=level, rows=_rows(found, plan, level, doubts)), plan


def _look() -> _Found:
    words = command("probes", "")
    done = subprocess.run(words, capture_output=True, env={}, timeout=60, check=True, cwd="/")
    said = json.loads(done.stdout)
    wrong = dict(said["features"])
    wrong["bubblewrap"] = None if shutil.which("bwrap") else "not installed"
    return _Found(abi=said["abi"] if wrong["landlock"] is None else 0, wrong=wrong)


def _candidates(found: _Found) -> list[Plan]:
    """Plans from the strongest to the weakest; the first that proves its level is taken."""
    if not (found.works("limits") and found.works("no_new_privs")):
        return []
    bare = Plan(landlock=found.abi, seccomp=found.works("seccomp"))
    inner = replace(bare, namespaces=True, view=True)
    wrapped = replace(bare, bubblewrap=True)
    dropped = found.works("drop")
    choices: list[tuple[Plan, bool]] = [
        (
            replace(inner, drop=True),
            dropped and found.works("mount_as_root") and found.works("namespaces_dropped"),
        ),
        (inner, found.works("namespaces") and found.works("view")),
        (replace(wrapped, namespaces=True), found.works("bubblewrap")),
        (wrapped, found.works("bubblewrap")),
        (replace(bare, drop=True), dropped and found.works("library_dropped")),
        (bare, True),
    ]
    usable = [plan for plan, may in choices if may]
    return sorted(usable, key=lambda plan: -plan.level)


def _prove(plans: list[Plan]) -> tuple[int, Plan, list[str]]:
    """Level and plan of the first that holds what it promises, else of the best; and the doubts."""
    best, doubts = (0, Plan()), list[str]()
    for plan in plans:
        if plan.level <= best[0]:
            break
        try:
            level, doubt = proved_level(furnish(plan, ()))
        except SandboxFailed as error:
            level, doubt = 0, str(error)
        if level == plan.level:
            return level, plan, doubts
        doubts.append(doubt)
        best = max(best, (level, plan), key=lambda pair: pair[0])
    return *best, doubts or ["no layers to prove"]


def _rows(found: _Found, plan: Plan, level: int, doubts: list[str]) -> tuple[Row, ...]:
    details = {
        "limits": "memory, processor time, files, descriptors",
        "no_new_privs": "set-uid programs gain nothing",
        "namespaces": "user, process, network, IPC, host name, mount",
        "view": "a root of its own with Python's library and a scratch directory",
        "landlock": f"ABI {found.abi}",
        "seccomp": "only the system calls of single-threaded Python",
        "bubblewrap": "in use" if plan.bubblewrap else "present; the layers here need no help",
    }
    rows = [_row(name, found.wrong[name], detail) for name, detail in details.items()]
    if "drop" in found.wrong:
        trouble = None if plan.drop else "runs stay root's on the host, without any privilege"
        rows.append(_row("drop", trouble, "root is given up for nobody"))
    # a way to build the walls that broke is told even where a later one reached the same level
    proof = f"code that tries to break level {level} failed to"
    return (*rows, _row("proof", "; ".join(dict.fromkeys(doubts)) or None, proof))


def _row(name: str, wrong: str | None, detail: str = "") -> Row:
    remedy = "" if wrong is None else _REMEDIES[name]
    return Row(name=name, works=wrong is None, detail=wrong or detail, remedy=remedy)


@functools.cache
def _shared(plan: Plan, level: int) -> LocalSandbox:
    return LocalSandbox(plan, level=level)


def _refusal(report: Report, required_level: int) -> str:
    bad = [row for row in report.rows if not row.works]
    missing = "; ".join(f"{row.name} ({row.detail})" for row in bad) or "nothing more to try"
    remedies = dict.fromkeys(row.remedy for row in bad)
    return (
        f"code is not run here: the sandbox reaches level {report.level} of the required "
        f"{required_level}. Missing: {missing}. Do one of: "
        + "; ".join([*remedies, "use RemoteSandbox(url)"])
        + ". More: gigym doctor"
    )
