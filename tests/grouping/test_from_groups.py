import numpy as np

from gigym.grouping import Group, Steps, Stop, Trajectory, Turn, estimate


def make_turn(anchor: str, *, reward: float = 0.0, **changes: object) -> Turn:
    fields: dict[str, object] = {
        "anchor": anchor,
        "keys": (),
        "state_key": f"state {anchor}",
        "observation_key": f"seen {anchor}",
        "action_key": "go",
        "row": 0,
        "start": 2,
        "stop": 5,
        "logprobs": np.zeros(3, np.float32),
        "weight_versions": (("0", 0, 3),),
        "finish_reason": "stop",
        "reward": reward,
        "terminated": False,
        "truncated": False,
        "valid": True,
        "admissible": True,
        "reason": "ok",
        "observation": anchor,
        "text": "go",
        "action": "go",
    }
    return Turn(**{**fields, **changes})  # pyright: ignore[reportArgumentType]


def make_trajectory(index: int, *turns: Turn, stop: Stop = Stop.DONE) -> Trajectory:
    return Trajectory(task="g", index=index, rows=(), turns=turns, final_anchor="after", stop=stop)


WIN = make_trajectory(0, make_turn("s"), make_turn("a", reward=10.0, terminated=True))
LOSS = make_trajectory(1, make_turn("s"), make_turn("b", valid=False, truncated=True))


def test_one_row_per_turn_in_the_order_group_trajectory_turn() -> None:
    steps = Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS))])
    keys = steps.levels[0].keys
    assert [keys[i] for i in steps.levels[0].ids] == ["s", "a", "s", "b"]
    assert steps.reward.tolist() == [0, 10, 0, 0]
    assert steps.valid.tolist() == [True, True, True, False]
    assert steps.tokens.tolist() == [3, 3, 3, 3]


def test_the_state_after_a_truncated_episode_is_known_and_after_a_finished_one_is_not() -> None:
    level = Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS))]).levels[0]
    assert [level.keys[i] if i >= 0 else None for i in level.next_ids] == ["a", None, "b", "after"]


def test_failures_get_no_row() -> None:
    lost = make_trajectory(2, make_turn("s"), stop=Stop.ENV_ERROR)
    steps = Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS), failures=(lost,))])
    assert len(steps) == 4


def test_an_episode_cut_by_a_limit_counts_as_truncated() -> None:
    cut = make_trajectory(1, make_turn("s"), make_turn("b"), stop=Stop.CONTEXT)
    steps = Steps.from_groups([Group(task="g", trajectories=(WIN, cut))])
    assert steps.truncated.tolist() == [False, False, False, True]


def test_a_sibling_that_started_elsewhere_is_left_out_of_the_statistics() -> None:
    odd = make_trajectory(2, make_turn("elsewhere", reward=99.0, terminated=True))
    alone = estimate(Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS))]), "gigpo")
    steps = Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS, odd))])
    credit = estimate(steps, "gigpo")
    assert credit.advantage.tolist() == [*alone.advantage.tolist(), 0.0]
    assert credit.report["credit/odd_starts"] == 1


def test_nested_keys_become_levels_around_the_anchor() -> None:
    turns = (make_turn("s", keys=("fine s", "s")), make_turn("a", keys=("fine a", "a")))
    steps = Steps.from_groups([Group(task="g", trajectories=(make_trajectory(0, *turns),))])
    assert [level.name for level in steps.levels] == ["key_0", "anchor"]


def test_gigpo_pays_the_turn_that_led_on_and_fines_the_one_that_was_no_action() -> None:
    credit = estimate(
        Steps.from_groups([Group(task="g", trajectories=(WIN, LOSS))]), "gigpo", norm="mean"
    )
    np.testing.assert_allclose(credit.returns, [9.5, 10, 0, -0.1])
    np.testing.assert_allclose(credit.episode, [5.05, 5.05, -5.05, -5.05])
    np.testing.assert_allclose(credit.step, [4.75, 0, -4.75, 0])


def test_no_groups_give_no_rows() -> None:
    assert len(estimate(Steps.from_groups([]), "gigpo").advantage) == 0


def test_states_behind_one_observation_are_reported_as_aliases() -> None:
    hidden = make_trajectory(1, make_turn("s"), make_turn("a", state_key="another", truncated=True))
    report = estimate(Steps.from_groups([Group(task="g", trajectories=(WIN, hidden))])).report
    assert report["credit/alias_rate"] == 0.5
    assert report["credit/split_rate"] == 0.0
