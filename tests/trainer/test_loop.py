"""Whole runs in small: what each setting changes, and what stays the same."""

import json
import os
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from small_run import cache_in, small_run

from gigym.envs import ServerError, ServerUnreachable
from gigym.grouping import Group
from gigym.servers import HostedEnv, LocalServer, ServerSpec
from gigym.trainer import (
    ConfigError,
    EvalOptions,
    Interrupted,
    RunDir,
    SilentProgress,
    TooManyFailures,
    evaluate,
    resume,
)
from gigym.trainer.arena import Arena
from gigym.trainer.metrics import read_metrics


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One warm start for all tests of this file."""
    with cache_in(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def usual(own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """The run that others are held against; its reference keeps every token in the update."""
    return run(tmp_path_factory.mktemp("usual") / "run", "objective.kl_coef=0.1")


def run(folder: Path, *more: str) -> RunDir:
    return small_run(folder, "eval.episodes=4", *more)


def weights(run: RunDir, step: int = 2) -> dict[str, np.ndarray]:
    return load_file(run.checkpoints / f"step-{step:06d}" / "model.safetensors")


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)


def test_a_warm_start_from_the_cache_equals_a_fresh_one(tmp_path: Path) -> None:
    kept = run(tmp_path / "kept", "iterations=0", "eval.episodes=0")
    fresh = run(tmp_path / "fresh", "iterations=0", "eval.episodes=0", "warmstart.cache=false")
    assert same(weights(kept, 0), weights(fresh, 0))


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_next_warm_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GIGYM_CACHE", str(tmp_path / "file"))
    done = run(tmp_path / "run", "iterations=0", "eval.episodes=0")
    assert weights(done, 0)


def test_a_gpu_that_is_not_there_is_named(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match=r"model\.device: no usable GPU"):
        run(tmp_path / "run", "model.device=cuda")


def test_another_server_changes_nothing(usual: RunDir, tmp_path: Path) -> None:
    spec = ServerSpec(envs=(HostedEnv(id="ALFWorld-v0"),), port=0)
    with LocalServer(spec) as one, LocalServer(spec) as two:
        urls = json.dumps([one.url, two.url])
        far = run(tmp_path / "far", f"env.urls={urls}", "objective.kl_coef=0.1")
    assert same(weights(usual), weights(far))


def test_without_the_barrier_the_run_still_ends(tmp_path: Path) -> None:
    loose = run(tmp_path / "loose", "rollout.deterministic=false")
    assert len(read_metrics(loose.metrics)) == 2


@pytest.mark.parametrize(
    "setting",
    ["estimator=grpo", "rollout.context=window", "objective.kl_coef=0.5"],
)
def test_a_setting_changes_what_is_learned(usual: RunDir, tmp_path: Path, setting: str) -> None:
    other = run(tmp_path / "other", "objective.kl_coef=0.1", setting)
    assert same(weights(usual, 0), weights(other, 0))
    assert not same(weights(usual), weights(other))


def test_a_run_kept_near_its_start_resumes_with_the_same_reference(
    usual: RunDir, tmp_path: Path
) -> None:
    halted = run(tmp_path / "halted", "objective.kl_coef=0.1", "iterations=1")
    resume(str(halted.path), SilentProgress(), ["iterations=2"])
    assert same(weights(usual), weights(halted))


def test_time_adds_up_and_every_sampled_token_is_scored_as_it_was_drawn(usual: RunDir) -> None:
    for line in read_metrics(usual.metrics):
        spans = [v for k, v in line.items() if k.startswith("time/") and k != "time/iteration"]
        assert sum(spans) == pytest.approx(line["time/iteration"], rel=0.02)
        assert line["mismatch/drift_max"] < 1e-3


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1:9"):
        run(tmp_path / "run", 'env.urls=["http://127.0.0.1:9"]')
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


def test_too_many_lost_episodes_stop_the_run_and_say_why(tmp_path: Path) -> None:
    with pytest.raises(TooManyFailures, match=r"ENGINE_ERROR.*--resume"):
        run(tmp_path / "run", "rollout.generate_deadline_s=0.0001", "eval.episodes=0")


def test_the_games_trained_on_and_held_out_are_what_the_plan_says(usual: RunDir) -> None:
    lines = (usual.path / "episodes" / "step-000001.jsonl").read_text().splitlines()
    episodes = [json.loads(line) for line in lines]
    assert len(episodes) == 6
    assert {e["seed"] for e in episodes} == {0, 1}
    assert all(e["env"] == "ALFWorld-v0" for e in episodes)


def test_an_evaluation_repeats_itself_on_the_checkpoint_of_choice(usual: RunDir) -> None:
    report = evaluate(str(usual.path), EvalOptions(step=0, episodes=4), SilentProgress())
    assert report.by_type["all"].episodes == 4
    assert report.report["checkpoint"].endswith("step-000000")
    again = evaluate(str(usual.path), EvalOptions(step=0, episodes=4), SilentProgress())
    assert again.by_type == report.by_type


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.path: cannot load '/nowhere'"):
        run(tmp_path / "run", "model.path=/nowhere")


def test_a_run_halted_anywhere_ends_as_if_it_had_not_been(
    usual: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment in (1, 2, 4):
        with monkeypatch.context() as patch:
            _signal_at(patch, moment)
            with pytest.raises(Interrupted, match="--resume"):
                run(tmp_path / str(moment), "objective.kl_coef=0.1")
        again = resume(str(tmp_path / str(moment)), SilentProgress())
        assert same(weights(usual), weights(again))
        assert usual.read_json("summary.json") == again.read_json("summary.json")
        for step in (1, 2):
            assert usual.episodes(step).read_bytes() == again.episodes(step).read_bytes()


def _signal_at(patch: pytest.MonkeyPatch, moment: int) -> None:
    """Send SIGINT when rollout number `moment` of the run begins: two scores, two iterations,
    two scores.
    """
    play, begun = Arena.play, count()

    def signalled(self: Arena, *given: Any) -> tuple[Group, ...]:  # noqa: ANN401 - handed on
        if next(begun) == moment:
            os.kill(os.getpid(), signal.SIGINT)
        return play(self, *given)

    patch.setattr(Arena, "play", signalled)


def test_a_run_under_way_stays_the_run_it_is(usual: RunDir) -> None:
    text = (usual.path / "config.toml").read_text()
    with pytest.raises(ConfigError) as caught:
        resume(str(usual.path), SilentProgress(), ["model.hidden=64", "seed=9", "iterations=1"])
    faults = str(caught.value).splitlines()
    assert [fault.split(":")[0] for fault in faults] == ["seed", "model.hidden", "iterations"]
    assert (usual.path / "config.toml").read_text() == text


def test_a_plan_that_fails_leaves_no_run_behind(tmp_path: Path, test_data: Path) -> None:
    games = test_data / "alfworld" / "valid_seen.jsonl.xz"
    with pytest.raises(ConfigError, match="the set holds 140"):
        run(tmp_path / "run", f"env.games={games}", "rollout.pool=500")
    assert not (tmp_path / "run").exists()


def test_contexts_too_short_for_any_prompt_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no prompt of ALFWorld-v0 fits into 20 tokens"):
        run(tmp_path / "run", "engine.max_model_len=20", "warmstart.stages=[]")


def test_a_server_with_a_token_is_played_on_with_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("secret-of-the-server\n")
    spec = ServerSpec(envs=(HostedEnv(id="ALFWorld-v0"),), port=0, token="secret-of-the-server")
    with LocalServer(spec) as server:
        far = (f"env.urls={json.dumps([server.url])}", "iterations=1", "eval.episodes=0")
        done = run(tmp_path / "run", *far, f"env.token_file={path}")
        assert len(read_metrics(done.metrics)) == 1
        with pytest.raises(ServerError, match="token"):
            run(tmp_path / "refused", *far)
