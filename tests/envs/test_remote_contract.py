"""Every environment on offer plays the same in process, by POST and by socket; real connections."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import corridor_env  # noqa: F401
import pytest

from gigym.envs import BadOption, DataMissing, MissingExtra, Reply, Task
from gigym.envs.pool import LocalPool, Seat, SeatPool
from gigym.envs.registry import entry_point_of, make, registered
from gigym.envs.remote import ClientSpec, RemotePool
from gigym.envs.remote.dial import dial
from gigym.envs.remote.spec import SocketRefused
from gigym.servers import HostedEnv, LocalServer, ServerSpec

BY_SOCKET, BY_POST = ClientSpec(socket_sessions=10**6), ClientSpec(socket_sessions=0)
STEPS = 6


def offered() -> tuple[str, ...]:
    """Deterministic environments that can be built here."""
    found: list[str] = []
    for card in registered():
        # What other tests registered in this process is unknown to a server.
        if not entry_point_of(card.id).startswith(("gigym.", "corridor_env:")):
            continue
        try:
            make(card.id)
        except (MissingExtra, DataMissing, BadOption):
            continue
        if card.deterministic:
            found.append(card.id)
    return tuple(found)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, tuple[str, ...]]]:
    envs = offered()
    hosted = tuple(HostedEnv(id=env_id) for env_id in envs)
    with LocalServer(ServerSpec(envs=hosted, port=0, imports=("corridor_env",))) as server:
        yield server.url, envs


async def episode(seat: Seat, env_id: str, seed: int) -> list[Reply]:
    rng = random.Random(seed)
    replies = [await seat.reset(Task(env=env_id, seed=seed))]
    while not replies[-1].done and len(replies) <= STEPS:
        choices = replies[-1].admissible_actions or ("look", "3", "[Guess] crane")
        replies.append(await seat.step(rng.choice(choices)))
    return replies


async def transcripts(pool: SeatPool, env_id: str) -> list[list[Reply]]:
    async with pool:
        seats = await pool.open(2)
        played = (episode(seat, env_id, seed) for seed, seat in enumerate(seats))
        return list(await asyncio.gather(*played))


async def test_every_environment_plays_the_same_by_every_way(
    server: tuple[str, tuple[str, ...]],
) -> None:
    url, envs = server
    assert {"ALFWorld-v0", "Corridor-v0"} <= set(envs)
    for env_id in envs:
        near = await transcripts(LocalPool(env_id, {}), env_id)
        assert len(near[0]) > 1
        for client in (BY_SOCKET, BY_POST):
            far = await transcripts(RemotePool([url], env_id, {}, client=client), env_id)
            assert far == near, env_id
            assert [r.state_key for r in far[0]] == [r.state_key for r in near[0]]
            assert [dict(r.info) for r in far[1]] == [dict(r.info) for r in near[1]]


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A listener that gives every connection the same bytes; what it was sent is kept."""
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if answer:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", asked
        for writer in writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in writers), return_exceptions=True)


async def test_redirects_of_sockets_are_not_followed() -> None:
    async with answering(b"") as (target, reached):
        location = target.replace("http", "ws").encode()
        answer = b"HTTP/1.1 302 Found\r\nLocation: %s/v1/ws\r\nContent-Length: 0\r\n\r\n" % location
        async with answering(answer) as (url, asked):
            with pytest.raises(SocketRefused, match="302"):
                await dial(url, {"Authorization": "Bearer secret"}, 2.0)
            assert len(asked) == 1 and reached == []


REFUSALS: Mapping[bytes, type[Exception]] = {
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n": SocketRefused,
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n": SocketRefused,
    b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n": OSError,
    b"hello\r\n\r\n": SocketRefused,
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n": SocketRefused,
}


async def test_whoever_opens_no_socket_is_told_apart_from_whoever_is_down() -> None:
    for answer, error in REFUSALS.items():
        async with answering(answer) as (url, _):
            with pytest.raises(error):
                await dial(url, {}, 2.0)
    with pytest.raises(ConnectionRefusedError):
        await dial("http://127.0.0.1:9", {}, 2.0)


async def test_a_handshake_without_an_answer_ends_in_time() -> None:
    async with answering(b"") as (url, _):
        with pytest.raises(TimeoutError):
            await dial(url, {}, 0.2)
