"""Splits and tasks: counted, listed, and played by handing a task to reset."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from http_door import SPEC, Door, Tree, open_door

from gigym.envs import EnvCard, Options, Reply, TextEnv
from gigym.servers import HostedEnv
from gigym.servers.openenv.face import asked_opening
from gigym.servers.openenv.tasks import LONGEST_LISTING, BadTask, NoTasks, Shelf
from gigym.servers.openenv.translate import Unreadable

GAME = "Negotiation-v0"


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    envs = (HostedEnv(id=GAME), HostedEnv(id="Corridor-v0"))
    async with open_door(replace(SPEC, envs=envs)) as door:
        yield door


async def ask(door: Door, route: str, env: str = GAME, **body: object) -> Tree:
    answer = await door.post(f"/{env}/{route}", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_splits_have_the_types_that_openenv_knows(door: Door) -> None:
    expected = [
        {"name": "train", "type": "train"},
        {"name": "dev", "type": "validation"},
        {"name": "test", "type": "test"},
    ]
    for path in (f"/{GAME}/splits", "/negotiation-V0/splits", f"/openenv/{GAME}/{GAME}/splits"):
        assert (await door.http.get(path)).json() == expected


async def test_a_task_is_the_keywords_of_the_reset_that_plays_it(door: Door) -> None:
    task = (await ask(door, "task", split="dev", index=3))["task"]
    assert task["seed"] == 3
    told = await door.post("/reset", task)
    assert told.status_code == 200, told.text
    assert told.json()["metadata"]["info"]["task_id"] == task["task"]
    both = (await ask(door, "task_range", split="dev", start=2, stop=4))["tasks"]
    assert both[1] == task and len(both) == 2
    assert await ask(door, "num_tasks", split="dev") == {"num_tasks": 1_000_000}


@pytest.mark.parametrize(
    "asked",
    [
        {"split": "dev", "index": 10**7},
        {"split": "dev", "index": True},
        {"split": "dev", "index": "3"},
        {"split": 3, "index": 3},
        {"split": "holidays", "index": 0},
    ],
)
async def test_a_reset_to_a_task_that_is_not_there_is_refused(door: Door, asked: Tree) -> None:
    answer = await door.post("/reset", asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][-1] == "index"


async def test_the_schema_of_actions_does_not_pass_for_that_of_a_tool_call(door: Door) -> None:
    # verifiers lists tools first where the title is one of these
    told = (await door.http.get("/schema")).json()["action"]
    assert told["title"] not in ("Action", "CallToolAction", "ListToolsAction")


async def test_a_reset_may_name_a_task_by_split_and_index(door: Door) -> None:
    task = (await ask(door, "task", split="dev", index=3))["task"]
    told = (await door.post("/reset", {"split": "dev", "index": 3})).json()
    assert told["metadata"]["info"]["task_id"] == task["task"]
    assert told["metadata"]["seed"] == 3
    first = (await door.post("/reset", {"index": 3, "seed": 5})).json()["metadata"]
    assert (first["info"]["task_id"], first["seed"]) == ("train/3", 5)
    refused: list[Tree] = [
        {"split": "holidays", "index": 3},
        {"split": "dev", "index": -1},
        {"split": "dev", "index": True},
        {"split": 7, "index": 1},
        {"split": "dev"},
    ]
    for body in refused:
        answer = await door.post("/reset", body)
        assert answer.status_code == 422, body
    none = await door.post("/openenv/Corridor-v0/reset", {"index": 3})
    assert none.status_code == 422 and "Corridor-v0" in none.json()["detail"][0]["msg"]


def test_where_tasks_are_seeds_an_index_and_a_seed_exclude_each_other() -> None:
    shelf = Shelf(Ten)
    assert asked_opening("Corridor-v0", shelf, {"index": 4}).seed == 4
    with pytest.raises(Unreadable, match="one of the two"):
        asked_opening("Corridor-v0", shelf, {"index": 4, "seed": 5})


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("task", {"split": "dev", "index": -1}, 400),
        ("task", {"split": "dev", "index": 1_000_000}, 400),
        ("task", {"split": "holidays", "index": 0}, 400),
        ("num_tasks", {"split": "holidays"}, 400),
        ("tasks", {"split": "dev"}, 400),
        ("task_range", {"split": "dev", "start": -3}, 400),
        ("task", {"split": "dev"}, 422),
        ("task", {"split": "dev", "index": True}, 422),
        ("num_tasks", {}, 422),
        ("task_range", {"split": 3}, 422),
    ],
)
async def test_tasks_that_are_not_there_are_refused(
    door: Door, route: str, body: Tree, status: int
) -> None:
    answer = await door.post(f"/{GAME}/{route}", body)
    assert (answer.status_code, "detail" in answer.json()) == (status, True), answer.text


async def test_an_environment_without_tasks_says_so(door: Door) -> None:
    assert (await door.http.get("/Corridor-v0/splits")).status_code == 501
    for route in ("tasks", "num_tasks", "task_range"):
        answer = await door.post(f"/Corridor-v0/{route}", {"split": "train"})
        assert answer.status_code == 501 and "Corridor-v0" in answer.json()["detail"]


async def test_other_names_are_unknown(door: Door) -> None:
    for path in ("/Nowhere-v0/splits", f"/openenv/Corridor-v0/{GAME}/splits"):
        answer = await door.http.get(path)
        assert answer.status_code == 404 and "unknown environment" in answer.json()["detail"]
    assert (await door.http.get("/openenv/Corridor-v0/list_environments")).json() == ["Corridor-v0"]


class Ten(TextEnv):
    """Ten tasks and no splits."""

    card = EnvCard(id="Ten-v0", version="1.0.0", summary="ten tasks")
    num_tasks = 10

    def begin(self, seed: int, options: Options) -> Reply:
        return Reply(observation=str(seed % 10))


def test_tasks_without_splits_are_one_split() -> None:
    shelf = Shelf(Ten)
    assert shelf.splits() == [("train", "train")]
    assert shelf.count("train") == 10
    assert shelf.tasks("train", 8) == [{"seed": 8}, {"seed": 9}]
    assert shelf.tasks("train", 5, 3) == []
    assert shelf.tasks("train", None, 99) == [{"seed": seed} for seed in range(10)]
    with pytest.raises(BadTask, match="its splits: train"):
        shelf.count("test")


def test_a_listing_has_a_length_that_can_be_answered() -> None:
    class Many(Ten):
        num_tasks = LONGEST_LISTING + 1

    assert len(Shelf(Many).tasks("train", 1)) == LONGEST_LISTING
    with pytest.raises(BadTask, match="task_range"):
        Shelf(Many).tasks("train")


def test_the_environment_is_built_when_it_is_asked_for_and_once() -> None:
    built: list[TextEnv] = []

    def build() -> TextEnv:
        built.append(Ten())
        return built[-1]

    shelf = Shelf(build)
    assert built == []
    for _ in range(3):
        shelf.count("train")
    assert len(built) == 1


def test_no_number_and_no_splits_are_no_tasks() -> None:
    class Endless(Ten):
        num_tasks = None

    with pytest.raises(NoTasks, match="Ten-v0"):
        Shelf(Endless).splits()
