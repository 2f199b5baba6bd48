"""`ForeignPool`: seats at servers that are not ours, as `LocalPool` gives them in process."""

import asyncio
from collections.abc import Sequence

from ..errors import ServerError
from ..pool import Seat, SeatPool
from ..remote import ClientSpec
from ..types import Options
from .foreign import Server, Yard
from .foreign_seat import ForeignSeat


class ForeignPool(SeatPool):
    """Seats over one or several servers. `max_steps` truncates episodes on our side."""

    def __init__(self, servers: Sequence[Server], options: Options, client: ClientSpec) -> None:
        self._yard = Yard(servers, options, client)
        self._seats: list[ForeignSeat] = []

    @property
    def rebuilt(self) -> int:
        """Episodes that lost their session and were taken up again by replay."""
        return self._yard.rebuilt

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Exactly `count` seats, each with a session.

        Raises `ServerUnreachable` when no server answers, `ServerError` when all are full.
        """
        if self._yard.closed:
            raise ServerError("the pool is closed", "CLOSED")
        give_up_at = asyncio.get_running_loop().time() + self._yard.client.create_s
        while len(self._seats) < count:
            self._seats.append(ForeignSeat(self._yard))
        settled = await asyncio.gather(
            *(seat.settle(give_up_at) for seat in self._seats[:count]), return_exceptions=True
        )
        for result in settled:
            if result is not None:
                raise result
        return tuple(self._seats[:count])

    async def aclose(self) -> None:
        """Close the sessions and the connections; calling twice is fine."""
        if self._yard.closed:
            return
        self._yard.closed = True
        await asyncio.gather(*(seat.aclose() for seat in self._seats), return_exceptions=True)
        await self._yard.aclose()
