"""`RemotePool`: seats at one or several env servers, as `LocalPool` gives them in process."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from ..errors import BadOption, ServerError
from ..pool import Seat, SeatPool
from ..types import Options
from ..wire_answers import Info
from .fleet import Fleet
from .link import ClientSpec, Link
from .seat import RemoteSeat
from .station import Station, Wanted


class RemotePool(SeatPool):
    """Seats for one environment; options are those that a client may set.

    Used within one event loop. Sessions are renewed while the loop runs; one that ends while it
    does not is rebuilt at its next use.
    """

    def __init__(
        self,
        urls: Sequence[str],
        env_id: str,
        options: Options,
        *,
        token: str | None = None,
        client: ClientSpec | None = None,
    ) -> None:
        if isinstance(urls, str) or not urls:
            raise BadOption(f"expected a list of server URLs, got {urls!r}")
        self._client = client or ClientSpec()
        wanted = Wanted(env_id=env_id, options=options)
        links = [Link(url, token, self._client) for url in dict.fromkeys(urls)]
        self._fleet = Fleet([Station(link, wanted, self._client) for link in links])
        self._seats: list[RemoteSeat] = []
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def rebuilt(self) -> int:
        """Episodes that lost their session and were taken up again by replay."""
        return self._fleet.rebuilt

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Lease what is missing, spread over the servers by their free places.

        Raises `ServerUnreachable` when no server answers, `UnknownEnv`, `BadOption` and
        `ServerError` when one refuses.
        """
        if self._closed:
            raise ServerError("the pool is closed", "CLOSED")
        give_up_at = asyncio.get_running_loop().time() + self._client.create_s
        if self._keeper is None:
            await self._fleet.connect(give_up_at)
            # Whoever opened at the same time may have been here first.
            self._keeper = self._keeper or asyncio.create_task(self._keep())
        missing = count - len(self._seats)
        fresh = [RemoteSeat(self._fleet, self._client) for _ in range(missing)]
        # Known before they have sessions, so that a cancelled opening leaves none behind.
        self._seats.extend(fresh)
        settled = await asyncio.gather(
            *(seat.settle(give_up_at) for seat in fresh), return_exceptions=True
        )
        for result in settled:
            if result is not None:
                raise result
        return tuple(self._seats[:count])

    async def aclose(self) -> None:
        """Close the sessions and the connections; calling twice is fine."""
        if self._closed:
            return
        self._closed = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for seat in self._seats:
            seat.leave()
        await asyncio.gather(*(station.aclose() for station in self._fleet.stations))

    async def _keep(self) -> None:
        """Renew all leases, and close the sessions that were given up, three times a lease."""
        while True:
            await asyncio.sleep(self._client.lease_s / 3)
            held: dict[Station, list[str]] = defaultdict(list)
            for seat in self._seats:
                if seat.place is not None:
                    held[seat.place[0]].append(seat.place[1])
            await asyncio.gather(*(station.tend(held[station]) for station in self._fleet.stations))


async def server_info(
    url: str, *, token: str | None = None, client: ClientSpec | None = None
) -> Info:
    """What a server is and offers.

    Raises `ServerUnreachable` when it does not answer, `ServerError` for another protocol.
    """
    spec = client or ClientSpec()
    link = Link(url, token, spec)
    try:
        return await link.info(asyncio.get_running_loop().time() + spec.deadline_s)
    finally:
        await link.aclose()
