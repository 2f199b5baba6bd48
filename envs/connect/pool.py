"""`seat_pool`: seats at servers of any kind, by one call.

The pool finds out what the servers speak when it is opened, and hands over to the client of that
protocol. Train, vector environments and `RemoteEnv` all play through it.
"""

import asyncio

from ..errors import ServerError
from ..pool import Seat, SeatPool
from ..remote import ClientSpec, RemotePool
from ..types import Options
from .agentgym import AgentGymServer
from .foreign import Server
from .foreign_pool import ForeignPool
from .meeting import Meeting, meet
from .openenv import OpenEnvServer
from .target import NATIVE, Target


def seat_pool(
    target: Target, options: Options, client: ClientSpec | None = None, met: Meeting | None = None
) -> "ConnectedPool":
    """Seats for an environment with these options; nothing is sent before it is opened.

    `met` is what is known of the servers already.
    """
    return ConnectedPool(target, options, client or ClientSpec(), met)


class ConnectedPool(SeatPool):
    """See `seat_pool`. Used within one event loop."""

    def __init__(
        self, target: Target, options: Options, client: ClientSpec, met: Meeting | None
    ) -> None:
        self._target, self._options, self._client = target, options, client
        self._met = met
        self._pool: RemotePool | ForeignPool | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    @property
    def rebuilt(self) -> int:
        """Episodes that lost their session and were taken up again."""
        return self._pool.rebuilt if self._pool is not None else 0

    async def open(self, count: int) -> tuple[Seat, ...]:
        """Exactly `count` seats.

        Raises `ServerUnreachable` when no server answers, `UnknownEnv`, `BadOption` and
        `ServerError` for servers that cannot be used.
        """
        met = await self.meeting()
        if self._pool is None:
            self._pool = self._make(met)
        return await self._pool.open(count)

    async def meeting(self) -> Meeting:
        """What the servers tell of themselves, asked once. Raises as `open` does."""
        async with self._opening:
            if self._closed:
                raise ServerError("the pool is closed", "CLOSED")
            if self._met is None:
                give_up_at = asyncio.get_running_loop().time() + self._client.create_s
                self._met = await meet(self._target, self._client, give_up_at)
            return self._met

    async def aclose(self) -> None:
        """Close the sessions and the connections; calling twice is fine."""
        self._closed = True
        if self._pool is not None:
            await self._pool.aclose()

    def _make(self, met: Meeting) -> RemotePool | ForeignPool:
        """The pool of the protocol that was met."""
        target, client = self._target, self._client
        if met.kind == NATIVE:
            return RemotePool(
                target.urls, met.card.id, self._options, token=target.token, client=client
            )
        servers: list[Server] = []
        for url in target.urls:
            if met.form is None:
                servers.append(AgentGymServer(url, target, self._options, client))
            else:
                servers.append(OpenEnvServer(url + met.path, target, met.form, client))
        return ForeignPool(servers, self._options, client)
