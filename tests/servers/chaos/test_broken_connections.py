"""Real connections that break at a random byte, stall or fall silent lose and double nothing."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from chaos_proxy import FATES, chaos_before
from counting_env import COUNTING
from far_seats import QUICK, in_process, play_all

from gigym.envs.remote import ClientSpec, RemotePool
from gigym.servers import HostedEnv, LocalServer, ServerSpec

EPISODES, AT_ONCE = 300, 100
HASTY = replace(QUICK, deadline_s=50.0, create_s=50.0, attempt_s=0.3, retries=1000)


def executions(ledger: Path) -> Counter[tuple[int, ...]]:
    """How often each step was executed, by seed and number."""
    lines = ledger.read_text().splitlines()
    return Counter(tuple(int(word) for word in line.split()[1:]) for line in lines)


@pytest.mark.parametrize(
    ("client", "mean_bytes"),
    [
        (replace(HASTY, socket_sessions=0, flights=8), 60_000),
        (replace(HASTY, socket_sessions=AT_ONCE), 80_000),
    ],
    ids=["requests", "socket"],
)
async def test_broken_connections_lose_and_double_nothing(
    tmp_path: Path, client: ClientSpec, mean_bytes: int
) -> None:
    clean = await in_process(EPISODES, env=COUNTING.id)
    ledger = tmp_path / "ledger"
    env = HostedEnv(id="Counting-v0", options={"ledger": str(ledger)})
    spec = ServerSpec(envs=(env,), port=0, imports=("counting_env",))
    with LocalServer(spec) as server:
        async with chaos_before(server.url, mean_bytes=mean_bytes) as proxy:
            async with RemotePool([proxy.url], "Counting-v0", {}, client=client) as pool:
                seats = await pool.open(AT_ONCE)
                got = [
                    await play_all(seats, env="Counting-v0", first=first)
                    for first in range(0, EPISODES, AT_ONCE)
                ]
                assert pool.rebuilt == 0
            assert set(proxy.struck) == set(FATES) and sum(proxy.struck.values()) >= 10
        info = httpx.get(server.url + "/v1/info").json()
        assert server.restarts == 0
    assert [game for games in got for game in games] == clean
    counted = executions(ledger)
    assert set(counted.values()) == {1}
    assert len(counted) == sum(len(game) for game in clean)
    # What the last farewells could not say ends with its lease.
    assert info["limits"]["sessions"] - info["free"] <= AT_ONCE
