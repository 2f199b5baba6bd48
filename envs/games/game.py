"""`Game`: a game being played, and its referee.

It adds to `Rules` what all games share: tasks named `split/number`, the public log, invalid moves
and forfeits, the answers to each seat, freezing.

    game = Game(Negotiation())
    game.reset(7)
    while not game.done:
        game.act(game.current(), choose(game.observe(game.current())))
    game.rewards()
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Self, cast

from ..errors import BadOption, EpisodeError, UnknownTask
from ..types import JsonValue, Options, Reply, digest
from .rules import SPLITS, WAIT, Position, Refused, Rules, S, Sight, Verdict

_TASK = re.compile(r"(train|dev|test)/(0|[1-9][0-9]{0,18})\Z", re.ASCII)


class Game(Generic[S]):
    """A game being played, and its referee."""

    def __init__(self, rules: Rules[S], *, split: str = "train", max_invalid: int = 3) -> None:
        if split not in SPLITS:
            raise BadOption(f"{rules.id} has no split {split!r}. Its splits: {', '.join(SPLITS)}")
        if max_invalid < 1:
            raise BadOption(f"max_invalid must be at least 1, got {max_invalid}")
        self.rules = rules
        self.split = split
        self.max_invalid = max_invalid
        self._position: Position[S] | None = None

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the seats."""
        return self.rules.agents

    @property
    def position(self) -> Position[S]:
        """Where the game stands. Raises `EpisodeError` before a reset."""
        if self._position is None:
            raise EpisodeError(f"{self.rules.id}: no game is running; call reset first")
        return self._position

    def reset(self, seed: int, options: Options | None = None) -> None:
        """Start the task named by the option `task`, or else the one of the seed."""
        given = dict(options or {})
        task = given.pop("task", f"{self.split}/{seed}")
        if given:
            raise BadOption(f"no reset option {min(given)!r}; {self.rules.id} takes: task")
        if not isinstance(task, str):
            raise BadOption(f"the option task must be the id of a task, got {task!r:.80}")
        if not _TASK.match(task):
            raise UnknownTask(
                f"{self.rules.id} has no task {task!r:.80}; ids are like {self.split}/17"
            )
        none = (0,) * len(self.agents)
        state = self.rules.deal(task)
        self._position = Position(task=task, state=state, strikes=none, invalid=none)

    def movers(self) -> tuple[str, ...]:
        """Seats whose move is awaited; none: the game is over."""
        place = self.position
        return () if place.forfeits else self.rules.movers(place.state)

    def current(self) -> str:
        """The seat on turn, the first where several are. Raises `EpisodeError` after the end."""
        movers = self.movers()
        if not movers:
            raise EpisodeError(f"{self.rules.id}: the game is over; call reset first")
        return movers[0]

    @property
    def done(self) -> bool:
        """The game is over."""
        return not self.movers()

    def act(self, agent: str, text: str) -> Verdict:
        """A seat's move. An invalid one keeps the turn; too many in a row forfeit the game."""
        self.seat(agent)
        if agent not in self.movers():
            state = "the game is over" if self.done else f"{self.current()} is on turn"
            raise EpisodeError(f"{self.rules.id}: {agent} cannot move, {state}")
        return self._judge(agent, text)

    def act_all(self, actions: Mapping[str, str]) -> dict[str, Verdict]:
        """Moves of all seats at once; a seat not on turn waits. Nobody's move hides another's."""
        movers = self.movers()
        if not movers:
            raise EpisodeError(f"{self.rules.id}: the game is over; call reset first")
        verdicts: dict[str, Verdict] = {}
        for agent in self.agents:
            text = actions.get(agent, "")
            if agent in movers:
                verdicts[agent] = self._judge(agent, text)
            elif text.strip() == WAIT:
                verdicts[agent] = Verdict(valid=True, message="You wait.")
            else:
                verdicts[agent] = self._strike(agent, f"it is not your turn; answer: {WAIT}")
        return verdicts

    def legal(self, agent: str) -> tuple[str, ...]:
        """Templates of the seat's commands; `wait` alone where it is not on turn."""
        if agent in self.movers():
            return self.rules.legal(self.position.state, agent)
        return () if self.done else (WAIT,)

    def commands(self, agent: str) -> tuple[str, ...] | None:
        """The seat's commands in full; None where they cannot be listed."""
        if agent in self.movers():
            return self.rules.commands(self.position.state, agent)
        return () if self.done else (WAIT,)

    def observe(self, agent: str) -> str:
        """All that a seat sees: rules, what was said so far, where the game stands."""
        sight = self.rules.sight(self.position.state, agent)
        parts = (self.rules.intro(sight, agent), self.news(agent, 0))
        return "\n\n".join(part for part in parts if part)

    def news(self, agent: str, since: int, message: str = "") -> str:
        """A message to the seat, what was said since a position in the log, and the standing."""
        place = self.position
        sight = self.rules.sight(place.state, agent)
        lines = (message, *place.log[since:], *self._closing(sight, agent))
        return "\n".join(line for line in lines if line)

    def rewards(self) -> dict[str, float]:
        """What each seat is paid; zeros until the game is over."""
        if not self.done:
            return dict.fromkeys(self.agents, 0.0)
        return self.rules.rewards(self.position.state, self.position.forfeits)

    def state_key(self, agent: str | None = None) -> str:
        """Hash of what a seat can know, or of the whole position."""
        place = self.position
        key: list[JsonValue] = [self.rules.id, self.rules.key(place.state, agent)]
        key.append(list(place.forfeits))
        if self.rules.key_counts_strikes and not self.done:
            key.append(list(place.strikes) if agent is None else place.strikes[self.seat(agent)])
        return digest(key)

    def info(self, agent: str) -> Sight:
        """Facts for a seat: `knowledge` while it plays, the outcome as well once it is over."""
        place, seat = self.position, self.seat(agent)
        facts: Sight = {
            "agent": agent,
            "task_id": place.task,
            "turn": agent in self.movers(),
            "invalid": place.invalid[seat],
            "won": False,
            "knowledge": self.rules.sight(place.state, agent),
        }
        if self.done:
            facts |= self.rules.outcome(place.state, place.forfeits, agent)
            facts["forfeits"] = list(place.forfeits)
            facts["score"] = self.rewards()[agent]
        return facts

    def reply(self, agent: str, text: str | None = None, valid: bool = True) -> Reply:
        """A seat's answer as a record: the text (all it sees by default), key, commands, facts."""
        return Reply(
            observation=self.observe(agent) if text is None else text,
            reward=self.rewards()[agent],
            terminated=self.done,
            state_key=self.state_key(agent),
            admissible_actions=self.commands(agent),
            info={"valid": valid, **self.info(agent)},
        )

    def clone(self) -> Self:
        """An independent copy; positions are values, so that it costs next to nothing."""
        twin = copy.copy(self)
        twin.rules = self.rules.detached()
        return twin

    def freeze(self) -> JsonValue:
        """The position as JSON data."""
        place = self.position
        return {
            "task": place.task,
            "state": self.rules.freeze(place.state),
            "log": list(place.log),
            "strikes": list(place.strikes),
            "invalid": list(place.invalid),
            "forfeits": list(place.forfeits),
        }

    def restore(self, frozen: JsonValue) -> None:
        """Take up a frozen position. Raises `BadOption` for what is none of this game."""
        try:
            self._position = self._thawed(frozen)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadOption(
                f"not a frozen game of {self.rules.id}: {type(error).__name__}: {error}"
            ) from None

    def seat(self, agent: str) -> int:
        """Number of a seat. Raises `BadOption` for a name that is none."""
        if agent not in self.agents:
            raise BadOption(
                f"{self.rules.id} has no seat {agent!r:.80}; seats: {', '.join(self.agents)}"
            )
        return self.agents.index(agent)

    def _judge(self, agent: str, text: str) -> Verdict:
        place = self.position
        answer = self.rules.move(place.state, agent, text)
        if isinstance(answer, Refused):
            return self._strike(agent, answer.why)
        seat = self.seat(agent)
        strikes, invalid = list(place.strikes), list(place.invalid)
        strikes[seat] = 0
        invalid[seat] += not answer.valid
        self._position = replace(
            place,
            state=answer.state,
            log=place.log + answer.lines,
            strikes=tuple(strikes),
            invalid=tuple(invalid),
            forfeits=(*place.forfeits, agent) if answer.forfeit else place.forfeits,
        )
        return Verdict(valid=answer.valid, message="")

    def _strike(self, agent: str, why: str) -> Verdict:
        place, seat = self.position, self.seat(agent)
        strikes, invalid = list(place.strikes), list(place.invalid)
        strikes[seat] += 1
        invalid[seat] += 1
        out = strikes[seat] >= self.max_invalid
        self._position = replace(
            place,
            strikes=tuple(strikes),
            invalid=tuple(invalid),
            forfeits=(*place.forfeits, agent) if out else place.forfeits,
        )
        return Verdict(valid=False, message=f"Invalid: {why}")

    def _closing(self, sight: Sight, agent: str) -> tuple[str, ...]:
        place = self.position
        out = tuple(
            f"{name} made {self.max_invalid} invalid moves in a row and forfeits the game."
            for name in place.forfeits
            if place.strikes[self.seat(name)] >= self.max_invalid
        )
        if not self.done:
            return (self.rules.status(sight, agent),)
        end = f"The game is over. Your reward: {self.rewards()[agent]:g}"
        return (*out, self.rules.farewell(sight, agent), end)

    def _thawed(self, frozen: JsonValue) -> Position[S]:
        held = cast("dict[str, Any]", frozen)
        task, log, forfeits = held["task"], tuple(held["log"]), tuple(held["forfeits"])
        counts = [tuple(int(n) for n in held[name]) for name in ("strikes", "invalid")]
        if not (isinstance(task, str) and _TASK.match(task)):
            raise ValueError(f"task {task!r:.80}")
        if not all(isinstance(line, str) for line in log) or not set(forfeits) <= {*self.agents}:
            raise ValueError("its log or its forfeits")
        if any(len(row) != len(self.agents) or min(row) < 0 for row in counts):
            raise ValueError("its counts of invalid moves")
        return Position(
            task=task,
            state=self.rules.thaw(held["state"]),
            log=log,
            strikes=counts[0],
            invalid=counts[1],
            forfeits=forfeits,
        )
