"""Plays whole episodes with OpenEnv's GenericEnvClient; prints what it saw, as JSON.

stdin: a list of {"url", "way": "async" | "sync" | "sessions", "headers", "episodes": [{"reset",
"actions"}]}. One process plays them all, since importing OpenEnv takes seconds.
"""

import asyncio
import json
import sys
from typing import Any

from openenv.core import GenericEnvClient  # pyright: ignore[reportMissingImports]


def seen(result: Any) -> dict[str, Any]:  # noqa: ANN401
    """A StepResult as JSON."""
    return {
        "observation": result.observation,
        "reward": result.reward,
        "done": result.done,
        "metadata": result.metadata,
    }


async def episode(env: Any, wanted: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    replies = [seen(await env.reset(**wanted["reset"]))]
    for action in wanted["actions"]:
        try:
            replies.append(seen(await env.step(action)))
        except RuntimeError as error:
            replies.append({"error": str(error)})
    return {"replies": replies, "state": await env.state()}


async def one_after_another(asked: dict[str, Any]) -> list[Any]:
    async with GenericEnvClient(asked["url"], headers=asked.get("headers")) as env:
        return [await episode(env, wanted) for wanted in asked["episodes"]]


async def side_by_side(asked: dict[str, Any]) -> list[Any]:
    async with GenericEnvClient(asked["url"], headers=asked.get("headers")) as parent:
        envs = [await parent.new_session() for _ in asked["episodes"]]
        played = zip(envs, asked["episodes"], strict=True)
        return list(await asyncio.gather(*(episode(*pair) for pair in played)))


def without_await(asked: dict[str, Any]) -> list[Any]:
    played: list[Any] = []
    with GenericEnvClient(asked["url"], headers=asked.get("headers")).sync() as env:
        for wanted in asked["episodes"]:
            replies = [seen(env.reset(**wanted["reset"]))]
            replies += [seen(env.step(action)) for action in wanted["actions"]]
            played.append({"replies": replies, "state": env.state()})
    return played


def play(asked: dict[str, Any]) -> list[Any]:
    if asked["way"] == "sync":
        return without_await(asked)
    way = {"async": one_after_another, "sessions": side_by_side}[asked["way"]]
    return asyncio.run(way(asked))


def main() -> None:
    print(json.dumps([play(asked) for asked in json.load(sys.stdin)]))


if __name__ == "__main__":
    main()
