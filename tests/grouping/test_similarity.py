import random
from difflib import SequenceMatcher
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigym.grouping import BadEstimatorOption, BadKey, Steps, blocks, estimate, similarity

SMALL = st.text("abc ", max_size=14)


@given(SMALL, SMALL)
@settings(deadline=None, max_examples=200, database=None)
def test_the_bounds_never_reject_what_the_ratio_accepts(left: str, right: str) -> None:
    for threshold in (0.3, 0.6, 0.9):
        expected = similarity.ratio(left, right) >= threshold
        assert similarity.resembles(left, right, threshold) is expected


@pytest.mark.parametrize("window", [1, 2, 3, 16])
@given(SMALL, SMALL, st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9, 1.0]))
@settings(deadline=None, max_examples=150, database=None)
def test_the_early_decision_is_that_of_difflib(
    window: int, left: str, right: str, threshold: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_WINDOW", window)
        blocks._windows.cache_clear()
        exact = SequenceMatcher(None, left, right, autojunk=False).ratio() >= threshold
        assert blocks.reaches(left, right, threshold) is exact
        assert blocks.subsequence_reaches(left, right, threshold) or not exact
    blocks._windows.cache_clear()


def test_long_texts_with_scattered_edits_are_decided_as_difflib_does() -> None:
    draw = random.Random(3)
    for edits in (5, 60, 150):
        letters = draw.choices("abcdefgh ", k=800)
        left = "".join(letters)
        for place in draw.sample(range(800), edits):
            letters[place] = draw.choice("abcdefgh")
        right = "".join(letters)
        exact = SequenceMatcher(None, left, right, autojunk=False).ratio()
        for threshold in (exact - 1e-9, exact, exact + 1e-9):
            assert blocks.reaches(left, right, threshold) is (exact >= threshold)


def make_steps(texts: list[str], rows: list[int]) -> Steps:
    return Steps.of(
        task=["g"] * len(rows),
        trajectory=rows,
        step=[0] * len(rows),
        anchor=[texts[row] for row in rows],
        reward=[float(row) for row in rows],
    )


def test_texts_that_nearly_agree_share_a_step_group_in_any_order() -> None:
    texts = ["the cat sat on the mat", "the cat sat on the hat", "a dog", "the cat sat on the mat"]
    for rows in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        credit = estimate(make_steps(texts, rows), "gigpo", similarity=0.9, norm="mean")
        by_row = dict(zip(rows, credit.step.tolist(), strict=True))
        assert by_row == pytest.approx({0: -4 / 3, 1: -1 / 3, 2: 0.0, 3: 5 / 3})


def test_similarity_never_merges_across_tasks() -> None:
    columns: dict[str, Any] = {"trajectory": [0, 1], "step": [0, 0], "reward": [0.0, 1.0]}
    steps = Steps.of(task=["g", "h"], anchor=["same text", "same text"], **columns)
    assert not estimate(steps, "gigpo", similarity=0.5).advantage.any()


def test_keys_that_are_no_texts_are_refused() -> None:
    steps = Steps.of(task=[0], trajectory=[0], step=[0], anchor=[7], reward=[0.0])
    with pytest.raises(BadKey, match="compares texts"):
        estimate(steps, "gigpo", similarity=0.9)


def test_the_compatibility_mode_has_no_similarity() -> None:
    with pytest.raises(BadEstimatorOption, match="drop backoff, similarity"):
        estimate(make_steps(["a"], [0]), "gigpo", similarity=0.9, compat="verl-agent")


def test_long_unrelated_texts_are_told_apart_without_the_full_ratio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghij", k=draw.randint(2, 9))) for _ in range(400)]
    texts = [" ".join(draw.choices(words, k=400)) for _ in range(12)]
    monkeypatch.setattr(blocks, "_longest_block", lambda *texts: pytest.fail("compared in full"))
    founders = similarity.similar_groups(texts, [1] * 12, 0.9)
    assert founders.tolist() == list(range(12))
