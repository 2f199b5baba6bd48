"""`gigym.wrap`: a stranger's Gymnasium environment keeps gigym's contract, or is refused."""

import random
from collections.abc import Callable
from typing import Any

import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Discrete, Text

import gigym
from gigym.envs import BadOption, EnvCodeError, Unsupported

MOVES = ("left", "right")


class Rope(gymnasium.Env[str, Any]):
    """Walk along a rope to its end; the seed decides where one starts."""

    def __init__(self, numbered: bool = False) -> None:
        self.observation_space = Text(100)
        self.action_space: Any = Discrete(2) if numbered else Text(10)
        self.at = 0

    def reset(
        self, *, seed: int | None = None, options: object = None
    ) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(0, 3))
        return self.told()

    def step(self, action: str | int) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.at += 7
        move = MOVES.index(action) if isinstance(action, str) else int(action)
        self.at += (1 if move else -1) - 7
        text, info = self.told()
        return text, float(self.at == 5), self.at == 5, False, info

    def told(self) -> tuple[str, dict[str, Any]]:
        listed = {"available_actions": list(MOVES)} if isinstance(self.action_space, Text) else {}
        return f"You are at {self.at}.", {**listed, "self": self, "won": self.at == 5}


class Moody(Rope):
    """Forgets its seed."""

    moods = 0

    def reset(
        self, *, seed: int | None = None, options: object = None
    ) -> tuple[str, dict[str, Any]]:
        Moody.moods += 1
        super().reset(seed=seed)
        self.at = Moody.moods
        return self.told()


ONE = Rope()


def place(env: Rope) -> int:
    return env.at


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("built", [False, True])
def test_a_wrapped_environment_passes_every_check_of_the_contract(
    numbered: bool, built: bool
) -> None:
    theirs = (lambda: Rope(numbered)) if built else Rope(numbered)
    names = MOVES if numbered else ()
    env = gigym.wrap(theirs, id="Rope-v0", state_key=place, action_names=names, max_steps=9)
    report = gigym.check_env(env)
    assert report.ok, str(report)
    assert {"snapshot", "fork", "state_key", "admissible_actions"} <= set(env.card.caps)


def test_replies_hold_what_theirs_says() -> None:
    env = gigym.wrap(Rope(), max_steps=4)
    first = env.start(1)
    assert first.admissible_actions == MOVES
    assert first.info == {"won": False}
    reply = env.answer("right")
    raw = Rope()
    raw.reset(seed=1)
    assert reply.observation == raw.step("right")[0]


def test_without_a_key_function_no_state_is_named() -> None:
    env = gigym.wrap(Rope())
    assert env.start(0).state_key is None
    assert not env.card.state_is_markov


def test_an_action_that_theirs_cannot_take_changes_nothing() -> None:
    env = gigym.wrap(Rope(), state_key=place)
    before = env.start(0)
    reply = env.answer("no such thing \x00")
    assert "no action here" in reply.observation
    assert (reply.state_key, reply.reward) == (before.state_key, 0.0)
    assert reply.info["raised"] == "ValueError"
    assert env.answer("right").state_key == env.fork()[0].restore(env.snapshot()).state_key


def test_an_environment_that_does_not_repeat_is_told_at_the_restore() -> None:
    env = gigym.wrap(Moody)
    env.start(0)
    with pytest.raises(EnvCodeError, match="did not repeat its episode of seed 0"):
        env.restore(env.snapshot())


def test_one_that_says_it_is_random_has_no_snapshots() -> None:
    theirs = Rope()
    theirs.spec = EnvSpec("Random-v0", nondeterministic=True)
    env = gigym.wrap(theirs)
    env.start(0)
    assert not env.card.deterministic
    with pytest.raises(Unsupported, match="not deterministic"):
        env.fork(2)


def test_the_environment_that_was_given_is_left_alone() -> None:
    theirs = Rope()
    theirs.at = 77
    gigym.wrap(theirs).start(0)
    assert theirs.at == 77


def test_an_environment_of_ours_can_be_wrapped_as_well() -> None:
    inner = gigym.make("ALFWorld-v0")
    env = gigym.wrap(lambda: gigym.make("ALFWorld-v0"), id="Again-v0")
    assert env.start(3).observation == inner.start(3).observation
    (twin,) = env.fork()
    draw = random.Random("walk")
    for _ in range(5):
        last = env._last
        assert last is not None and last.admissible_actions
        action = draw.choice(last.admissible_actions)
        assert env.answer(action) == twin.answer(action)


@pytest.mark.parametrize(
    ("build", "names", "said"),
    [
        (lambda: gymnasium.make("CartPole-v1"), ("a", "b"), "text observations"),
        (lambda: Rope(True), (), "must give each a name"),
        (lambda: Rope(True), ("left", "left"), "must give each a name"),
        (Rope, MOVES, "action_names are for Discrete"),
        (lambda: ONE, (), "another environment at each call"),
    ],
)
def test_what_cannot_be_wrapped_is_refused_in_clear_words(
    build: Callable[[], Rope], names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(BadOption, match=said):
        gigym.wrap(build, action_names=names)
