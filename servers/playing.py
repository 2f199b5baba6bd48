"""An environment under a server's rules: begin, act, replay, freeze, thaw, copy.

Environments are other people's code: whatever they raise leaves here as a `WireFault` that names
it, and whatever they answer is checked and encoded. Nothing here knows of sessions or requests.
"""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from pydantic import ValidationError

from .. import GigymError
from ..envs import BadOption, EpisodeError, Reply, TextEnv, UnknownTask, Unsupported, make
from ..envs.base import read_snapshot
from ..envs.wire import Code, Recipe, Snapshot, explain, replay_key
from .budget import Budget
from .errors import WireFault
from .replies import Told, finite, tell
from .spec import HostedEnv, Limits

T = TypeVar("T")
_ASKED_WRONGLY = (BadOption, EpisodeError, UnknownTask, Unsupported)


class Player:
    """One environment and the trail of its episode; `build` makes another one like it.

    Raises `WireFault` when it cannot be built.
    """

    def __init__(self, build: Callable[[], TextEnv], limits: Limits) -> None:
        self._build = build
        self._limits = limits
        self._budget = Budget(limits)
        self._env = run_env("the environment", build)
        self.card = self._env.card
        self._freezes = "snapshot" in self.card.caps
        self.total = 0.0
        """Sum of the episode's rewards, as far as they were seen here."""
        self._turns = 0
        self._trail: Recipe | None = None
        """Kept where the environment cannot freeze: it is then what a snapshot holds."""

    def open(self, recipe: Recipe) -> Told:
        """Begin an episode and take the recipe's actions, comparing keys on the way.

        Raises `WireFault`: `REPLAY_DIVERGED` at the first key that differs.
        """
        self._trail = None
        self._budget.begin()
        reply = self._paid("", lambda: self._env.start(recipe.seed, recipe.options))
        keys, total = [self._same(recipe, 0, reply)], (finite(reply.reward) or 0.0)
        for index, action in enumerate(recipe.actions):
            if reply.done:
                raise _diverged(index + 1, "one more reply", "the end of the episode")
            reply = self._paid(action, lambda action=action: self._env.answer(action))
            keys.append(self._same(recipe, index + 1, reply))
            total += finite(reply.reward) or 0.0
        self._turns, self.total = len(recipe.actions), total
        told = self._tell(reply)
        if not self._freezes:
            self._trail = recipe.model_copy(update={"actions": list(recipe.actions), "keys": keys})
        return told

    def act(self, action: str) -> Told:
        """Take one action."""
        reply = self._paid(action, lambda: self._env.answer(action))
        self._turns += 1
        told = self._tell(reply)
        self.total += finite(reply.reward) or 0.0
        if self._trail is not None:
            self._trail.actions.append(action)
            self._trail.keys.append(told.key)
        return told

    def freeze(self) -> Snapshot:
        """The episode under way: the environment's own data, else a recipe."""
        blob = self._blob()
        if len(blob.encode()) > self._limits.snapshot_bytes:
            limit = self._limits.snapshot_bytes
            raise WireFault(Code.TOO_LARGE, f"the snapshot is longer than {limit} bytes")
        return Snapshot(
            kind="data" if self._freezes else "recipe",
            env=self.card.id,
            version=self.card.version,
            blob=blob,
        )

    def thaw(self, snapshot: Snapshot) -> Told:
        """Continue from a snapshot of this environment and version."""
        named, own = (snapshot.env, snapshot.version), (self.card.id, self.card.version)
        if named != own:
            raise WireFault(
                Code.BAD_ITEM,
                f"the snapshot is of {' '.join(named)}, this session plays {' '.join(own)}",
            )
        if len(snapshot.blob) > self._limits.snapshot_bytes:
            limit = self._limits.snapshot_bytes
            raise WireFault(Code.TOO_LARGE, f"the snapshot is longer than {limit} bytes")
        if snapshot.kind == "recipe":
            return self.open(_read_recipe(snapshot.blob))
        data = snapshot.blob.encode()
        turns = _count(self._run(lambda: read_snapshot(data)).turns)
        self._budget.begin()
        reply = self._paid("", lambda: self._env.restore(data))
        self._turns, self._trail, self.total = turns, None, 0.0
        return self._tell(reply)

    def copies(self, count: int) -> list["Player"]:
        """Players that stand where this one stands, each with a future of its own."""
        frozen = self.freeze()
        twins = [Player(self._build, self._limits) for _ in range(count)]
        for twin in twins:
            twin.thaw(frozen)
            twin.total = self.total
        return twins

    def close(self) -> None:
        """Free what the environment holds; what it raises, nobody is left to hear."""
        with contextlib.suppress(WireFault):
            self._run(self._env.close)

    def _run(self, work: Callable[[], T]) -> T:
        return run_env(self.card.id, work)

    def _paid(self, action: str, work: Callable[[], Reply]) -> Reply:
        reply = self._run(lambda: self._budget.pay(action, work()))
        if not isinstance(reply, Reply):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"{self.card.id}: expected a Reply, got {type(reply).__name__}"
            raise WireFault(Code.ENV_ERROR, message, {"type": "Contract"})
        return reply

    def _tell(self, reply: Reply) -> Told:
        told = tell(reply, self._turns, self.card, self._limits.info_bytes)
        return replace(told, cuts=self._budget.cuts) if self._budget.cuts else told

    def _same(self, recipe: Recipe, at: int, reply: Reply) -> str:
        want = recipe.keys[at] if recipe.keys else None
        key = replay_key(reply) if want is not None or not self._freezes else ""
        if want is not None and key != want:
            raise _diverged(at, want, key)
        return key

    def _blob(self) -> str:
        if self._freezes:
            return self._run(self._env.snapshot).decode("ascii")
        if self._trail is None or not self.card.deterministic:
            message = f"{self.card.id} can neither freeze its state nor be replayed"
            raise WireFault(Code.BAD_ITEM, message, {"type": "Unsupported"})
        return self._trail.model_dump_json()


def built(env: HostedEnv) -> TextEnv:
    """Build an environment. Raises what `make` raises."""
    if "env_id" in env.options:
        # `make` would take it for its own parameter.
        raise BadOption(f"{env.id} has no option 'env_id'")
    return make(env.id, **dict(env.options))


def run_env(env_id: str, work: Callable[[], T]) -> T:
    """Call an environment's code. Raises `WireFault` for all that it raises."""
    try:
        return work()
    except _ASKED_WRONGLY as error:
        raise _fault(Code.BAD_ITEM, str(error), error) from error
    except GigymError as error:
        raise _fault(Code.ENV_ERROR, str(error), error) from error
    except (Exception, SystemExit) as error:
        message = f"{env_id} raised {type(error).__name__}: {error}"
        raise _fault(Code.ENV_ERROR, message, error) from error


def _fault(code: Code, message: str, error: BaseException) -> WireFault:
    return WireFault(code, message[:2000], {"type": type(error).__name__})


def _diverged(at: int, want: str, got: str) -> WireFault:
    message = f"the replay left the recorded path at reply {at}: expected {want}, got {got}"
    return WireFault(Code.REPLAY_DIVERGED, message, {"at": at, "want": want, "got": got})


def _count(turns: object) -> int:
    """A number of actions out of data that a client sent."""
    if not isinstance(turns, int) or turns < 0:
        raise WireFault(Code.BAD_ITEM, "not a snapshot: turns must be a number of actions")
    return turns


def _read_recipe(blob: str) -> Recipe:
    try:
        return Recipe.model_validate_json(blob)
    except ValidationError as error:
        raise WireFault(Code.BAD_ITEM, f"not a snapshot: {explain(error)}") from None
