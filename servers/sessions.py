"""A session: one environment and how far its client and it have come.

`ep` counts the resets applied, `n` the steps applied in the present episode. A request names the
position it was made for, so that a repeated one is answered from memory and a misplaced one is
refused: every call may be sent again blindly, and no step is applied twice. Nothing here waits;
leases are the affair of the store. What happened to a session is a `Past`: enough to come to the
same place in another process.
"""

import time
from dataclasses import dataclass, replace

from ..envs.wire import Code, Recipe, ResetItem, RestoreItem, StepItem
from .errors import WireFault
from .playing import Player
from .replies import Told, encode, played
from .watch import EpisodeEnd, Watch

_DEAF = Watch()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a session stands."""

    ep: int
    n: int | None
    """None while there is no episode."""
    key: str | None
    """What a replay to this place compares."""
    faulted: bool


@dataclass(slots=True, kw_only=True)
class Past:
    """What it takes to bring a session to where it stands; without `opened_by` only `ep`."""

    ep: int = 0
    opened_by: ResetItem | RestoreItem | None
    actions: list[str]
    keys: list[str]
    """Of the opening and of each action's answer."""
    fault: WireFault | None = None


class Session:
    """See the module docstring; `sid` is the name its client knows it by."""

    def __init__(self, sid: str, player: Player, watch: Watch = _DEAF) -> None:
        self.sid = sid
        self.env = player.card.id
        self.player = player
        self.ep = 0
        self._watch = watch
        self._episode: Episode | None = None

    def reset(self, item: ResetItem) -> bytes:
        """Start an episode, or answer again what the same reset was answered."""
        return self._open(item)

    def restore(self, item: RestoreItem) -> bytes:
        """Start in the middle of an episode: thaw a snapshot or replay a recipe."""
        return self._open(item)

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
            return self._again(last)
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
        players = self.player.copies(len(sids))
        twins = [
            Session(sid, player, self._watch) for sid, player in zip(sids, players, strict=True)
        ]
        for twin in twins:
            twin.ep, twin._episode = self.ep, replace(episode)
        return twins

    def revive(self, past: Past) -> None:
        """Come to where a session of another process stood.

        Raises `WireFault` where the environment plays the same actions differently.
        """
        self.ep = past.ep
        if past.opened_by is None:
            return
        opening = self._begin(past.opened_by)
        episode = Episode(opened_by=past.opened_by, opening=opening, last=opening)
        self._episode = episode
        self._same(past.keys[0], episode)
        for action, key in zip(past.actions, past.keys[1:], strict=True):
            episode.last, episode.last_action = self.player.act(action), action
            self._same(key, episode)
        episode.fault = past.fault

    def view(self) -> bytes:
        """Position and last reply."""
        n, state_key, body = self.position()
        head = encode(
            {"sid": self.sid, "env": self.env, "ep": self.ep, "n": n, "state_key": state_key}
        )
        return b'%s,"last":%s}' % (head[:-1], body)

    def position(self) -> tuple[int, str | None, bytes]:
        """Steps applied, state key and JSON of the last reply (`null` before the first)."""
        if self._episode is None:
            return 0, None, b"null"
        last = self._episode.last
        return last.n, last.state_key, last.body

    def standing(self) -> Standing:
        """Where it stands, as far as a `Past` is concerned."""
        episode = self._episode
        if episode is None:
            return Standing(ep=self.ep, n=None, key=None, faulted=False)
        last = episode.last
        return Standing(ep=self.ep, n=last.n, key=last.key, faulted=episode.fault is not None)

    def end(self) -> None:
        """Free what the environment holds."""
        self.player.close()

    def _open(self, item: ResetItem | RestoreItem) -> bytes:
        episode = self._episode
        if item.ep == self.ep - 1 and episode is not None:
            if item != episode.opened_by:
                message = f"episode {item.ep} was already started in another way"
                raise WireFault(Code.STEP_CONFLICT, message, {"ep": self.ep})
            return self._again(episode.opening)
        if item.ep is not None and item.ep != self.ep:
            raise self._misplaced(episode.last.n if episode else 0)
        # A beginning that raises leaves nothing to step in: the environment may be half changed.
        self._episode = None
        told = self._begin(item)
        self.ep += 1
        self._episode = Episode(opened_by=item, opening=told, last=told)
        return played(self.sid, self.ep, told)

    def _begin(self, item: ResetItem | RestoreItem) -> Told:
        if isinstance(item, ResetItem):
            return self.player.open(Recipe(seed=item.seed, options=item.options))
        if item.recipe is not None:
            return self.player.open(item.recipe)
        assert item.snapshot is not None
        return self.player.thaw(item.snapshot)

    def _act(self, episode: Episode, action: str) -> Told:
        if episode.fault is not None:
            raise WireFault(*episode.fault.args)
        if episode.last.done:
            raise WireFault(Code.EPISODE_OVER, "the episode is over; reset the session")
        began = time.perf_counter()
        try:
            told = self.player.act(action)
        except WireFault as fault:
            # A fresh one: the frames of the environment are not to be kept alive.
            episode.fault = WireFault(*fault.args)
            raise
        episode.last, episode.last_action = told, action
        self._watch.stepped(self.env, time.perf_counter() - began)
        for what in told.cuts:
            self._watch.cut(what)
        if told.done:
            self._watch.episode_ended(self._end_of(told))
        return told

    def _again(self, told: Told) -> bytes:
        self._watch.replayed()
        return played(self.sid, self.ep, told, replayed=True)

    def _end_of(self, last: Told) -> EpisodeEnd:
        return EpisodeEnd(
            sid=self.sid,
            env=self.env,
            ep=self.ep,
            n=last.n,
            total=self.player.total,
            terminated=last.terminated,
            truncated=last.truncated,
        )

    def _same(self, key: str, episode: Episode) -> None:
        got = episode.last.key
        if got != key:
            message = f"played anew, the episode differs after {episode.last.n} actions"
            detail = {"at": episode.last.n, "want": key, "got": got}
            raise WireFault(Code.REPLAY_DIVERGED, message, {**detail})

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
