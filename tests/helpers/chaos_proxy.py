"""A TCP proxy whose connections live for a random number of bytes and then go wrong."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

FATES = ("cut", "half open", "deaf", "stall", "trickle")
"""What strikes a connection: both ends are reset; one end is reset and the other left open;
nothing is forwarded any more; a pause; one byte at a time for a while."""
_STALL_S = 0.4
_TRICKLE_BYTES = 200


class ChaosProxy:
    """Listens at `url` and forwards to another server."""

    def __init__(self, target: str, *, mean_bytes: int, seed: int) -> None:
        self.url = ""
        self.struck: Counter[str] = Counter()
        self._target = urlsplit(target)
        self._mean, self._random = mean_bytes, random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._bag: list[str] = []
        """Each fate once in every five blows."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(
                self._target.hostname, self._target.port
            )
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        finally:
            far_writer.transport.abort()
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one way until an end is reached; blows fall after random numbers of bytes."""
        left = self._draw()
        try:
            while piece := await reader.read(4096):
                while len(piece) > left:
                    writer.write(piece[:left])
                    piece, left = await self._strike(piece[left:], writer), self._draw()
                left -= len(piece)
                writer.write(piece)
                await writer.drain()
            writer.close()
        except OSError:
            writer.transport.abort()

    def _draw(self) -> int:
        return 1 + int(self._random.expovariate(1 / self._mean))

    async def _strike(self, rest: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Bytes to be forwarded after the blow; most blows are the end of the connection."""
        self._bag = self._bag or self._random.sample(FATES, len(FATES))
        fate = self._bag.pop()
        self.struck[fate] += 1
        if fate in ("cut", "half open"):
            writer.transport.abort()
        if fate == "cut":
            raise ConnectionResetError
        if fate in ("half open", "deaf"):
            await asyncio.sleep(3600)
        if fate == "stall":
            await asyncio.sleep(_STALL_S)
        if fate == "trickle":
            for byte in rest[:_TRICKLE_BYTES]:
                if writer.transport.is_closing():
                    raise ConnectionResetError
                writer.write(bytes([byte]))
                await asyncio.sleep(0.001)
            return rest[_TRICKLE_BYTES:]
        return rest


@asynccontextmanager
async def chaos_before(target: str, *, mean_bytes: int, seed: int = 0) -> AsyncIterator[ChaosProxy]:
    """A proxy for as long as the block lasts."""
    proxy = ChaosProxy(target, mean_bytes=mean_bytes, seed=seed)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
        await server.wait_closed()
