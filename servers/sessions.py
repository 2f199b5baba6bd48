"""A session: one environment and how far its client and it have come.

`ep` counts the resets applied, `n` the steps applied in the present episode. A request names the
position it was made for, so that a repeated one is answered from memory and a misplaced one is
refused: every call may be sent again blindly, and no step is applied twice. Nothing here waits;
leases are the affair of the store.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

from ..envs.wire import Code, Recipe, ResetItem, RestoreItem, StepItem
from .errors import WireFault
from .playing import Player
from .replies import Told, encode, played


@dataclass(slots=True, kw_only=True)
class Episode:
    """The episode under way."""

    opened_by: ResetItem | RestoreItem
    opening: Told
    last: Told
    last_action: str | None = None
    """Action that `last` answers; None right after the opening."""
    fault: WireFault | None = None
    """What the environment's code raised; it ends the episode."""


class Session:
    """See the module docstring; `sid` is the name its client knows it by."""

    def __init__(self, sid: str, player: Player) -> None:
        self.sid = sid
        self.player = player
        self.ep = 0
        self._episode: Episode | None = None

    def reset(self, item: ResetItem) -> bytes:
        """Start an episode, or answer again what the same reset was answered."""
        recipe = Recipe(seed=item.seed, options=item.options)
        return self._open(item, lambda: self.player.open(recipe))

    def restore(self, item: RestoreItem) -> bytes:
        """Start in the middle of an episode: thaw a snapshot or replay a recipe."""
        return self._open(item, lambda: _resume(self.player, item))

    def step(self, item: StepItem, action_bytes: int) -> bytes:
        """Take one action, or answer again what the same action was answered."""
        episode = self._running()
        last = episode.last
        if item.ep != self.ep:
            raise self._misplaced(last.n)
        if item.n == last.n - 1 and episode.last_action is not None:
            if item.action != episode.last_action:
                message = f"step {item.n} was already taken with another action"
                raise WireFault(Code.STEP_CONFLICT, message, {"n": last.n})
            return played(self.sid, self.ep, last, replayed=True)
        if item.n != last.n:
            raise self._misplaced(last.n)
        if len(item.action) * 4 > action_bytes and len(item.action.encode()) > action_bytes:
            raise WireFault(Code.BAD_ITEM, f"an action may have at most {action_bytes} bytes")
        return played(self.sid, self.ep, self._act(episode, item.action))

    def snapshot(self) -> bytes:
        """The episode under way, to be restored elsewhere."""
        frozen = self._sound().last
        held = self.player.freeze().model_copy(update={"state_key": frozen.state_key})
        return encode({"sid": self.sid, "snapshot": held.model_dump()})

    def fork(self, sids: list[str]) -> list["Session"]:
        """Sessions of these names that stand where this one stands."""
        episode = self._sound()
        twins = [Session(sid, player) for sid, player in self._twins(sids)]
        for twin in twins:
            twin.ep, twin._episode = self.ep, copy.copy(episode)
        return twins

    def position(self) -> tuple[int, str | None, bytes]:
        """Steps applied, state key and JSON of the last reply (`null` before the first)."""
        if self._episode is None:
            return 0, None, b"null"
        last = self._episode.last
        return last.n, last.state_key, last.body

    def _open(self, item: ResetItem | RestoreItem, begin: Callable[[], Told]) -> bytes:
        episode = self._episode
        if item.ep == self.ep - 1 and episode is not None:
            if item != episode.opened_by:
                message = f"episode {item.ep} was already started in another way"
                raise WireFault(Code.STEP_CONFLICT, message, {"ep": self.ep})
            return played(self.sid, self.ep, episode.opening, replayed=True)
        if item.ep is not None and item.ep != self.ep:
            raise self._misplaced(episode.last.n if episode else 0)
        # A beginning that raises leaves nothing to step in: the environment may be half changed.
        self._episode = None
        told = begin()
        self.ep += 1
        self._episode = Episode(opened_by=item, opening=told, last=told)
        return played(self.sid, self.ep, told)

    def _act(self, episode: Episode, action: str) -> Told:
        if episode.fault is not None:
            raise WireFault(*episode.fault.args)
        if episode.last.done:
            raise WireFault(Code.EPISODE_OVER, "the episode is over; reset the session")
        try:
            told = self.player.act(action)
        except WireFault as fault:
            # A fresh one: the frames of the environment are not to be kept alive.
            episode.fault = WireFault(*fault.args)
            raise
        episode.last, episode.last_action = told, action
        return told

    def _twins(self, sids: list[str]) -> list[tuple[str, Player]]:
        return list(zip(sids, self.player.copies(len(sids)), strict=True))

    def _running(self) -> Episode:
        if self._episode is None:
            raise WireFault(Code.NOT_RESET, "no episode was started; reset the session")
        return self._episode

    def _sound(self) -> Episode:
        episode = self._running()
        if episode.fault is not None:
            raise WireFault(*episode.fault.args)
        return episode

    def _misplaced(self, held_n: int) -> WireFault:
        message = f"this session stands at ep {self.ep}, n {held_n}"
        return WireFault(Code.STEP_INDEX, message, {"ep": self.ep, "n": held_n})


def _resume(player: Player, item: RestoreItem) -> Told:
    if item.recipe is not None:
        return player.open(item.recipe)
    assert item.snapshot is not None
    return player.thaw(item.snapshot)
