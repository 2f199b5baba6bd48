"""Task sets: counted, sliced and named without being built."""

import itertools

import pytest
from broken_envs import TASKS, Dial
from corridor_env import Corridor

import gigym
from gigym.envs import NOMINAL_TASKS, BadOption, Task, TaskSet, Unsupported


def test_a_fixed_set_has_its_length_and_names_its_tasks() -> None:
    tasks = Dial(split="test").tasks()
    assert isinstance(tasks, TaskSet) and len(tasks) == TASKS and not tasks.unlimited
    assert tasks[2] == Task(env="Dial-v0", seed=2, options={"task": "test/2"}) == list(tasks)[2]
    assert tasks[-1] == tasks[TASKS - 1] and tasks[1] in tasks
    with pytest.raises(IndexError, match="no task 6 of Dial-v0: there are 6"):
        tasks[TASKS]


def test_a_slice_is_a_task_set_too() -> None:
    tasks = Dial().tasks()
    part = tasks[1:5:2]
    assert isinstance(part, TaskSet) and [task.seed for task in part] == [1, 3]
    assert part[-1] == tasks[3] and len(tasks[4:]) == 2


def test_a_generator_without_end_has_a_nominal_length_and_builds_nothing() -> None:
    tasks = Corridor().tasks()
    assert tasks.unlimited and len(tasks) == NOMINAL_TASKS and tasks.split is None
    assert [task.seed for task in itertools.islice(tasks, 3)] == [0, 1, 2]
    assert tasks[NOMINAL_TASKS - 1].seed == NOMINAL_TASKS - 1


def test_a_listed_task_is_played_by_its_seed_and_by_its_id() -> None:
    env = gigym.make("ALFWorld-v0", split="test")
    for task in env.tasks()[:3]:
        by_seed = env.start(task.seed)
        assert env.start(10**6, {"task": by_seed.info["task_id"]}) == by_seed
        assert env.start(task.seed, task.options) == by_seed


def test_tasks_of_a_registered_environment_need_no_instance() -> None:
    assert len(gigym.tasks("ALFWorld-v0", split="test")[:7]) == 7
    assert gigym.tasks("ALFWorld-v0", difficulty="tiny")[0].env == "ALFWorld-v0"


def test_a_split_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadOption, match=r"no split 'tset'\. Did you mean 'test'\?"):
        Dial().tasks("tset")
    with pytest.raises(BadOption, match=r"no split 'train'\. Its splits: none"):
        Corridor().tasks("train")
    with pytest.raises(Unsupported, match="make it with split='test'"):
        Dial().tasks("test")
