"""Packed tokens over slots say what the model says about each whole context."""

import random

import pytest
import torch
from tiny_lm import FAMILIES, perturb, random_ids, tiny_model

from gigym.agents.cache import Chunk, lay_out
from gigym.agents.slot_model import SlotModel


def layout_of(*slots: int) -> tuple[int, bool]:
    """Rows of the grid, and whether they are read in place."""
    chunks = [Chunk(slot=slot, start=0, ids=(1,)) for slot in slots]
    layout = lay_out(chunks, torch.device("cpu"))
    return layout.mask_R1WT.shape[0], isinstance(layout.rows, slice)


def test_neighbouring_slots_are_read_in_place_and_scattered_ones_copied() -> None:
    assert layout_of(0, 1, 2, 3) == (4, True)
    assert layout_of(2, 5) == (4, True)
    assert layout_of(0, 7) == (2, False)


def test_chunks_of_equal_length_need_no_spreading() -> None:
    chunks = [Chunk(slot=slot, start=3, ids=(1, 2)) for slot in (0, 1, 2)]
    assert lay_out(chunks, torch.device("cpu")).places_N is None
    ragged = [*chunks[:2], Chunk(slot=2, start=3, ids=(1,))]
    assert lay_out(ragged, torch.device("cpu")).places_N is not None


def test_a_query_sees_its_own_position_and_what_came_before() -> None:
    chunks = [Chunk(slot=0, start=2, ids=(1, 1)), Chunk(slot=1, start=0, ids=(1,))]
    mask = lay_out(chunks, torch.device("cpu")).mask_R1WT
    assert mask[0, 0].sum(-1).tolist() == [3, 4]
    assert mask[1, 0, 0].tolist() == [True, False, False, False]


@pytest.mark.parametrize("family", FAMILIES)
def test_random_joins_and_appended_chunks_equal_a_plain_forward(family: str) -> None:
    model = tiny_model(family).eval()
    slots = SlotModel(model, slots=9, capacity=48)
    rng = random.Random(family)
    contexts = {slot: random_ids(rng, 48) for slot in (0, 1, 2, 5, 8)}
    lengths = dict.fromkeys(contexts, 0)
    worst, checks = 0.0, 0
    while unfinished := sorted(slot for slot in contexts if lengths[slot] < 48):
        chunks = []
        for slot in sorted(rng.sample(unfinished, rng.randint(1, len(unfinished)))):
            start = lengths[slot]
            ids = contexts[slot][start : start + rng.choice((1, 1, 1, 4, 9))]
            chunks.append(Chunk(slot=slot, start=start, ids=ids))
            lengths[slot] += len(ids)
        ours = slots.logits(chunks).log_softmax(-1)
        for chunk, row in zip(chunks, ours, strict=True):
            worst = max(worst, difference(model, contexts[chunk.slot], chunk, row))
            checks += 1
    assert checks > 60
    assert worst <= 1e-5


@torch.no_grad()
def difference(model: torch.nn.Module, ids: tuple[int, ...], chunk: Chunk, row: object) -> float:
    whole = torch.tensor([ids[: chunk.start + len(chunk.ids)]])
    return (model(whole).logits[0, -1].log_softmax(-1) - row).abs().max().item()


def test_what_another_context_left_in_a_slot_changes_nothing() -> None:
    model = tiny_model()
    rng = random.Random(0)
    ids = random_ids(rng, 20)
    slots = SlotModel(model, slots=2, capacity=48)
    clean = slots.logits([Chunk(slot=1, start=0, ids=ids)])
    slots.logits([Chunk(slot=1, start=0, ids=random_ids(rng, 48))])
    again = slots.logits([Chunk(slot=1, start=0, ids=ids)])
    assert torch.equal(clean, again)


def test_the_learner_keeps_its_attention_its_mode_and_its_weights() -> None:
    model = tiny_model().train()
    slots = SlotModel(model, slots=2, capacity=48)
    before = slots.logits([Chunk(slot=0, start=0, ids=(1, 2, 3))])
    assert model.config._attn_implementation == "sdpa"
    assert all(module.training for module in model.modules())
    perturb(model)
    after = slots.logits([Chunk(slot=0, start=0, ids=(1, 2, 3))])
    assert (before - after).abs().max() > 0.01
    assert slots.weights_changed()


def test_weights_put_in_the_place_of_others_are_found_by_a_push() -> None:
    model = tiny_model()
    slots = SlotModel(model, slots=2, capacity=48)
    other = tiny_model()
    perturb(other)
    model.load_state_dict(other.state_dict(), assign=True)
    model.tie_weights()
    slots.accept_weights()
    ours = slots.logits([Chunk(slot=0, start=0, ids=(1, 2, 3))])[0].log_softmax(-1)
    assert difference(model.eval(), (1, 2, 3), Chunk(slot=0, start=0, ids=(1, 2, 3)), ours) <= 1e-5
