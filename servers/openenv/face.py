"""One environment as OpenEnv's clients see it: what the HTTP routes, the socket and MCP share."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.requests import HTTPConnection
from starlette.exceptions import HTTPException

from ...envs import EnvCard, card, option_names
from ...envs.wire import JsonObject
from ..host import Host
from .forms import Action, ErrorCode, ResetBody
from .seats import Seat, Seats
from .tasks import BadTask, NoTasks, Shelf
from .translate import Opening, Unreadable, opening_of, outcome, problem, read

PREFIX = "/openenv"
"""Every environment stands under it, by its id; the first of the server stands at the root too."""
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """See the module docstring."""

    env: str
    seats: Seats
    shelves: Mapping[str, Shelf]
    """Tasks of all environments of the server."""
    named: bool
    """Reached by the environment's own path, not as the first of the server."""

    @property
    def host(self) -> Host:
        """The server behind it."""
        return self.seats.host

    @property
    def shelf(self) -> Shelf:
        """Tasks of the environment."""
        return self.shelves[self.env]

    @property
    def card(self) -> EnvCard:
        """What is known about the environment."""
        return card(self.env)

    def shortage(self, code: ErrorCode) -> JsonObject:
        """What an answer says beside the code when no session could be leased."""
        if code is ErrorCode.CAPACITY_REACHED:
            return self.seats.capacity()
        return {"factory_name": self.env}

    async def reset(self, seat: Seat, opening: Opening) -> JsonObject:
        """Start an episode. Raises `WireFault`."""
        return outcome(await self.seats.reset(seat, opening), opening)

    async def step(self, seat: Seat, action: Action) -> JsonObject:
        """Take an action. Raises `WireFault`."""
        return outcome(await self.seats.step(seat, action.command))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """All faces of a server; kept in the state of the application."""

    seats: Seats
    shelves: dict[str, Shelf]
    """By id, in the order in which the host offers the environments."""
    production: bool
    """No routes that steer episodes, `OPENENV_MODE=production`."""

    def face(self, env: str | None) -> Face | None:
        """The face of an environment, of the first one if none is named."""
        wanted = next(iter(self.shelves)) if env is None else env
        if wanted not in self.shelves:
            return None
        return Face(env=wanted, seats=self.seats, shelves=self.shelves, named=env is not None)


def hall_of(connection: HTTPConnection) -> Hall:
    """The faces of the application that was called."""
    return connection.app.state.openenv


def face_of(connection: HTTPConnection) -> Face:
    """The face that a path names. Raises `HTTPException` (404)."""
    env = connection.path_params.get("env_id")
    face = hall_of(connection).face(env)
    if face is None:
        offered = ", ".join(hall_of(connection).shelves)
        raise HTTPException(_NOT_FOUND, f"unknown environment {env!r}; this server has: {offered}")
    return face


def asked_opening(env: str, shelf: Shelf, tree: object) -> Opening:
    """A reset that a client asks of an environment. Raises `Unreadable`."""
    body = tree if isinstance(tree, ResetBody) else read(ResetBody, tree)
    return opening_of(_picked(body, shelf), env, option_names(env), secrets.randbits(31))


def _picked(body: ResetBody, shelf: Shelf) -> ResetBody:
    """The reset with the task that its keywords `split` and `index` name, if they name one."""
    tree = body.model_dump(exclude_none=True)
    index = tree.pop("index", None)
    if index is None:
        return body
    try:
        split = tree.pop("split", None) or shelf.splits()[0][0]
        if type(index) is not int or not isinstance(split, str):
            raise BadTask("split must be a text and index an integer")
        task = shelf.task(split, index)
    except (BadTask, NoTasks) as error:
        raise Unreadable(problem(str(error), "index")) from None
    if "task" not in task and "seed" in tree:
        message = "here the index of a task is its seed; give one of the two"
        raise Unreadable(problem(message, "seed"))
    return read(ResetBody, {**task, **tree})
