"""What `check_env` found, in a form for people, for JSON and for tests."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import CheckFailed
from ..types import JsonValue, Options

_SHOWN = 12
"""Actions of a finding that its text shows; the record has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One way in which an environment breaks its contract."""

    env: str
    check: str
    """Name of the check in the table."""
    expected: str
    got: str
    seed: int | None = None
    """Reset with this seed and `options`, then do `actions`, to see it; None: nothing was begun."""
    options: Options = field(default_factory=dict[str, JsonValue])
    actions: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{self.env}: {self.check}",
            f"  expected: {self.expected}",
            f"  got:      {self.got}",
        ]
        if self.seed is not None:
            lines.append(f"  seen by:  reset(seed={self.seed}{self._named_options()})")
            lines += [f"            step({action!r:.90})" for action in self.actions[:_SHOWN]]
        if len(self.actions) > _SHOWN:
            lines.append(f"            ... {len(self.actions)} steps in all")
        return "\n".join(lines)

    def _named_options(self) -> str:
        return f", options={dict(self.options)!r}" if self.options else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A check that could not be made, which is no finding."""

    env: str
    check: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The outcome of `check_env`; true when nothing was found."""

    subject: str
    """What was checked."""
    envs: tuple[str, ...]
    """Ids, more than one for a server that offers more."""
    passed: tuple[str, ...]
    """Checks that were made and found nothing."""
    skipped: tuple[Skip, ...] = ()
    findings: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()
    """Worth a look, but not shown to be wrong; they leave the report true."""

    @property
    def ok(self) -> bool:
        """Nothing was found."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    def assert_ok(self) -> None:
        """Raise `CheckFailed` with the findings, if there are any."""
        if self.findings:
            raise CheckFailed(str(self))

    def __str__(self) -> str:
        what = f"{self.subject}: {len(self.passed)} checks passed, {len(self.skipped)} not made"
        skips = [f"  not made: {skip.check}: {skip.reason}" for skip in self.skipped]
        found = [f"{what}, {len(self.findings)} findings", *skips, *map(str, self.findings)]
        return "\n".join([*found, *(f"to look at: {remark}" for remark in self.remarks)])

    def as_json(self) -> dict[str, Any]:
        """The report as JSON data, lone surrogates of actions included as escapes."""
        return {"ok": self.ok, **json.loads(json.dumps(asdict(self)))}
