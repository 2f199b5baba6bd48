"""The client's socket: the same episodes as by POST and in process, whatever happens to it."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from corridor_env import Corridor
from far_seats import QUICK, LossyWire, Network, in_process, play, play_all
from http_door import SPEC
from socket_door import CountedSocket, LossySockets, Sockets

from gigym.envs import ServerError, Task
from gigym.envs.remote import RemotePool
from gigym.envs.remote.spec import SocketRefused

A = "http://a.localhost:1"
OPEN = replace(SPEC, allow_hosts=("a.localhost",))


@pytest.fixture
def network() -> Network:
    network = Network()
    network.start(A, OPEN)
    return network


def by_socket(sockets: Sockets, env: str = "Corridor-v0", **changes: object) -> RemotePool:
    client = sockets.network.client(dial=sockets.dial, **changes)
    return RemotePool([A], env, {}, client=client)


@pytest.mark.parametrize("env", ["Corridor-v0", "Hallway-v0"])
async def test_the_three_ways_to_play_give_the_same_transcripts(network: Network, env: str) -> None:
    expected = await in_process(12, env=env, steps=30)
    sockets = Sockets(network)
    async with by_socket(sockets, env) as pool:
        assert await play_all(await pool.open(12), env=env, steps=30) == expected
    assert sockets.frames["step"] >= 20 and network.requests["/v1/step"] == 0
    async with by_socket(sockets, env, socket_sessions=0) as pool:
        assert await play_all(await pool.open(12), env=env, steps=30) == expected
    assert network.requests["/v1/step"] >= 20 and len(sockets.opened) == 1


async def test_calls_of_one_turn_share_a_frame(network: Network) -> None:
    sockets = Sockets(network)
    async with by_socket(sockets) as pool:
        await play_all(await pool.open(16), steps=10)
    assert sockets.frames["reset"] == 1 and sockets.frames["step"] <= 12


async def test_with_many_sessions_calls_are_posted(network: Network) -> None:
    sockets = Sockets(network)
    async with by_socket(sockets, socket_sessions=8) as pool:
        await play_all(await pool.open(9), steps=3)
        assert sockets.opened == [] and network.requests["/v1/step"] >= 1


async def test_a_server_without_sockets_is_played_by_post(network: Network) -> None:
    asked: list[str] = []

    async def refuse(url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
        asked.append(url)
        raise SocketRefused("HTTP 404")

    async with RemotePool([A], "Corridor-v0", {}, client=network.client(dial=refuse)) as pool:
        assert await play_all(await pool.open(3)) == await in_process(3)
    assert asked == [A], "and is not asked again"


async def test_a_socket_that_cannot_be_opened_is_tried_again_later(network: Network) -> None:
    asked: list[str] = []

    async def fail(url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
        asked.append(url)
        raise ConnectionError("no route")

    async with RemotePool([A], "Corridor-v0", {}, client=network.client(dial=fail)) as pool:
        assert await play_all(await pool.open(3)) == await in_process(3)
    assert asked == [A], "within the first seconds"


async def test_a_socket_that_breaks_under_way_is_opened_anew(network: Network) -> None:
    sockets = Sockets(network)

    async def cut(turn: int) -> None:
        if turn % 3 == 2:
            await sockets.opened[-1].close()

    async with by_socket(sockets) as pool:
        (seat,) = await pool.open(1)
        got = await play(seat, 3, hook=cut)
        assert pool.rebuilt == 0 and len(sockets.opened) >= 2
    assert [got] == await in_process(1, first=3)


async def test_a_restarted_server_is_played_on(network: Network) -> None:
    sockets = Sockets(network)

    async def restart(turn: int) -> None:
        if turn == 5:
            network.start(A, OPEN)
            await sockets.opened[-1].close()

    async with by_socket(sockets) as pool:
        (seat,) = await pool.open(1)
        got = await play(seat, 3, hook=restart)
        assert pool.rebuilt == 1
    assert [got] == await in_process(1, first=3)


class Shuffled(Sockets):
    """Answers two frames at a time, the later one first."""

    async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
        return Swapper(self, (await super().dial(url, headers, wait_s)).socket)


class Swapper(CountedSocket):
    first: bytes | None = None

    async def receive(self) -> bytes:
        if self.first is not None:
            frame, self.first = self.first, None
            return frame
        frame = await self.socket.receive()
        await asyncio.sleep(0.002)
        if not self.socket.idle:
            frame, self.first = await self.socket.receive(), frame
        return frame


async def test_answers_in_another_order_reach_their_callers(network: Network) -> None:
    sockets = Shuffled(network)
    async with by_socket(sockets, batch=1, flights=16) as pool:
        assert await play_all(await pool.open(16)) == await in_process(16)


async def test_nothing_is_lost_or_doubled_by_lossy_sockets_and_posts(network: Network) -> None:
    sockets = LossySockets(network)
    wires: list[LossyWire] = []

    def lossy(url: str) -> LossyWire:
        wires.append(LossyWire(network, url))
        return wires[-1]

    client = replace(
        QUICK, transport=lossy, dial=sockets.dial, batch=2, flights=16, deadline_s=30.0
    )
    expected = [await in_process(20, first=first) for first in range(0, 80, 20)]
    applied = Corridor.total
    async with RemotePool([A], "Corridor-v0", {}, client=client) as pool:
        seats = await pool.open(20)
        got = [await play_all(seats, first=first) for first in range(0, 80, 20)]
        assert pool.rebuilt == 0
    assert got == expected
    assert Corridor.total - applied == sum(len(g) - 1 for games in expected for g in games)
    for fault in ("broken before", "broken after", "duplicate", "swapped"):
        assert sockets.faults[fault] >= 2, sockets.faults


class Silent(Sockets):
    """Takes steps and never answers them."""

    async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
        return Mute(self, (await super().dial(url, headers, wait_s)).socket)


class Mute(CountedSocket):
    async def send(self, frame: bytes) -> None:
        self.sockets.frames[json.loads(frame)["call"]] += 1


async def test_what_a_socket_does_not_answer_is_asked_another_way(network: Network) -> None:
    sockets = Silent(network)
    async with by_socket(sockets, attempt_s=0.2) as pool:
        (seat,) = await pool.open(1)
        began = time.monotonic()
        got = await play(seat, 3)
        assert time.monotonic() - began < 4.0
    assert [got] == await in_process(1, first=3)
    assert sockets.frames == {"reset": 1}, "and that way is not gone again for a while"


Answer = Callable[[int], str]


class Liar(Sockets):
    """Answers steps with what it was given."""

    def __init__(self, network: Network, answer: Answer) -> None:
        super().__init__(network)
        self.answer = answer

    async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
        return LyingSocket(self, (await super().dial(url, headers, wait_s)).socket, self.answer)


class LyingSocket(CountedSocket):
    def __init__(self, sockets: Sockets, socket: object, answer: Answer) -> None:
        super().__init__(sockets, socket)  # pyright: ignore[reportArgumentType]
        self.answer = answer

    async def receive(self) -> bytes:
        frame = await self.socket.receive()
        tree = json.loads(frame)
        return self.answer(tree["id"]).encode() if tree["results"][0].get("n") == 1 else frame


LIES: list[tuple[Answer, str]] = [
    (lambda _: "no json", "broke the protocol"),
    (lambda _: "[1]", "broke the protocol"),
    (lambda n: f'{{"id":{n},"results":[]}}', "not those of the items"),
    (lambda n: f'{{"id":{n},"results":[{{"sid":"x"}}]}}', "broke the protocol"),
    (lambda n: f'{{"id":{n},"results":null}}', "broke the protocol"),
    (lambda n: f'{{"id":{n},"results":[NaN]}}', "broke the protocol"),
    (
        lambda n: (
            f'{{"error":{{"code":"\\u001b[31mX","message":"\\u001b[2Jgone","retryable":false'
            f'}},"id":{n}}}'
        ),
        r"http://a\.localhost:1:  \[2Jgone",
    ),
]


@pytest.mark.parametrize(("lie", "named"), LIES)
async def test_answers_that_are_none_are_named_errors(
    network: Network, lie: Answer, named: str
) -> None:
    async with by_socket(Liar(network, lie)) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=1))
        with pytest.raises(ServerError, match=named) as caught:
            await seat.step("east")
        assert "\x1b" not in str(caught.value) + caught.value.code


async def test_what_came_too_late_or_for_nobody_is_passed_over(network: Network) -> None:
    class Chatty(CountedSocket):
        async def receive(self) -> bytes:
            if self.sockets.frames["chat"] < 4:
                self.sockets.frames["chat"] += 1
                number = ["77777", "null", "77778", "0"][self.sockets.frames["chat"] - 1]
                return f'{{"id": {number}, "results": []}}'.encode()
            return await self.socket.receive()

    class Chatterboxes(Sockets):
        async def dial(self, url: str, headers: Mapping[str, str], wait_s: float) -> CountedSocket:
            return Chatty(self, (await super().dial(url, headers, wait_s)).socket)

    sockets = Chatterboxes(network)
    async with by_socket(sockets) as pool:
        (seat,) = await pool.open(1)
        assert [await play(seat, 3)] == await in_process(1, first=3)
    assert sockets.frames["chat"] == 4 and len(sockets.opened) == 1


async def test_closing_a_pool_closes_its_socket_and_leaves_no_task(network: Network) -> None:
    before = asyncio.all_tasks()
    sockets = Sockets(network)
    async with by_socket(sockets) as pool:
        await play_all(await pool.open(4), steps=2)
    await asyncio.gather(*(socket.served for socket in sockets.opened))
    assert asyncio.all_tasks() == before
    assert len(network.hosts[A].store) == 0


async def test_a_cancelled_step_by_socket_is_made_good(network: Network) -> None:
    sockets = Sockets(network)
    async with by_socket(sockets) as pool:
        (seat,) = await pool.open(1)
        got = [await seat.reset(Task(env="Corridor-v0", seed=3)), await seat.step("east")]
        stepping = asyncio.ensure_future(seat.step("west"))
        await asyncio.sleep(0)
        stepping.cancel()
        await asyncio.gather(stepping, return_exceptions=True)
        got += [await seat.step("east")]
    env = Corridor()
    assert got == [env.start(3), env.answer("east"), env.answer("east")]
