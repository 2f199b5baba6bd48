"""The PettingZoo forms: PettingZoo's own checkers, rewards and keys per seat, hostile actions."""

import random
import warnings
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("pettingzoo", reason="the extra multi is not installed")

from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)

import gigym
from gigym.envs import BadOption, EpisodeError, Unsupported
from gigym.envs.games.zoo import GameAEC, GameParallel

IDS = ("Negotiation-v0", "TwentyQuestions-v0")
SMALL: dict[str, dict[str, Any]] = {"Negotiation-v0": {}, "TwentyQuestions-v0": {"candidates": 8}}


class Typed(str):
    """Text with the dtype of its space, which `api_test` asks of every observation."""

    dtype = np.dtype(str)


class LegalText(gymnasium.Space[str]):
    """Samples one of the commands that the seat has."""

    def __init__(self, commands: Callable[[], list[str]]) -> None:
        super().__init__(dtype=str, seed=0)
        self._commands, self._rng = commands, random.Random(0)

    def sample(self, mask: object = None, probability: object = None) -> str:
        return self._rng.choice(self._commands())

    def contains(self, x: object) -> bool:
        return isinstance(x, str)


class TypedAEC(GameAEC[Any]):
    """A game whose observations carry a dtype, and whose samples may be legal commands."""

    legal = False

    def view(self, agent: str) -> dict[str, str]:
        return {name: Typed(text) for name, text in super().view(agent).items()}

    def action_space(self, agent: str) -> Any:  # noqa: ANN401
        if not self.legal:
            return super().action_space(agent)
        made = self.__dict__.setdefault("spaces", {})
        return made.setdefault(agent, LegalText(lambda: self.infos[agent]["admissible_actions"]))


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("legal", [False, True])
def test_api_test_passes_once_observations_have_a_dtype(env_id: str, legal: bool) -> None:
    env = TypedAEC(gigym.make_aec(env_id, **SMALL[env_id]).game)
    env.legal = legal
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it expects numbers as observations
        api_test(env, num_cycles=60)


@pytest.mark.parametrize("env_id", IDS)
def test_plain_text_fails_api_test_at_its_dtype_and_nowhere_before(env_id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(AttributeError, match="'str' object has no attribute 'dtype'"):
            api_test(gigym.make_aec(env_id), num_cycles=10)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("options", [{}, {"max_invalid": 50}])
def test_parallel_checkers_pass(env_id: str, options: dict[str, Any]) -> None:
    parallel_api_test(gigym.make_parallel(env_id, **options), num_cycles=20)
    parallel_seed_test(lambda: gigym.make_parallel(env_id, **options), num_cycles=20)


def test_turns_have_a_parallel_form_too() -> None:
    parallel_api_test(gigym.make_parallel("Negotiation-v0", sealed=False), num_cycles=20)
    parallel_seed_test(lambda: gigym.make_parallel("Negotiation-v0", sealed=False))


@pytest.mark.parametrize("env_id", IDS)
def test_seed_and_render_checkers_pass(env_id: str) -> None:
    seed_test(lambda: gigym.make_aec(env_id), num_cycles=20)
    render_test(partial(gigym.make_aec, env_id))


def test_max_cycles_cut_a_game_in_both_forms() -> None:
    options: dict[str, Any] = {"sealed": True, "max_invalid": 50}
    module = SimpleNamespace(
        env=lambda max_cycles: gigym.make_aec("Negotiation-v0", max_cycles=max_cycles, **options),
        parallel_env=lambda max_cycles: gigym.make_parallel(
            "Negotiation-v0", max_cycles=max_cycles, **options
        ),
    )
    max_cycles_test(module)


def test_rewards_come_to_all_seats_with_the_last_step_and_seats_leave() -> None:
    env = gigym.make_aec("Negotiation-v0")
    env.reset(seed=3)
    first, second = env.agent_selection, next(a for a in env.agents if a != env.agent_selection)
    share = env.infos[first]["admissible_actions"][0]
    env.step(share)
    assert env.agent_selection == second and set(env.rewards.values()) == {0.0}
    env.step("accept")
    assert all(env.terminations.values()) and env.rewards[first] == 1.0
    assert env.rewards[first] + env.rewards[second] == env.infos[first]["welfare"]
    paid = dict(env.rewards)
    for _ in range(2):
        assert env.last()[1] == paid[env.agent_selection]
        env.step(None)
    assert env.agents == [] and env.infos == {}
    with pytest.raises(EpisodeError, match="call reset first"):
        env.step("accept")


@pytest.mark.parametrize("env_id", IDS)
def test_each_seat_has_its_own_key_and_facts(env_id: str) -> None:
    env = gigym.make_parallel(env_id)
    observations, infos = env.reset(seed=5)
    assert isinstance(env, GameParallel) and set(observations) == set(infos) == set(env.agents)
    keys = {info["state_key"] for info in infos.values()}
    assert len(keys) == 2 and len({info["task_id"] for info in infos.values()}) == 1
    for agent, seen in observations.items():
        assert env.observation_space(agent).contains(seen) and agent in seen["observation"]
    again, told = env.reset(options={"task": infos[env.agents[0]]["task_id"]})
    assert again == observations and told == infos


def test_a_seat_not_on_turn_can_only_wait() -> None:
    env = gigym.make_parallel("TwentyQuestions-v0", max_invalid=2)
    observations, infos = env.reset(seed=1)
    assert observations["agent_1"]["legal"] == "wait"
    assert infos["agent_1"]["admissible_actions"] == ["wait"] and not infos["agent_1"]["turn"]
    *_, infos = env.step({"agent_0": "ask an animal", "agent_1": "wait"})
    assert infos["agent_0"]["valid"] and infos["agent_1"]["turn"]
    env.step({"agent_0": "guess whale", "agent_1": "hm"})
    seen, rewards, over, _, infos = env.step({"agent_0": "guess whale", "agent_1": "hm"})
    assert "Invalid: it is not your turn" in seen["agent_0"]["observation"]
    assert over == {"agent_0": True, "agent_1": True} and set(rewards.values()) == {0.0}
    assert infos["agent_0"]["forfeits"] == ["agent_0", "agent_1"]


HOSTILE = ("", "\x00", "\ud800", "é\u202e\u2028", "propose " * 10_000, "x" * 1_000_000)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_an_invalid_move_and_never_an_error(env_id: str, text: str) -> None:
    aec, parallel = gigym.make_aec(env_id), gigym.make_parallel(env_id)
    aec.reset(seed=0)
    agent = aec.agent_selection
    aec.step(text)
    assert not aec.infos[agent]["valid"] and aec.agent_selection == agent
    parallel.reset(seed=0)
    seen, *_, infos = parallel.step(dict.fromkeys(parallel.agents, text))
    assert not any(info["valid"] for info in infos.values())
    assert all(parallel.observation_space(name).contains(seen[name]) for name in seen)


def test_what_is_no_text_or_no_seat_is_told() -> None:
    env = gigym.make_parallel("Negotiation-v0")
    env.reset(seed=0)
    with pytest.raises(BadOption, match="the action of agent_0 must be text, got 7"):
        env.step({"agent_0": 7})
    with pytest.raises(BadOption, match="no seat 'agent_7'"):
        env.step({"agent_7": "quit"})
    with pytest.raises(BadOption, match="render_mode"):
        gigym.make_aec("Negotiation-v0", render_mode="rgb_array")
    with pytest.raises(Unsupported, match="one seat"):
        gigym.make_parallel("ALFWorld-v0")
