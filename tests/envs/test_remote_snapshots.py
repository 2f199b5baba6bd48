"""Snapshots and copies of far episodes: as in process, and what a lost session is rebuilt from."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest
from corridor_env import Corridor
from far_seats import Network, in_process, play
from http_door import SPEC
from socket_door import Sockets

from gigym.envs import BadOption, EpisodeError, Reply, ServerError, Task, Unsupported, make
from gigym.envs.remote import RemotePool, RemoteSeat
from gigym.servers import Limits

A = "http://a.localhost:1"
OPEN = replace(SPEC, allow_hosts=("a.localhost",))
WALK = ("east", "west", "east", "east", "west", "west", "east")


@pytest.fixture
def network() -> Network:
    network = Network()
    network.start(A, OPEN)
    return network


def pool_of(network: Network, env: str = "Corridor-v0", **changes: object) -> RemotePool:
    return RemotePool([A], env, {}, client=network.client(**changes))


async def one(pool: RemotePool) -> RemoteSeat:
    (seat,) = await pool.open(1)
    assert isinstance(seat, RemoteSeat)
    return seat


async def walk(seat: RemoteSeat, *actions: str) -> list[Reply]:
    return [await seat.step(action) for action in actions]


@pytest.mark.parametrize("by_socket", [False, True])
async def test_far_and_near_snapshots_are_the_same_bytes(network: Network, by_socket: bool) -> None:
    dial = Sockets(network).dial if by_socket else None
    near = Corridor()
    near.start(7)
    async with pool_of(network, dial=dial) as pool:
        seat = await one(pool)
        await seat.reset(Task(env="Corridor-v0", seed=7))
        for action in WALK[:3]:
            assert await seat.step(action) == near.answer(action)
        frozen = await seat.snapshot()
        assert frozen == near.snapshot()
        there = Corridor()
        assert there.restore(frozen) == await seat.restore(near.snapshot())
        for action in WALK[3:]:
            assert await seat.step(action) == there.answer(action)


async def test_a_snapshot_goes_to_another_seat(network: Network) -> None:
    async with pool_of(network) as pool, pool_of(network) as other:
        seat, twin = await one(pool), await one(other)
        await seat.reset(Task(env="Corridor-v0", seed=7))
        (here, *_) = await walk(seat, "east")
        assert await twin.restore(await seat.snapshot()) == here
        assert await walk(twin, *WALK) == await walk(seat, *WALK)


async def test_copies_have_futures_of_their_own(network: Network) -> None:
    async with pool_of(network) as pool:
        seat = await one(pool)
        await seat.reset(Task(env="Corridor-v0", seed=7))
        await seat.step("east")
        left, right = await seat.fork(2)
        assert len(network.hosts[A].store) == 3
        near = Corridor()
        near.start(7)
        near.answer("east")
        west, east = near.fork(2)
        assert await walk(left, "west", "west") == [west.answer("west"), west.answer("west")]
        assert await walk(right, "east", "east") == [east.answer("east"), east.answer("east")]
        assert await walk(seat, "east") == [near.answer("east")]
        left.leave()
        await pool.open(2)
        assert len(network.hosts[A].store) == 3, "what a copy held is given back"
    assert len(network.hosts[A].store) == 0


async def test_copies_are_kept_rebuilt_and_renewed_like_other_seats(network: Network) -> None:
    async with pool_of(network, lease_s=0.9) as pool:
        seat = await one(pool)
        await seat.reset(Task(env="Corridor-v0", seed=7))
        (twin,) = await seat.fork()
        await twin.step("east")
        await asyncio.sleep(1.3)
        assert len(network.hosts[A].store) == 2
        network.start(A, OPEN)
        near = Corridor()
        near.start(7)
        near.answer("east")
        assert await twin.step("east") == near.answer("east")
        assert pool.rebuilt == 1


async def test_too_many_copies_are_refused_in_time(network: Network) -> None:
    network.start(A, replace(OPEN, limits=Limits(sessions=2)))
    async with pool_of(network, deadline_s=0.4) as pool:
        seat = await one(pool)
        await seat.reset(Task(env="Corridor-v0", seed=7))
        with pytest.raises(ServerError, match="2 copies asked for, 1 sessions free"):
            await seat.fork(2)
        assert len(await seat.fork(1)) == 1


async def test_an_episode_without_snapshots_travels_as_a_recipe(network: Network) -> None:
    async with pool_of(network, "Hallway-v0") as pool, pool_of(network, "Hallway-v0") as other:
        seat, twin = await one(pool), await one(other)
        await seat.reset(Task(env="Hallway-v0", seed=7))
        replies = await walk(seat, *WALK[:2])
        frozen = await seat.snapshot()
        assert json.loads(frozen)["kind"] == "recipe"
        assert await twin.restore(frozen) == replies[-1]
        network.start(A, OPEN)
        assert await walk(twin, *WALK[2:]) == await walk(seat, *WALK[2:])
        assert pool.rebuilt == other.rebuilt == 1


async def test_what_cannot_be_frozen_or_restored_is_said(network: Network) -> None:
    async with pool_of(network) as pool, pool_of(network, "Dice-v0") as dice:
        seat, die = await one(pool), await one(dice)
        for call in (seat.snapshot(), seat.fork()):
            with pytest.raises(EpisodeError, match="before reset"):
                await call
        await die.reset(Task(env="Dice-v0", seed=1))
        for call in (die.snapshot(), die.fork()):
            with pytest.raises(Unsupported, match="neither freeze its state nor be replayed"):
                await call
        await seat.reset(Task(env="Corridor-v0", seed=7))
        frozen = await seat.snapshot()
        for wrong in (b"", b"{}", b"\xff", b"[]", frozen[:-5], b"[" * 20_000):
            with pytest.raises(BadOption, match="not a snapshot"):
                await seat.restore(wrong)
        elsewhere = frozen.replace(b'"Corridor-v0"', b'"Hallway-v0"')
        with pytest.raises(BadOption, match=r"snapshot is of Hallway-v0 1\.0\.0, this environment"):
            await seat.restore(elsewhere)
        assert await seat.restore(frozen)


async def test_an_episode_that_began_with_a_snapshot_survives_its_session(
    network: Network,
) -> None:
    near = make("Corridor-v0")
    near.start(7)
    near.answer("east")
    async with pool_of(network) as pool:
        seat = await one(pool)
        await seat.restore(near.snapshot())
        for action in WALK[:4]:
            network.start(A, OPEN)
            assert await seat.step(action) == near.answer(action)
        assert pool.rebuilt == 4


async def test_a_long_episode_is_rebuilt_from_its_last_snapshot(network: Network) -> None:
    async def restart(turn: int) -> None:
        if turn == 8:
            network.start(A, OPEN)
            network.requests.clear()

    async with pool_of(network, snapshot_every=3) as pool:
        seat = await one(pool)
        got = await play(seat, 3, hook=restart)
        assert pool.rebuilt == 1
        asked = Counter({p: n for p, n in network.requests.items() if p != "/v1/info"})
        steps = asked["/v1/step"]
        assert asked["/v1/restore"] == 1 and steps >= 4, (
            "one lost, two since the snapshot, the rest"
        )
    assert [got] == await in_process(1, first=3)


async def test_a_snapshot_that_leads_elsewhere_gives_way_to_the_recipe(network: Network) -> None:
    async with pool_of(network, snapshot_every=2) as pool:
        seat = await one(pool)
        near = Corridor()
        assert await seat.reset(Task(env="Corridor-v0", seed=3)) == near.start(3)
        for action in WALK[:3]:
            assert await seat.step(action) == near.answer(action)
        host = network.start(A, OPEN)
        restores = host.store.restore
        network.requests.clear()

        def restore(item):  # noqa: ANN001, ANN202
            if item.snapshot is not None:
                blob = item.snapshot.blob.replace("It is dark", "It is darkish")
                blob = blob.replace('"here":', '"here":1')
                item = item.model_copy(
                    update={"snapshot": item.snapshot.model_copy(update={"blob": blob})}
                )
            return restores(item)

        host.store.restore = restore
        assert await seat.step("east") == near.answer("east")
        assert network.requests["/v1/restore"] == 2 and pool.rebuilt == 1
