"""OpenEnv's routes about splits and tasks: `/list_environments`, `/{env}/splits`, `/{env}/tasks`...

At the root they know every environment of the server, under `/openenv/<id>/` that one alone; names
are compared without case, as OpenEnv's server does.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ...envs.wire import JsonObject, Message
from .face import face_of, hall_of
from .forms import Invalid, Refusal
from .routes import REFUSED, Responses, Route
from .tasks import Shelf

Index = Annotated[int, Field(ge=-(2**53), le=2**53)]
"""Negative ones are no tasks, but well-formed."""
_LISTED: Responses = {
    400: {"model": Refusal, "description": "No such split, index or range"},
    422: {"model": Invalid, "description": "The message does not validate"},
    501: {"model": Refusal, "description": "The environment has no tasks"},
}


class SplitBody(Message):
    """Names a split."""

    split: str


class TaskBody(SplitBody):
    """Names a task."""

    index: Index
    """From 0."""


class RangeBody(SplitBody):
    """Names tasks that follow each other."""

    start: Index | None = None
    """The first, 0 when absent."""
    stop: Index | None = None
    """The first that is not wanted; the rest of the split when absent."""


class Split(BaseModel):
    """A part of the tasks."""

    name: str
    type: str
    """`train`, `validation` or `test`."""


class TaskList(BaseModel):
    """Tasks, each the keywords of the reset that plays it."""

    tasks: list[JsonObject]


class EnvTaskList(TaskList):
    """All tasks of a split."""

    env_name: str


class TaskCount(BaseModel):
    """How many tasks there are."""

    num_tasks: int


class TaskAnswer(BaseModel):
    """One task."""

    task: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The environment that a path names."""

    env: str
    shelf: Shelf


def asked(request: Request, env_name: Annotated[str, Path()]) -> Asked:
    """The environment of this name. Raises `HTTPException` (404)."""
    hall = hall_of(request)
    mine = "env_id" in request.path_params
    known = [face_of(request).env] if mine else list(hall.shelves)
    for env in known:
        if env.lower() == env_name.lower():
            return Asked(env=env, shelf=hall.shelves[env])
    raise HTTPException(404, f"unknown environment {env_name!r}; known here: {', '.join(known)}")


Env = Annotated[Asked, Depends(asked)]
listing = APIRouter(route_class=Route, tags=["OpenEnv"], responses=REFUSED)
tasks = APIRouter(route_class=Route, tags=["OpenEnv"], responses=REFUSED | _LISTED)


@listing.get("/list_environments")
async def list_environments(request: Request) -> list[str]:
    """Names that the task routes take; the first is the one that stands at the root."""
    hall = hall_of(request)
    return [face_of(request).env] if "env_id" in request.path_params else list(hall.shelves)


@tasks.get("/{env_name:path}/splits")
async def splits(env: Env) -> list[Split]:
    """The parts of the tasks."""
    return [Split(name=name, type=kind) for name, kind in env.shelf.splits()]


@tasks.post("/{env_name:path}/tasks")
async def list_tasks(env: Env, body: SplitBody) -> EnvTaskList:
    """All tasks of a split."""
    return EnvTaskList(tasks=env.shelf.tasks(body.split), env_name=env.env)


@tasks.post("/{env_name:path}/num_tasks")
async def num_tasks(env: Env, body: SplitBody) -> TaskCount:
    """How many tasks a split has; a generator without end tells a nominal number."""
    return TaskCount(num_tasks=env.shelf.count(body.split))


@tasks.post("/{env_name:path}/task")
async def task(env: Env, body: TaskBody) -> TaskAnswer:
    """One task of a split."""
    return TaskAnswer(task=env.shelf.task(body.split, body.index))


@tasks.post("/{env_name:path}/task_range")
async def task_range(env: Env, body: RangeBody) -> TaskList:
    """Some tasks of a split."""
    return TaskList(tasks=env.shelf.tasks(body.split, body.start, body.stop))
