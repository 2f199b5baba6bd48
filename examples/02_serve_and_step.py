"""An env server, an environment on it, eight episodes at once, and the same in this process.

The server is a child process; steps travel over HTTP in batches. It is killed half-way: the client
replays the episodes on the new one and compares state keys, so that nothing is lost.

Run it: python examples/02_serve_and_step.py
"""

import asyncio
import os
import signal

import gigym
from gigym.envs import Reply, Task
from gigym.envs.connect import RemoteEnv
from gigym.envs.pool import LocalPool, Seat, SeatPool
from gigym.servers import HostedEnv, LocalServer, ServerSpec

ENV = "ALFWorld-v0"
OPTIONS = {"difficulty": "small", "max_steps": 12}


async def play(seat: Seat, task: Task) -> list[str | None]:
    """The state keys of an episode that always takes the last choice."""
    reply: Reply = await seat.reset(task)
    keys = [reply.state_key]
    while not reply.done:
        reply = await seat.step((reply.admissible_actions or ("look",))[-1])
        keys.append(reply.state_key)
    return keys


async def play_all(pool: SeatPool) -> list[list[str | None]]:
    """Eight episodes side by side."""
    async with pool:
        seats = await pool.open(8)
        tasks = [Task(env=ENV, seed=seed) for seed in range(8)]
        return await asyncio.gather(*(play(s, t) for s, t in zip(seats, tasks, strict=True)))


async def play_through_a_crash(env: RemoteEnv, server: LocalServer) -> list[list[str | None]]:
    """The same, with the server killed while they play."""
    episodes = asyncio.create_task(play_all(env.pool()))
    await asyncio.sleep(0.05)
    os.kill(server.pid, signal.SIGKILL)
    return await episodes


def main() -> None:
    here = asyncio.run(play_all(LocalPool(ENV, OPTIONS)))
    spec = ServerSpec(envs=(HostedEnv(id=ENV, options=OPTIONS),), port=0)
    with LocalServer(spec) as server, gigym.connect(server.url, ENV) as env:
        print(f"{gigym.__name__} {gigym.__version__} serves {ENV} at {server.url}")
        begun = env.reset(seed=7) == gigym.make(ENV, **OPTIONS).reset(seed=7)
        print(f"gigym.connect begins as gigym.make does: {begun}")
        there = asyncio.run(play_all(env.pool()))
        print(f"over HTTP as in process: {there == here}")
        again = asyncio.run(play_through_a_crash(env, server))
        print(f"through a crash as well: {again == here}, restarts: {server.restarts}")


if __name__ == "__main__":
    main()
