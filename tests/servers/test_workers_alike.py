"""Sessions in workers answer as sessions in the server do, whatever they are asked."""

import os
import random
import signal
from collections import Counter
from dataclasses import replace
from typing import Any

from http_door import SPEC, Door, Tree, open_door

ENVS = ("Corridor-v0", "Hallway-v0", "Trapdoor-v0")
ACTIONS = ("east", "west", "look", "take lamp", "crash", "nan", "long", "x" * 40)
TASKS: tuple[Tree, ...] = ({}, {}, {}, {"task": "lamp"}, {"task": "sun"})
LIMITS = {"action_bytes": 30, "observation_bytes": 1000}


class Twins:
    """Two servers that are asked the same; their sids differ, the places of the sids do not."""

    def __init__(self, *doors: Door) -> None:
        self.doors = doors
        self.sids: list[list[str]] = [[] for _ in doors]
        self.snapshots: list[Tree] = []
        self.codes = Counter[str]()
        """Of the errors that both answered."""

    async def lease(self, env: str) -> None:
        for door, sids in zip(self.doors, self.sids, strict=True):
            sids += await door.lease(env, options={"max_steps": 4})

    async def ask(self, path: str, *items: Tree) -> list[Tree]:
        """Items name sessions by place; the results, which must be equal, do as well."""
        told: list[Any] = []
        for door, sids in zip(self.doors, self.sids, strict=True):
            named = [{**item, "sid": sids[item["sid"]]} for item in items]
            if path == "view":
                answer = await door.http.get(f"/v1/sessions/{named[0]['sid']}")
                results = [answer.json()]
            else:
                results = await door.items(path, *named)
            for result in results:
                sids += [child["sid"] for child in result.pop("children", ())]
                result.pop("lease_until", None)
                result["sid"] = sids.index(result["sid"]) if "sid" in result else None
            told.append(results)
        assert told[0] == told[1]
        self.codes.update(result["error"]["code"] for result in told[0] if "error" in result)
        return told[0]


async def move(twins: Twins, rng: random.Random, places: dict[int, list[int]]) -> None:
    """Something sensible or not, asked of a few sessions."""
    chosen = rng.sample(range(len(twins.sids[0])), k=min(4, len(twins.sids[0])))
    kind = rng.choices(
        ["step", "reset", "snapshot", "restore", "recipe", "fork", "view", "close"],
        weights=[60, 16, 4, 4, 4, 3, 4, 0.5],
    )[0]
    if kind == "step":
        asked: list[Tree] = [{"action": rng.choice(ACTIONS)} for _ in chosen]
        items = [placed(s, places, rng, more) for s, more in zip(chosen, asked, strict=True)]
        results = await twins.ask("/v1/step", *items)
    elif kind == "reset":
        asked = [{"seed": rng.randrange(14), "options": rng.choice(TASKS)} for _ in chosen]
        items = [placed(s, places, rng, more) for s, more in zip(chosen, asked, strict=True)]
        results = await twins.ask("/v1/reset", *[without(item, "n") for item in items])
    elif kind == "recipe":
        recipe = {"seed": 3, "actions": rng.choices(ACTIONS[:3], k=5)}
        item: Tree = {"sid": chosen[0], "recipe": recipe}
        results = await twins.ask("/v1/restore", item)
    elif kind == "restore" and twins.snapshots:
        snapshot = rng.choice(twins.snapshots)
        results = await twins.ask("/v1/restore", {"sid": chosen[0], "snapshot": snapshot})
    elif kind == "snapshot":
        results = await twins.ask("/v1/snapshot", {"sid": chosen[0]})
        twins.snapshots += [result["snapshot"] for result in results if "snapshot" in result]
    elif kind == "fork" and len(twins.sids[0]) < 12:
        results = await twins.ask("/v1/fork", {"sid": chosen[0], "count": 1})
    else:
        path = "/v1/close" if kind == "close" else "view"
        results = await twins.ask(path, {"sid": chosen[0]})
    for result in results:
        if "ep" in result:
            places[result["sid"]] = [result["ep"], result["n"]]


def placed(sid: int, places: dict[int, list[int]], rng: random.Random, more: Tree) -> Tree:
    """An item for where the session stands, or beside it."""
    ep, n = places.get(sid, [0, 0])
    off = rng.choice([0] * 8 + [-1, 1])
    ep_off = rng.choice([0] * 12 + [-1, 1])
    return {"sid": sid, "ep": max(0, ep + ep_off), "n": max(0, n + off), **more}


def kill(door: Door) -> None:
    for pid in door.host.pool.pids:
        os.kill(pid, signal.SIGKILL)


def without(item: Tree, name: str) -> Tree:
    return {key: value for key, value in item.items() if key != name}


async def test_the_same_calls_get_the_same_answers_inline_and_in_workers_that_are_killed() -> None:
    async with (
        open_door(replace(SPEC, workers=0), None, **LIMITS) as inline,
        open_door(replace(SPEC, workers=1), None, **LIMITS) as apart,
    ):
        twins = Twins(inline, apart)
        rng, places = random.Random("twins"), dict[int, list[int]]()
        for env in ENVS * 2:
            await twins.lease(env)
        for turn in range(300):
            if turn in (100, 200):
                kill(apart)
            await move(twins, rng, places)
        assert len(twins.codes) >= 7, twins.codes
        assert len(apart.host.store) == len(inline.host.store)
        assert sum(len(worker.seats) for worker in apart.host.pool.workers) == len(apart.host.store)
