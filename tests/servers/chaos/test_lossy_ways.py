"""A thousand episodes on a way that loses, doubles, delays and cuts: each step counts once."""

from collections import Counter
from dataclasses import replace

import pytest
from chaos_wire import FAULTS, ChaosWire, twins_arrived
from counting_env import Counting
from far_seats import QUICK, Network, in_process, play_all
from http_door import URL

from gigym.envs.remote import ClientSpec, RemotePool
from gigym.servers import HostedEnv, ServerSpec

COUNTING = ServerSpec(envs=(HostedEnv(id="Counting-v0"),))
PATIENT = replace(QUICK, deadline_s=50.0, create_s=50.0, attempt_s=5.0)


async def episodes(client: ClientSpec, count: int, at_once: int) -> list[object]:
    """Episodes of ten steps with the seeds 0 to `count`, in groups; nothing may be rebuilt."""
    replies: list[object] = []
    async with RemotePool([URL], "Counting-v0", {}, client=client) as pool:
        seats = await pool.open(at_once)
        for first in range(0, count, at_once):
            replies += await play_all(seats, env="Counting-v0", first=first)
        await twins_arrived()
        assert pool.rebuilt == 0, "a session was lost; repeating the request should have done"
    return replies


@pytest.mark.parametrize(
    ("count", "batch"), [(1000, 8), (100, 1)], ids=["in batches", "one by one"]
)
async def test_no_step_is_lost_or_doubled(count: int, batch: int) -> None:
    network, wires = Network(), list[ChaosWire]()
    network.start(URL, COUNTING)

    def faulty(url: str) -> ChaosWire:
        wires.append(ChaosWire(network, url, seed=batch))
        return wires[-1]

    Counting.executed = Counter()
    clean = list[object](await in_process(count, env="Counting-v0"))
    expected, Counting.executed = Counting.executed, Counter()
    client = replace(PATIENT, transport=faulty, batch=batch, flights=16)
    got = await episodes(client, count, at_once=100)
    assert got == clean
    assert Counting.executed == expected
    assert set(expected.values()) == {1} and len(expected) > 10 * count
    (wire,) = wires
    assert set(wire.struck) == set(FAULTS)
    assert min(wire.struck.values()) >= 0.03 * wire.requests, (wire.struck, wire.requests)
    assert len(network.hosts[URL].store) == 0, "a doubled lease left sessions behind"
