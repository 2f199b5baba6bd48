"""The environment's contract: seeds, tasks, snapshots, rewards, and actions of every kind."""

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env
from small_shop import LAMP_GOAL, SHIRT, SHIRT_GOAL, TO_THE_SHIRT, play, small_shop, some_action

import gigym
from gigym.envs.checks import CheckPlan
from gigym.envs.errors import BadOption, EpisodeError, UnknownTask
from gigym.envs.types import JsonValue
from gigym.envs.webshop import GoalList, Shelf, WebShopEnv


@pytest.fixture
def env(shop: Shelf) -> WebShopEnv:
    return WebShopEnv(products=shop)


def test_gymnasium_accepts_it_over_the_synthetic_shop_and_over_files(
    real_files: Mapping[str, str],
) -> None:
    for options in ({}, real_files):
        check_env(gigym.make("WebShop-v0", **options), skip_render_check=True)


def test_a_met_wish_pays_ten_and_ends(env: WebShopEnv) -> None:
    env.reset(options={"task": SHIRT_GOAL.id})
    for action in TO_THE_SHIRT:
        assert env.step(action)[1:3] == (0.0, False)
    _, reward, terminated, truncated, info = env.step("click[buy now]")
    assert (reward, terminated, truncated) == (10.0, True, False)
    assert info["won"] is True and info["score"] == 1.0 and info["admissible_actions"] == []
    assert info["verdict"]["options"] == 2
    with pytest.raises(EpisodeError, match="the episode is over"):
        env.step("click[buy now]")


def test_a_wish_met_in_part_pays_its_score_only_where_that_is_asked_for(shop: Shelf) -> None:
    for option, expected in (("success", 0.0), ("score", 0.75)):
        env = WebShopEnv(products=shop, reward=option)
        env.reset(options={"task": SHIRT_GOAL.id})
        for action in TO_THE_SHIRT[:3]:
            env.step(action)
        _, reward, terminated, _, info = env.step("click[buy now]")
        assert (reward, terminated, info["won"], info["score"]) == (expected, True, False, 0.75)


def test_seeds_visit_each_task_once_and_go_round(shop: Shelf) -> None:
    env = WebShopEnv(products=shop)
    assert env.num_tasks == 2
    ids = [env.reset(seed=seed)[1]["task_id"] for seed in range(4)]
    assert ids == [SHIRT_GOAL.id, LAMP_GOAL.id] * 2


def test_the_tasks_of_a_split_are_listed_and_played_by_id(
    real_files: Mapping[str, str],
) -> None:
    env = gigym.make("WebShop-v0", split="test", **real_files)
    sizes = [len(env.tasks(split)) for split in ("test", "dev", "train", None)]
    assert sizes == [500, 1_000, 5_410, 500]
    assert len(env.tasks("test+dev+train")) == 6_910
    ids = [str(task.options["task"]) for name in env.card.splits for task in env.tasks(name)]
    assert len({*ids}) == 6_910
    for goal_id in ids[::1_500]:
        _, info = env.reset(options={"task": goal_id})
        assert info["task_id"] == goal_id
    named = env.tasks()[7]
    assert env.reset(seed=7)[1]["task_id"] == named.options["task"]


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"task": "B000NOWHERE/0"}, UnknownTask, "no goal 'B000NOWHERE/0' in this shop of 25"),
        ({"task": 7}, BadOption, "must be the id of a goal, got 7"),
        ({"tusk": "x"}, BadOption, "no reset option 'tusk'"),
    ],
)
def test_a_start_that_names_no_task_is_refused(
    env: WebShopEnv, options: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        env.reset(seed=0, options=options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"observation_mode": "html"}, "observation_mode must be one of text, text_rich, url"),
        ({"reward": "both"}, "reward must be one of success, score, got 'both'"),
        ({"show_instruction": "never"}, "show_instruction must be one of always, first"),
        ({"split": "valid"}, "no split 'valid'"),
        ({"catalogue_size": 10**9}, "catalogue_size must be from 2 to 20000"),
        ({"produts": "x"}, "Did you mean 'products'"),
        ({"products": 5}, "option products must be"),
        ({"products": "a\0b"}, "a path holds no NUL character"),
    ],
)
def test_an_option_that_is_not_taken_is_told(options: dict[str, Any], told: str) -> None:
    with pytest.raises(BadOption, match=told):
        gigym.make("WebShop-v0", **options)


def test_the_same_seed_gives_the_same_episode_in_any_process() -> None:
    helpers = [entry for entry in sys.path if entry.endswith("helpers")]
    script = (
        f"import json, sys, gigym; sys.path += {helpers!r}; from small_shop import play; "
        "print(json.dumps([play(gigym.make('WebShop-v0', catalogue_size=60), s) for s in (1, 2)]))"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert told[0] == told[1] and len(json.loads(told[0])[0]) > 2


def test_a_thousand_sessions_on_one_shop_are_independent(shop: Shelf) -> None:
    alone = [play(WebShopEnv(products=shop), seed, steps=6) for seed in range(1_000)]
    envs = [WebShopEnv(products=shop) for _ in range(1_000)]
    rngs = [random.Random(f"play:{seed}") for seed in range(1_000)]
    traces: list[list[Any]] = [[env.reset(seed=seed)] for seed, env in enumerate(envs)]
    for _ in range(6):
        for env, rng, trace in zip(envs, rngs, traces, strict=True):
            if len(trace[-1]) == 2 or not trace[-1][2]:
                trace.append(env.step(some_action(rng, trace[-1][-1]["admissible_actions"])))
    assert traces == alone


def test_the_state_key_is_blind_to_the_way_and_sees_every_choice(env: WebShopEnv) -> None:
    def key_after(*actions: str) -> str:
        env.reset(options={"task": SHIRT_GOAL.id})
        return [env.step(action)[4]["state_key"] for action in actions][-1]

    way = TO_THE_SHIRT
    assert key_after(*way) == key_after(*way[:2], "click[x-large]", "nonsense", "click[black]")
    assert key_after(*way) != key_after(*way[:3])
    assert key_after(*way) != key_after(*way, "click[features]")
    assert key_after(*way, "click[features]") != key_after(*way, "click[reviews]")
    assert key_after("search[shirt]") != key_after("search[shirts]")
    assert key_after("search[shirt]") != key_after("search[shirt]", "click[next >]")
    visited = key_after(*way[:2], "click[back to search]", *way)
    assert visited == key_after(*way)


@pytest.mark.parametrize("mode", ["text", "text_rich", "url"])
def test_the_state_key_tells_all_that_a_mode_shows(mode: str) -> None:
    plan = CheckPlan(seeds=4, steps=15, only=("state", "state_key"))
    options: dict[str, JsonValue] = {"observation_mode": mode, "catalogue_size": 60}
    report = gigym.check_env("WebShop-v0", plan, **options)
    assert set(report.passed) == {"state", "state_key"} and not report.remarks


def test_names_that_no_action_can_say_are_not_offered() -> None:
    sold = replace(SHIRT, options=(("color", ("r[e]d", "a\nb", "", "[", "x]", "\ud800", "blue")),))
    env = WebShopEnv(products=Shelf([sold], GoalList([SHIRT_GOAL], {"train": range(1)})))
    env.reset(seed=0)
    for action in ("search[shirt]", "click[b000shirt1]"):
        env.step(action)
    offered = env.answer("look").admissible_actions or ()
    assert offered[-4:] == ("click[buy now]", "click[[]", "click[x]]", "click[blue]")


def test_episodes_are_cut_after_fifteen_turns(env: WebShopEnv) -> None:
    env.reset(seed=0)
    assert [env.step("look")[3] for _ in range(15)] == [False] * 14 + [True]


def test_nothing_is_played_before_a_start_or_after_the_close(env: WebShopEnv) -> None:
    with pytest.raises(EpisodeError, match="call reset first"):
        env.step("search[shirt]")
    env.reset(seed=0)
    env.close()
    with pytest.raises(EpisodeError, match="nobody is shopping"):
        env.step("search[shirt]")


def test_a_shop_with_no_goals_is_refused() -> None:
    with pytest.raises(BadOption, match="is empty"):
        WebShopEnv(products=Shelf([small_shop().product(0)], GoalList(())))


def test_the_default_shop_is_large_and_needs_no_files() -> None:
    env = gigym.make("WebShop-v0")
    assert isinstance(env, WebShopEnv) and len(env.shop) >= 2_000
    assert env.num_tasks and env.num_tasks > 2_000
