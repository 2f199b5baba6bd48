"""Every attack of the table is run and judged by the host.

A machine below level 3 skips these tests; GIGYM_SANDBOX_LEVEL=3 makes that a failure instead.
"""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sandbox_attacks import ATTACKS, SWIFT, Attack
from sandbox_scene import Scene, scene, verdict

from gigym.envs.sandbox import (
    Limits,
    LocalSandbox,
    Sandbox,
    probe,
)
from gigym.envs.sandbox.inside.plan import Plan
from gigym.envs.sandbox.strength import plans

REQUIRED = int(os.environ.get("GIGYM_SANDBOX_LEVEL", "0"))
ENOUGH = 60
executed: set[str] = set()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("attacked")
    # the folders of pytest are closed to other users, which would stop attacks without any wall
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    with scene(folder) as made:
        yield made


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_attack_is_stopped(attack: Attack, sandbox: Sandbox, place: Scene) -> None:
    if attack.level > sandbox.level:
        pytest.skip(f"to be stopped from level {attack.level} on; here is {sandbox.level}")
    assert not verdict(place, sandbox, attack)
    assert sandbox.run("print(6 * 7)", Limits()).output == "42\n"
    executed.add(attack.name)


def test_at_least_sixty_attacks_were_run() -> None:
    if not REQUIRED:
        pytest.skip("counted where GIGYM_SANDBOX_LEVEL is set")
    assert len(executed) >= ENOUGH, f"{len(executed)} of {len(ATTACKS)} attacks were run"


def test_every_attack_has_a_name_of_its_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= ENOUGH


def other_plans() -> dict[str, Plan]:
    """Further ways to build the walls here, and single layers of the way that is taken."""
    if probe().level < 3:
        return {}
    first, *rest = plans()
    bare = replace(first, seccomp=False, landlock=0)
    return {name(plan): plan for plan in (*rest, bare) if plan.level >= 3}


def name(plan: Plan) -> str:
    layers = ("bubblewrap", "namespaces", "view", "landlock", "seccomp", "drop")
    return "+".join(layer for layer in layers if getattr(plan, layer))


@pytest.mark.parametrize("plan", other_plans().values(), ids=name)
def test_the_attacks_are_stopped_by_other_layers_too(plan: Plan, place: Scene) -> None:
    with LocalSandbox(plan) as sandbox:
        known = [attack for attack in SWIFT if attack.level <= plan.level]
        failures = [verdict(place, sandbox, attack) for attack in known]
    assert not [failure for failure in failures if failure]
