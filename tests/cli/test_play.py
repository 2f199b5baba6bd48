"""`gigym play`: a person with scripted input, scripted agents, JSON."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from gigym.cli.prompt import completions, listed

Gigym = Callable[..., Any]
Typed = Callable[..., None]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    def type_lines(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return type_lines


def test_a_number_chooses_the_action_of_that_number(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("1", "1", "1")
    played = gigym("play", corridor)
    assert played.code == 0
    assert "You are at 3." in played.out
    assert "won after 3 turns, return 1" in played.out


def test_any_other_text_is_sent_as_it_is(gigym: Gigym, corridor: str, typed: Typed) -> None:
    typed("east", "west", "q")
    assert "You are at 0." in gigym("play", corridor).out


def test_u_steps_back_and_the_episode_goes_on_from_there(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("1", "1", "u", "q")
    played = gigym("play", corridor, "--json").json
    assert [turn["observation"] for turn in played["turns"]] == ["You are at 1."]


def test_u_before_the_first_move_is_answered_and_not_fatal(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("u", "q")
    played = gigym("play", corridor)
    assert played.code == 0
    assert "no move to take back" in played.out


def test_a_state_met_before_is_said_to_be(gigym: Gigym, corridor: str, typed: Typed) -> None:
    typed("east", "west", "q")
    assert "(met at turn 0)" in gigym("play", corridor).out


def test_the_end_of_input_ends_the_episode_cleanly(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed()
    played = gigym("play", corridor)
    assert played.code == 0
    assert "left unfinished after 0 turns" in played.out


def test_the_expert_wins_and_options_reach_the_environment(gigym: Gigym, corridor: str) -> None:
    played = gigym("play", corridor, "length=5", "--agent", "expert", "--json")
    assert played.json["success"] is True
    assert [turn["action"] for turn in played.json["turns"]] == ["east"] * 5


def test_a_random_agent_repeats_its_episode_from_its_seed(gigym: Gigym, corridor: str) -> None:
    words = ("play", corridor, "length=9", "--agent", "random", "--json", "--seed")
    first, again, other = (gigym(*words, seed).json for seed in (4, 4, 5))
    assert first == again
    assert first["turns"] != other["turns"]
    assert first["truncated"] and len(first["turns"]) == 20


def test_prints_of_the_environment_do_not_break_the_json(gigym: Gigym, corridor: str) -> None:
    played = gigym("play", corridor, "--agent", "expert", "--json")
    assert played.json["return"] == 1.0
    assert "a print in the environment" in played.err


def test_control_characters_of_an_observation_are_made_visible(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("q")
    played = gigym("play", corridor)
    assert "\x1b" not in played.out
    assert "\\x1b[31m" in played.out


def test_an_option_the_environment_lacks_is_named_with_the_nearest(
    gigym: Gigym, corridor: str
) -> None:
    played = gigym("play", corridor, "lenght=5")
    assert played.code == 2
    assert "'lenght'" in played.err and "did you mean 'length'" in played.err.lower()


def test_an_environment_that_raises_ends_with_code_7(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("dig")
    played = gigym("play", corridor)
    assert played.code == 7
    assert "TestCorridor-v0 raised RuntimeError: the floor gave way" in played.err
    assert "Traceback" not in played.err


def test_h_shows_the_moves_so_far_and_is_no_move(gigym: Gigym, corridor: str, typed: Typed) -> None:
    typed("h", "east", "h", "q")
    played = gigym("play", corridor)
    assert "(no moves so far)" in played.out and "  1 east  (+0)" in played.out
    assert "left unfinished after 1 turns" in played.out


def test_a_backslash_sends_a_word_that_would_be_a_command(
    gigym: Gigym, corridor: str, typed: Typed
) -> None:
    typed("\\q", "\\1", "q")
    turns = gigym("play", corridor, "--json").json["turns"]
    assert [turn["action"] for turn in turns] == ["q", "1"]


def test_long_lists_are_cut_and_can_be_filtered_with_their_numbers() -> None:
    choices = [f"take apple {n}" for n in range(1, 100)] + ["open Fridge 1"]
    assert "... and 40 more" in listed(choices) and "Fridge" not in listed(choices)
    assert listed(choices, "fridge").strip() == "100 open Fridge 1"
    assert "take apple 99" in listed(choices, "")
    assert "none of 100 actions holds 'pear'" in listed(choices, "pear")


def test_actions_are_completed_whatever_the_case() -> None:
    assert completions(["go to Bed 1", "go to desk 1", "look"], "GO TO B") == ["go to Bed 1"]


def test_a_game_without_a_list_takes_any_text(gigym: Gigym, typed: Typed) -> None:
    typed("? anything", "the answer is 7", "u", "q")
    played = gigym("play", "MathTools-v0")
    assert played.code == 0
    assert "(any text is an action here)" in played.out
    assert "left unfinished after 0 turns" in played.out
