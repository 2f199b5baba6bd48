"""The client against servers without sockets: batches, lost messages, lost sessions, errors."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from corridor_env import Corridor
from far_seats import QUICK, LossyWire, Network, in_process, play, play_all
from http_door import ALL_ENVS, SPEC

from gigym import GigymError
from gigym.envs import (
    BadOption,
    EnvCodeError,
    EpisodeError,
    EpisodeLost,
    ServerError,
    ServerUnreachable,
    Task,
    UnknownEnv,
    UnknownTask,
)
from gigym.envs.pool import LocalPool, SeatPool
from gigym.envs.remote import ClientSpec, RemotePool, server_info
from gigym.servers import HostedEnv, Limits

A, B = "http://a.localhost:1", "http://b.localhost:2"
OPEN = replace(SPEC, allow_hosts=("a.localhost", "b.localhost"))


@pytest.fixture
def network() -> Network:
    network = Network()
    network.start(A, OPEN)
    return network


def far(
    network: Network, *urls: str, env: str = "Corridor-v0", client: ClientSpec | None = None
) -> RemotePool:
    return RemotePool(urls or (A,), env, {}, client=client or network.client())


async def test_far_episodes_are_those_in_process(network: Network) -> None:
    for env in ("Corridor-v0", "Hallway-v0"):
        async with far(network, env=env) as pool:
            got = await play_all(await pool.open(8), env=env, steps=30)
        assert got == await in_process(8, env=env, steps=30)


async def test_calls_of_one_tick_travel_together(network: Network) -> None:
    async with far(network) as pool:
        seats = await pool.open(64)
        await play_all(seats, steps=10)
        assert network.requests["/v1/sessions"] == 1
        assert network.requests["/v1/reset"] == 1
        assert network.requests["/v1/step"] <= 12


async def test_batches_are_cut_at_their_longest(network: Network) -> None:
    async with far(network, client=network.client(batch=10)) as pool:
        got = await play_all(await pool.open(25), steps=3)
        assert network.requests["/v1/reset"] == 3
    assert got == await in_process(25, steps=3)


async def test_long_requests_are_cut_in_two(network: Network) -> None:
    async with far(network, client=network.client(body_bytes=1000)) as pool:
        got = await play_all(await pool.open(20), steps=3)
        assert network.requests["/v1/reset"] > 1
    assert got == await in_process(20, steps=3)


async def test_seats_are_kept_and_reused(network: Network) -> None:
    async with far(network) as pool:
        first = await pool.open(2)
        more = await pool.open(3)
        assert more[:2] == first and await pool.open(1) == first[:1]
        assert len(network.hosts[A].store) == 3
        assert await play_all(first, first=5) == await play_all(first, first=5)


async def test_closing_gives_the_sessions_back(network: Network) -> None:
    pool = far(network)
    async with pool:
        (seat,) = await pool.open(1)
        assert len(network.hosts[A].store) == 1
    assert len(network.hosts[A].store) == 0
    await pool.aclose()
    with pytest.raises(ServerError, match="closed"):
        await seat.reset(Task(env="Corridor-v0", seed=1))
    with pytest.raises(ServerError, match="closed"):
        await pool.open(2)


async def test_pools_opened_twice_at_once_lease_no_session_twice(network: Network) -> None:
    before = asyncio.all_tasks()
    async with far(network) as pool:
        few, many = await asyncio.gather(pool.open(2), pool.open(3))
        assert many[:2] == few and len(network.hosts[A].store) == 3
    assert asyncio.all_tasks() == before


async def test_an_opening_that_is_cancelled_leaves_no_session_behind(network: Network) -> None:
    for url in (A, B):
        network.start(url, replace(OPEN, limits=Limits(sessions=2)))
    async with far(network, A, B) as other, far(network, A, B) as pool:
        await other.open(2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.open(3), 0.3)
        assert sorted(len(network.hosts[url].store) for url in (A, B)) == [1, 2]
        await pool.aclose()
        assert [len(network.hosts[url].store) for url in (A, B)] == [1, 1]


async def test_a_session_leased_for_nobody_is_closed(network: Network) -> None:
    class Slow(LossyWire):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await self.network.carry(self.url, request)
            if request.url.path == "/v1/sessions":
                await asyncio.sleep(0.3)
            return answer

    async with RemotePool(
        [A], "Corridor-v0", {}, client=replace(QUICK, transport=lambda url: Slow(network, url))
    ) as pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.open(2), 0.15)
        assert len(network.hosts[A].store) == 2
        await asyncio.sleep(0.4)
    assert len(network.hosts[A].store) == 0


async def test_nothing_is_lost_or_doubled_on_a_lossy_way(network: Network) -> None:
    wires: list[LossyWire] = []

    def lossy(url: str) -> LossyWire:
        wires.append(LossyWire(network, url))
        return wires[-1]

    client = replace(QUICK, transport=lossy, batch=4, flights=16, deadline_s=30.0)
    expected = [await in_process(40, first=first) for first in range(0, 200, 40)]
    applied = Corridor.total
    async with far(network, client=client) as pool:
        seats = await pool.open(40)
        got = [await play_all(seats, first=first) for first in range(0, 200, 40)]
        assert pool.rebuilt == 0
    assert got == expected
    assert Corridor.total - applied == sum(len(g) - 1 for games in expected for g in games)
    assert min(wires[0].faults.values()) >= 10, wires[0].faults


async def test_a_restarted_server_is_played_on(network: Network) -> None:
    async def restart(turn: int) -> None:
        if turn == 5:
            network.start(A, OPEN)

    for env in ("Corridor-v0", "Hallway-v0"):
        async with far(network, env=env) as pool:
            (seat,) = await pool.open(1)
            got = await play(seat, 3, env=env, hook=restart)
            assert pool.rebuilt == 1
        assert [got] == await in_process(1, env=env, first=3)


async def test_many_sessions_are_rebuilt_by_few_requests(network: Network) -> None:
    async with far(network) as pool:
        seats = await pool.open(40)
        await asyncio.gather(*(s.reset(Task(env="Corridor-v0", seed=1)) for s in seats))
        network.start(A, OPEN)
        network.requests.clear()
        await asyncio.gather(*(seat.step("east") for seat in seats))
        assert pool.rebuilt == 40
        assert sum(network.requests.values()) <= 12, network.requests


async def test_the_other_server_takes_over(network: Network) -> None:
    network.start(B, OPEN)

    async def stop(turn: int) -> None:
        if turn == 4 and A in network.hosts and not stopped:
            stopped.append(A)
            network.stop(A)

    stopped: list[str] = []
    async with far(network, A, B) as pool:
        seats = await pool.open(6)
        held = [len(network.hosts[url].store) for url in (A, B)]
        assert held == [3, 3]
        games = (play(seat, i, hook=stop) for i, seat in enumerate(seats))
        got = list(await asyncio.gather(*games))
        assert pool.rebuilt >= 3 and len(network.hosts[B].store) == 6
    assert got == await in_process(6)


async def test_seats_are_spread_by_free_places(network: Network) -> None:
    network.start(A, replace(OPEN, limits=Limits(sessions=4)))
    network.start(B, replace(OPEN, limits=Limits(sessions=8)))
    async with far(network, A, B) as pool:
        await pool.open(10)
        assert [network.hosts[url].store.free for url in (A, B)] == [1, 1]


async def test_one_of_two_servers_suffices_to_begin(network: Network) -> None:
    async with far(network, B, A) as pool:
        got = await play_all(await pool.open(3))
    assert got == await in_process(3)


async def test_an_expired_session_is_rebuilt(network: Network) -> None:
    async def oversleep(turn: int) -> None:
        if turn == 5:
            time.sleep(1.2)  # The loop stands still, as during an update of the learner.

    async with far(network, client=network.client(lease_s=1.0)) as pool:
        (seat,) = await pool.open(1)
        got = await play(seat, 3, hook=oversleep)
        assert pool.rebuilt == 1
    assert [got] == await in_process(1, first=3)


async def test_idle_sessions_are_renewed_while_the_loop_runs(network: Network) -> None:
    async with far(network, client=network.client(lease_s=0.9)) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=3))
        await asyncio.sleep(1.5)
        await seat.step("east")
        assert pool.rebuilt == 0 and network.requests["/v1/renew"] >= 3


async def test_a_cancelled_step_is_made_good(network: Network) -> None:
    class Slow(LossyWire):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await self.network.carry(self.url, request)
            if request.url.path == "/v1/step" and stall:
                stall.pop()
                await asyncio.sleep(5)
            return answer

    stall: list[int] = []
    network.start(A, replace(OPEN, limits=Limits(sessions=1)))
    client = replace(QUICK, transport=lambda url: Slow(network, url))
    async with far(network, client=client) as pool:
        (seat,) = await pool.open(1)
        got = [await seat.reset(Task(env="Corridor-v0", seed=3)), await seat.step("east")]
        stall.append(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(seat.step("west"), 0.05)
        got += [await seat.step("east"), await seat.step("east")]
    env = Corridor()
    assert got == [env.start(3), *(env.answer("east") for _ in range(3))]


async def test_an_episode_that_cannot_be_replayed_is_lost(network: Network) -> None:
    async with far(network, env="Dice-v0") as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Dice-v0", seed=1))
        await seat.step("roll")
        network.start(A, OPEN)
        with pytest.raises(EpisodeLost, match="not deterministic"):
            await seat.step("roll")
        assert (await seat.reset(Task(env="Dice-v0", seed=1))).observation


async def test_a_replay_that_diverges_loses_the_episode(network: Network) -> None:
    async with far(network) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=3))
        await seat.step("east")
        changed = HostedEnv(id="Corridor-v0", options={"length": 500})
        network.start(A, replace(OPEN, envs=(changed,)))
        with pytest.raises(EpisodeLost, match="left the recorded path at reply 0"):
            await seat.step("east")


async def test_a_full_server_is_waited_for(network: Network) -> None:
    network.start(A, replace(OPEN, limits=Limits(sessions=1)))
    first, second = far(network), far(network)
    async with first, second:
        await first.open(1)
        waiting = asyncio.create_task(second.open(1))
        await asyncio.sleep(0.1)
        await first.aclose()
        assert len(await waiting) == 1


async def test_a_server_that_stays_full_is_named_in_time(network: Network) -> None:
    network.start(A, replace(OPEN, limits=Limits(sessions=1)))
    async with far(network) as first, far(network, client=network.client(create_s=0.5)) as second:
        await first.open(1)
        began = time.monotonic()
        with pytest.raises(ServerError, match="1 of 1 sessions in use") as caught:
            await second.open(1)
        assert caught.value.code == "BUSY" and time.monotonic() - began < 1.5


async def test_a_server_that_is_gone_is_named_in_time(network: Network) -> None:
    async with far(network, client=network.client(deadline_s=0.5)) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=3))
        network.stop(A)
        began = time.monotonic()
        with pytest.raises(ServerUnreachable, match=r"http://a\.localhost:1 did not answer"):
            await seat.step("east")
        assert time.monotonic() - began < 1.5
        network.start(A, OPEN)
        assert (await seat.step("east")).observation, "and is used again once it is back"


async def test_a_peer_that_accepts_and_never_answers_is_named_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with RemotePool(
            [url], "Corridor-v0", {}, client=replace(QUICK, create_s=0.6)
        ) as pool:
            began = time.monotonic()
            with pytest.raises(ServerUnreachable, match=f"{url} did not answer"):
                await pool.open(1)
            assert time.monotonic() - began < 1.6


@pytest.mark.parametrize("far_away", [False, True])
async def test_faults_are_the_same_errors_near_and_far(network: Network, far_away: bool) -> None:
    def pool(env: str, options: dict[str, int] | None = None) -> SeatPool:
        if far_away:
            return RemotePool([A], env, options or {}, client=network.client())
        return LocalPool(env, options or {})

    async with pool("Corridor-v0") as corridors, pool("Trapdoor-v0") as trapdoors:
        (seat,) = await corridors.open(1)
        with pytest.raises(EpisodeError, match="reset"):
            await seat.step("east")
        with pytest.raises(UnknownTask, match="no task 'sun'"):
            await seat.reset(Task(env="Corridor-v0", seed=1, options={"task": "sun"}))
        (seat,) = await trapdoors.open(1)
        with pytest.raises(EnvCodeError, match="Trapdoor-v0 raised RuntimeError: unlucky"):
            await seat.reset(Task(env="Trapdoor-v0", seed=13))
        await seat.reset(Task(env="Trapdoor-v0", seed=1))
        with pytest.raises(EnvCodeError, match="raised ZeroDivisionError: the floor gives way"):
            await seat.step("crash")
    for wrong, kind in (({"lenght": 3}, BadOption), ({"length": 1}, BadOption)):
        async with pool("Corridor-v0", wrong) as refused:
            with pytest.raises(kind, match="length"):
                await refused.open(1)


async def test_what_only_a_far_pool_refuses(network: Network) -> None:
    async with RemotePool([A], "Corridor-v0", {"plan": "x"}, client=network.client()) as pool:
        with pytest.raises(BadOption, match="only its host sets it"):
            await pool.open(1)
    async with far(network, env="Coridor-v0") as pool:
        with pytest.raises(UnknownEnv, match="Corridor-v0"):
            await pool.open(1)
    odd = ("localhost:8000", "ftp://x", "http://x:99999", "http://x:y", "http://[::1", "http://x:0")
    for urls in ([], "http://one", *([url] for url in odd)):
        with pytest.raises(BadOption, match="expected"):
            RemotePool(urls, "Corridor-v0", {})
    with pytest.raises(BadOption, match="no credentials") as caught:
        RemotePool(["http://me:secret@x"], "Corridor-v0", {})
    assert "secret" not in str(caught.value)
    with pytest.raises(BadOption, match="printable ASCII"):
        RemotePool([A], "Corridor-v0", {}, token="two\nlines")
    async with far(network) as pool:
        (seat,) = await pool.open(1)
        with pytest.raises(BadOption, match="seed"):
            await seat.reset(Task(env="Corridor-v0", seed=2**63))


async def test_halves_of_surrogate_pairs_reach_the_environment_escaped(network: Network) -> None:
    async with far(network) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=3))
        assert (await seat.step("go \ud800")).observation.startswith("You stand at 0.")


async def test_tokens_are_sent(network: Network) -> None:
    network.start(A, replace(OPEN, token="secret"))
    async with RemotePool([A], "Corridor-v0", {}, token="secret", client=network.client()) as pool:
        assert len(await pool.open(1)) == 1
    async with RemotePool([A], "Corridor-v0", {}, token="wrong", client=network.client()) as pool:
        with pytest.raises(ServerError, match="wants a token") as caught:
            await pool.open(1)
        assert caught.value.code == "UNAUTHORIZED"


class Raw(httpx.AsyncByteStream):
    """Bytes as they come over the wire."""

    def __init__(self, sent: bytes) -> None:
        self.sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.sent


def answering(*answers: httpx.Response) -> ClientSpec:
    left = list(answers)
    return replace(
        QUICK,
        deadline_s=1.0,
        transport=lambda _: httpx.MockTransport(lambda _: left.pop(0)),
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>hello</html>"),
        httpx.Response(200, json={"protocol": "gigym/1"}),
        httpx.Response(404, text="not here"),
        httpx.Response(302, headers={"Location": "http://evil.example/"}),
    ],
)
async def test_other_servers_are_told_apart(answer: httpx.Response) -> None:
    with pytest.raises(ServerError, match="http://x:1") as caught:
        await server_info("http://x:1", client=answering(answer))
    assert caught.value.code == "PROTOCOL"


async def test_a_newer_major_protocol_is_refused(network: Network) -> None:
    told = network.hosts[A].info().model_copy(update={"protocol": "gigym/2\x1b[31m"})
    answer = httpx.Response(200, text=told.model_dump_json())
    with pytest.raises(ServerError, match=r"speaks gigym/2 \[31m, expected gigym/1"):
        await server_info("http://x:1", client=answering(answer))


async def test_info_waits_out_a_busy_proxy(network: Network) -> None:
    answer = httpx.Response(200, text=network.hosts[A].info().model_dump_json())
    client = answering(httpx.Response(503), httpx.Response(502, text="<html>"), answer)
    assert (await server_info("http://x:1", client=client)).protocol == "gigym/1"


async def test_an_endless_answer_is_cut() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 2**20

    client = answering(httpx.Response(200, content=endless()))
    with pytest.raises(ServerError, match="longer than"):
        await server_info("http://x:1", client=client)


async def test_an_answer_that_cannot_be_decoded_is_asked_for_again(network: Network) -> None:
    told = network.hosts[A].info().model_dump_json()
    broken = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Raw(b"no gzip"))
    client = answering(broken, httpx.Response(200, text=told))
    assert (await server_info("http://x:1", client=client)).protocol == "gigym/1"


async def test_results_that_are_not_those_of_the_items_are_refused(network: Network) -> None:
    class Confused(LossyWire):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await self.network.carry(self.url, request)
            if request.url.path == "/v1/reset":
                return httpx.Response(200, content=answer.content.replace(b"s-", b"t-"))
            return answer

    client = replace(QUICK, transport=lambda url: Confused(network, url))
    async with far(network, client=client) as pool:
        (seat,) = await pool.open(1)
        with pytest.raises(ServerError, match="broke the protocol"):
            await seat.reset(Task(env="Corridor-v0", seed=1))


def test_errors_of_the_client_are_of_one_family() -> None:
    for kind in (EpisodeLost, ServerUnreachable, ServerError, BadOption, UnknownEnv):
        assert issubclass(kind, GigymError)
    assert {env.id for env in ALL_ENVS} >= {"Corridor-v0", "Dice-v0"}
