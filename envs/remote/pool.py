"""`RemotePool`: seats at one or several env servers, as `LocalPool` gives them in process."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence

from ... import GigymError
from ..errors import BadOption, ServerError
from ..pool import Seat, SeatPool
from ..types import Options
from ..wire_answers import EnvInfo, Info
from .fleet import Fleet
from .link import Link
from .seat import RemoteSeat
from .spec import ClientSpec
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
        self._keepers: list[asyncio.Task[None]] = []
        self._alarm = asyncio.Event()
        for link in links:
            link.on_draining = self._alarm.set
        self._closed = False

    @property
    def rebuilt(self) -> int:
        """Episodes that lost their session and were taken up again elsewhere."""
        return self._fleet.rebuilt

    @property
    def handed_over(self) -> int:
        """Episodes that were taken to another server before theirs stopped."""
        return self._fleet.handed_over

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Lease what is missing, spread over the servers by their free places.

        Raises `ServerUnreachable` when no server answers, `UnknownEnv`, `BadOption` and
        `ServerError` when one refuses.
        """
        if self._closed:
            raise ServerError("the pool is closed", "CLOSED")
        give_up_at = asyncio.get_running_loop().time() + self._client.create_s
        await self._connect(give_up_at)
        missing = count - len(self._seats)
        fresh = [RemoteSeat(self._fleet, self._client) for _ in range(missing)]
        # Known before they have sessions, so that a cancelled opening leaves none behind.
        self._seats.extend(fresh)
        wanted = self._seats[:count]
        settled = await asyncio.gather(
            *(seat.settle(give_up_at) for seat in wanted if seat.place is None),
            return_exceptions=True,
        )
        for result in settled:
            if result is not None:
                raise result
        return tuple(wanted)

    async def env_info(self) -> EnvInfo:
        """What the servers say of the environment. Raises as `open` does."""
        await self._connect(asyncio.get_running_loop().time() + self._client.create_s)
        assert self._fleet.env is not None
        return self._fleet.env

    async def aclose(self) -> None:
        """Close the sessions and the connections; calling twice is fine."""
        if self._closed:
            return
        self._closed = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for seat in self._all_seats():
            seat.leave()
        await asyncio.gather(*(station.aclose() for station in self._fleet.stations))

    async def _connect(self, give_up_at: float) -> None:
        if self._closed:
            raise ServerError("the pool is closed", "CLOSED")
        if self._keepers:
            return
        await self._fleet.connect(give_up_at)
        # Whoever opened at the same time may have been here first.
        if not self._keepers:
            self._keepers.append(asyncio.create_task(self._keep()))
            if not self._fleet.alone:
                self._keepers.append(asyncio.create_task(self._watch()))

    def _all_seats(self) -> list[RemoteSeat]:
        return [*self._seats, *self._fleet.guests]

    async def _keep(self) -> None:
        """Renew all leases, and close the sessions that were given up, three times a lease."""
        while True:
            await asyncio.sleep(self._client.lease_s / 3)
            held: dict[Station, list[str]] = defaultdict(list)
            for seat in self._all_seats():
                if seat.place is not None:
                    held[seat.place[0]].append(seat.place[1])
            await asyncio.gather(*(station.tend(held[station]) for station in self._fleet.stations))

    async def _watch(self) -> None:
        """Look at the servers now and then, and leave those that are about to stop."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._client.probe_s):
                    await self._alarm.wait()
            woken = self._alarm.is_set()
            self._alarm.clear()
            if not woken:
                await asyncio.gather(*map(self._look, self._fleet.stations))
            await self._evacuate()

    async def _look(self, station: Station) -> None:
        """Hear how a server is: a silent one that answers is used again."""
        give_up_at = asyncio.get_running_loop().time() + self._client.connect_s
        with contextlib.suppress(GigymError):
            self._fleet.check(station, await station.look(give_up_at))

    async def _evacuate(self) -> None:
        """Move the episodes of servers that are about to stop, and let these know."""
        leaving = [
            station
            for station in self._fleet.stations
            if station.link.draining and self._fleet.refuge(station)
        ]
        moves = [
            seat.move() for seat in self._all_seats() if seat.place and seat.place[0] in leaving
        ]
        await asyncio.gather(*moves)
        give_up_at = asyncio.get_running_loop().time() + self._client.connect_s
        await asyncio.gather(*(station.close_dropped(give_up_at) for station in leaving))


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
