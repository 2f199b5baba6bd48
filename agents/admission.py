"""Who decodes next: two ways to let waiting requests into the slots.

`Stream` lets everybody in as soon as a slot is free. `Rounds` makes results independent of timing:
a round begins when every live episode has asked or ended, goes through its requests in a fixed
order, in batches that fill the slots, and takes in nobody until all of them are done.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .decoding import Decoding, Request


class Admission(Protocol):
    """Requests that wait for a slot."""

    def add(self, request: Request) -> None:
        """The request waits from here on."""
        ...

    def keep(self, wanted: Callable[[Request], bool]) -> None:
        """Forget those that nobody wants any more."""
        ...

    def admit(self, decoding: Decoding, live: int) -> None:
        """Let in whom the rule allows, with `live` episodes on the roster."""
        ...


class Stream:
    """First come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque()

    def add(self, request: Request) -> None:
        """Stand in line."""
        self._waiting.append(request)

    def keep(self, wanted: Callable[[Request], bool]) -> None:
        """Leave the line."""
        self._waiting = deque(filter(wanted, self._waiting))

    def admit(self, decoding: Decoding, live: int) -> None:
        """Fill the free slots."""
        while self._waiting and decoding.admit(self._waiting[0]):
            self._waiting.popleft()


class Rounds:
    """Everybody together, in an order that depends on names and past rounds alone."""

    def __init__(self) -> None:
        self._waiting: list[Request] = []
        self._round: deque[Request] = deque()

    def add(self, request: Request) -> None:
        """Wait for the next round, even while one is under way."""
        self._waiting.append(request)

    def keep(self, wanted: Callable[[Request], bool]) -> None:
        """Leave this round or the next."""
        self._waiting = list(filter(wanted, self._waiting))
        self._round = deque(filter(wanted, self._round))

    def admit(self, decoding: Decoding, live: int) -> None:
        """Fill the slots, once the batch before is done."""
        if decoding.live:
            return
        if not self._round and len({request.episode for request in self._waiting}) >= live:
            # Who is still cached goes first: a plain order over more episodes than slots would
            # evict each one just before its turn.
            self._waiting.sort(key=lambda request: natural_order(request.name))
            self._waiting.sort(key=decoding.holds, reverse=True)
            self._round.extend(self._waiting)
            self._waiting.clear()
        while self._round and decoding.admit(self._round[0]):
            self._round.popleft()


def natural_order(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorts `task/2/10` behind `task/2/9`: runs of digits count as numbers."""
    parts = re.split(r"([0-9]+)", name)
    return tuple(
        (False, int(part), "") if index % 2 else (True, 0, part) for index, part in enumerate(parts)
    )
