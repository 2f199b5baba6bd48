"""`SealedNegotiation`: both seats bid at once, round by round, until their bids fit together.

A bid says what its seat wants; bids of a round are told when both are in. Bids that the pool can
serve are a deal, and what neither asked for is lost. `quit` in a round ends the talks after it.
"""

from dataclasses import replace

from .bargain import Offer, Talks, written
from .deals import Counts
from .negotiation import Negotiation
from .rules import Moved, Sight, listed


class SealedNegotiation(Negotiation):
    """Sealed bids; `turns` counts rounds."""

    id = "Negotiation-v0/sealed"
    sealed = True

    def movers(self, state: Talks) -> tuple[str, ...]:
        """Seats whose bid of this round is not in."""
        pending = self._pending(state)
        if not pending and self._ended(state):
            return ()
        bid = {offer.seat for offer in pending}
        return tuple(agent for seat, agent in enumerate(self.agents) if seat not in bid)

    def open_offer(self, state: Talks) -> Offer | None:
        """There are no offers to accept."""
        return None

    def turns_done(self, state: Talks) -> int:
        """Rounds that are over."""
        return len(state.offers) // 2

    def shares(self, state: Talks) -> tuple[Counts, Counts] | None:
        """What both asked for, where the pool holds it."""
        if len(state.offers) % 2 or not state.offers:
            return None
        one, other = sorted(state.offers[-2:], key=lambda offer: offer.seat)
        if "quit" in (one.verb, other.verb):
            return None
        asked = zip(one.keep, other.keep, state.stakes.pool, strict=True)
        fits = all(first + second <= count for first, second, count in asked)
        return (one.keep, other.keep) if fits else None

    def seen_offers(self, state: Talks, agent: str | None) -> tuple[Offer, ...]:
        """Bids in the order of seats; of the round that is open, own ones only."""
        closed = len(state.offers) - len(self._pending(state))
        pairs = [sorted(state.offers[i : i + 2], key=lambda o: o.seat) for i in range(0, closed, 2)]
        seen = tuple(offer for pair in pairs for offer in pair)
        if agent is None:
            return seen + self._pending(state)
        own = self.agents.index(agent)
        return seen + tuple(offer for offer in self._pending(state) if offer.seat == own)

    def status(self, sight: Sight, agent: str) -> str:
        """The round, and whether the seat's bid is in."""
        done, pending = divmod(len(listed(sight["offers"])), 2)
        what = "Your bid is in; the other has not bid yet" if pending else "Make your bid"
        return f"{what} (round {done + 1} of {self.turns})."

    def _how(self) -> str:
        return (
            f"Both bid at the same time, in {self.turns} rounds at most. A bid says what you want: "
            "bids that the pool can serve are a deal, and what nobody asked for is lost. "
            "Commands: propose <item>=<number> ..., quit."
        )

    def _rest_told(self, other: str) -> str:
        return "Items you leave out count 0."

    def _done(self, state: Talks, offer: Offer) -> Moved[Talks]:
        said = (0, state.said[1]) if offer.seat == 0 else (state.said[0], 0)
        moved = replace(state, offers=(*state.offers, offer), said=said)
        if len(moved.offers) % 2:
            return Moved(state=moved)
        pair = sorted(moved.offers[-2:], key=lambda bid: bid.seat)
        return Moved(state=moved, lines=tuple(self._bid_told(moved, bid) for bid in pair))

    def _bid_told(self, state: Talks, bid: Offer) -> str:
        speaker = self.agents[bid.seat]
        if bid.verb == "quit":
            return f"{speaker} quits."
        return f"{speaker} bids: {written(state.stakes.items, bid.keep)}."

    def _pending(self, state: Talks) -> tuple[Offer, ...]:
        return state.offers[-1:] if len(state.offers) % 2 else ()

    def _ended(self, state: Talks) -> bool:
        quits = any(offer.verb == "quit" for offer in state.offers[-2:])
        return quits or self.shares(state) is not None or len(state.offers) >= 2 * self.turns
