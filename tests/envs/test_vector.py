"""Vector environments: Gymnasium's forms, three backends, and workers that fail."""

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import corridor_env  # noqa: F401
import fragile_env  # noqa: F401
import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import gigym
from gigym.envs import BadOption, EnvCodeError, EnvTimeout, EpisodeError, UnknownTask, WorkerLost
from gigym.envs.vector import CrewSpec, TextVectorEnv
from gigym.envs.vector.infos import vector_infos

HELPERS = Path(__file__).parents[1] / "helpers"


@pytest.fixture
def workers() -> Iterator[Callable[..., TextVectorEnv]]:
    """Vector environments in worker processes, closed at the end."""
    made: list[TextVectorEnv] = []

    def build(
        env_id: str = "Fragile-v0", n: int = 4, step_s: float = 30.0, count: int = 2, flag: str = ""
    ) -> TextVectorEnv:
        crew = CrewSpec(workers=count, step_s=step_s)
        options: dict[str, Any] = {"flag": flag} if flag else {}
        made.append(gigym.make_vec(env_id, n, "process", crew=crew, **options))
        return made[-1]

    yield build
    for envs in made:
        envs.close()


def play(envs: TextVectorEnv, seed: int = 3) -> list[str]:
    """Everything that an episode of fixed actions shows, as texts."""
    shown = [repr(envs.reset(seed=seed))]
    for action in ("east", "take lamp", "east", "west", "\ud800 \u00e9\x00", "take lamp"):
        shown.append(repr(envs.step([action if envs._runs(i) else None for i in range(3)])))
    return shown


def test_workers_play_what_this_process_plays(workers: Callable[..., TextVectorEnv]) -> None:
    near, far = gigym.make_vec("Corridor-v0", 3), workers("Corridor-v0", 3)
    assert play(near) == play(far)
    assert repr(near.reset()) == repr(far.reset())
    assert near.replies == far.replies


def test_seeds_and_forms_are_those_of_gymnasiums_own() -> None:
    ours = gigym.make_vec("Corridor-v0", 3)
    theirs = SyncVectorEnv([lambda: gigym.make("Corridor-v0")] * 3, autoreset_mode="Disabled")
    for seed in (7, [5, None, 9], None):
        seeds: Any = seed
        mine, other = ours.reset(seed=seeds), theirs.reset(seed=seeds)
        if seed != [5, None, 9]:
            assert repr(mine) == repr(other)
    step, other = ours.step(["east"] * 3), theirs.step(("east",) * 3)
    assert [type(part) for part in step] == [type(part) for part in other]
    dtypes = [column.dtype for column in (step[1], step[2], step[3])]
    assert dtypes == [np.float64, np.bool_, np.bool_]
    assert step[4].keys() == other[4].keys()
    assert ours.observation_space == theirs.observation_space
    assert step[0] in ours.observation_space and ours.action_space.sample() in ours.action_space


def test_a_mask_resets_some_and_leaves_the_others() -> None:
    envs = gigym.make_vec("Corridor-v0", 3)
    before, _ = envs.reset(seed=0)
    moved, *_ = envs.step(["east"] * 3)
    options = {"reset_mask": np.array([True, False, True]), "task": "lamp"}
    after, infos = envs.reset(seed=[0, None, 2], options=options)
    assert after == (before[0], moved[1], before[2])
    assert infos["_won"].tolist() == [True, False, True] and "reset_mask" in options


def test_tasks_and_options_may_differ_by_environment() -> None:
    envs = gigym.make_vec("ALFWorld-v0", 2, each=[{"split": "test"}, {"difficulty": "tiny"}])
    _, infos = envs.reset(seed=[4, 4])
    one, other = infos["task_id"]
    assert "test" in one and "tiny" in other
    _, again = envs.reset(options={"task": [one, other]})
    assert again["task_id"].tolist() == [one, other]
    envs.reset(options=[{"task": one}, None])
    with pytest.raises(UnknownTask, match="environment 1: "):
        envs.reset(options={"task": [one, "nothing"]})


def test_without_autoreset_an_ended_episode_is_left_out_or_refused() -> None:
    envs = gigym.make_vec("Fragile-v0", 2)
    with pytest.raises(EpisodeError, match="environment 0 was never reset"):
        envs.step(["a", "a"])
    envs.reset(seed=[8, 0])
    assert envs.step(["a", "a"])[2].tolist() == [True, False]
    with pytest.raises(EpisodeError, match="environment 0 has no running episode"):
        envs.step(["a", "a"])
    texts, rewards, ended, _, infos = envs.step([None, "a"])
    assert texts[0].startswith("9") and texts[1].startswith("2") and rewards[0] == 0.0
    assert ended.tolist() == [True, False] and infos["_count"].tolist() == [False, True]


def test_next_step_resets_with_the_step_after_the_end() -> None:
    envs = gigym.make_vec("Fragile-v0", 2, autoreset="next_step")
    theirs = SyncVectorEnv([lambda: gigym.make("Fragile-v0")] * 2)
    assert repr(envs.reset(seed=[8, 0])) == repr(theirs.reset(seed=[8, 0]))
    for _ in range(3):
        assert repr(envs.step(["a", "a"])) == repr(theirs.step(("a", "a")))
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP


def test_same_step_keeps_the_last_observation_and_info() -> None:
    envs = gigym.make_vec("Fragile-v0", 2, autoreset="same_step")
    theirs = SyncVectorEnv([lambda: gigym.make("Fragile-v0")] * 2, autoreset_mode="SameStep")
    envs.reset(seed=[8, 0])
    theirs.reset(seed=[8, 0])
    texts, _, ended, _, infos = envs.step(["a", "a"])
    other = theirs.step(("a", "a"))
    assert texts == other[0] and ended.tolist() == [True, False]
    assert infos["final_obs"].tolist() == ["9 \u00e9 in here", None]
    assert infos["final_info"]["count"].tolist() == [9, 0]
    assert infos["_final_info"].tolist() == [True, False]
    assert infos.keys() == other[4].keys()
    envs.step(["a", "a"])


def test_gymnasiums_vector_wrappers_accept_it() -> None:
    envs: Any = gymnasium.wrappers.vector.DictInfoToList(gigym.make_vec("Fragile-v0", 2))
    _, infos = envs.reset(seed=1)
    assert [info["count"] for info in infos] == [1, 2]
    recorded: Any = gymnasium.wrappers.vector.RecordEpisodeStatistics(
        gigym.make_vec("Corridor-v0", 2, autoreset="next_step")
    )
    recorded.reset(seed=1)
    recorded.step(["east", "east"])


def test_infos_take_a_number_type_only_if_every_value_fits() -> None:
    infos = vector_infos([{"a": 1, "b": 1, "c": True, "d": 2**70}, None, {"a": 0.5, "b": 2}])
    assert infos["a"].tolist() == [1, None, 0.5] and infos["a"].dtype == object
    assert infos["b"].tolist() == [1, 0, 2] and infos["b"].dtype == np.int64
    assert infos["c"].dtype == np.bool_ and infos["d"].tolist() == [2**70, None, None]
    nested = vector_infos([{"n": {"x": 1.5}}, {}])
    assert nested["n"]["x"].tolist() == [1.5, 0.0] and nested["_n"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: gigym.make_vec("Corridor-v0", 0), "at least one environment, got n=0"),
        (lambda: gigym.make_vec("Corridor-v0", 2, "thread"), "one of sync, process, remote"),
        (lambda: gigym.make_vec("Corridor-v0", 2, "remote"), "needs urls="),
        (
            lambda: gigym.make_vec("Corridor-v0", 2, urls="http://x"),
            "urls are for backend=",
        ),
        (lambda: gigym.make_vec("Corridor-v0", 2, autoreset="never"), "disabled, next_step, same"),
        (lambda: gigym.make_vec("Corridor-v0", 2, lenght=3), "Did you mean 'length'"),
        (lambda: gigym.make_vec("Corridor-v0", 2, each=[{}]), "2 sets of options"),
        (lambda: pair().reset(seed=[1]), "expected one seed or 2, got 1"),
        (lambda: pair().reset(seed=-1), "at least 0, got -1"),
        (lambda: pair().reset(options={"reset_mask": np.ones(3, bool)}), "2 booleans"),
        (lambda: pair().reset(options={"reset_mask": np.zeros(2, bool)}), "picks no environment"),
        (lambda: pair().reset(options={"task": ["lamp"]}), "expected 2 task ids"),
        (lambda: pair().step("ab"), "expected 2 actions, got one text 'ab'"),
        (lambda: pair().step(["a"]), "expected 2 actions, one per environment, got 1"),
        (
            lambda: pair().step(cast("list[str]", ["a", 3])),
            "environment 1: an action must be a str or None, got 3",
        ),
    ],
)
def test_wrong_requests_are_told(call: Callable[[], object], told: str) -> None:
    with pytest.raises(BadOption) as raised:
        call()
    assert told in str(raised.value)


def pair() -> TextVectorEnv:
    return gigym.make_vec("Corridor-v0", 2)


@pytest.mark.parametrize("backend", ["sync", "process"])
def test_an_error_names_its_environment_and_leaves_the_others(backend: str) -> None:
    envs = gigym.make_vec("Fragile-v0", 3, backend, crew=CrewSpec(workers=1))
    envs.reset(seed=0)
    for action, told in (("raise", "raised ZeroDivisionError: no floor"), ("exit", "SystemExit")):
        with pytest.raises(EnvCodeError, match=f"environment 1: Fragile-v0 .*{told}"):
            envs.step(["a", action, "a"])
        envs.reset(seed=[None, 1, None], options={"reset_mask": np.array([False, True, False])})
    assert [text.split()[0] for text in envs.step(["a", "a", "a"])[0]] == ["3", "2", "5"]
    envs.close()
    envs.close()


def test_what_environments_print_and_read_stays_out_of_the_protocol(
    workers: Callable[..., TextVectorEnv],
) -> None:
    envs = workers(n=2)
    envs.reset(seed=0)
    assert envs.step(["chat", "a"])[0][0] == "read ''"
    assert envs.step(["a", "a"])[0][0].startswith("1")


def test_a_worker_that_dies_is_replaced_and_its_episodes_go_on(
    workers: Callable[..., TextVectorEnv], tmp_path: Path
) -> None:
    envs = workers(flag=str(tmp_path / "died"))
    envs.reset(seed=0)
    envs.step(["a"] * 4)
    texts, *_ = envs.step(["die once", "a", "a", "a"])
    assert [text.split()[0] for text in texts] == ["2", "3", "4", "5"]
    crew: Any = envs._crew
    os.kill(crew.pids[1], signal.SIGKILL)
    assert [text.split()[0] for text in envs.step(["a"] * 4)[0]] == ["3", "4", "5", "6"]


def test_an_environment_that_keeps_killing_its_worker_fails_alone(
    workers: Callable[..., TextVectorEnv],
) -> None:
    envs = workers()
    envs.reset(seed=0)
    with pytest.raises(WorkerLost, match=r"environment 2: .* ended its process 2 times"):
        envs.step(["a", "a", "die", "a"])
    assert [text.split()[0] for text in envs.step(["a", "a", None, "a"])[0]] == ["2", "3", "2", "5"]


def test_a_hanging_environment_is_cut_off_and_the_others_go_on(
    workers: Callable[..., TextVectorEnv],
) -> None:
    envs = workers(count=1, step_s=1.0)
    envs.reset(seed=0)
    began = time.monotonic()
    with pytest.raises(EnvTimeout, match="environment 1: Fragile-v0 gave no answer within 1 s"):
        envs.step(["a", "hang", "a", "a"])
    assert time.monotonic() - began < 30
    assert [text.split()[0] for text in envs.step(["a", None, "a", "a"])[0]] == ["2", "1", "4", "5"]


def test_options_that_are_wrong_are_told_by_the_worker() -> None:
    with pytest.raises(BadOption, match=r"environment 0: Corridor-v0 has no option 'lenght'"):
        gigym.make_vec("Corridor-v0", 2, "process", lenght=3)


def test_an_interrupt_in_a_step_leaves_no_answer_behind(
    workers: Callable[..., TextVectorEnv], monkeypatch: pytest.MonkeyPatch
) -> None:
    envs = workers(n=2)
    envs.reset(seed=0)
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            envs.step(["hang", "a"])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    texts, *_ = envs.step(["a", "a"])
    assert texts[0].startswith("1 ")


def test_workers_end_with_their_owner_however_it_ends() -> None:
    envs = gigym.make_vec("Fragile-v0", 2, "process", crew=CrewSpec(workers=2))
    crew: Any = envs._crew
    pids: tuple[int, ...] = crew.pids
    assert len(pids) == 2 and all(alive(pid) for pid in pids)
    del envs, crew
    gc.collect()
    assert not any(alive(pid) for pid in pids)


@pytest.mark.parametrize("ending", ["sys.exit(0)", "os.kill(os.getpid(), 9)", "raise ValueError"])
def test_no_worker_outlives_a_program(ending: str) -> None:
    code = (
        f"import sys, os; sys.path.insert(0, {str(HELPERS)!r})\n"
        "import fragile_env, gigym\n"
        "envs = gigym.make_vec('Fragile-v0', 2, 'process')\n"
        f"print(*envs._crew.pids, flush=True)\n{ending}"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    pids = [int(word) for word in done.stdout.split()]
    assert pids, done.stderr
    give_up_at = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] != "Z"
    return False
