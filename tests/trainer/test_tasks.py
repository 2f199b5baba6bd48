"""Which tasks a run trains on, demonstrates and holds out."""

import json
from collections import Counter
from pathlib import Path

import pytest

from gigym.servers import HostedEnv, LocalServer, ServerSpec
from gigym.trainer import ConfigError, load_config
from gigym.trainer.tasks import iteration_seeds, plan_tasks


def test_the_three_kinds_of_task_do_not_overlap() -> None:
    plan = plan_tasks(load_config("quickstart"))
    assert not set(plan.train_seeds) & set(plan.demo_seeds)
    assert plan.heldout_options["split"] == "test"
    assert plan.train_options["split"] == "train"


def test_a_pool_is_gone_through_evenly_in_an_order_of_its_own() -> None:
    config = load_config("quickstart", ["rollout.pool=16", "rollout.tasks=8"])
    plan = plan_tasks(config)
    rounds = [
        iteration_seeds(plan, config, 2 * i) + iteration_seeds(plan, config, 2 * i + 1)
        for i in range(3)
    ]
    assert all(sorted(seeds) == list(range(16)) for seeds in rounds)
    assert rounds[0] != rounds[1]
    assert iteration_seeds(plan, config, 4) == iteration_seeds(plan, config, 4)


def test_groups_of_a_pool_smaller_than_an_iteration_stay_even() -> None:
    config = load_config("quickstart", ["rollout.pool=3", "rollout.tasks=8"])
    plan = plan_tasks(config)
    counts = Counter(s for i in range(3) for s in iteration_seeds(plan, config, i))
    assert counts == {0: 8, 1: 8, 2: 8}


def test_without_a_pool_every_iteration_brings_new_tasks() -> None:
    config = load_config("quickstart", ["rollout.pool=0", "rollout.tasks=8"])
    plan = plan_tasks(config)
    seen = [seed for i in range(20) for seed in iteration_seeds(plan, config, i)]
    assert len(set(seen)) == len(seen)
    assert max(seen) < config.warmstart.first_seed


def test_a_pool_that_reaches_into_the_demonstrations_is_refused() -> None:
    config = load_config("quickstart", ["rollout.pool=16", "warmstart.first_seed=15"])
    with pytest.raises(ConfigError, match=r"rollout\.pool: 16 .*first_seed=15"):
        plan_tasks(config)


def test_a_fixed_set_of_games_is_cut_into_three(test_data: Path) -> None:
    games = test_data / "alfworld" / "train.jsonl.xz"
    config = load_config("quickstart", [f"env.games={games}"])
    plan = plan_tasks(config)
    parts = [set(plan.train_seeds), set(plan.demo_seeds), set(plan.heldout_seeds)]
    assert [len(part) for part in parts[::2]] == [16, 128]
    assert len(set.union(*parts)) == sum(len(part) for part in parts) == 3553
    assert plan == plan_tasks(config)


def test_a_pool_larger_than_the_set_is_refused(test_data: Path) -> None:
    games = test_data / "alfworld" / "valid_seen.jsonl.xz"
    config = load_config("quickstart", [f"env.games={games}", "rollout.pool=141"])
    with pytest.raises(ConfigError, match="141 training games asked for, the set holds 140"):
        plan_tasks(config)


def test_the_games_of_a_server_are_cut_into_three_as_well(test_data: Path) -> None:
    games = str(test_data / "alfworld" / "valid_seen.jsonl.xz")
    hosted = HostedEnv(id="ALFWorld-v0", options={"games": games})
    near = plan_tasks(load_config("quickstart", [f"env.games={games}"]))
    with LocalServer(ServerSpec(envs=(hosted,), port=0)) as server:
        far = plan_tasks(load_config("quickstart", [f"env.urls={json.dumps([server.url])}"]))
    assert (far.train_seeds, far.heldout_seeds) == (near.train_seeds, near.heldout_seeds)
    assert not set(far.heldout_seeds) & {*far.train_seeds, *far.demo_seeds}
    assert max(far.heldout_seeds) < 140
