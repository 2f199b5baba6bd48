"""A worker process that is started before it is needed.

A process takes about a second until it has imported everything; sessions whose worker died do not
wait that long when another process stands by.
"""

import asyncio

from .channel import Channel

_QUIET_S = 2.0
"""How long after the last start the next one is prepared: first things first."""


class Spare:
    """At most one process that waits for its first call."""

    def __init__(self) -> None:
        self._opening: asyncio.Task[Channel] | None = None
        self._later: asyncio.TimerHandle | None = None

    async def take(self) -> Channel:
        """A process, at once where one stands by. Raises `OSError` when none can be started."""
        opening, self._opening = self._opening, None
        self._prepare_later()
        if opening is not None:
            channel = await opening
            if not channel.ended.done():
                return channel
        return await Channel.open()

    async def close(self) -> None:
        """End the process that stands by."""
        if self._later is not None:
            self._later.cancel()
        opening, self._opening = self._opening, None
        if opening is not None:
            (channel,) = await asyncio.gather(opening, return_exceptions=True)
            if isinstance(channel, Channel):
                channel.kill()
                await channel.close(0.0)

    def _prepare_later(self) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(_QUIET_S, self._prepare)

    def _prepare(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(Channel.open())
