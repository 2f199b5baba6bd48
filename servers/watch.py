"""What a server tells of itself while it works, for those who count, log and stream it.

Sessions and stores call a `Watch`; whoever wants to know subclasses it. The base does nothing, and
nothing here may raise or wait.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

End: TypeAlias = Literal["closed", "expired", "lost"]
Cut: TypeAlias = Literal["observation", "episode"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeEnd:
    """An episode that is over."""

    sid: str
    env: str
    ep: int
    n: int
    """Steps taken."""
    total: float
    """Sum of the rewards, those of a replay included."""
    terminated: bool
    truncated: bool


class Watch:
    """Hooks of a running server; all of them are cheap."""

    def created(self, sid: str, env: str) -> None:
        """A session was leased."""

    def ended(self, sid: str, env: str, how: End) -> None:
        """A session is gone."""

    def stepped(self, env: str, seconds: float) -> None:
        """An environment answered an action."""

    def replayed(self) -> None:
        """A repeated request was answered from memory."""

    def episode_ended(self, end: EpisodeEnd) -> None:
        """An environment's answer ended its episode."""

    def refused(self, code: str) -> None:
        """A request or an item was answered with this error code."""

    def cut(self, what: Cut) -> None:
        """A limit cut an observation short, or ended an episode."""

    def worker_lost(self, pid: int, sessions: int) -> None:
        """A worker process ended; so many sessions are being rebuilt."""

    def draining(self) -> None:
        """No sessions are leased any more."""


class Watches(Watch):
    """Several watchers as one; each is told of everything, in the order given."""

    def __init__(self, *watches: Watch) -> None:
        self._watches = watches

    def created(self, sid: str, env: str) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.created(sid, env)

    def ended(self, sid: str, env: str, how: End) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.ended(sid, env, how)

    def stepped(self, env: str, seconds: float) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.stepped(env, seconds)

    def replayed(self) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.replayed()

    def episode_ended(self, end: EpisodeEnd) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.episode_ended(end)

    def refused(self, code: str) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.refused(code)

    def cut(self, what: Cut) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.cut(what)

    def worker_lost(self, pid: int, sessions: int) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.worker_lost(pid, sessions)

    def draining(self) -> None:
        """Pass it on."""
        for watch in self._watches:
            watch.draining()
