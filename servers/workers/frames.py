"""What a server and its worker processes say to each other: lines over pipes.

A call is `verb number json`, an answer `head TAB json`, both of one line; no JSON holds a raw TAB
or line end. Answers come in the order of the calls. The head says where the session stands
afterwards and what its watchers are to hear; the rest of an answer is passed on unread.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, cast

from pydantic import Field
from pydantic_core import from_json

from ...envs.types import EnvCard
from ...envs.wire import Code, JsonObject, ResetItem, RestoreItem, SidItem
from ..errors import WireFault
from ..sessions import Past, Standing
from ..spec import Limits
from ..watch import Cut, EpisodeEnd, Watch

Verb: TypeAlias = Literal[
    "setup", "build", "reset", "restore", "step", "snapshot", "fork", "view", "end"
]
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
MODULE = "gigym.servers.workers.process"
"""What a worker process runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The first call: what a worker needs before it can build an environment."""

    imports: tuple[str, ...]
    """Modules that register environments."""
    envs: tuple[tuple[EnvCard, str], ...]
    """Cards and entry points of the environments on offer."""
    limits: Limits

    def line(self) -> bytes:
        """JSON of it; not pydantic's, which has no infinite reward ranges."""
        return json.dumps(asdict(self)).encode("ascii")


class Build(SidItem):
    """Build the environment of a session, and bring it to where it stood before."""

    env: str
    options: JsonObject
    ep: int = 0
    opened_by: ResetItem | RestoreItem | None = None
    actions: list[str] = Field(default_factory=list[str])
    keys: list[str] = Field(default_factory=list[str])
    fault: str | None = None
    """As `fault_text` writes it."""

    def past(self) -> Past:
        """The session's past, empty for a fresh one."""
        return Past(
            ep=self.ep,
            opened_by=self.opened_by,
            actions=self.actions,
            keys=self.keys,
            fault=None if self.fault is None else read_fault(self.fault),
        )


class Fork(SidItem):
    """Copy a session under these names."""

    sids: list[str]


Event: TypeAlias = list[Any]
"""Name and arguments of a watcher's hook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The part of an answer that the server reads."""

    number: int
    """Of the call."""
    ok: bool
    """Otherwise the rest is what `fault_text` wrote."""
    standing: Standing | None = None
    """Where the session stands afterwards; None for a call without one."""
    events: tuple[Event, ...] = ()


def call_line(verb: Verb, number: int, body: bytes) -> bytes:
    """A call."""
    return b"%s %d %s\n" % (verb.encode("ascii"), number, body)


def read_call(line: bytes) -> tuple[Verb, int, bytes]:
    """Verb, number and JSON of a call."""
    verb, number, body = line.split(b" ", 2)
    return cast("Verb", verb.decode("ascii")), int(number), body


def answer_line(head: Head, body: bytes) -> bytes:
    """An answer."""
    at = head.standing
    stands = None if at is None else [at.ep, at.n, at.key, at.faulted]
    row = [head.number, head.ok, stands, head.events]
    return b"%s\t%s\n" % (_ENCODE(row).encode("ascii"), body)


def read_answer(line: bytes) -> tuple[Head, bytes]:
    """Head and JSON of an answer. Raises `ValueError` for what is none."""
    row, tab, body = line.partition(b"\t")
    if not tab:
        raise ValueError("not an answer of a worker")
    number, ok, stands, events = from_json(row)
    standing = stands and Standing(ep=stands[0], n=stands[1], key=stands[2], faulted=stands[3])
    return Head(number=number, ok=ok, standing=standing, events=tuple(events)), body


def fault_text(fault: WireFault) -> str:
    """A fault as JSON; ASCII, since messages quote what environments raised."""
    return json.dumps([fault.code, fault.message, fault.detail])


def read_fault(text: str | bytes) -> WireFault:
    """The fault that `fault_text` took."""
    code, message, detail = json.loads(text)
    return WireFault(Code(code), message, detail)


class Recorder(Watch):
    """Keeps what a session tells, until the answer takes it along."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def take(self) -> tuple[Event, ...]:
        """What was told since the last call."""
        events = tuple(self._events)
        self._events.clear()
        return events

    def stepped(self, env: str, seconds: float) -> None:
        """Keep it."""
        self._events.append(["stepped", env, seconds])

    def replayed(self) -> None:
        """Keep it."""
        self._events.append(["replayed"])

    def cut(self, what: Cut) -> None:
        """Keep it."""
        self._events.append(["cut", what])

    def episode_ended(self, end: EpisodeEnd) -> None:
        """Keep it."""
        self._events.append(["episode_ended", asdict(end)])


def tell(events: tuple[Event, ...], watch: Watch) -> None:
    """Have a watcher of the server hear what a worker's recorder kept."""

    def ended(end: dict[str, Any]) -> None:
        watch.episode_ended(EpisodeEnd(**end))

    hooks: dict[str, Callable[..., None]] = {
        "stepped": watch.stepped,
        "replayed": watch.replayed,
        "cut": watch.cut,
        "episode_ended": ended,
    }
    for name, *arguments in events:
        hooks[name](*arguments)
