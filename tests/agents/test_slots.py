"""Slots are found again by episode, trusted by ids, and given up by age."""

from gigym.agents.admission import natural_order
from gigym.agents.slots import Lease, SlotTable, shared_prefix


def lease(table: SlotTable, episode: str, prompt: tuple[int, ...]) -> Lease:
    found = table.acquire(episode, prompt)
    assert found is not None
    return found


def serve(table: SlotTable, episode: str, prompt: tuple[int, ...]) -> Lease:
    """Acquire, compute the whole prompt, release."""
    found = lease(table, episode, prompt)
    table.release(found.slot, prompt)
    return found


def test_a_grown_context_comes_back_to_its_slot() -> None:
    table = SlotTable(3)
    first = serve(table, "a", (1, 2, 3))
    serve(table, "b", (1, 2, 3))
    assert lease(table, "a", (1, 2, 3, 4, 5)) == Lease(slot=first.slot, reused=3)


def test_ids_decide_what_is_reused_not_names() -> None:
    table = SlotTable(1)
    serve(table, "a", (1, 2, 3, 4))
    assert serve(table, "a", (1, 2, 9, 9)).reused == 2
    assert serve(table, "other", (1, 2, 9, 7)).reused == 3


def test_the_last_prompt_token_is_always_computed() -> None:
    table = SlotTable(1)
    serve(table, "a", (1, 2, 3, 4))
    assert serve(table, "a", (1, 2, 3, 4)).reused == 3
    assert serve(table, "a", (1, 2)).reused == 1


def test_the_longest_idle_slot_is_given_up_first() -> None:
    table = SlotTable(2)
    serve(table, "a", (1,))
    serve(table, "b", (2,))
    serve(table, "a", (1, 5))
    serve(table, "c", (3,))
    assert (table.holds("a"), table.holds("b"), table.holds("c")) == (True, False, True)


def test_busy_slots_are_never_given_up() -> None:
    table = SlotTable(2)
    lease(table, "a", (1,))
    second = lease(table, "b", (1,))
    assert table.acquire("c", (1,)) is None
    table.release(second.slot, (1,))
    assert lease(table, "c", (1,)).slot == second.slot


def test_two_requests_of_one_episode_get_two_slots() -> None:
    table = SlotTable(2)
    assert lease(table, "a", (1, 2)).slot != lease(table, "a", (1, 2)).slot


def test_nothing_is_trusted_after_a_push() -> None:
    table = SlotTable(2)
    serve(table, "a", (1, 2, 3))
    table.forget()
    assert not table.holds("a")
    assert lease(table, "a", (1, 2, 3)) == Lease(slot=0, reused=0)


def test_shared_prefix_of_any_two_contexts() -> None:
    assert shared_prefix((), (1,)) == 0
    assert shared_prefix((1, 2), (1, 2, 3)) == 2
    assert shared_prefix((1, 2, 3), (1, 9, 3)) == 1
    assert shared_prefix((4,), (5,)) == 0


def test_numbers_in_names_sort_as_numbers() -> None:
    names = ["0/10/2", "0/9/11", "0/9/2", "10/0/0", "2/0/0", "a/1", "7"]
    assert sorted(names, key=natural_order) == [
        "0/9/2",
        "0/9/11",
        "0/10/2",
        "2/0/0",
        "7",
        "10/0/0",
        "a/1",
    ]
