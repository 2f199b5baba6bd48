"""The plug-in recipes, run against fakes of the signatures that verl and TRL publish."""

import importlib.util
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gigym.grouping import Steps, estimate

torch = pytest.importorskip("torch")

EXAMPLES = Path(__file__).parents[2] / "examples" / "plugins"
ANCHORS = [["hall", "attic"], ["hall", "cellar", "hall"]]
MASK = [[1, 1, 0, 1, 0, 0], [1, 0, 1, 0, 1, 1]]
PAID = [[0, 0, 0, 10, 0, 0], [0, 0, 0, 0, 0, 0]]


def expected() -> Any:  # noqa: ANN401 - a Credit, compared piecewise
    steps = Steps.of(
        task=["g"] * 5,
        trajectory=[0, 0, 1, 1, 1],
        step=[0, 1, 0, 1, 2],
        anchor=[key for keys in ANCHORS for key in keys],
        reward=[0, 10, 0, 0, 0],
    )
    return estimate(steps, "gigpo", invalid_penalty=0.0)


def recipe(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def verl(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """verl's registry, as `verl.trainer.ppo.core_algos` publishes it."""
    registry: dict[str, Callable[..., Any]] = {}

    def register_adv_est(name_or_enum: str) -> Callable[..., Any]:
        def decorator(fn: Callable[..., Any]) -> Callable[..., Any]:
            registry[name_or_enum] = fn
            return fn

        return decorator

    for name in ("verl", "verl.trainer", "verl.trainer.ppo", "verl.trainer.ppo.core_algos"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["verl.trainer.ppo.core_algos"].register_adv_est = register_adv_est  # type: ignore[attr-defined]
    return registry


def test_the_verl_recipe_gives_the_credit_of_gigpo_per_token(
    verl: dict[str, Callable[..., Any]],
) -> None:
    module = recipe("credit_in_verl")
    bound = module.bind(np.array(["g", "g"], dtype=object), ANCHORS)
    assert bound.tolist() == ["g", "g"]
    bound = pickle.loads(pickle.dumps(bound))  # noqa: S301 - what Ray does with it
    advantages, returns = verl["gigpo"](
        token_level_rewards=torch.tensor(PAID, dtype=torch.float32),
        response_mask=torch.tensor(MASK),
        index=bound,
        config=None,
    )
    credit = expected()
    a, b, c, d, e = credit.advantage
    np.testing.assert_allclose(advantages, [[a, a, 0, b, 0, 0], [c, 0, d, 0, e, e]], rtol=1e-6)
    assert returns[0, 3] == 10.0
    assert advantages.dtype == torch.float32


def test_the_verl_recipe_reads_a_passed_batch_directly(
    verl: dict[str, Callable[..., Any]],
) -> None:
    recipe("credit_in_verl")
    advantages, _ = verl["gigpo"](
        token_level_rewards=torch.tensor(PAID, dtype=torch.float32),
        response_mask=torch.tensor(MASK),
        index=np.array(["g", "g"], dtype=object),
        non_tensor_batch={"anchors": ANCHORS},
        batch=None,
    )
    assert advantages[0, 0].item() == pytest.approx(expected().advantage[0])


def test_the_trl_recipe_replaces_the_advantages_by_one_per_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class GRPOTrainer:
        def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
            return {
                "completion_mask": torch.ones(2, 6, dtype=torch.long),
                "tool_mask": torch.tensor(MASK),
                "advantages": torch.zeros(len(inputs)),
            }

    fake = ModuleType("trl")
    fake.GRPOTrainer = GRPOTrainer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trl", fake)
    trainer = recipe("credit_in_trl").AnchoredGRPOTrainer()
    rewards = [[0, 10], [0, 0, 0]]
    inputs = [
        {"prompt": "g", "turns": list(zip(keys, paid, strict=True))}
        for keys, paid in zip(ANCHORS, rewards, strict=True)
    ]
    output = trainer._generate_and_score_completions(inputs)
    assert output["advantages"].shape == (2, 6)
    assert output["advantages"][0, 3].item() == pytest.approx(expected().advantage[1])
    assert output["advantages"][0, 2].item() == 0.0
