"""Which context lies in which slot of the cache, and how much of a new prompt it already holds.

Plain bookkeeping, no tensors. A slot keeps the ids whose keys and values it holds; a prompt reuses
their longest common prefix, so a wrong guess about who comes back costs time and never truth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

Ids = tuple[int, ...]


@dataclass(slots=True)
class Slot:
    """One row of the cache."""

    episode: str = ""
    """Who computed what it holds."""
    held: Ids = ()
    """Ids at positions 0, 1, ... whose keys and values are valid."""
    busy: bool = False
    """A request is writing to it."""
    used: int = 0
    """When it was last released; 0 is never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A slot handed to one request."""

    slot: int
    reused: int
    """Prompt positions that need not be computed again; always fewer than the prompt has."""


class SlotTable:
    """All slots; the least recently used idle one is overwritten first."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._home: dict[str, int] = {}
        self.forget()

    def holds(self, episode: str) -> bool:
        """Whether the episode's earlier turns are still there."""
        return episode in self._home

    def acquire(self, episode: str, prompt: Ids) -> Lease | None:
        """A slot for the prompt, the episode's own when it is idle; None while all are busy."""
        index = self._home.get(episode)
        if index is None or self._slots[index].busy:
            index = self._oldest_idle()
        if index is None:
            return None
        slot = self._slots[index]
        if self._home.get(slot.episode) == index:
            del self._home[slot.episode]
        self._home[episode] = index
        # The last token is always fed again: its logits choose the first sampled one.
        reused = min(shared_prefix(slot.held, prompt), len(prompt) - 1)
        slot.episode, slot.held, slot.busy = episode, (), True
        return Lease(slot=index, reused=reused)

    def release(self, index: int, held: Ids) -> None:
        """Give the slot back, holding these ids."""
        self._clock += 1
        slot = self._slots[index]
        slot.held, slot.busy, slot.used = held, False, self._clock

    def forget(self) -> None:
        """Trust nothing computed so far, as after a change of weights; no slot may be busy."""
        self._slots = [Slot() for _ in range(self._count)]
        self._home.clear()
        self._clock = 0

    def forget_idle(self) -> None:
        """Trust nothing computed so far; who holds a slot keeps it."""
        if not any(slot.busy for slot in self._slots):
            self.forget()
            return
        for index, slot in enumerate(self._slots):
            if not slot.busy:
                self._slots[index] = Slot()
        self._home = {e: index for e, index in self._home.items() if self._slots[index].busy}

    def _oldest_idle(self) -> int | None:
        idle = [index for index, slot in enumerate(self._slots) if not slot.busy]
        return min(idle, key=lambda index: self._slots[index].used, default=None)


def shared_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    length = min(len(left), len(right))
    # Contexts mostly grow by appending, so the whole shorter one usually matches.
    if left[:length] == right[:length]:
        return length
    return next(i for i in range(length) if left[i] != right[i])
