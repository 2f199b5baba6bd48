import pytest

from gigym.grouping import Steps, estimate


def make_steps(**changes: object) -> Steps:
    columns: dict[str, object] = {
        "task": ["g"] * 7,
        "trajectory": ["t0"] * 3 + ["t1"] * 4,
        "step": [0, 1, 2, 0, 1, 2, 3],
        "anchor": ["s", "a", "goal", "s", "b", "s", "b"],
        "reward": [0, 0, 10, 0, 0, 0, 0],
        "truncated": [False] * 6 + [True],
    }
    return Steps.of(**{**columns, **changes})  # pyright: ignore[reportArgumentType]


def test_group_figures_count_rows_and_groups() -> None:
    report = estimate(make_steps(), "gigpo").report
    assert report["credit/step_groups"] == 4
    assert report["credit/mean_group_size"] == 1.75
    assert report["credit/singleton_share"] == pytest.approx(2 / 7)
    assert report["credit/two_trajectory_share"] == pytest.approx(3 / 7)
    assert report["credit/repeat_share"] == pytest.approx(2 / 7)
    assert report["credit/truncated_share"] == 0.5
    assert report["credit/group_size_hist/1"] == 2
    assert report["credit/group_size_hist/2"] == 1
    assert report["credit/group_size_hist/3-4"] == 1
    assert report["credit/group_size_hist/65+"] == 0


def test_credit_figures_describe_both_parts() -> None:
    report = estimate(make_steps(), "gigpo", norm="mean").report
    step = 6 + 1 / 60
    assert report["credit/abs_A_E"] == pytest.approx(5.0)
    assert report["credit/abs_A_S"] == pytest.approx(2 * step / 7)
    assert report["credit/abs_A_S_over_abs_A_E"] == pytest.approx(2 * step / 35)
    assert report["credit/max_abs"] == pytest.approx(5 + step)
    assert report["credit/zero_step_rows"] == 4
    assert report["credit/zero_episode_groups"] == 0
    assert 0 < report["credit/corr"] < 1


def test_the_token_mean_weighs_turns_by_their_tokens() -> None:
    steps = make_steps(tokens=[1, 0, 0, 0, 0, 0, 0])
    credit = estimate(steps, "gigpo")
    assert credit.report["credit/token_mean"] == pytest.approx(credit.advantage[0])


def test_a_baseline_that_separates_wins_from_losses_explains_the_returns() -> None:
    steps = Steps.of(
        task=["g"] * 8,
        trajectory=[0, 0, 1, 1, 2, 2, 3, 3],
        step=[0, 1] * 4,
        anchor=["s", "good", "s", "good", "s", "bad", "s", "bad"],
        reward=[0, 10, 0, 10, 0, 0, 0, 0],
    )
    report = estimate(steps, "gigpo", gamma=1.0).report
    assert report["credit/loo_r2_step"] > 0
    assert report["credit/loo_r2_episode"] < 0


def test_a_floor_that_replaces_a_spread_is_counted() -> None:
    report = estimate(make_steps(), "gigpo", sigma_min=100.0).report
    assert report["credit/std_floor_rows"] == 3
    assert estimate(make_steps(), "gigpo").report["credit/std_floor_rows"] == 0


def test_padding_is_counted_as_generated_and_not_as_trained() -> None:
    report = estimate(make_steps(weight=[1, 1, 1, 0, 0, 0, 0]), "gigpo").report
    assert report["credit/generated_rows"] == 7
    assert report["credit/trained_rows"] == 3


@pytest.mark.parametrize("name", ["backoff_lambda", "backoff_markov", "crbc", "rtmc"])
def test_credit_that_compares_actions_says_so_when_there_are_none(name: str) -> None:
    credit = estimate(make_steps(), name)
    assert not credit.step.any()
    assert any("carry no actions" in warning for warning in credit.warnings)
    told = estimate(make_steps(action=["x", "y", "z", "y", "x", "y", "x"]), name)
    assert not any("carry no actions" in warning for warning in told.warnings)
    assert told.step.any()
