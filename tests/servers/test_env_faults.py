"""What environments do wrong stays with their session, and is said in words."""

import pytest
from http_door import Door, Tree, error_of, open_door


async def act(door: Door, sid: str, action: str, n: int = 0) -> Tree:
    result = await door.item("/v1/step", sid=sid, ep=1, n=n, action=action)
    return result.get("error", result)


async def test_code_that_raises_fails_its_own_item() -> None:
    async with open_door() as door:
        broken, sound = await door.begun("Trapdoor-v0"), await door.begun("Trapdoor-v0")
        results = await door.items(
            "/v1/step",
            {"sid": broken, "ep": 1, "n": 0, "action": "crash"},
            {"sid": sound, "ep": 1, "n": 0, "action": "walk"},
        )
        error = results[0]["error"]
        assert (error["code"], error["retryable"]) == ("ENV_ERROR", False)
        assert error["detail"] == {"type": "ZeroDivisionError"}
        assert error["message"] == ("Trapdoor-v0 raised ZeroDivisionError: the floor gives way")
        assert results[1]["reply"]["observation"] == "creak"


async def test_a_broken_episode_stays_broken_until_reset() -> None:
    async with open_door() as door:
        sid = await door.begun("Trapdoor-v0")
        first = await act(door, sid, "crash")
        assert await act(door, sid, "crash") == first
        assert await act(door, sid, "walk") == first
        assert (await door.item("/v1/snapshot", sid=sid))["error"] == first
        assert (await door.item("/v1/fork", sid=sid, count=1))["error"] == first
        assert (await door.item("/v1/reset", sid=sid, ep=1, seed=1))["ep"] == 2


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("nan", "reward must be a finite number"),
        ("huge", "reward must be a finite number"),
        ("rich", "outside the declared range 0.0 to 1.0"),
        ("surrogate", "no JSON in UTF-8"),
        ("number", "observation must be text, got int"),
        ("set", "no JSON in UTF-8"),
        ("infinite", "no JSON in UTF-8"),
        ("exit", "raised SystemExit: 3"),
    ],
)
async def test_replies_that_break_the_contract_are_errors(action: str, words: str) -> None:
    async with open_door() as door:
        sid = await door.begun("Trapdoor-v0")
        error = await act(door, sid, action)
        assert error["code"] == "ENV_ERROR" and words in error["message"]
        assert (await door.http.get("/healthz")).status_code == 200


async def test_a_reset_that_raises_leaves_a_session_to_be_reset() -> None:
    async with open_door() as door:
        sid = await door.begun("Trapdoor-v0")
        result = await door.item("/v1/reset", sid=sid, ep=1, seed=13)
        assert result["error"]["detail"] == {"type": "RuntimeError"}
        assert (await act(door, sid, "walk"))["code"] == "NOT_RESET"
        assert (await door.item("/v1/reset", sid=sid, ep=1, seed=1))["ep"] == 2


async def test_a_task_that_is_not_there_is_the_fault_of_the_item() -> None:
    async with open_door() as door:
        (sid,) = await door.lease()
        result = await door.item("/v1/reset", sid=sid, ep=0, seed=1, options={"task": "sun"})
        assert result["error"]["code"] == "BAD_ITEM"
        assert result["error"]["detail"] == {"type": "UnknownTask"}
        assert "no task 'sun'" in result["error"]["message"]


async def test_an_environment_that_cannot_be_built_answers_in_words() -> None:
    async with open_door() as door:
        body = {"env": "Trapdoor-v0", "count": 3, "options": {"nails": 0}}
        answer = await door.post("/v1/sessions", body)
        assert (answer.status_code, error_of(answer)["code"]) == (422, "ENV_ERROR")
        assert error_of(answer)["detail"] == {"type": "ZeroDivisionError"}
        assert len(door.host.store) == 0 and door.host.store.reserved == 0


async def test_an_option_of_the_wrong_type_is_the_fault_of_the_request() -> None:
    async with open_door() as door:
        body = {"env": "Corridor-v0", "count": 3, "options": {"length": "long"}}
        answer = await door.post("/v1/sessions", body)
        assert (answer.status_code, error_of(answer)["code"]) == (400, "BAD_REQUEST")
        assert "length" in error_of(answer)["message"]
        assert len(door.host.store) == 0 and door.host.store.reserved == 0
