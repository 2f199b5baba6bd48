"""Goals are existential conjunctions; anything else in a game file is refused, not guessed at."""

import pytest

from gigym.envs.alfworld.goal import compile_goal
from gigym.envs.alfworld.pddl import Row, Tree, parse
from gigym.envs.errors import GameFileError

STATIC = {
    "kind": frozenset({("mug1", "mug"), ("mug2", "mug"), ("cup1", "cup")}),
    "sort": frozenset({("desk1", "desk"), ("desk2", "desk"), ("shelf1", "shelf")}),
    "flat": frozenset[Row](),
}
CHANGING = {"in": 100, "held": 1}


def formula(text: str) -> Tree:
    return parse(f"(:init) (:goal {text})").goal


def holds(text: str, *facts: Row) -> bool:
    goal = compile_goal(formula(text), STATIC, CHANGING)
    rows = {name: {row[1:] for row in facts if row[0] == name} for name in (*STATIC, *CHANGING)}
    return goal.holds(rows.__getitem__)


PLACE = "(exists (?o - object ?r - receptacle) (and (kind ?o mug) (sort ?r desk) (in ?o ?r)))"
TWO = (
    "(exists (?r) (exists (?a) (and (kind ?a mug) (sort ?r desk) (in ?a ?r)"
    " (exists (?b) (and (not (= ?a ?b)) (kind ?b mug) (in ?b ?r))))))"
)


def test_some_binding_must_make_every_atom_true() -> None:
    assert holds(PLACE, ("in", "mug2", "desk1"))
    assert not holds(PLACE, ("in", "mug2", "shelf1"), ("in", "cup1", "desk1"))
    assert not holds(PLACE)


def test_different_objects_are_asked_for_in_the_same_place() -> None:
    assert holds(TWO, ("in", "mug1", "desk2"), ("in", "mug2", "desk2"))
    assert not holds(TWO, ("in", "mug1", "desk1"), ("in", "mug2", "desk2"))
    assert not holds(TWO, ("in", "mug1", "desk1"), ("in", "mug1", "desk2"))


def test_an_inequality_may_stand_before_the_atoms_that_bind_it() -> None:
    early = "(exists (?a ?b) (and (not (= ?a ?b)) (in ?a desk1) (in ?b desk1)))"
    assert holds(early, ("in", "mug1", "desk1"), ("in", "cup1", "desk1"))
    assert not holds(early, ("in", "mug1", "desk1"))


def test_constants_are_matched_and_may_be_unequal_to_a_variable() -> None:
    assert holds("(in mug1 desk1)", ("in", "mug1", "desk1"))
    assert not holds("(in mug1 desk1)", ("in", "mug1", "desk2"))
    other = "(exists (?o) (and (in ?o desk1) (not (= ?o mug1))))"
    assert holds(other, ("in", "mug2", "desk1"))
    assert not holds(other, ("in", "mug1", "desk1"))


def test_a_variable_that_occurs_twice_in_an_atom_is_one_thing() -> None:
    same = "(exists (?x) (in ?x ?x))"
    assert holds(same, ("in", "mug1", "mug1")) and not holds(same, ("in", "mug1", "desk1"))


def test_equal_names_in_separate_scopes_are_separate_variables() -> None:
    text = "(and (exists (?o) (in ?o desk1)) (exists (?o) (in ?o desk2)))"
    assert holds(text, ("in", "mug1", "desk1"), ("in", "cup1", "desk2"))
    shadow = "(exists (?o) (and (in ?o desk1) (exists (?o) (in ?o desk2))))"
    assert holds(shadow, ("in", "mug1", "desk1"), ("in", "cup1", "desk2"))


def test_a_goal_watches_only_what_actions_change() -> None:
    assert compile_goal(formula(PLACE), STATIC, CHANGING).watched == {"in"}


def test_a_static_fact_that_nothing_has_is_never_true() -> None:
    assert not holds("(exists (?o) (and (flat ?o) (in ?o desk1)))", ("in", "mug1", "desk1"))


@pytest.mark.parametrize(
    "text",
    [
        "(or (in mug1 desk1) (in mug2 desk1))",
        "(not (in mug1 desk1))",
        "(forall (?o) (in ?o desk1))",
        "(imply (in mug1 desk1) (in mug2 desk1))",
        "(= mug1 mug1)",
        "(exists ?o (in ?o desk1))",
        "(exists (?o) (in ?o desk1) (in ?o desk2))",
        "(in ?o desk1)",
        "(in (in mug1 desk1) desk1)",
        "(checked desk1)",
        "(exists (?a ?b) (and (in ?a desk1) (not (= ?a ?b))))",
        "(and)",
        "()",
        "mug1",
        "(not (= mug1 mug2))",
    ],
)
def test_a_goal_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(GameFileError, match="the goal"):
        compile_goal(formula(text), STATIC, CHANGING)
