"""Problem texts: lower-cased, comments and numbers left out, damage told."""

import pytest

from gigym.envs.alfworld import PackRow
from gigym.envs.alfworld.game import parse_problem
from gigym.envs.alfworld.generator import generate
from gigym.envs.alfworld.names import display_names
from gigym.envs.alfworld.pddl import MAX_DEPTH, parse
from gigym.envs.errors import GameFileError

ROOM = """
(define (problem room) (:domain alfred)
(:init (= (total-cost) 0) (= (distance a b) 3) ; a comment ( with a parenthesis
  (AtLocation agent1 Loc_bar_0) (receptacleAtLocation Desk_bar_1 Loc_bar_1)
  (receptacleType Desk_bar_1 DeskType))
(:goal (exists (?o - object) (inReceptacle ?o Desk_bar_1))))
"""


def row(text: str) -> PackRow:
    return PackRow(id="room", task="Your task is to: do it.", pddl_problem=text, walkthrough=())


def test_facts_are_lower_cased_and_numbers_are_skipped() -> None:
    problem = parse(ROOM)
    assert problem.facts["atlocation"] == {("agent1", "loc_bar_0")}
    assert set(problem.facts) == {"atlocation", "receptacleatlocation", "receptacletype"}
    assert problem.goal == ["exists", ["?o", "-", "object"], ["inreceptacle", "?o", "desk_bar_1"]]


def test_one_parenthesis_too_many_at_the_end_is_ignored() -> None:
    assert parse(ROOM + ")") == parse(ROOM)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no complete (:init ...)"),
        (ROOM[:150], "no complete (:init ...)"),
        (ROOM[: ROOM.index("(:goal")], "no complete (:goal ...)"),
        (ROOM[: ROOM.index("Desk_bar_1))))")], "does not end"),
        (ROOM.replace("(:goal (", "(:goal " + "(" * (MAX_DEPTH + 5)), "does not end"),
        (ROOM.replace("DeskType)", "DeskType) (not (opened Desk_bar_1))"), "plain facts"),
        (ROOM.replace("Desk_bar_1 DeskType", "Desk_bar_1"), "takes 2 words"),
        (ROOM.replace("(AtLocation agent1 Loc_bar_0)", ""), "one (atLocation AGENT LOCATION)"),
        (
            ROOM.replace("DeskType)", "DeskType) (receptacleAtLocation Desk_bar_1 Loc_bar_2)"),
            "receptacleAtLocation twice",
        ),
        (ROOM.replace("inReceptacle", "wasInReceptacle"), "wasinreceptacle"),
    ],
)
def test_a_damaged_problem_is_told_with_the_name_of_the_game(text: str, told: str) -> None:
    with pytest.raises(GameFileError) as caught:
        parse_problem(row(text))
    assert str(caught.value).startswith("game 'room': ") and told in str(caught.value)


def test_any_cut_of_a_real_problem_is_an_error_and_never_a_crash() -> None:
    text = generate(0, difficulty="tiny").pddl_problem
    whole = text.rindex(")", 0, text.rindex(")"))
    for end in range(0, whole - 1, 211):
        with pytest.raises(GameFileError):
            parse_problem(row(text[:end]))


def test_numbers_count_down_in_the_order_of_ids() -> None:
    names = display_names(
        ["mug_bar__plus_01", "mug_bar__minus_02", "mug_bar__plus_00", "cup_bar_1", "mugtype"]
    )
    assert names["mug_bar__minus_02"] == "mug 3"
    assert names["mug_bar__plus_00"] == "mug 2"
    assert names["mug_bar__plus_01"] == "mug 1"
    assert names["cup_bar_1"] == "cup 1" and names["mugtype"] == "mugtype "


def test_a_basin_is_counted_apart_from_its_sink() -> None:
    names = display_names(
        ["sink_bar_1", "sink_bar_1_bar_sinkbasin", "bathtub_bar_1_bar_bathtubbasin"]
    )
    assert list(names.values()) == ["bathtubbasin 1", "sink 1", "sinkbasin 1"]
