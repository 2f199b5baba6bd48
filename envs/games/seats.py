"""The registered games: `NegotiationEnv` and `TwentyQuestionsEnv`.

`gigym.make` builds the view of one seat; the classmethod `all_seats` is the door of
`gigym.make_aec` and `gigym.make_parallel`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ..base import ExpertKind
from ..catalog import NEGOTIATION, TWENTY_QUESTIONS
from ..errors import BadOption, near
from ..types import Policy, Reply
from .askers import Halving, Honest, RandomAsker
from .bargain import ITEMS, Talks
from .bargainers import BothSides, Greedy, RandomPlayer, TitForTat
from .facts import facts
from .game import Game
from .negotiation import Negotiation, RewardMode
from .questions import Quest, TwentyQuestions
from .sealed import SealedNegotiation
from .views import Form, GameEnv

if TYPE_CHECKING:
    from .zoo import GameAEC, GameParallel


class NegotiationEnv(GameEnv[Talks]):
    """Divide a pool of items with a scripted partner."""

    card = NEGOTIATION

    def __init__(
        self,
        *,
        split: str = "train",
        opponent: str = "tit_for_tat",
        seat: int = 0,
        turns: int = 10,
        reward: str = "self",
        reservation: bool = False,
        sealed: bool = False,
        max_invalid: int = 3,
        num_tasks: int | None = None,
        max_steps: int | None = None,
    ) -> None:
        """`opponent` is `random`, `greedy` or `tit_for_tat`; `sealed` plays simultaneous bids."""
        rules = _negotiation(turns, reward, reservation, sealed)
        agent = _seat_name(rules, seat)
        players: dict[str, Policy] = {
            "random": RandomPlayer(),
            "greedy": Greedy(),
            "tit_for_tat": TitForTat(),
        }
        other = rules.agents[1 - seat]
        super().__init__(
            Game(rules, split=split, max_invalid=max_invalid),
            agent,
            {other: _chosen(players, opponent)},
            script=opponent,
            num_tasks=num_tasks,
            max_steps=max_steps,
        )

    @classmethod
    def all_seats(
        cls,
        form: Form,
        *,
        split: str = "train",
        turns: int = 10,
        reward: str = "self",
        reservation: bool = False,
        sealed: bool | None = None,
        max_invalid: int = 3,
        max_cycles: int | None = None,
        render_mode: str | None = None,
    ) -> "GameAEC[Talks] | GameParallel[Talks]":
        """Both seats; `sealed` bids unless said otherwise where both move at once."""
        from .zoo import seated

        env = cls(
            split=split,
            turns=turns,
            reward=reward,
            reservation=reservation,
            sealed=form == "parallel" if sealed is None else sealed,
            max_invalid=max_invalid,
        )
        return seated(env.game, form, max_cycles=max_cycles, render_mode=render_mode)

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """One that sees both sides and the partner's script, or the greedy player."""
        if kind == "observation":
            return Greedy()
        return _StateExpert(self)

    def other(self) -> Policy:
        """The partner's script."""
        return next(iter(self._others.values()))

    def vocabulary(self) -> tuple[str, ...]:
        """Items, commands and the fixed phrases of the talks."""
        words = ("propose", "accept", "reject", "quit", "say", "proposes", "keeps", "gets", "bids")
        phrases = ("accepts the proposal.", "rejects the proposal.", "It is your turn", "Pool:")
        rules = ("Your points for each item:", "The game is over. Your reward:", "Invalid:")
        return (
            *self.game.agents,
            *ITEMS,
            *(f"{item}=" for item in ITEMS),
            *words,
            *phrases,
            *rules,
        )


class TwentyQuestionsEnv(GameEnv[Quest]):
    """Find the hidden object by questions; or, in the other seat, answer them."""

    card = TWENTY_QUESTIONS

    def __init__(
        self,
        *,
        split: str = "train",
        opponent: str = "",
        seat: int = 0,
        candidates: int = 64,
        questions: int = 20,
        guesses: int = 3,
        noise: float = 0.0,
        shaped: bool = False,
        full_key: bool = False,
        max_invalid: int = 3,
        num_tasks: int | None = None,
        max_steps: int | None = None,
    ) -> None:
        """Seat 0 asks an honest answerer; seat 1 answers the `opponent` `greedy` or `random`."""
        rules = TwentyQuestions(
            candidates=candidates,
            questions=questions,
            guesses=guesses,
            noise=noise,
            shaped=shaped,
            full_key=full_key,
        )
        agent = _seat_name(rules, seat)
        askers: dict[str, Policy] = {"greedy": Halving(), "random": RandomAsker()}
        players: dict[str, Policy] = askers if seat == 1 else {"honest": Honest()}
        script = opponent or next(iter(players))
        super().__init__(
            Game(rules, split=split, max_invalid=max_invalid),
            agent,
            {rules.agents[1 - seat]: _chosen(players, script)},
            script=script,
            num_tasks=num_tasks,
            max_steps=max_steps,
        )

    @classmethod
    def all_seats(
        cls,
        form: Form,
        *,
        split: str = "train",
        candidates: int = 64,
        questions: int = 20,
        guesses: int = 3,
        noise: float = 0.0,
        shaped: bool = False,
        full_key: bool = False,
        max_invalid: int = 3,
        max_cycles: int | None = None,
        render_mode: str | None = None,
    ) -> "GameAEC[Quest] | GameParallel[Quest]":
        """Questioner and answerer."""
        from .zoo import seated

        env = cls(
            split=split,
            candidates=candidates,
            questions=questions,
            guesses=guesses,
            noise=noise,
            shaped=shaped,
            full_key=full_key,
            max_invalid=max_invalid,
        )
        return seated(env.game, form, max_cycles=max_cycles, render_mode=render_mode)

    def expert(self, kind: ExpertKind = "state", seed: int = 0) -> Policy:
        """The questioner that halves, or the honest answerer; both read their replies only."""
        return Halving() if self.seat == self.game.agents[0] else Honest()

    def vocabulary(self) -> tuple[str, ...]:
        """Objects, attributes, commands and the fixed phrases."""
        table = facts()
        phrases = ("ask", "guess", "yes", "no", "unknown", "asks: is it", "answers:", "guesses:")
        told = ("That is right!", "That is wrong.", "Questions left:", "Guesses left:", "Invalid:")
        return (*self.game.agents, *phrases, *told, *table.attributes, *table.objects)


class _StateExpert:
    """Looks at the running game anew at each turn."""

    def __init__(self, env: NegotiationEnv) -> None:
        self._env = env

    def act(self, reply: Reply) -> str:
        env = self._env
        return BothSides(env.game, env.seat, env.other()).act(reply)


def _negotiation(turns: int, reward: str, reservation: bool, sealed: bool) -> Negotiation:
    kind = SealedNegotiation if sealed else Negotiation
    return kind(turns=turns, reward=cast("RewardMode", reward), reservation=reservation)


def _seat_name(rules: Negotiation | TwentyQuestions, seat: int) -> str:
    if seat not in (0, 1):
        raise BadOption(f"{rules.id}: seat must be 0 or 1, got {seat}")
    return rules.agents[seat]


def _chosen(players: Mapping[str, Policy], name: str) -> Policy:
    if name not in players:
        hint = near(name, players)
        raise BadOption(
            f"no opponent {name!r} for this seat.{hint} There are: {', '.join(players)}"
        )
    return players[name]
