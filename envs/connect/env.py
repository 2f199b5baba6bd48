"""`RemoteEnv`: an environment at a server, in the place of one in this process.

    with gigym.connect("http://127.0.0.1:8000", "ALFWorld-v0") as env:
        observation, info = env.reset(seed=7)
        envs = env.vector(16)

It has a session from the start, so that whatever is wrong shows at once. `vector` and `pool` play
beside it; until it is reset itself, it gives its session up for them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Self

from ..base import ExpertKind, TextEnv, read_snapshot
from ..errors import EpisodeError, ServerError, Unsupported
from ..remote import ClientSpec, RemoteSeat
from ..types import JsonValue, Options, Policy, Reply, Task
from .line import Line
from .pool import ConnectedPool, seat_pool
from .target import Target

if TYPE_CHECKING:
    from gymnasium.vector import AutoresetMode

    from ..vector import CrewSpec, TextVectorEnv


_FIRST_WORD_S = 10.0
"""For servers to answer at all, and to have a session; one that is down is told soon."""


class RemoteEnv(TextEnv):
    """See the module docstring; made by `connect`. A twin is `type(env)(**env.made_with)`."""

    def __init__(
        self,
        *,
        target: Target,
        options: Options | None = None,
        client: ClientSpec | None = None,
    ) -> None:
        self._target, self._given = target, client
        self._client = client or ClientSpec()
        self.options: dict[str, JsonValue] = dict(options or {})
        """Options of the environment, over those its host set."""
        self._closed = False
        first = client or replace(ClientSpec(), create_s=_FIRST_WORD_S)
        self._line: Line | None = Line(target, self.options, first, None)
        self.met = self._line.met
        """What the servers told of themselves."""
        # A class serves all servers, so the card is each instance's own.
        self.__dict__["card"] = self.met.card
        limit = self.options.get("max_steps", self.met.max_steps)
        super().__init__(max_steps=limit if isinstance(limit, int) else None)
        self.max_steps = limit if isinstance(limit, int) else None
        split = self.options.get("split")
        self.split = split if isinstance(split, str) else None
        # The servers count the tasks of their own options only.
        self.num_tasks = None if self.options.keys() - {"max_steps"} else self.met.num_tasks

    @property
    def option_names(self) -> tuple[str, ...]:
        """Options that may be given to `connect`, as far as the servers tell."""
        return self.met.option_names

    def begin(self, seed: int, options: Options) -> Reply:
        """Start the episode at the server."""
        task = Task(env=self.card.id, seed=int(seed), options=dict(options))
        return self._held().call(lambda seat: seat.reset(task))

    def act(self, action: str) -> Reply:
        """Apply one action at the server."""
        return self._playing().call(lambda seat: seat.step(action))

    def snapshot(self) -> bytes:
        """The running episode; an environment in process restores it as well.

        Raises `EpisodeError` before a start, `Unsupported` where the server has no snapshots.
        """
        if self._last is None:
            raise EpisodeError(f"{self.card.id}: snapshot before reset; call reset first")
        line, seat = self._playing(), self._able("snapshot")
        return line.call(lambda _: seat.snapshot())

    def restore(self, snapshot: bytes) -> Reply:
        """Continue from a snapshot, also of an environment in process.

        Raises `BadOption` for bytes that are no snapshot of this environment and version.
        """
        line = self._held()
        held, seat = read_snapshot(snapshot), self._able("snapshot")
        reply = line.call(lambda _: seat.restore(snapshot))
        self._turns, self._last = held.turns, reply
        return reply

    def fork(self, count: int = 1) -> tuple[Self, ...]:
        """Independent copies of the running episode, each with a session of its own."""
        frozen = self.snapshot()
        twins: list[Self] = []
        try:
            for _ in range(count):
                twins.append(self.twin())
                twins[-1].restore(frozen)
        except BaseException:
            for twin in twins:
                twin.close()
            raise
        return tuple(twins)

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """Experts live beside the environment. Raises `Unsupported`."""
        raise Unsupported(
            f"{self.card.id} at a server has no expert; one that reads replies only is had from "
            f"gigym.make({self.card.id!r}).expert('observation') where the environment is installed"
        )

    def twin(self, **options: JsonValue) -> Self:
        """Another environment at the same servers, with further options over its own."""
        merged = {**self.options, **options}
        return type(self)(target=self._target, options=merged, client=self._given)

    def vector(
        self,
        num_envs: int,
        autoreset: "str | AutoresetMode" = "disabled",
        *,
        each: Sequence[Options] = (),
        crew: "CrewSpec | None" = None,
    ) -> "TextVectorEnv":
        """Many sessions at the same servers as one, as `gigym.make_vec` gives them.

        `each` holds further options for each environment.
        """
        from ..vector import CrewSpec, TextVectorEnv
        from ..vector.env import autoreset_mode
        from ..vector.far import RemoteCrew
        from ..vector.making import one_each

        mode, laid_out = autoreset_mode(autoreset), one_each(num_envs, each, self.options)
        self._make_room()
        far = RemoteCrew(self._target, laid_out, crew or CrewSpec(), self._client, self.met)
        return TextVectorEnv(far, num_envs, mode)

    def pool(self, client: ClientSpec | None = None) -> ConnectedPool:
        """Seats at the same servers for coroutines, such as a rollout; `async with` closes them."""
        self._make_room()
        return seat_pool(self._target, self.options, client or self._client, self.met)

    def close(self) -> None:
        """Give the session back; calling twice is fine."""
        self._closed = True
        if self._line is not None:
            self._line.close()
            self._line = None

    def __exit__(self, *args: object) -> Literal[False]:
        self.close()
        return False

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"RemoteEnv({self.card.id!r} at {', '.join(self._target.urls)}, {self.met.kind})"

    def _held(self) -> Line:
        """The line, opened anew where it was given up, or is another process's."""
        if self._closed:
            raise ServerError(f"{self!r} is closed", "CLOSED")
        if self._line is not None and not self._line.is_ours:
            self._line.close()
            self._line = None
        if self._line is None:
            self._last = None
            self._line = Line(self._target, self.options, self._client, self.met)
        return self._line

    def _playing(self) -> Line:
        """The line of the running episode."""
        if self._closed:
            raise ServerError(f"{self!r} is closed", "CLOSED")
        if self._line is None:
            raise EpisodeError(f"{self.card.id}: no episode is running; call reset first")
        return self._line

    def _able(self, cap: str) -> RemoteSeat:
        """The seat, if its server can do this."""
        seat = self._line.seat if self._line is not None else None
        if not isinstance(seat, RemoteSeat) or cap not in self.card.caps:
            raise Unsupported(f"{self.card.id} has no {cap}s at {', '.join(self._target.urls)}")
        return seat

    def _make_room(self) -> None:
        """Give up a session that was never used: the server may have no other."""
        if self._closed:
            raise ServerError(f"{self!r} is closed", "CLOSED")
        if self._last is None and self._line is not None:
            self._line.close()
            self._line = None
