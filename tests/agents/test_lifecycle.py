"""What comes out of order raises before anything is touched."""

import pytest

from gigym.agents import EngineClosed, OutOfOrder, StaleWeights
from gigym.agents.lifecycle import Lifecycle


def life() -> Lifecycle:
    return Lifecycle(levels=(1, 2))


def test_an_engine_that_sleeps_answers_nobody_until_all_of_it_is_awake() -> None:
    engine = life()
    engine.sleep(1)
    with pytest.raises(OutOfOrder, match="asleep"):
        engine.check_generate()
    engine.wake(("weights",))
    with pytest.raises(OutOfOrder, match="asleep"):
        engine.check_generate()
    engine.wake(("kv_cache",))
    engine.check_generate()


def test_after_a_deep_sleep_a_push_comes_before_the_cache() -> None:
    engine = life()
    engine.sleep(2)
    with pytest.raises(OutOfOrder, match="weights are asleep"):
        engine.check_push("1")
    engine.wake(("weights",))
    with pytest.raises(OutOfOrder, match="the order is"):
        engine.wake(("kv_cache",))
    engine.check_push("1")
    engine.pushed("1")
    engine.wake(("kv_cache",))
    engine.check_generate()


def test_waking_everything_after_a_deep_sleep_still_needs_a_push() -> None:
    engine = life()
    engine.sleep(2)
    engine.wake(None)
    with pytest.raises(StaleWeights, match="dropped the weights"):
        engine.check_generate()


@pytest.mark.parametrize("level", [0, 3])
def test_levels_that_the_engine_does_not_know_are_refused(level: int) -> None:
    with pytest.raises(OutOfOrder, match="knows 1, 2"):
        life().sleep(level)


def test_the_awake_are_not_woken_and_the_sleepers_not_put_to_sleep() -> None:
    engine = life()
    with pytest.raises(OutOfOrder, match="awake"):
        engine.wake(None)
    engine.sleep(1)
    with pytest.raises(OutOfOrder, match="asleep already"):
        engine.sleep(1)
    with pytest.raises(OutOfOrder, match="before resume"):
        engine.resume()
    with pytest.raises(ValueError, match="tags must be among"):
        engine.wake(("weight",))


def test_a_failed_push_is_remembered_until_one_succeeds() -> None:
    engine = life()
    engine.distrust("the last push broke off")
    with pytest.raises(StaleWeights, match="broke off"):
        engine.check_generate()
    engine.pushed("2")
    engine.check_generate()
    assert engine.version == "2"


def test_nothing_comes_after_the_close() -> None:
    engine = life()
    engine.closed = True
    for call in (engine.check_generate, engine.resume, lambda: engine.check_push("1")):
        with pytest.raises(EngineClosed):
            call()
