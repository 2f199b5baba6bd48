"""Names that others rely on: a change here breaks programs and needs a changelog entry."""

import dataclasses
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import gigym
from gigym import envs, grouping, servers, trainer

PARAMETERS: dict[Callable[..., Any], str] = {
    gigym.make: "env_id options",
    gigym.check_env: "env plan options",
    gigym.connect: "url env token kind shape client options",
    gigym.make_vec: "env_id n backend autoreset urls each crew",
    gigym.make_parallel: "env_id options",
    gigym.make_aec: "env_id options",
    gigym.tasks: "env_id split options",
    gigym.wrap: "env id state_key action_names max_steps",
    gigym.register: "card entry_point",
    gigym.list_envs: "",
    gigym.estimate: "steps name options",
    grouping.Steps.of: "task trajectory step anchor reward action next_anchor terminated truncated "
    "valid weight tokens labels state_is_markov",
    grouping.Steps.from_groups: "groups state_is_markov",
    envs.TextEnv.reset: "self seed options",
    envs.TextEnv.step: "self action",
    envs.TextEnv.snapshot: "self",
    envs.TextEnv.restore: "self snapshot",
    envs.TextEnv.fork: "self count",
    envs.TextEnv.expert: "self kind seed",
    envs.TextEnv.tasks: "self split",
    envs.TextEnv.task_id: "self seed split",
    envs.TextEnv.task_count: "self split",
    trainer.load_config: "source overrides",
    trainer.train: "config progress",
    trainer.resume: "path progress overrides",
    trainer.evaluate: "path options progress",
    servers.serve: "spec",
}
FIELDS: dict[type, str] = {
    envs.Task: "env seed options",
    envs.Reply: "observation reward terminated truncated state_key admissible_actions info",
    grouping.Group: "task trajectories failures",
    grouping.Credit: "advantage episode step returns step_group report",
    trainer.Score: "mean low high episodes",
    trainer.EvalOptions: "games split episodes temperature step",
}


@pytest.mark.parametrize("function", PARAMETERS, ids=lambda f: f.__qualname__)
def test_a_function_takes_the_parameters_it_promises(function: Callable[..., Any]) -> None:
    promised = PARAMETERS[function].split()
    assert list(inspect.signature(function).parameters)[: len(promised)] == promised


@pytest.mark.parametrize("record", FIELDS, ids=lambda r: r.__qualname__)
def test_a_record_has_the_fields_it_promises(record: type) -> None:
    assert set(FIELDS[record].split()) <= {field.name for field in dataclasses.fields(record)}


def test_the_facade_names_what_it_promises() -> None:
    assert sorted(gigym.__all__) == [
        "GigymError",
        "Group",
        "Steps",
        "Trajectory",
        "Turn",
        "__version__",
        "check_env",
        "connect",
        "estimate",
        "list_envs",
        "make",
        "make_aec",
        "make_parallel",
        "make_vec",
        "register",
        "tasks",
        "wrap",
    ]


@pytest.mark.parametrize("room", [envs, grouping, trainer, servers], ids=lambda room: room.__name__)
def test_every_name_of_a_room_is_there(room: ModuleType) -> None:
    assert all(hasattr(room, name) for name in room.__all__)


def test_the_keys_of_a_configuration_stay() -> None:
    config = trainer.load_config("quickstart")
    assert config.model_fields_set >= {"seed", "iterations", "estimator"}
    for section, key in (
        ("model", "path"),
        ("engine", "name"),
        ("env", "id"),
        ("env", "urls"),
        ("run", "dir"),
        ("checkpoint", "every"),
        ("rollout", "context"),
        ("rollout", "history"),
        ("rollout", "deterministic"),
    ):
        assert key in type(getattr(config, section)).model_fields
    assert {"games", "split", "engine"} <= set(envs.option_names("ALFWorld-v0"))
