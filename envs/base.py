"""`TextEnv`: a Gymnasium environment of text in, text out, with named states.

An author writes two methods, `begin` and `act`, both answering a `Reply`; everything else is
here: the Gymnasium 5-tuples, the seed, the turn limit, the order of calls, snapshots. The
5-tuple <-> `Reply` conversion lives in this file and nowhere else.

    class Echo(TextEnv):
        card = EnvCard(id="Echo-v0", version="1.0.0", summary="says it again")

        def begin(self, seed: int, options: Options) -> Reply:
            return Reply(observation="say something")

        def act(self, action: str) -> Reply:
            return Reply(observation=action, terminated=action == "stop")

Inside gigym the reply form is used (`start`, `answer`); `reset` and `step` are Gymnasium's edge.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal, Self

import gymnasium
import numpy as np

from . import gymnasium_ids
from .errors import BadOption, EpisodeError, Unsupported, near
from .spaces import UnicodeText
from .tasks import NOMINAL_TASKS, TaskSet
from .types import EnvCard, JsonValue, Options, Policy, Reply

_LIST = "admissible_actions"
ExpertKind = Literal["state", "observation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A frozen episode, in the form its bytes are parsed into."""

    env: str
    version: str
    turns: int
    """Number of actions taken so far."""
    last: Reply
    """The answer that the snapshot was taken after."""
    frozen: JsonValue
    """What the environment's `freeze` returned."""


class TextEnv(gymnasium.Env[str, str]):
    """Base of all environments; see the module docstring for what an author writes."""

    card: ClassVar[EnvCard]
    num_tasks: int | None = None
    """Number of distinct tasks; seeds 0..num_tasks-1 visit each once. None: unlimited."""
    split: str | None = None
    """The part of its tasks that it plays; None where it has no splits."""

    made_with: Mapping[str, Any]
    """The keyword options it was built with; a twin is `type(env)(**env.made_with)`."""

    def __new__(cls, *_: Any, **options: Any) -> Self:  # noqa: ANN401
        """Keep the options, so that twins can be built from an instance alone."""
        env = super().__new__(cls)
        env.made_with = options
        return env

    def __init__(self, *, max_steps: int | None = None) -> None:
        if max_steps is not None and max_steps < 1:
            raise BadOption(f"max_steps must be at least 1, got {max_steps}")
        self.max_steps = max_steps if max_steps is not None else self.card.max_steps
        self.observation_space = UnicodeText()
        self.action_space = UnicodeText()
        self._turns = 0
        self._last: Reply | None = None

    @classmethod
    def isolated_with(cls, options: Options) -> bool:
        """Whether servers give it worker processes when built with these options.

        An author's method where the options decide; the card says it for the others.
        """
        return cls.card.isolated

    def begin(self, seed: int, options: Options) -> Reply:
        """Start the episode that `seed` and `options` name; an author's method."""
        raise Unsupported(f"{type(self).__name__} does not define begin(seed, options)")

    def act(self, action: str) -> Reply:
        """Apply one action; an author's method."""
        raise Unsupported(f"{type(self).__name__} does not define act(action)")

    def freeze(self) -> JsonValue:
        """The state as JSON data; an author's method where snapshots are wanted."""
        raise Unsupported(f"{self.card.id} has no snapshots")

    def thaw(self, frozen: JsonValue) -> None:
        """Take up a state that `freeze` gave; an author's method."""
        raise Unsupported(f"{self.card.id} has no snapshots")

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """A scripted expert: `state` may look inside, `observation` reads the replies only."""
        raise Unsupported(f"{self.card.id} has no scripted expert")

    def vocabulary(self) -> tuple[str, ...]:
        """Phrases worth one token each, for tokenizers trained offline; may be empty."""
        return ()

    def task_count(self, split: str | None) -> int | None:
        """Number of tasks of a split, None: unlimited; an author's method beside `task_id`.

        Raises `BadOption` for a split that is not there.
        """
        if split == self.split:
            return self.num_tasks
        if split in self.card.splits:
            raise Unsupported(f"{self.card.id} counts its own split only; make it with {split=}")
        hint = near(str(split), self.card.splits)
        known = ", ".join(self.card.splits) or "none"
        raise BadOption(f"{self.card.id} has no split {split!r}.{hint} Its splits: {known}")

    def task_id(self, seed: int, split: str | None) -> str | None:
        """Id of the task that a seed picks, the one that replies name as `task_id`.

        An author's method where tasks have ids; `reset(options={"task": ID})` starts it.
        """
        return None

    def tasks(self, split: str | None = None) -> TaskSet:
        """The tasks of a split, its own if none is named; nothing is built until it is played."""
        wanted = self.split if split is None else split
        count = self.task_count(wanted)
        return TaskSet(
            env=self.card.id,
            split=wanted,
            seeds=range(NOMINAL_TASKS if count is None else count),
            unlimited=count is None,
            naming=lambda seed: self.task_id(seed, wanted),
        )

    def start(self, seed: int, options: Options | None = None) -> Reply:
        """Reset in reply form. Raises `UnknownTask` or `BadOption` for what it cannot start."""
        reply = self.begin(seed, options or {})
        self._turns, self._last = 0, reply
        return reply

    def answer(self, action: str) -> Reply:
        """Step in reply form. Raises `EpisodeError` before a start or after the end."""
        if self._last is None:
            raise EpisodeError(f"{self.card.id}: step before reset; call reset first")
        if self._last.done:
            raise EpisodeError(f"{self.card.id}: the episode is over; call reset first")
        if not isinstance(action, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise BadOption(f"{self.card.id}: an action is a text, got {action!r:.80}")
        reply = self.act(action)
        self._turns += 1
        if not reply.terminated and self.max_steps is not None and self._turns >= self.max_steps:
            reply = replace(reply, truncated=True)
        self._last = reply
        return reply

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Gymnasium's reset; without a seed one is drawn from the env's own generator."""
        super().reset(seed=seed)
        drawn = seed if seed is not None else drawn_seed(self.np_random)
        reply = self.start(drawn, options)
        return reply.observation, info_of(reply)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Gymnasium's step. The reward is the environment's own, without any penalty."""
        reply = self.answer(action)
        return reply.observation, reply.reward, reply.terminated, reply.truncated, info_of(reply)

    def snapshot(self) -> bytes:
        """The running episode as JSON text in UTF-8, for `restore` in any process.

        Raises `EpisodeError` before a start, `Unsupported` where the env has no snapshots.
        """
        if self._last is None:
            raise EpisodeError(f"{self.card.id}: snapshot before reset; call reset first")
        frozen = Snapshot(
            env=self.card.id,
            version=self.card.version,
            turns=self._turns,
            last=self._last,
            frozen=self.freeze(),
        )
        return json.dumps(asdict(frozen), separators=(",", ":")).encode("ascii")

    def restore(self, snapshot: bytes) -> Reply:
        """Continue from a snapshot; answers the reply it was taken after.

        Raises `BadOption` for bytes that are no snapshot of this environment and version.
        """
        held = read_snapshot(snapshot)
        if (held.env, held.version) != (self.card.id, self.card.version):
            raise BadOption(
                f"snapshot is of {held.env} {held.version}, "
                f"this environment is {self.card.id} {self.card.version}"
            )
        self.thaw(held.frozen)
        self._turns, self._last = held.turns, held.last
        return held.last

    def fork(self, count: int = 1) -> tuple[Self, ...]:
        """Independent copies of the running episode; the futures do not touch each other."""
        frozen = self.snapshot()
        twins = tuple(copy.copy(self) for _ in range(count))
        for twin in twins:
            twin._np_random = copy.deepcopy(self._np_random)
            twin.restore(frozen)
        return twins


def read_snapshot(snapshot: bytes) -> Snapshot:
    """Parse what `TextEnv.snapshot` wrote. Raises `BadOption` for anything else."""
    try:
        tree = json.loads(snapshot)
        return Snapshot(last=reply_of(tree.pop("last")), **tree)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadOption(f"not a snapshot: {error}") from None


def reply_of(tree: dict[str, Any]) -> Reply:
    """A reply from its JSON form."""
    rest: dict[str, Any] = {key: value for key, value in tree.items() if key != _LIST}
    actions = tree[_LIST]
    return Reply(admissible_actions=None if actions is None else tuple(actions), **rest)


def info_of(reply: Reply) -> dict[str, Any]:
    """Gymnasium's info of a reply: its own facts and its keys, shared with no other info."""
    info: dict[str, Any] = {
        key: copy.deepcopy(value) if isinstance(value, list | dict) else value
        for key, value in reply.info.items()
    }
    info["observation_key"] = reply.observation_key
    if reply.state_key is not None:
        info["state_key"] = reply.state_key
    if reply.admissible_actions is not None:
        info["admissible_actions"] = list(reply.admissible_actions)
    return info


def drawn_seed(generator: np.random.Generator) -> int:
    """The seed of an episode that was given none."""
    return int(generator.integers(0, 2**31))


gymnasium_ids.settle()
