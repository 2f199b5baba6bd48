"""The client of AgentGym's servers, in each of their spellings."""

from dataclasses import replace

import pytest
from agentgym_double import AgentGymDouble
from far_seats import QUICK

import gigym
from gigym.envs import EnvCodeError, EpisodeLost, ServerError, Task
from gigym.envs.connect import ConnectedPool, Target, seat_pool
from gigym.envs.connect.agentgym import SPELLINGS
from gigym.envs.connect.target import AGENTGYM_WORLDS

URL = "http://agentgym.localhost"


def far(double: AgentGymDouble, **changes: float) -> ConnectedPool:
    target = Target(urls=(URL,), kind=f"agentgym:{double.world}")
    return seat_pool(target, {}, replace(QUICK, transport=double.transport, **changes))


def test_every_world_has_a_spelling() -> None:
    assert tuple(sorted(SPELLINGS)) == AGENTGYM_WORLDS


@pytest.mark.parametrize("world", AGENTGYM_WORLDS)
async def test_an_episode_in_each_spelling(world: str) -> None:
    double = AgentGymDouble(world)
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        first = await seat.reset(Task(env="x", seed=7))
        second = await seat.step("look")
        last = await seat.step("win")
        again = await seat.reset(Task(env="x", seed=7))
    preface = "Boil water.\n" if world == "sciworld" else ""
    assert first.observation.startswith(f"{preface}Game ") and again == first
    assert second.observation.startswith("You look ") and (second.reward, second.done) == (0, False)
    assert (last.reward, last.terminated, last.truncated) == (1, True, False)
    actions = {
        "alfworld": ("look", "win"),
        "webshop": ("search[<your query>]", "click[buy now]"),
    }
    assert second.admissible_actions == actions.get(world)
    if world == "alfworld":
        assert double.bodies[0] == {"id": 0, "world_type": "Text", "game": 7}
        assert first.info == {"task_type": "boil"}
    assert len(double.games) == (1 if world in ("alfworld", "webshop") else 0)


async def test_errors_come_with_http_200() -> None:
    double = AgentGymDouble("textcraft")
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        with pytest.raises(EnvCodeError, match=r"/reset: list index out of range"):
            await seat.reset(Task(env="x", seed=101))


async def test_a_lost_answer_is_made_good_by_replay_and_no_step_is_sent_twice() -> None:
    double = AgentGymDouble("textcraft")
    async with far(double) as pool:
        (seat,) = await pool.open(1)
        path = ["a", "b", "c", "win"]
        clean = [await seat.reset(Task(env="x", seed=7)), *[await seat.step(a) for a in path]]
        got = [await seat.reset(Task(env="x", seed=7)), await seat.step("a")]
        double.lose.add("/step")
        got += [await seat.step(action) for action in path[1:]]
        assert got == clean and double.calls["/create"] == 2
        sent = [body["action"] for body in double.bodies if body["id"] == 1 and "action" in body]
        assert sent == ["a", "b", "c", "win"]


async def test_a_slow_server_ends_the_episode_at_the_deadline() -> None:
    double = AgentGymDouble("babyai")
    async with far(double, deadline_s=0.5) as pool:
        (seat,) = await pool.open(1)
        await seat.reset(Task(env="x", seed=7))
        double.slow_s = 30.0
        with pytest.raises(EpisodeLost, match=r"did not answer"):
            await seat.step("look")


async def test_a_server_of_another_kind_is_told_of() -> None:
    class Confused(AgentGymDouble):
        def create(self) -> dict[str, str]:
            return {"hello": "world"}

    async with far(Confused("textcraft")) as pool:
        with pytest.raises(ServerError, match="does not answer as AgentGym does: no id"):
            await pool.open(1)


def test_it_is_an_environment_like_any_other() -> None:
    double = AgentGymDouble("alfworld")
    client = replace(QUICK, transport=double.transport)
    with gigym.connect(URL, "Kitchen", kind="agentgym:alfworld", client=client, max_steps=2) as env:
        assert env.card.id == "Kitchen" and not env.card.deterministic
        assert env.reset(seed=7)[0].startswith("Game ")
        assert [env.step("look")[3] for _ in range(2)] == [False, True]
