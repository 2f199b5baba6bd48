import numpy as np
import pytest
import torch

from gigym.grouping import Group, Stop, Trajectory, Turn
from gigym.trainer.batch import Row, Span, episode_rows, pack, without_idle_turns


def span(start: int, stop: int, *, turn: int = 0, advantage: float = 1.0) -> Span:
    logprobs = -np.arange(start, stop, dtype=np.float32)
    return Span(start=start, stop=stop, turn=turn, advantage=advantage, logprobs=logprobs)


def row(length: int, *spans: Span, first: int = 0) -> Row:
    return Row(ids=np.arange(first, first + length, dtype=np.int32), spans=spans)


def turn(start: int, stop: int, row_index: int = 0) -> Turn:
    return Turn(
        anchor="a",
        keys=("a",),
        state_key=None,
        observation_key="o",
        action_key="x",
        row=row_index,
        start=start,
        stop=stop,
        logprobs=np.zeros(stop - start, np.float32),
        weight_versions=(("0", 0, stop - start),),
        finish_reason="stop",
        reward=0.0,
        terminated=False,
        truncated=False,
        valid=True,
        admissible=None,
        reason="ok",
        observation="",
        text="",
        action="",
    )


def trajectory(index: int, rows: tuple[int, ...], *turns: Turn) -> Trajectory:
    return Trajectory(
        task="t",
        index=index,
        rows=tuple(np.arange(n, dtype=np.int32) for n in rows),
        turns=turns,
        final_anchor=None,
        stop=Stop.DONE,
    )


def test_a_token_is_predicted_from_the_position_before_it() -> None:
    (batch,) = pack([row(6, span(2, 4), span(5, 6, turn=1), first=10)], bin_tokens=100)
    assert batch.src.tolist() == [1, 2, 4]
    assert batch.tgt.tolist() == [12, 13, 15]
    assert batch.turn.tolist() == [0, 0, 1]
    assert batch.logp_sampler.tolist() == [-2.0, -3.0, -5.0]


def test_what_comes_after_the_last_trained_token_is_not_computed() -> None:
    (batch,) = pack([row(20, span(2, 4))], bin_tokens=100)
    assert batch.ids.shape == (1, 4)


def test_rows_are_padded_on_the_right_and_keep_their_place_in_the_flat_index() -> None:
    (batch,) = pack([row(3, span(1, 3)), row(5, span(4, 5), first=20)], bin_tokens=100)
    assert batch.ids.tolist() == [[0, 1, 2, 0, 0], [20, 21, 22, 23, 24]]
    assert batch.src.tolist() == [0, 1, 5 + 3]


def test_no_batch_holds_more_padded_positions_than_allowed() -> None:
    rows = [row(n, span(1, n)) for n in (3, 9, 4, 8, 5, 7, 6, 30)]
    batches = pack(rows, bin_tokens=20)
    assert sorted(b.ids.numel() for b in batches if b.ids.numel() > 20) == [30]
    trained = torch.cat([b.tgt for b in batches])
    assert len(trained) == sum(r.trained for r in rows)


def test_rows_that_train_nothing_make_no_batch() -> None:
    assert pack([row(4)], bin_tokens=10) == ()
    assert pack([], bin_tokens=10) == ()


def test_turns_without_advantage_are_left_out_of_the_pass() -> None:
    kept = without_idle_turns(
        [
            row(9, span(1, 3, advantage=0.0), span(4, 6, advantage=-0.5)),
            row(9, span(1, 3, advantage=0.0)),
        ]
    )
    assert [[s.start for s in r.spans] for r in kept] == [[4]]


def test_advantages_go_to_turns_in_group_order() -> None:
    first = trajectory(0, (8,), turn(1, 3), turn(5, 8))
    second = trajectory(1, (4,), turn(2, 4))
    group = Group(task="t", trajectories=(first, second))
    episodes = episode_rows([group], np.asarray([1.0, 2.0, 3.0]))
    spans = [[(s.turn, s.advantage) for s in r.spans] for e in episodes for r in e]
    assert spans == [[(0, 1.0), (1, 2.0)], [(2, 3.0)]]


def test_a_turn_that_sampled_nothing_is_counted_but_not_trained() -> None:
    only = trajectory(0, (8,), turn(3, 3), turn(5, 8))
    episodes = episode_rows([Group(task="t", trajectories=(only,))], np.asarray([1.0, 2.0]))
    assert [s.turn for s in episodes[0][0].spans] == [1]


def test_one_advantage_too_many_is_refused() -> None:
    group = Group(task="t", trajectories=(trajectory(0, (8,), turn(1, 3)),))
    with pytest.raises(ValueError, match="got 2, expected 1"):
        episode_rows([group], np.asarray([1.0, 2.0]))
