"""Gymnasium's registry holds our ids, whichever of the two packages is imported first."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import corridor_env  # noqa: F401
import gymnasium
import pytest
from gymnasium.vector import AutoresetMode

import gigym
from gigym.envs import BadOption, EnvCard, TextVectorEnv, register

HELPERS = Path(__file__).parents[1] / "helpers"
CHECK = """
import gymnasium
assert gymnasium.make("gigym.envs:ALFWorld-v0").reset(seed=1)[1]["task_id"]
assert {wanted} <= gymnasium.registry.keys()
import sys
assert not [f for f in sys.meta_path if type(f).__module__.startswith("gigym")]
"""


def python(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    given = [str(path) for path in (HELPERS, *paths)]
    script = f"import sys; sys.path[:0] = {given!r}\n{code}"
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        ("import gymnasium, gigym.envs", {"ALFWorld-v0"}),
        ("import gigym.envs, gymnasium", {"ALFWorld-v0"}),
        ("import gymnasium", {"ALFWorld-v0"}),
        ("import gymnasium, gigym, corridor_env", {"ALFWorld-v0", "Corridor-v0", "Dice-v0"}),
        ("import gigym.envs, corridor_env, gymnasium", {"Corridor-v0"}),
        (
            "import gigym; gigym.list_envs(); import importlib.util as u; u.find_spec('gymnasium')",
            {"ALFWorld-v0"},
        ),
        ("import gigym; gigym.make('ALFWorld-v0'); import corridor_env", {"Corridor-v0"}),
    ],
)
def test_every_id_is_there_in_every_order_of_imports(first: str, wanted: set[str]) -> None:
    done = python(first + CHECK.format(wanted=wanted))
    assert done.returncode == 0, done.stderr


def test_listing_ids_does_not_load_gymnasium() -> None:
    done = python(
        "import gigym; gigym.list_envs(); assert not {'gymnasium', 'numpy'} & sys.modules.keys()"
    )
    assert done.returncode == 0, done.stderr


def plug_in(folder: Path, name: str, body: str) -> None:
    """An installed package with an entry point, as pip leaves it behind."""
    (folder / f"{name}.py").write_text(body)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gigym.envs]\n{name} = {name}:add\n")


SOUND = """
from gigym.envs import EnvCard, TextEnv, list_envs, register
def add():
    list_envs()
    card = EnvCard(id="Plugged-v0", version="1.0.0", summary="from a plug-in")
    register(card, "corridor_env:Corridor")
"""
BROKEN = "import nowhere_to_be_found"


@pytest.mark.parametrize("first", ["import gymnasium, gigym.envs", "import gigym.envs, gymnasium"])
def test_plug_ins_reach_gymnasium_beside_one_that_is_broken(tmp_path: Path, first: str) -> None:
    plug_in(tmp_path, "a_broken_one", BROKEN)
    plug_in(tmp_path, "sound_one", SOUND)
    done = python(f"{first}\nassert 'Plugged-v0' in gymnasium.registry", tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_broken_plug_in_is_named_and_the_others_are_listed(tmp_path: Path) -> None:
    plug_in(tmp_path, "a_broken_one", BROKEN)
    plug_in(tmp_path, "sound_one", SOUND)
    code = """
import warnings, gigym
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    assert "Plugged-v0" in [card.id for card in gigym.list_envs()]
    gigym.list_envs()
(warning,) = said
assert "plug-in 'a_broken_one' of a_broken_one" in str(warning.message), warning
assert "No module named 'nowhere_to_be_found'" in str(warning.message)
try:
    gigym.make("FromTheBrokenOne-v0")
except gigym.envs.UnknownEnv as error:
    assert "a_broken_one" in str(error)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr


def test_options_and_limits_pass_through_gymnasium() -> None:
    env: Any = gymnasium.make("gigym.envs:Corridor-v0", length=9)
    assert env.unwrapped.length == 9 and env.spec.kwargs["length"] == 9
    again = gymnasium.make(env.spec)
    assert again.reset(seed=3)[0] == env.reset(seed=3)[0]
    with pytest.raises(BadOption, match=r"no option 'lenght'\. Did you mean 'length'"):
        gymnasium.make("gigym.envs:Corridor-v0", lenght=9)


def test_make_vec_gives_our_vector_environment() -> None:
    envs: Any = gymnasium.make_vec("gigym.envs:Corridor-v0", num_envs=3, max_episode_steps=2)
    assert isinstance(envs, TextVectorEnv) and envs.num_envs == 3
    assert envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    observations, infos = envs.reset(seed=5)
    assert observations in envs.observation_space and infos["_state_key"].all()
    envs.step(["east"] * 3)
    assert envs.step(["east"] * 3)[3].all()
    other: Any = gymnasium.make_vec("gigym.envs:Corridor-v0", num_envs=1, autoreset="same_step")
    assert other.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    sync: Any = gymnasium.make_vec("gigym.envs:Corridor-v0", 2, vectorization_mode="sync")
    assert sync.reset(seed=5)[0] == observations[:2]


def test_an_id_that_gymnasium_holds_or_refuses_is_left_to_it() -> None:
    held = gymnasium.registry["CartPole-v1"]
    for env_id in ("CartPole-v1", "not a name of theirs"):
        register(EnvCard(id=env_id, version="1.0.0", summary="ours"), "corridor_env:Corridor")
    try:
        assert gymnasium.registry["CartPole-v1"] is held
        assert gigym.make("not a name of theirs").spec is None
    finally:
        for env_id in ("CartPole-v1", "not a name of theirs"):
            gigym.envs.registry._ENTRIES.pop(env_id)
