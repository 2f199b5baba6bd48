"""Where an episode stands at a server, what it takes to come back there, and coming back."""

from dataclasses import dataclass, replace

from pydantic import ValidationError

from ..base import read_snapshot
from ..errors import BadOption, EpisodeLost, ServerError
from ..types import Reply, Task
from ..wire import SESSION_GONE, Code, Recipe, RestoreItem, Snapshot, StepItem, replay_key
from ..wire_answers import EnvInfo, Failed, Fault, Played
from .attempt import broken
from .faults import clean
from .fleet import Fleet
from .station import PlayItem, Station


@dataclass(slots=True, kw_only=True)
class Session:
    """A session of ours on a server."""

    station: Station
    sid: str
    ep: int = 0
    """Resets applied, as far as we were told."""

    async def play(self, item: PlayItem, n: int | None, give_up_at: float) -> Played | Failed:
        """Result of a call after which the session stands at `n`, where that is known.

        Raises `ServerError` for a server that answers from another place.
        """
        result = await self.station.play(item, give_up_at)
        if isinstance(result, Failed):
            return result
        ep = self.ep if isinstance(item, StepItem) else self.ep + 1
        if result.ep != ep or (n is not None and result.n != n):
            wanted = f"ep {ep}" if n is None else f"ep {ep}, n {n}"
            why = f"a call must lead to {wanted}; its answer is of ep {result.ep}, n {result.n}"
            raise broken(self.station.link.url, why)
        self.ep = ep
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A snapshot of an episode."""

    snapshot: Snapshot
    at: int
    """Actions of the past that it covers."""


@dataclass(slots=True, kw_only=True)
class Past:
    """The episode so far, from its reset on or from the snapshot that it was begun with."""

    task: Task | None
    """None where it began with a snapshot."""
    first_n: int
    """Steps applied before the first of `actions`."""
    actions: list[str]
    keys: list[str]
    """One more than actions."""
    done: bool
    held: Held | None = None

    @property
    def n(self) -> int:
        """Steps applied."""
        return self.first_n + len(self.actions)

    def add(self, action: str, reply: Reply) -> None:
        """One step more."""
        self.actions.append(action)
        self.keys.append(replay_key(reply))
        self.done = reply.done

    def copy(self) -> "Past":
        """A past of its own for a twin."""
        return replace(self, actions=[*self.actions], keys=[*self.keys])


async def come_back(past: Past, session: Session, fleet: Fleet, give_up_at: float) -> None:
    """Bring a fresh session to where the episode stands: from its snapshot, or by replay.

    Raises `EpisodeLost` when that leads elsewhere, or is not possible.
    """
    if past.held is not None:
        try:
            await _thaw(past, past.held, session, give_up_at)
            return
        except EpisodeLost:
            if past.task is None or not fleet.can("replay"):
                raise
    fleet.check_replays()
    if past.task is None:
        raise EpisodeLost("the session was lost, and the episode has no beginning to replay from")
    recipe = Recipe(
        seed=past.task.seed,
        options=dict(past.task.options),
        actions=past.actions,
        keys=[*past.keys],
    )
    item = RestoreItem(sid=session.sid, ep=session.ep, recipe=recipe)
    _restored(await session.play(item, past.n, give_up_at), session)


async def _thaw(past: Past, held: Held, session: Session, give_up_at: float) -> None:
    """Restore a snapshot and take the actions since, comparing keys on the way."""
    item = RestoreItem(sid=session.sid, ep=session.ep, snapshot=held.snapshot)
    n = past.first_n + held.at
    played = _restored(await session.play(item, n, give_up_at), session)
    for index in range(held.at, len(past.actions)):
        _same(played, past, index, session)
        step = StepItem(sid=session.sid, ep=session.ep, n=n, action=past.actions[index])
        n += 1
        played = _restored(await session.play(step, n, give_up_at), session)
    _same(played, past, len(past.actions), session)


def _same(played: Played, past: Past, at: int, session: Session) -> None:
    key = replay_key(played.reply.to_reply())
    if key != past.keys[at]:
        raise EpisodeLost(
            f"{session.station.link.url}: the episode left its path at reply {at}: expected "
            f"{past.keys[at]}, got {clean(key)}",
            Code.REPLAY_DIVERGED,
        )


def _restored(result: Played | Failed, session: Session) -> Played:
    if isinstance(result, Failed):
        raise _not_restored(result.error, session.station.link.url)
    return result


def _not_restored(fault: Fault, url: str) -> ServerError:
    message = f"{url}: the episode could not be replayed: {clean(fault.message)}"
    if fault.code in SESSION_GONE or fault.retryable:
        return ServerError(message, clean(fault.code), retryable=True)
    return EpisodeLost(message, clean(fault.code))


def to_bytes(snapshot: Snapshot) -> bytes:
    """A snapshot as the environment itself gives it in process, where it can."""
    if snapshot.kind == "data":
        return snapshot.blob.encode()
    return snapshot.model_dump_json().encode()


def from_bytes(text: bytes, env: EnvInfo) -> Snapshot:
    """The snapshot in bytes from here, or from an environment in process.

    Raises `BadOption` for anything but a snapshot of this environment and version.
    """
    try:
        found = Snapshot.model_validate_json(text)
    except ValidationError:
        held = read_snapshot(text)
        found = Snapshot(
            kind="data",
            env=held.env,
            version=held.version,
            state_key=held.last.state_key,
            blob=text.decode(),
        )
    if (found.env, found.version) != (env.id, env.version):
        raise BadOption(
            f"snapshot is of {found.env} {found.version}, "
            f"this environment is {env.id} {env.version}"
        )
    return found
