"""The engine `textworld`: TextWorld itself, in a process that may die."""

import gc
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import gigym
from gigym.envs import BadOption, EngineFailed, GameFileError, MissingExtra, Reply, TextEnv
from gigym.envs.alfworld import PackRow, generate, replay_traces, write_pack
from gigym.envs.alfworld.conformance import compare_engines
from gigym.envs.alfworld.game import parse_problem
from gigym.envs.alfworld.reference import game_text, process, release_rules, session
from gigym.envs.alfworld.reference.process import Worker

OWN_TRACES = Path(__file__).parents[2] / "data" / "alfworld_traces.jsonl.xz"
HAS_ENGINE = all(importlib.util.find_spec(name) for name in ("alfworld", "textworld"))
real = pytest.mark.skipif(not HAS_ENGINE, reason="needs the extra alfworld: make interop")


def made(**options: str | int) -> TextEnv:
    return gigym.make("ALFWorld-v0", engine="textworld", **({"difficulty": "tiny"} | options))


def child() -> Worker:
    worker = session._CHILD._worker
    assert worker is not None
    return worker


def wandered(env: TextEnv, seed: int, steps: int) -> Reply:
    rng, reply = random.Random(seed), env.start(seed)
    for _ in range(steps):
        reply = reply if reply.done else env.answer(rng.choice(reply.admissible_actions or ()))
    return reply


@pytest.mark.skipif(HAS_ENGINE, reason="the extra alfworld is here")
def test_without_the_extra_the_install_line_is_told() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'gigym\[alfworld\]'"):
        made()


@pytest.mark.alfworld
@real
def test_both_engines_give_the_same_replies() -> None:
    ours = gigym.make("ALFWorld-v0", difficulty="small", max_steps=30)
    theirs = made(difficulty="small", max_steps=30)
    for seed in range(4):
        rng = random.Random(seed)
        reply = ours.start(seed)
        assert theirs.start(seed) == reply
        while not reply.done:
            action = rng.choice([*(reply.admissible_actions or ()), "open the pod bay doors"])
            reply = ours.answer(action)
            assert theirs.answer(action) == reply


@pytest.mark.alfworld
@real
def test_no_answer_differs_on_generated_games() -> None:
    found = list(compare_engines(count=24, seed=7))
    assert [one.difference for one in found] == [None] * 24
    assert len({one.task_type for one in found}) == 6


@pytest.mark.alfworld
@real
@pytest.mark.parametrize("split", ["train", "valid_seen"])
def test_no_answer_differs_on_official_games(test_data: Path, split: str) -> None:
    found = list(compare_engines(str(test_data / "alfworld"), split=split, count=12, steps=20))
    assert [one.difference for one in found] == [None] * 12


@pytest.mark.alfworld
@real
def test_the_committed_traces_are_still_what_the_engine_says() -> None:
    assert replay_traces(OWN_TRACES, engine="textworld").differences == ()


@pytest.mark.alfworld
@real
def test_what_is_remembered_changes_no_answer() -> None:
    """The stock engine and the one with caches, each in a process of its own."""
    game = game_text(generate(3, difficulty="small"), None)
    rng, workers = random.Random(1), (Worker(stock=True), Worker())
    start = {"do": "start", "session": 0, "game": game.tree(), "commands": []}
    request: Any = {**start, "watched": [*session.WATCHED]}
    try:
        for _ in range(25):
            stock, cached = (ordered(worker.ask(request)) for worker in workers)
            assert stock == cached
            command = rng.choice([*stock["admissible"], "nonsense"])
            request = {"do": "step", "session": 0, "command": command}
    finally:
        for worker in workers:
            worker.stop()


def ordered(answer: Any) -> Any:  # noqa: ANN401
    return {**answer, "facts": {name: sorted(rows) for name, rows in answer["facts"].items()}}


@pytest.mark.alfworld
@real
def test_the_rules_of_the_package_become_those_of_the_release(test_data: Path) -> None:
    rules, folder = release_rules(), test_data / "alfworld"
    assert rules.domain == (folder / "alfred.pddl").read_text()
    assert rules.grammar == (folder / "alfred.twl2").read_text()


@pytest.mark.alfworld
@real
def test_the_games_own_file_is_played_from_a_folder_and_from_a_zip(tmp_path: Path) -> None:
    row = generate(5, difficulty="tiny")
    tree = game_text(row, None).tree() | {"walkthrough": [*row.walkthrough], "solvable": True}
    tree["grammar"] = str(tree["grammar"]).replace("You arrive at", "Here you are:")
    name = "valid_seen/a_task/trial_1"
    path = tmp_path / "json_2.1.1" / name / "game.tw-pddl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(tree))
    with zipfile.ZipFile(tmp_path / "games.zip", "w") as archive:
        archive.write(path, f"json_2.1.1/{name}/game.tw-pddl")
    for games in (tmp_path, tmp_path / "games.zip", path):
        env = made(games=str(games), split="valid_seen")
        reply = env.start(0, {"task": name})
        assert reply.info["task_id"] == name
        assert env.answer(row.walkthrough[0]).observation.startswith("Here you are: ")


@pytest.mark.alfworld
@real
def test_snapshots_and_forks_play_on_as_the_original() -> None:
    env = made()
    reply = wandered(env, 2, 6)
    held, (twin,) = env.snapshot(), env.fork()
    other = made()
    assert other.restore(held) == reply and twin.snapshot() == held
    action = reply.admissible_actions[0] if reply.admissible_actions else ""
    assert env.answer(action) == twin.answer(action) == other.answer(action)


@pytest.mark.alfworld
@real
def test_snapshots_of_another_engine_or_another_past_are_refused() -> None:
    env, native = made(), gigym.make("ALFWorld-v0", difficulty="tiny")
    native.reset(seed=2)
    reply = wandered(env, 2, 6)
    forged = json.loads(env.snapshot())
    forged["frozen"]["state"]["commands"] = []
    with pytest.raises(BadOption, match="restored by the engine that made it"):
        env.restore(native.snapshot())
    with pytest.raises(BadOption, match="lead to another state"):
        env.restore(json.dumps(forged).encode())
    assert env.answer("look").state_key == reply.state_key


@pytest.mark.alfworld
@real
def test_a_killed_engine_is_replaced_and_the_games_go_on() -> None:
    env, other, native = made(), made(), gigym.make("ALFWorld-v0", difficulty="tiny")
    assert wandered(env, 3, 4) == wandered(native, 3, 4) and not wandered(other, 4, 2).done
    os.kill(child().process.pid, signal.SIGKILL)
    assert env.answer("inventory") == native.answer("inventory")
    assert not other.answer("look").observation.startswith("Nothing")


@pytest.mark.alfworld
@real
def test_a_hanging_engine_is_ended_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made()
    reply = env.start(1)
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.5)
    os.kill(child().process.pid, signal.SIGSTOP)
    with pytest.raises(EngineFailed, match=r"no answer within 0\.5 s"):
        env.answer("look")
    monkeypatch.undo()
    assert env.answer("inventory").state_key == reply.state_key


@pytest.mark.alfworld
@real
def test_the_process_ends_with_the_last_environment() -> None:
    gc.collect()
    env, other = made(), made()
    env.start(0)
    other.start(0)
    running = child().process
    env.close()
    assert running.poll() is None and other.answer("look")
    del other
    gc.collect()
    assert running.poll() is not None
    assert env.start(1).observation
    env.close()


@pytest.mark.alfworld
@real
def test_nothing_is_printed_and_nothing_outlives_the_interpreter() -> None:
    code = (
        "import sys, gigym; from gigym.envs.alfworld.reference import session\n"
        "env = gigym.make('ALFWorld-v0', engine='textworld', difficulty='tiny')\n"
        "env.reset(seed=0); env.step('look'); assert 'textworld' not in sys.modules\n"
        "print(session._CHILD._worker.process.pid, sys.argv)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "word"], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    pid, _, argv = ran.stdout.partition(" ")
    assert argv == "['-c', 'word']\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


@pytest.mark.alfworld
@real
def test_a_game_that_the_engine_cannot_load_is_told(tmp_path: Path) -> None:
    row = generate(0, difficulty="tiny")
    problem = row.pddl_problem.replace("(:domain alfred)", "(:domain alfred) (:requirements :none)")
    problem = problem.replace("agent1 - agent", "agent1 - robot")
    parse_problem(bad := PackRow(id="bad", task=row.task, pddl_problem=problem, walkthrough=()))
    write_pack(tmp_path / "bad.jsonl", [bad])
    with pytest.raises(GameFileError, match="'bad': TextWorld cannot load it"):
        made(games=str(tmp_path / "bad.jsonl")).start(0)


@pytest.mark.alfworld
@real
@pytest.mark.parametrize(
    "action", ["", "\0", "\ud800", "look\nlook", "x" * 1_000_000, "{r}", "#task#"]
)
def test_any_text_is_an_action(action: str) -> None:
    env, native = made(), gigym.make("ALFWorld-v0", difficulty="tiny")
    env.start(0)
    native.start(0)
    assert env.answer(action) == native.answer(action)


@pytest.mark.alfworld
@real
def test_the_expert_plays_on_the_real_engine() -> None:
    env = made()
    reply = env.start(4)
    expert = env.expert()
    while not reply.done:
        reply = env.answer(expert.act(reply))
    assert reply.reward == 10.0 and reply.info["won"] is True
