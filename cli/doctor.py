"""`gigym doctor`: what is installed here, what works, and what to do about the rest.

Each check gives rows; a check is added by a line in `_CHECKS`.
"""

import importlib.metadata
import json
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from .. import __version__
from ..envs.sandbox import probe
from ..envs.sandbox.strength import LEVELS
from .text import clean, table
from .words import AsJson, new_app

app = new_app()

_NEEDED_LEVEL = 3
_PACKAGES = ("gymnasium", "numpy", "torch", "transformers", "vllm", "alfworld", "bm25s", "sympy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the report."""

    check: str
    """What was looked at."""
    state: Literal["ok", "warn"]
    """Whether it is as it should be."""
    detail: str
    """What was found."""
    remedy: str = ""
    """What to do where it is not."""


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Print versions and how strongly code can be sandboxed here."""
    findings = [finding for check in _CHECKS for finding in check()]
    if as_json:
        level = probe().level
        rows = [asdict(finding) for finding in findings]
        print(json.dumps({"gigym": __version__, "sandbox_level": level, "checks": rows}))
        return
    rows = [(f.check, f.state, clean(f.detail)) for f in findings]
    print(table([("check", "state", "found"), *rows]))
    for finding in findings:
        if finding.remedy:
            print(f"\n{finding.check}: {clean(finding.remedy)}")


def _versions() -> Iterator[Finding]:
    yield Finding(check="gigym", state="ok", detail=__version__)
    yield Finding(check="python", state="ok", detail=platform.python_version())
    yield Finding(check="system", state="ok", detail=platform.platform())
    for name in _PACKAGES:
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = "not installed"
        yield Finding(check=name, state="ok", detail=version)


def _sandbox() -> Iterator[Finding]:
    report = probe()
    enough = report.level >= _NEEDED_LEVEL
    yield Finding(
        check="sandbox",
        state="ok" if enough else "warn",
        detail=f"level {report.level} of 4: {LEVELS[report.level]}",
        remedy="" if enough else f"the python tool needs level {_NEEDED_LEVEL}; see the rows below",
    )
    for row in report.rows:
        # with the level reached, what is missing is no trouble
        fine = row.works or report.level == 4
        yield Finding(
            check=f"sandbox {row.name}",
            state="ok" if fine else "warn",
            detail=row.detail,
            remedy="" if fine else row.remedy,
        )


_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_versions, _sandbox)
