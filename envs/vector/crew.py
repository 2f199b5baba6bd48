"""What a vector environment asks of the place where its environments live.

A crew answers for several environments at once, by their numbers. A failure is an answer too, so
that one environment's error takes nothing from the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from ..types import JsonValue, Options, Reply

Answer: TypeAlias = Reply | Exception


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewSpec:
    """How environments are staffed, and how long they may take; `sync` reads nothing of it."""

    workers: int | None = None
    """Worker processes; None: one per processor, and no more than environments."""
    start_s: float = 120.0
    """Longest time until the workers, or the sessions of a server, are ready."""
    reset_s: float = 60.0
    step_s: float = 60.0
    """Longest time in which one environment may answer an action."""
    token: str | None = field(default=None, repr=False)
    """Bearer token of the env servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Which episode an environment begins."""

    seed: int
    options: Options = field(default_factory=dict[str, JsonValue])


class Crew(Protocol):
    """Environments by number."""

    def start(self, starts: Mapping[int, Start]) -> dict[int, Answer]:
        """Begin episodes; one answer for each number."""
        ...

    def answer(self, actions: Mapping[int, str]) -> dict[int, Answer]:
        """Apply actions; one answer for each number."""
        ...

    def close(self) -> None:
        """Give everything back; calling twice is fine."""
        ...
