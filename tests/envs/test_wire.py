"""Messages of the protocol: strict requests, lenient answers, one bad item alone."""

import pytest
from pydantic import ValidationError

from gigym.envs import Reply
from gigym.envs.wire import (
    BadItem,
    Recipe,
    ResetItem,
    RestoreItem,
    SessionsRequest,
    StepItem,
    StepRequest,
    explain,
    replay_key,
)
from gigym.envs.wire_answers import Failed, Info, PlayAnswer, Played, ReplyBody

REPLY = '{"observation":"o","reward":0,"terminated":false,"truncated":false}'


def test_items_that_do_not_validate_become_values() -> None:
    good = {"sid": "s-1", "ep": 1, "n": 0, "action": "look"}
    request = StepRequest.model_validate(
        {"items": [good, {**good, "n": "0"}, 7, {**good, "n": True}, {**good, "more": 1}]}
    )
    first, *others = request.items
    assert first == StepItem(**good)
    assert [type(item) for item in others] == [BadItem] * 4
    assert [item.sid for item in others] == ["s-1", None, "s-1", "s-1"]


@pytest.mark.parametrize(
    "changes", [{"seed": 2**63}, {"seed": 1.5}, {"ep": -1}, {"sid": ""}, {"options": [1]}]
)
def test_resets_are_strict(changes: dict[str, object]) -> None:
    fields: dict[str, object] = {"sid": "s-1", "ep": 0, "seed": 1, **changes}
    with pytest.raises(ValidationError):
        ResetItem.model_validate(fields)


@pytest.mark.parametrize(
    "changes",
    [{"count": 0}, {"wait_s": 31}, {"lease_s": 0}, {"lease_s": float("nan")}, {"lease": 1}],
)
def test_leases_are_strict(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SessionsRequest.model_validate({"env": "A-v0", **changes})


def test_a_recipe_has_one_key_more_than_actions_or_none() -> None:
    Recipe(seed=1, actions=["a"], keys=["k0", None])
    Recipe(seed=1, actions=["a"])
    with pytest.raises(ValidationError, match="got 1 keys for 1 actions"):
        Recipe(seed=1, actions=["a"], keys=["k0"])


def test_a_restore_has_one_source() -> None:
    with pytest.raises(ValidationError, match="either snapshot or recipe"):
        RestoreItem(sid="s-1")


def test_an_explanation_names_the_place_and_not_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        StepItem.model_validate({"sid": "s-1", "ep": "hunter2", "action": 7})
    said = explain(caught.value)
    assert said.startswith("ep: ") and said.endswith("(and 2 more)")
    assert "hunter2" not in said


def test_answers_ignore_what_they_do_not_know() -> None:
    text = f'{{"results":[{{"sid":"s","ep":1,"n":0,"reply":{REPLY},"later":1}}],"later":2}}'
    (result,) = PlayAnswer.model_validate_json(text).results
    assert isinstance(result, Played) and not result.replayed


def test_a_failed_item_is_told_from_a_played_one() -> None:
    fault = '{"code":"NEW_CODE","message":"m","retryable":false}'
    (result,) = PlayAnswer.model_validate_json(
        f'{{"results":[{{"sid":null,"error":{fault}}}]}}'
    ).results
    assert isinstance(result, Failed) and result.error.code == "NEW_CODE"


@pytest.mark.parametrize("reward", ["NaN", "Infinity", "1e400", '"1"x', "null"])
def test_rewards_of_a_server_must_be_finite_numbers(reward: str) -> None:
    with pytest.raises(ValidationError):
        ReplyBody.model_validate_json(REPLY.replace('"reward":0', f'"reward":{reward}'))


def test_a_body_becomes_the_reply_that_was_sent() -> None:
    sent = Reply(
        observation="o",
        reward=0.5,
        truncated=True,
        state_key="k",
        admissible_actions=("a", "b"),
        info={"won": False, "deep": [1, {"x": None}]},
    )
    body = ReplyBody(
        observation=sent.observation,
        reward=sent.reward,
        terminated=False,
        truncated=True,
        state_key="k",
        admissible_actions=("a", "b"),
        info=dict(sent.info),
    )
    assert ReplyBody.model_validate_json(body.model_dump_json()).to_reply() == sent


def test_replays_compare_observations_where_there_is_no_state() -> None:
    assert replay_key(Reply(observation="o", state_key="k")) == "k"
    assert replay_key(Reply(observation="o")) == Reply(observation="o").observation_key


def test_info_needs_what_negotiation_needs() -> None:
    with pytest.raises(ValidationError):
        Info.model_validate_json('{"protocol":"gigym/1"}')
