"""Pools over several servers: who is asked, who is left, and what is carried over."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from corridor_env import Corridor
from far_seats import QUICK, LossyWire, Network, in_process, play
from http_door import SPEC
from socket_door import Sockets

from gigym.envs import EnvTimeout, EpisodeLost, Reply, ServerError, ServerUnreachable, Task
from gigym.envs.remote import ClientSpec, RemotePool, RemoteSeat
from gigym.envs.wire import Code, ResetItem, StepItem
from gigym.servers import HostedEnv, Limits, LocalServer, ServerSpec
from gigym.servers.batch import Result
from gigym.servers.errors import WireFault
from gigym.servers.host import Host

A, B = "http://a.localhost:1", "http://b.localhost:2"
OPEN = replace(SPEC, allow_hosts=("a.localhost", "b.localhost"))


@pytest.fixture
def network() -> Network:
    network = Network()
    network.start(A, OPEN)
    network.start(B, OPEN)
    return network


def both(network: Network, env: str = "Corridor-v0", **changes: object) -> RemotePool:
    client = network.client(**{"probe_s": 0.05, **changes})
    return RemotePool([A, B], env, {}, client=client)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("by_socket", [False, True])
@pytest.mark.parametrize("env", ["Corridor-v0", "Hallway-v0"])
async def test_episodes_leave_a_draining_server_before_it_stops(
    network: Network, env: str, by_socket: bool
) -> None:
    drained: list[int] = []

    async def drain(turn: int) -> None:
        if turn == 4 and not drained:
            drained.append(turn)
            network.hosts[A].draining = True
            await until(lambda: len(network.hosts[A].store) == 0)
            network.stop(A)

    dial = {"dial": Sockets(network).dial} if by_socket else {}
    async with both(network, env, **dial) as pool:
        seats = await pool.open(6)
        assert len(network.hosts[A].store) == 3
        games = (play(seat, i, env=env, hook=drain) for i, seat in enumerate(seats))
        got = list(await asyncio.gather(*games))
        assert pool.handed_over == 3 and pool.rebuilt == 0
        assert len(network.hosts[B].store) == 6
        snapshots = network.requests["/v1/snapshot"]
        assert by_socket or bool(snapshots) == (env == "Corridor-v0")
    assert got == await in_process(6, env=env)


async def test_an_idle_episode_is_carried_over_as_well(network: Network) -> None:
    async with both(network) as pool:
        seats = await pool.open(2)
        replies = [await seat.reset(Task(env="Corridor-v0", seed=3)) for seat in seats]
        network.hosts[A].draining = True
        await until(lambda: len(network.hosts[A].store) == 0)
        network.stop(A)
        stepped = [await seat.step("east") for seat in seats]
        assert pool.handed_over == 1 and pool.rebuilt == 0
    env = Corridor()
    assert replies == [env.start(3)] * 2 and stepped == [env.answer("east")] * 2


async def test_an_episode_that_cannot_be_replayed_is_carried_over_or_stays(
    network: Network,
) -> None:
    async with both(network, env="Dice-v0") as pool:
        seats = await pool.open(2)
        await asyncio.gather(*(seat.reset(Task(env="Dice-v0", seed=1)) for seat in seats))
        network.hosts[A].draining = True
        await asyncio.sleep(0.2)
        assert len(network.hosts[A].store) == 1, "there it may at least be finished"
        await asyncio.gather(*(seat.step("roll") for seat in seats))


async def test_a_lone_draining_server_is_played_to_its_end(network: Network) -> None:
    async with RemotePool([A], "Corridor-v0", {}, client=network.client()) as pool:
        (seat,) = await pool.open(1)
        network.hosts[A].draining = True
        assert [await play(seat, 3)] == await in_process(1, first=3)
        assert pool.handed_over == 0


async def test_a_silent_server_is_avoided_and_used_again_once_it_is_back(
    network: Network,
) -> None:
    async with both(network, failover_s=0.05) as pool:
        first = await pool.open(2)
        network.stop(A)
        assert [await play(seat, 3) for seat in first] == await in_process(1, first=3) * 2
        began = time.monotonic()
        await pool.open(4)
        assert len(network.hosts[B].store) == 4 and time.monotonic() - began < 2.0
        network.start(A, OPEN)
        await asyncio.sleep(0.3)
        await pool.open(6)
        assert len(network.hosts[A].store) == 2


async def test_places_taken_by_others_are_seen(network: Network) -> None:
    for url in (A, B):
        network.start(url, replace(OPEN, limits=Limits(sessions=8)))
    other = RemotePool([A], "Corridor-v0", {}, client=network.client())
    async with both(network) as pool, other:
        await pool.open(2)
        await other.open(6)
        await asyncio.sleep(0.3)
        await pool.open(6)
        assert [len(network.hosts[url].store) for url in (A, B)] == [7, 5]


def of_version(network: Network, url: str, version: str) -> None:
    """Let a server say that it plays another version."""
    host = network.hosts[url]
    told = host.info

    def info() -> object:
        true = told()
        envs = tuple(env.model_copy(update={"version": version}) for env in true.envs)
        return true.model_copy(update={"envs": envs})

    host.info = info  # pyright: ignore[reportAttributeAccessIssue]


async def test_servers_of_two_versions_are_refused_at_once(network: Network) -> None:
    of_version(network, B, "2.0.0")
    async with both(network) as pool:
        with pytest.raises(ServerError, match=r"plays Corridor-v0 2\.0\.0, others 1\.0\.0"):
            await pool.open(1)


async def test_a_server_that_comes_back_with_another_version_is_avoided(
    network: Network,
) -> None:
    async with both(network) as pool:
        seats = await pool.open(4)
        network.start(A, OPEN)
        of_version(network, A, "2.0.0")
        got = list(await asyncio.gather(*(play(seat, i) for i, seat in enumerate(seats))))
        assert len(network.hosts[B].store) == 4
    assert got == await in_process(4)


async def test_nowhere_to_play_ones_version_is_an_error(network: Network) -> None:
    async with RemotePool([A], "Corridor-v0", {}, client=network.client()) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=1))
        network.start(A, OPEN)
        of_version(network, A, "2.0.0")
        with pytest.raises(ServerError, match="episodes of one run must come from one version"):
            await seat.step("east")


async def test_servers_tell_what_they_play(network: Network) -> None:
    async with both(network) as pool:
        told = await pool.env_info()
        assert (told.id, told.version) == ("Corridor-v0", "1.0.0") and "snapshot" in told.caps


def failing(host: Host, code: Code) -> list[int]:
    """Let every step of a server end in the same fault; how often is told."""
    failed: list[int] = []

    def step(item: StepItem) -> Result:
        failed.append(item.n)
        if code in (Code.WORKER_LOST, Code.SESSION_UNKNOWN):
            host.store.close(item)
        raise WireFault(code, "again")

    host.store.step = step
    return failed


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (Code.TIMEOUT, EnvTimeout),
        (Code.WORKER_LOST, EpisodeLost),
        (Code.SESSION_UNKNOWN, EpisodeLost),
        (Code.STEP_INDEX, EpisodeLost),
    ],
)
async def test_a_step_that_always_fails_is_given_up(
    network: Network, code: Code, error: type[Exception]
) -> None:
    failed = failing(network.hosts[A], code)
    async with RemotePool([A], "Corridor-v0", {}, client=network.client(retries=3)) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=1))
        with pytest.raises(error, match=r"a\.localhost:1: again; given up after 4 attempts"):
            await seat.step("east")
        assert failed == [0] * 4


async def test_a_replay_that_always_fails_is_given_up(network: Network) -> None:
    async with RemotePool([A], "Corridor-v0", {}, client=network.client(retries=2)) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="Corridor-v0", seed=1))
        host = network.start(A, OPEN)
        tried: list[int] = []

        def restore(item: object) -> Result:
            tried.append(1)
            raise WireFault(Code.WORKER_LOST, "the worker died of it")

        host.store.restore = restore
        with pytest.raises(EpisodeLost, match="given up after 3 attempts"):
            await seat.step("east")
        assert len(tried) == 2


async def test_answers_from_another_place_are_refused_by_name(network: Network) -> None:
    host = network.hosts[A]
    steps, resets = host.store.step, host.store.reset
    lie = {"n": 0, "ep": 0}

    def bent(result: Result) -> bytes:
        assert isinstance(result, bytes)
        for name, more in lie.items():
            at = result.index(b'"%s":' % name.encode()) + len(name) + 3
            digits = result[at:].split(b",")[0]
            result = result[:at] + b"%d" % (int(digits) + more) + result[at + len(digits) :]
        return result

    def step(item: StepItem) -> Result:
        return bent(steps(item))

    def reset(item: ResetItem) -> Result:
        return bent(resets(item))

    host.store.step, host.store.reset = step, reset
    async with RemotePool([A], "Corridor-v0", {}, client=network.client()) as pool:
        (seat,) = await pool.open(1)
        lie["ep"] = 1
        with pytest.raises(ServerError, match="must lead to ep 1, n 0; its answer is of ep 2, n 0"):
            await seat.reset(Task(env="Corridor-v0", seed=1))
        lie["ep"] = 0
        pool2 = RemotePool([A], "Corridor-v0", {}, client=network.client())
        async with pool2:
            (seat,) = await pool2.open(1)
            await seat.reset(Task(env="Corridor-v0", seed=1))
            lie["n"] = 5
            with pytest.raises(ServerError, match=r"must lead to ep 1, n 1; .* n 6") as caught:
                await seat.step("east")
            assert caught.value.code == "PROTOCOL"


class Forgetful(LossyWire):
    """Loses the first answers to orders of sessions, or of copies."""

    def __init__(self, network: Network, url: str, lost: int) -> None:
        super().__init__(network, url)
        self.left, self.made = lost, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.network.carry(self.url, request)
        if request.url.path in ("/v1/sessions", "/v1/fork"):
            self.made.append(request)
            if self.left:
                self.left -= 1
                raise httpx.ReadError("lost on the way back")
        return answer

    @property
    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.made}


def forgetful(network: Network, lost: int, **changes: object) -> tuple[ClientSpec, list[Forgetful]]:
    wires: list[Forgetful] = []

    def wire(url: str) -> Forgetful:
        wires.append(Forgetful(network, url, lost))
        return wires[-1]

    return replace(QUICK, transport=wire, **changes), wires


async def test_an_order_whose_answer_is_lost_makes_nothing_twice(network: Network) -> None:
    client, wires = forgetful(network, 3)
    async with RemotePool([A], "Corridor-v0", {}, client=client) as pool:
        await pool.open(5)
        assert len(network.hosts[A].store) == 5 and len(wires[0].keys) == 1


async def test_an_order_given_up_is_taken_up_by_the_next(network: Network) -> None:
    client, wires = forgetful(network, 10**6, create_s=0.3, backoff_max_s=0.1)
    async with RemotePool([A], "Corridor-v0", {}, client=client) as pool:
        with pytest.raises(ServerUnreachable):
            await pool.open(3)
        assert len(network.hosts[A].store) == 3
        wires[0].left = 0
        seats = await pool.open(5)
        assert len(network.hosts[A].store) == 5 and len(wires[0].keys) == 2
        got = list(await asyncio.gather(*(play(seat, i) for i, seat in enumerate(seats))))
    assert got == await in_process(5) and len(network.hosts[A].store) == 0


async def test_what_an_order_made_for_nobody_is_closed_in_time(network: Network) -> None:
    client, wires = forgetful(network, 10**6, create_s=0.3, backoff_max_s=0.1, lease_s=0.9)
    async with RemotePool([A], "Corridor-v0", {}, client=client) as pool:
        with pytest.raises(ServerUnreachable):
            await pool.open(3)
        assert len(network.hosts[A].store) == 3
        wires[0].left = 0
        await until(lambda: len(network.hosts[A].store) == 0)
        assert network.requests["/v1/close"] == 1, "before their leases ended"


async def test_copies_whose_answer_is_lost_are_closed_with_the_pool(network: Network) -> None:
    client, wires = forgetful(network, 0, deadline_s=0.3, backoff_max_s=0.1)
    async with RemotePool([A], "Corridor-v0", {}, client=client) as pool:
        (seat,) = await pool.open(1)
        assert isinstance(seat, RemoteSeat)
        await seat.reset(Task(env="Corridor-v0", seed=1))
        wires[0].left = 10**6
        with pytest.raises(ServerUnreachable):
            await seat.fork(3)
        assert len(network.hosts[A].store) == 4
        wires[0].left = 0
        await seat.step("east")
    assert len(network.hosts[A].store) == 0


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_told_to_stop_is_left_with_its_episodes_whole() -> None:
    env = HostedEnv(id="Corridor-v0")
    spec = ServerSpec(envs=(env,), port=0, imports=("corridor_env",), grace_s=60)

    async def games(urls: list[str], pid: int) -> tuple[list[list[Reply]], int, int]:
        async def stop(turn: int) -> None:
            if turn == 4 and not stopped:
                stopped.append(turn)
                os.kill(pid, signal.SIGTERM)
            await asyncio.sleep(0.05)

        stopped: list[int] = []
        async with RemotePool(urls, "Corridor-v0", {}, client=ClientSpec(probe_s=0.5)) as pool:
            seats = await pool.open(8)
            played = (play(seat, i, steps=20, hook=stop) for i, seat in enumerate(seats))
            return list(await asyncio.gather(*played)), pool.handed_over, pool.rebuilt

    with LocalServer(spec) as one, LocalServer(spec) as two:
        began, pid = time.monotonic(), one.pid
        got, handed_over, rebuilt = asyncio.run(games([one.url, two.url], pid))
        assert (handed_over, rebuilt) == (4, 0)
        while runs(pid) and time.monotonic() - began < 25:
            time.sleep(0.05)
        assert not runs(pid), "it stops once all have left, not after its grace"
    assert got == asyncio.run(in_process(8, steps=20))
