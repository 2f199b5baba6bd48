"""wrap over game files of TextWorld."""

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest

import gigym
from gigym.envs import GameFileError, MissingExtra
from gigym.envs.checks import CheckPlan

HAS_ENGINE = importlib.util.find_spec("textworld") is not None
real = pytest.mark.skipif(not HAS_ENGINE, reason="needs the extra alfworld: make interop")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("games") / "cellar.z8"
    maker = Path(sys.executable).with_name("tw-make")
    size = ["--world-size", "2", "--nb-objects", "6", "--quest-length", "3", "--seed", "7"]
    command = [str(maker), "custom", *size, "--output", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return path


def test_what_is_no_game_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(GameFileError, match="no game at"):
        gigym.wrap(tmp_path / "none.z8")
    (tmp_path / "game.tw-pddl").write_text("{}")
    with pytest.raises(GameFileError, match=r"gigym.make\('ALFWorld-v0', games=PATH\)"):
        gigym.wrap(str(tmp_path / "game.tw-pddl"))
    (tmp_path / "lone.z8").write_bytes(b"\x08")
    with pytest.raises(GameFileError, match=r"lone.z8 lacks lone.json beside it"):
        gigym.wrap(tmp_path / "lone.z8")


@pytest.mark.skipif(HAS_ENGINE, reason="the extra alfworld is here")
def test_without_the_extra_the_install_line_is_told(tmp_path: Path) -> None:
    (tmp_path / "game.z8").write_bytes(b"\x08")
    (tmp_path / "game.json").write_text("{}")
    with pytest.raises(MissingExtra, match=r"pip install 'gigym\[alfworld\]'"):
        gigym.wrap(tmp_path / "game.z8")


@pytest.mark.alfworld
@real
def test_a_game_keeps_the_contract(game: Path) -> None:
    plan = CheckPlan(seeds=1, steps=8, skip=("processes",))
    report = gigym.check_env(gigym.wrap(game, max_steps=20), plan)
    assert report.ok, str(report)


@pytest.mark.alfworld
@real
def test_a_game_is_won_by_the_walkthrough_of_its_maker(game: Path) -> None:
    import textworld  # pyright: ignore[reportMissingImports]

    steps = textworld.Game.load(str(game.with_suffix(".json"))).walkthrough
    env = gigym.wrap(game)
    reply = env.start(0)
    assert ">" not in reply.observation.splitlines()[-1]
    total = 0.0
    for command in steps:
        assert command in (reply.admissible_actions or ())
        reply = env.answer(command)
        total += reply.reward
    assert reply.terminated and reply.info["won"]
    assert total > 0 and total == reply.info["score"]


@pytest.mark.alfworld
@real
def test_texts_do_not_count_moves_and_keys_name_states(game: Path) -> None:
    env = gigym.wrap(game)
    first = env.start(0)
    looked = env.answer("look")
    assert env.answer("look").observation == looked.observation
    assert looked.state_key == first.state_key
    rng, reply = random.Random(3), looked
    for _ in range(6):
        reply = env.answer(rng.choice(reply.admissible_actions or ()))
    (twin,) = env.fork()
    assert twin.answer("look") == env.answer("look")


@pytest.mark.alfworld
@real
@pytest.mark.parametrize(
    "action",
    [
        "save",
        "QUIT",
        "restart",
        "",
        "é",
        "look\nquit",
        "look. quit",
        "look then save",
        "tw-trace-actions",
        "x" * 999,
    ],
)
def test_the_interpreter_takes_no_orders(game: Path, action: str) -> None:
    env = gigym.wrap(game)
    first = env.start(0)
    reply = env.answer(action)
    assert not reply.done and reply.state_key == first.state_key
    assert env.answer("look").observation
