"""A worker process: environments by number, told what to do in lines of JSON.

It ends when its pipe closes or its parent is gone, whichever shows first. What environments print
goes to stderr, and what they read from stdin is empty, so that neither mixes with the protocol.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from ... import GigymError
from ..base import TextEnv
from ..child import card_of, end_with_parent, own_streams
from ..registry import make, register, registered
from ..types import Reply
from .crew import Answer, Start
from .local import act, begin


def main() -> None:
    """Serve until the parent closes the pipe."""
    end_with_parent()
    told, said = own_streams()
    envs: dict[int, TextEnv] = {}
    for line in told:
        request = json.loads(line)
        for i, answer in _DO[request["do"]](envs, request):
            said.write(_line(i, answer).encode("ascii"))
            said.flush()


def _make(envs: dict[int, TextEnv], request: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    card, entry_point = request["card"], request["entry_point"]
    if card["id"] not in {known.id for known in registered()}:
        register(card_of(card), entry_point)
    for i, options in request["items"]:
        try:
            envs[i] = make(card["id"], **options)
            yield i, None
        except (Exception, SystemExit) as error:
            yield i, error


def _start(envs: dict[int, TextEnv], request: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    for i, seed, options in request["items"]:
        yield i, begin(envs[i], Start(seed=seed, options=options))


def _answer(envs: dict[int, TextEnv], request: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    for i, action in request["items"]:
        yield i, act(envs[i], action)


def _replay(envs: dict[int, TextEnv], request: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    for i, seed, options, actions in request["items"]:
        yield i, _replayed(envs[i], Start(seed=seed, options=options), actions)


def _replayed(env: TextEnv, start: Start, actions: list[str]) -> Answer:
    answer = begin(env, start)
    for action in actions:
        if isinstance(answer, Exception):
            break
        answer = act(env, action)
    return answer


_DO: dict[str, Callable[[dict[int, TextEnv], dict[str, Any]], Iterator[tuple[int, Any]]]] = {
    "make": _make,
    "start": _start,
    "answer": _answer,
    "replay": _replay,
}


def _line(i: int, answer: Answer | None) -> str:
    body: dict[str, Any] = {"i": i}
    if isinstance(answer, Reply):
        body["reply"] = asdict(answer)
    elif answer is not None:
        body["error"] = _told_error(answer)
    try:
        return json.dumps(body) + "\n"
    except (TypeError, ValueError) as error:
        return json.dumps({"i": i, "error": {"kind": "", "message": f"no JSON: {error}"}}) + "\n"


def _told_error(error: Exception) -> dict[str, str]:
    if isinstance(error, GigymError):
        return {"kind": type(error).__name__, "message": str(error)}
    return {"kind": "", "message": f"raised {type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
