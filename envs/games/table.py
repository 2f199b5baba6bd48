"""All seats of a game at one table: who sees what, who is paid what, turn by turn.

    turns = play(Game(Negotiation()), {"agent_0": Greedy(), "agent_1": TitForTat()}, seed=7)
    turns["agent_0"][-1].reward

A `Table` is for callers that wait for their answers (language models, people): ask `mover`, show
it `reply`, give back `answer`. Each seat's turns are a trajectory of their own; siblings for
grouping are the trajectories of equal task and seat.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

from ..errors import BadOption
from ..types import Options, Policy, Reply
from .game import Game
from .rules import S


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTurn:
    """One decision of one seat."""

    seen: Reply
    """What the seat was shown: text, state key, commands, knowledge."""
    action: str
    valid: bool
    reward: float = 0.0
    """The game's pay on the seat's last turn, nothing before."""


class Table(Generic[S]):
    """A game, and what each seat has heard of it."""

    def __init__(self, game: Game[S], seed: int, options: Options | None = None) -> None:
        game.reset(seed, options)
        self.game = game
        self._turns: dict[str, list[SeatTurn]] = {agent: [] for agent in game.agents}
        self._heard: dict[str, int] = {}
        self._message = dict.fromkeys(game.agents, "")
        self._valid = dict.fromkeys(game.agents, True)

    @property
    def mover(self) -> str | None:
        """The seat to act; None once the game is over."""
        return None if self.game.done else self.game.current()

    def reply(self, agent: str) -> Reply:
        """What a seat sees: everything the first time, afterwards what is new to it."""
        if agent not in self._heard:
            return self.game.reply(agent)
        text = self.game.news(agent, self._heard[agent], self._message[agent])
        return self.game.reply(agent, text, self._valid[agent])

    def answer(self, action: str) -> None:
        """The move of the seat on turn."""
        agent = self.game.current()
        seen = self.reply(agent)
        verdict = self.game.act(agent, action)
        self._heard[agent] = len(self.game.position.log)
        self._message[agent], self._valid[agent] = verdict.message, verdict.valid
        self._turns[agent].append(SeatTurn(seen=seen, action=action, valid=verdict.valid))

    def turns(self) -> dict[str, tuple[SeatTurn, ...]]:
        """Each seat's turns so far, the last one paid if the game is over."""
        return {agent: self._paid(agent) for agent in self.game.agents}

    def _paid(self, agent: str) -> tuple[SeatTurn, ...]:
        turns = self._turns[agent]
        if not turns or not self.game.done:
            return tuple(turns)
        last = turns[-1]
        reward = self.game.rewards()[agent]
        paid = SeatTurn(seen=last.seen, action=last.action, valid=last.valid, reward=reward)
        return (*turns[:-1], paid)


def play(
    game: Game[S], policies: Mapping[str, Policy], *, seed: int, options: Options | None = None
) -> dict[str, tuple[SeatTurn, ...]]:
    """Play a game out, a policy in each seat (one may sit in several), to each seat's turns."""
    missing = [agent for agent in game.agents if agent not in policies]
    if missing:
        raise BadOption(f"no policy for {missing[0]}; seats: {', '.join(game.agents)}")
    table = Table(game, seed, options)
    while (mover := table.mover) is not None:
        table.answer(policies[mover].act(table.reply(mover)))
    return table.turns()
