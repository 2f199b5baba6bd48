"""Names of environments: versioned, lazy, helpful with what is wrong, strict in what they take."""

import subprocess
import sys
from collections.abc import Callable

import corridor_env
import pytest

import gigym
from gigym.envs import (
    ALFWORLD,
    BadOption,
    EnvCard,
    TextEnv,
    UnknownEnv,
    Unsupported,
    card,
    list_envs,
    missing,
    option_names,
    register_need,
    registry,
)
from gigym.envs.registry import register


def test_the_list_is_sorted_and_knows_alfworld() -> None:
    ids = [found.id for found in list_envs()]
    assert ids == sorted(ids) and "ALFWorld-v0" in ids
    assert card("ALFWorld-v0") is ALFWORLD and ALFWORLD.host_options == ("games",)


def test_listing_imports_no_environment() -> None:
    code = (
        "import sys, gigym; gigym.list_envs();"
        "assert not {'gymnasium', 'gigym.envs.alfworld', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(
        UnknownEnv, match=r"no environment 'AlfWorld-v1'; did you mean 'ALFWorld-v0'"
    ):
        gigym.make("AlfWorld-v1")
    with pytest.raises(UnknownEnv, match=r"list them with: gigym list"):
        gigym.make("")


def test_options_are_the_keyword_parameters_of_the_class() -> None:
    assert option_names("Corridor-v0") == ("length", "plan", "max_steps")
    env = gigym.make("Corridor-v0", length=9, max_steps=4)
    assert isinstance(env, corridor_env.Corridor) and (env.length, env.max_steps) == (9, 4)


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("lenght", 3, r"no option 'lenght'\. Did you mean 'length'\? It takes: length, plan"),
        ("self", 3, r"no option 'self'\. It takes"),
        ("length", "long", "option length must be int, got 'long'"),
        ("length", None, "option length must be int, got None"),
        ("length", True, "option length must be int, got True"),
        ("length", 2.5, r"option length must be int, got 2\.5"),
        ("plan", ["a"], r"option plan must be str, got \['a'\]"),
        ("max_steps", "9", r"option max_steps must be int \| None, got '9'"),
        ("length", 1, "length must be 2 to 1000, got 1"),
    ],
)
def test_a_wrong_option_or_value_is_told(option: str, value: object, told: str) -> None:
    options: dict[str, object] = {option: value}
    with pytest.raises(BadOption, match=told):
        gigym.make("Corridor-v0", **options)  # pyright: ignore[reportArgumentType]


def test_an_id_belongs_to_one_class() -> None:
    register(corridor_env.CORRIDOR, "corridor_env:Corridor")
    other = EnvCard(id="Corridor-v0", version="1.0.0", summary="an impostor")
    with pytest.raises(BadOption, match="already registered by corridor_env:Corridor"):
        register(other, "corridor_env:Hallway")
    assert card("Corridor-v0") is corridor_env.CORRIDOR


def test_of_what_an_environment_needs_only_what_is_missing_is_told() -> None:
    there = [False]
    register_need("the games of the test", lambda: there[0])
    needs = ("serve", "json", "no_such_module", "no.such.module", "the games of the test")
    needy = EnvCard(id="Needy-v0", version="1.0.0", summary="", needs=needs)
    assert missing(needy) == ("no_such_module", "no.such.module", "the games of the test")
    there[0] = True
    assert missing(needy) == ("no_such_module", "no.such.module")
    assert missing(ALFWORLD) == ()


class Duel(TextEnv):
    card = EnvCard(id="Duel-v0", version="1.0.0", summary="two seats", agents=2)

    @classmethod
    def all_seats(cls, form: str, *, rounds: int = 3) -> str:
        return f"{form}, {rounds} rounds"


def test_a_game_for_several_agents_has_doors_to_all_seats() -> None:
    registry._ENTRIES["Duel-v0"] = (Duel.card, "duel_of_the_test:Duel")
    sys.modules["duel_of_the_test"] = sys.modules[__name__]
    try:
        assert gigym.make_parallel("Duel-v0") == "parallel, 3 rounds"
        assert gigym.make_aec("Duel-v0", rounds=5) == "aec, 5 rounds"
        with pytest.raises(BadOption, match=r"no option 'round'\. Did you mean 'rounds'"):
            gigym.make_parallel("Duel-v0", round=2)
    finally:
        del registry._ENTRIES["Duel-v0"], sys.modules["duel_of_the_test"]


@pytest.mark.parametrize("door", [gigym.make_parallel, gigym.make_aec])
def test_a_game_of_one_seat_says_so(door: Callable[[str], object]) -> None:
    with pytest.raises(Unsupported, match=r"ALFWorld-v0 has one seat; make it with gigym\.make"):
        door("ALFWorld-v0")
    with pytest.raises(UnknownEnv, match="did you mean 'ALFWorld-v0'"):
        door("ALFWrld-v0")
