"""Scripted negotiators: random, greedy and tit-for-tat, and an expert that sees both sides.

All but the expert read the `knowledge` of their reply and nothing else, and keep nothing between
turns, so that they go along with snapshots and forks.
"""

import random
from collections.abc import Sequence
from typing import Any, cast

from ..types import JsonValue, Policy, Reply, digest
from .bargain import Talks, written
from .deals import TOTAL, Counts, efficient, kindest, rest, worth
from .game import Game


class Bargainer:
    """A seat's view of the talks, from its replies."""

    def __init__(self, reply: Reply) -> None:
        seen = cast("dict[str, Any]", reply.info["knowledge"])
        self.agent = str(reply.info["agent"])
        self.items: tuple[str, ...] = tuple(seen["items"])
        self.pool: Counts = tuple(seen["pool"])
        self.values: Counts = tuple(seen["values"])
        self.reservation = int(seen["reservation"])
        self.sealed = bool(seen["sealed"])
        self.turns, self.turns_left = int(seen["turns"]), int(seen["turns_left"])
        self.offers: list[tuple[str, str, Counts]] = [
            (who, verb, tuple(keep)) for who, verb, keep in seen["offers"]
        ]

    def received(self) -> list[int]:
        """Points that each proposal of the other would leave, oldest first."""
        return [
            worth(self.values, rest(self.pool, keep))
            for who, verb, keep in self.offers
            if verb == "propose" and who != self.agent
        ]

    def open_points(self) -> int | None:
        """Points of the proposal that can be accepted."""
        is_open = not self.sealed and bool(self.offers) and self.offers[-1][1] == "propose"
        return self.received()[-1] if is_open else None

    def demand(self, points: int) -> str:
        """The proposal worth at least so much that is likeliest to please the other.

        What the other asked for last is left to it as far as possible; then fewer items are kept.
        """
        none = (0,) * len(self.pool)
        asked = next((k for who, _, k in self.offers[::-1] if k and who != self.agent), none)
        keep = kindest(self.pool, self.values, min(points, TOTAL), asked)
        return f"propose {written(self.items, keep)}"


class RandomPlayer:
    """Any of the commands, the same for the same knowledge; quits only once an offer was made."""

    def __init__(self, seed: int | str = 0) -> None:
        self._seed = seed

    def act(self, reply: Reply) -> str:
        """One of the listed commands."""
        known: JsonValue = [reply.info["knowledge"], reply.info["invalid"]]
        rng = random.Random(f"{self._seed}/{reply.info['agent']}/{digest(known)}")
        commands = reply.admissible_actions or ("quit",)
        # Else a game could be over before the other seat has seen it.
        if not cast("dict[str, Any]", reply.info["knowledge"]).get("offers"):
            commands = tuple(name for name in commands if name != "quit") or commands
        return rng.choice(commands)


class Greedy:
    """Starts with all that it values and comes down evenly, to just above its fallback."""

    def act(self, reply: Reply) -> str:
        """Accept what is enough at this point, or else ask for it."""
        side = Bargainer(reply)
        floor = side.reservation + 1
        least = floor + (TOTAL - floor) * (side.turns_left - 1) // max(1, side.turns - 1)
        return _accept_or_demand(side, least)


class TitForTat:
    """Concedes as much as the other conceded; takes half, or at the end more than its fallback."""

    def act(self, reply: Reply) -> str:
        """Accept what is enough at this point, or else ask for it."""
        side = Bargainer(reply)
        offers = side.received()
        conceded = max(offers) - offers[0] if offers else 0
        floor = max(TOTAL // 2, side.reservation + 1)
        if side.turns_left <= 1:
            floor = side.reservation + 1
        least = floor if side.turns_left <= 1 else max(floor, TOTAL - conceded)
        return _accept_or_demand(side, least)


class BothSides:
    """Sees the whole game and the other's script; looks for the dearest deal it will take."""

    def __init__(self, game: Game[Talks], agent: str, other: Policy) -> None:
        self._game, self._agent, self._other = game, agent, other

    def act(self, reply: Reply) -> str:
        """The first move towards the best deal found by stalling 0, 1, 2, ... turns."""
        game = self._game.clone()
        best, chosen, first = -1.0, "quit", ""
        while not game.done:
            for command in self._candidates(game):
                trial = game.clone()
                self._exchange(trial, command)
                if trial.done and trial.rewards()[self._agent] > best:
                    best, chosen = trial.rewards()[self._agent], first or command
            stall = next(c for c in self._commands(game) if c.startswith("propose"))
            first = first or stall
            self._exchange(game, stall)
        return chosen

    def _candidates(self, game: Game[Talks]) -> Sequence[str]:
        stakes, seat = game.position.state.stakes, game.seat(self._agent)
        keeps = efficient(stakes.pool, stakes.values[seat], stakes.values[1 - seat])
        answers = [c for c in self._commands(game) if c in ("accept", "quit")]
        return answers + [f"propose {written(stakes.items, keep)}" for keep in keeps]

    def _commands(self, game: Game[Talks]) -> Sequence[str]:
        return game.commands(self._agent) or ()

    def _exchange(self, game: Game[Talks], command: str) -> None:
        game.act(self._agent, command)
        while not game.done and game.current() != self._agent:
            mover = game.current()
            game.act(mover, self._other.act(game.reply(mover, "")))


def _accept_or_demand(side: Bargainer, least: int) -> str:
    offered = side.open_points()
    if offered is not None and offered >= least:
        return "accept"
    return side.demand(least)
