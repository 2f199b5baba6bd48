"""`Negotiation`: two seats divide a pool of items that each values privately.

Turns alternate. `propose book=2 hat=0` says what the speaker keeps, `accept` takes the other's
open proposal, `reject` closes it, `quit` ends the talks; `say TEXT` may stand on a line before
any of them, or alone a few times per turn. The state key holds what was done, never what was said.
"""

import functools
from dataclasses import replace
from typing import Literal, get_args

from ..errors import BadOption
from ..types import JsonValue
from .bargain import (
    MAX_SPEECH,
    Offer,
    Talks,
    draw_stakes,
    freeze_talks,
    read_share,
    spoken,
    thaw_talks,
    written,
)
from .deals import TOTAL, Counts, is_efficient, max_welfare, points_of_splits, ranked, rest, worth
from .rules import Moved, Refused, Rules, Sight, listed, numbers, strings

RewardMode = Literal["self", "sum", "pareto"]
MAX_LISTED = 256
"""Proposals that `commands` lists; of larger pools those that the seat values most."""
MAX_SPEECHES = 3
"""Speeches without a command in one turn."""


class Negotiation(Rules[Talks]):
    """Alternating offers."""

    id = "Negotiation-v0"
    sealed = False

    def __init__(
        self, *, turns: int = 10, reward: RewardMode = "self", reservation: bool = False
    ) -> None:
        """`turns` ends the talks; `reward` is a seat's own share, welfare, or its part of the best.

        With `reservation` each seat has 0-4 points to fall back on.
        """
        least = 1 if self.sealed else 2
        if not least <= turns <= 100:
            raise BadOption(f"{self.id}: turns must be between {least} and 100, got {turns}")
        if reward not in get_args(RewardMode):
            known = ", ".join(get_args(RewardMode))
            raise BadOption(f"{self.id} has no reward {reward!r}; choose one of: {known}")
        self.turns = turns
        self.reward = reward
        self.reservation = reservation

    def deal(self, task: str) -> Talks:
        """The stakes of the task, before the first turn."""
        return Talks(stakes=draw_stakes(task, self.reservation))

    def movers(self, state: Talks) -> tuple[str, ...]:
        """The one seat on turn."""
        ended = state.offers and state.offers[-1].verb in ("accept", "quit")
        if ended or len(state.offers) >= self.turns:
            return ()
        return (self.agents[(state.stakes.first + len(state.offers)) % 2],)

    def open_offer(self, state: Talks) -> Offer | None:
        """The proposal that the seat on turn can accept."""
        last = state.offers[-1] if state.offers else None
        return last if last is not None and last.verb == "propose" else None

    def turns_done(self, state: Talks) -> int:
        """Turns, or rounds, that are over."""
        return len(state.offers)

    def shares(self, state: Talks) -> tuple[Counts, Counts] | None:
        """What both seats get by a deal; None without one."""
        if len(state.offers) < 2 or state.offers[-1].verb != "accept":
            return None
        offer = state.offers[-2]
        left = rest(state.stakes.pool, offer.keep)
        return (offer.keep, left) if offer.seat == 0 else (left, offer.keep)

    def move(self, state: Talks, agent: str, text: str) -> Moved[Talks] | Refused:
        """One command, one speech, or a speech and a command on the next line."""
        lines = [line for line in text.strip().split("\n") if line.strip()]
        speech = lines[0].strip() if lines and _is_speech(lines[0]) else None
        commands = lines if speech is None else lines[1:]
        if len(commands) > 1:
            return Refused(why="give one command, or `say ...` and one command on the next line")
        heard = () if speech is None else (f"{agent} says: {spoken(speech[3:])}",)
        if speech is not None and not 1 <= len(speech[3:].strip()) <= MAX_SPEECH:
            return Refused(why=f"a speech has 1 to {MAX_SPEECH} characters")
        if not commands:
            return self._only_speech(state, agent, heard)
        answer = self._command(state, agent, commands[0].lower().split())
        if isinstance(answer, Refused):
            return answer
        return replace(answer, lines=heard + answer.lines)

    def _only_speech(
        self, state: Talks, agent: str, heard: tuple[str, ...]
    ) -> Moved[Talks] | Refused:
        seat = self.agents.index(agent)
        if not heard:
            return Refused(why=f"give a command: {', '.join(self.legal(state, agent))}")
        if state.said[seat] >= MAX_SPEECHES:
            return Refused(why=f"you spoke {MAX_SPEECHES} times in this turn; give a command")
        one, other = state.said
        said = (one + 1, other) if seat == 0 else (one, other + 1)
        return Moved(state=replace(state, said=said), lines=heard)

    def _command(self, state: Talks, agent: str, words: list[str]) -> Moved[Talks] | Refused:
        seat, offer = self.agents.index(agent), self.open_offer(state)
        match words:
            case ["propose", _, *_]:
                share = read_share(state.stakes, words[1:])
                if isinstance(share, str):
                    return Refused(why=share)
                return self._done(state, Offer(seat=seat, verb="propose", keep=share))
            case ["accept" | "reject" as verb] if offer is not None:
                return self._done(state, Offer(seat=seat, verb=verb))
            case ["accept" | "reject"]:
                return Refused(why="there is no open proposal by the other")
            case ["quit"]:
                return self._done(state, Offer(seat=seat, verb="quit"))
            case _:
                return Refused(why=f"the commands are: {', '.join(self.legal(state, agent))}")

    def _done(self, state: Talks, offer: Offer) -> Moved[Talks]:
        moved = replace(state, offers=(*state.offers, offer), said=(0, 0))
        return Moved(state=moved, lines=(self._told(state, offer),))

    def _told(self, state: Talks, offer: Offer) -> str:
        """A turn as every seat hears it."""
        speaker, other = self.agents[offer.seat], self.agents[1 - offer.seat]
        if offer.verb != "propose":
            deed = {"accept": "accepts the proposal", "reject": "rejects the proposal"}
            return f"{speaker} {deed.get(offer.verb, 'quits')}."
        stakes = state.stakes
        left = written(stakes.items, rest(stakes.pool, offer.keep))
        kept = written(stakes.items, offer.keep)
        return f"{speaker} proposes: {speaker} keeps {kept}, {other} gets {left}."

    def legal(self, state: Talks, agent: str) -> tuple[str, ...]:
        """Templates; `<0-2>` stands for a number of that range."""
        stakes = state.stakes
        counts = zip(stakes.items, stakes.pool, strict=True)
        propose = "propose " + " ".join(f"{item}=<0-{count}>" for item, count in counts)
        answers = ("accept", "reject") if self.open_offer(state) else ()
        return (*answers, propose, "quit", "say <text>")

    def commands(self, state: Talks, agent: str) -> tuple[str, ...]:
        """Answers, then proposals from the dearest to the seat down, then `quit`."""
        stakes, seat = state.stakes, self.agents.index(agent)
        answers = ("accept", "reject") if self.open_offer(state) else ()
        return (*answers, *_proposals(stakes.items, stakes.pool, stakes.values[seat]), "quit")

    def sight(self, state: Talks, agent: str) -> Sight:
        """The pool, own values, all turns so far."""
        stakes, seat = state.stakes, self.agents.index(agent)
        return {
            "items": list(stakes.items),
            "pool": list(stakes.pool),
            "values": list(stakes.values[seat]),
            "reservation": stakes.reservations[seat],
            "first": self.agents[stakes.first],
            "sealed": self.sealed,
            "turns": self.turns,
            "turns_left": self.turns - self.turns_done(state),
            "offers": [
                [self.agents[offer.seat], offer.verb, list(offer.keep)]
                for offer in self.seen_offers(state, agent)
            ],
            "said": state.said[seat],
        }

    def seen_offers(self, state: Talks, agent: str | None) -> tuple[Offer, ...]:
        """Turns that a seat knows of; None: all, in a canonical order."""
        return state.offers

    def key(self, state: Talks, agent: str | None) -> JsonValue:
        """A seat's sight; of the whole state everything."""
        mode: JsonValue = [self.turns, self.reward]
        if agent is not None:
            return [mode, agent, agent in self.movers(state), self.sight(state, agent)]
        ordered = replace(state, offers=self.seen_offers(state, None))
        return [mode, freeze_talks(ordered)]

    def intro(self, sight: Sight, agent: str) -> str:
        """The rules, the pool and the seat's own values."""
        other = self.agents[1 - self.agents.index(agent)]
        return "\n".join(
            (
                f"You are {agent}. You and {other} divide a pool of items.",
                *self._stakes_told(sight),
                self._how(),
                self._rest_told(other),
                f"`say <text>` (at most {MAX_SPEECH} characters) "
                "may precede a command, on a line of its own.",
            )
        )

    def _stakes_told(self, sight: Sight) -> tuple[str, ...]:
        items, pool, values = (
            strings(sight["items"]),
            numbers(sight["pool"]),
            numbers(sight["values"]),
        )
        own = ", ".join(f"{item} {value}" for item, value in zip(items, values, strict=True))
        return (
            f"Pool: {written(items, pool)}",
            f"Your points for each item: {own} ({TOTAL} for the whole pool)",
            f"Your points without a deal: {sight['reservation']}",
            {
                "self": "Reward: a tenth of your own points.",
                "sum": "Reward: a tenth of the points of both.",
                "pareto": "Reward: the points of both, as a part of the most that is possible.",
            }[self.reward],
        )

    def _how(self) -> str:
        return (
            f"You take turns, {self.turns} in all. "
            "Commands: propose <item>=<number> ..., accept, reject, quit."
        )

    def _rest_told(self, other: str) -> str:
        return f"propose says what you keep, {other} gets the rest; items you leave out count 0."

    def status(self, sight: Sight, agent: str) -> str:
        """The turn, and whose it is."""
        done = len(listed(sight["offers"]))
        mover = self.agents[(self.agents.index(str(sight["first"])) + done) % 2]
        whose = "It is your turn" if mover == agent else f"It is the turn of {mover}"
        return f"{whose} (turn {done + 1} of {self.turns})."

    def points(self, state: Talks, forfeits: tuple[str, ...] = ()) -> tuple[int, int]:
        """What each seat has at the end; one that forfeits has nothing, not even a fallback."""
        stakes = state.stakes
        shares = None if forfeits else self.shares(state)
        if shares is not None:
            return worth(stakes.values[0], shares[0]), worth(stakes.values[1], shares[1])
        one, other = stakes.reservations
        first, second = self.agents
        return (0 if first in forfeits else one), (0 if second in forfeits else other)

    def rewards(self, state: Talks, forfeits: tuple[str, ...]) -> dict[str, float]:
        """Tenths of points, own or of both, or their part of the maximum."""
        points = self.points(state, forfeits)
        if self.reward == "self":
            return {agent: got / TOTAL for agent, got in zip(self.agents, points, strict=True)}
        scale = TOTAL
        if self.reward == "pareto":
            scale = max_welfare(state.stakes.pool, *state.stakes.values)
        return dict.fromkeys(self.agents, sum(points) / scale)

    def outcome(self, state: Talks, forfeits: tuple[str, ...], agent: str) -> Sight:
        """The deal, and how good it is for both; `won`: half of one's points or more by a deal."""
        stakes, seat = state.stakes, self.agents.index(agent)
        points, shares = self.points(state, forfeits), self.shares(state)
        possible = points_of_splits(stakes.pool, *stakes.values)
        dealt = shares is not None and not forfeits
        fair = points[seat] * 2 >= TOTAL and points[seat] > stakes.reservations[seat]
        return {
            "won": dealt and fair,
            "deal": [list(share) for share in shares] if shares and dealt else None,
            "points": points[seat],
            "welfare": sum(points) / TOTAL,
            "max_welfare": max_welfare(stakes.pool, *stakes.values) / TOTAL,
            "pareto_optimal": is_efficient(points, possible),
            "envy_free": not dealt or shares is None or _envy_free(stakes.values, shares),
        }

    def freeze(self, state: Talks) -> JsonValue:
        """The stakes and all turns."""
        return freeze_talks(state)

    def thaw(self, frozen: JsonValue) -> Talks:
        """The stakes and all turns again."""
        return thaw_talks(frozen)


def _is_speech(line: str) -> bool:
    return line.split(maxsplit=1)[0].lower() == "say"


@functools.lru_cache(maxsize=512)
def _proposals(items: tuple[str, ...], pool: Counts, values: Counts) -> tuple[str, ...]:
    return tuple(f"propose {written(items, keep)}" for keep in ranked(pool, values)[:MAX_LISTED])


def _envy_free(values: tuple[Counts, Counts], shares: tuple[Counts, Counts]) -> bool:
    return all(
        worth(values[seat], shares[seat]) >= worth(values[seat], shares[1 - seat])
        for seat in (0, 1)
    )
