"""What the infrastructure breaks is a failure of the group with its cause, within its deadline."""

import asyncio
from dataclasses import replace

import pytest
from ladder_env import DIALOGUE, SPEC, UP, Ladder, LatePool, climb, engine, ladders, pool

from gigym.agents import GenFailure, SamplingSpec, ScriptedEngine, collect, rollout_metrics
from gigym.agents.engine import Completion
from gigym.grouping.types import Stop


async def test_siblings_that_start_elsewhere_are_failures() -> None:
    Ladder.starts = 0
    groups = await collect(ladders(0), pool(drift=3), engine(climb), DIALOGUE, SPEC)
    (group,) = groups
    assert [e.index for e in group.trajectories] == [0, 1]
    (astray,) = group.failures
    assert astray.stop == Stop.ENV_ERROR
    assert "siblings" in astray.cause
    assert rollout_metrics(groups)["rollout/failed"] == 1.0


async def test_an_environment_that_raises_is_a_failure_with_its_cause() -> None:
    groups = await collect(
        ladders(13, 0),
        pool(height=99),
        engine(lambda p, s: DIALOGUE.reply_ids("break") if s.seed and s.seed % 2 else UP),
        DIALOGUE,
        SPEC,
    )
    unlucky, mixed = groups
    assert unlucky.trajectories == ()
    assert {e.cause for e in unlucky.failures} == {
        "EnvCodeError: Ladder-v0 raised RuntimeError: no thirteenth ladder"
    }
    assert mixed.failures
    for episode in mixed.failures:
        assert (episode.stop, episode.final_anchor) == (Stop.ENV_ERROR, None)
        assert "ZeroDivisionError: the rung gives way" in episode.cause
        assert len(episode.turns) < 12


async def test_an_environment_that_never_answers_is_a_failure_within_its_deadline() -> None:
    hasty = replace(SPEC, env_deadline_s=0.5)
    late = LatePool(pool(), seed=0, stuck=(1,))
    (group,) = await asyncio.wait_for(
        collect(ladders(0), late, engine(climb), DIALOGUE, hasty), timeout=10
    )
    assert [e.index for e in group.trajectories] == [0, 2]
    (stuck,) = group.failures
    assert (stuck.stop, stuck.cause) == (
        Stop.ENV_ERROR,
        "the environment gave no answer within 0.5 s",
    )


async def test_an_engine_that_hangs_is_a_failure_within_its_deadline() -> None:
    hasty = replace(SPEC, generate_deadline_s=0.5)
    stuck = engine(climb, latency=lambda id: 60.0 if "-0001/" in id else 0.0)
    (group,) = await asyncio.wait_for(
        collect(ladders(0), pool(), stuck, DIALOGUE, hasty), timeout=10
    )
    (failed,) = group.failures
    assert (failed.index, failed.stop) == (1, Stop.ENGINE_ERROR)
    assert stuck.roster.live == 0


class Flaky:
    """Fails each request so many times, then climbs."""

    def __init__(self, failures: int, failure: GenFailure) -> None:
        self.failures, self.failure = failures, failure
        self.seeds: list[int | None] = []

    def __call__(self, prompt: tuple[int, ...], spec: SamplingSpec) -> tuple[int, ...] | GenFailure:
        self.seeds.append(spec.seed)
        self.failures -= 1
        return self.failure if self.failures >= 0 else UP


PASSING = GenFailure(code="engine_dead", message="gone", retryable=True)
LASTING = GenFailure(code="overflow", message="too long", retryable=False)
ALONE = replace(SPEC, siblings=1)


async def test_a_failure_that_may_pass_is_asked_again_twice_with_other_seeds() -> None:
    flaky = Flaky(2, PASSING)
    scripted = engine(flaky)
    (group,) = await collect(ladders(0), pool(), scripted, DIALOGUE, ALONE)
    assert not group.failures
    assert len(set(flaky.seeds)) == len(flaky.seeds) == 5
    assert scripted.requests[:3] == [f"000000-00000-0000/00000{a}" for a in ("", ".1", ".2")]


async def test_a_failure_that_stays_ends_the_episode() -> None:
    for failures, failure, stop, asked in (
        (9, PASSING, Stop.ENGINE_ERROR, 3),
        (9, LASTING, Stop.ENGINE_ERROR, 1),
        (9, replace(LASTING, code="cancelled"), Stop.CANCELLED, 1),
    ):
        flaky = Flaky(failures, failure)
        (group,) = await collect(ladders(0), pool(), engine(flaky), DIALOGUE, ALONE)
        (failed,) = group.failures
        assert (failed.stop, len(flaky.seeds)) == (stop, asked)
        assert failure.message in failed.cause


class Careless(ScriptedEngine):
    """Returns completions that nothing can be learned from."""

    fault: dict[str, object]

    async def generate(
        self, prompt_ids: tuple[int, ...], spec: SamplingSpec, *, request_id: str, deadline_s: float
    ) -> Completion | GenFailure:
        sampled = await super().generate(
            prompt_ids, spec, request_id=request_id, deadline_s=deadline_s
        )
        assert isinstance(sampled, Completion)
        return replace(sampled, **self.fault)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ({"finish_reason": "abort"}, "aborted"),
        ({"logprobs": (0.0,)}, "2 tokens came with 1 logprobs"),
        ({"logprobs": (0.0, float("nan"))}, "not finite"),
    ],
)
async def test_a_completion_that_cannot_be_trained_on_is_a_failure(
    fault: dict[str, object], cause: str
) -> None:
    careless = Careless(climb)
    careless.fault = fault
    (group,) = await collect(ladders(0), pool(), careless, DIALOGUE, ALONE)
    (failed,) = group.failures
    assert failed.stop == Stop.ENGINE_ERROR
    assert cause in failed.cause
