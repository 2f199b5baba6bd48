"""AgentGym's routes `/create`, `/reset`, `/step` and so on, for clients of its servers.

One environment, in the spelling that AgentGym gives it: `alfworld` and `webshop` have their own,
every other environment is served as `textcraft` is. Sessions are those of the native protocol:
what a client forgets to close ends with its lease. As AgentGym does, refused moves are answered
with 200 and `{"error": ...}`; a server that is full or about to stop answers 429 or 503.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field
from starlette.responses import Response

from ..envs import UnknownEnv
from ..envs.types import JsonValue
from .desk import Desk, Tree
from .faults import REFUSED
from .host import Host

SPELLED = {"alfworld": "ALFWorld-v0", "webshop": "WebShop-v0"}
"""AgentGym's name -> ours, where its routes differ from the usual ones."""
Number = Annotated[int, Field(ge=0, lt=2**53)]


class WorldItem(BaseModel):
    """Names an environment that was created."""

    id: Number


class TaskItem(WorldItem):
    """Start a task; ALFWorld's clients call its number `game`, all others `data_idx`."""

    game: Number | None = None
    data_idx: Number | None = None


class ActionItem(WorldItem):
    """Take an action."""

    action: str


class ShopItem(BaseModel):
    """Names a shop that was created."""

    env_idx: Number


class GoalItem(ShopItem):
    """Start the goal of that number."""

    session_id: Number | None = None


class ClickItem(ShopItem):
    """Take an action in a shop."""

    action: str


def install(app: FastAPI, host: Host, name: str) -> None:
    """Add the routes. Raises `UnknownEnv` when the environment of that name is not served."""
    env = SPELLED.get(name, name)
    served = [hosted.id for hosted in host.spec.envs]
    if env not in served:
        raise UnknownEnv(
            f"--agentgym {name} needs {env} among the environments served, which are: "
            f"{', '.join(served)}"
        )
    router = APIRouter(tags=["AgentGym"], responses=REFUSED)
    desk = Desk(host, env)
    if name == "webshop":
        _add_shop(router, desk)
        _add_shop_views(router, desk)
    else:
        house = name == "alfworld"
        _add_world(router, desk, house=house)
        _add_world_views(router, desk, _house_outcome if house else _outcome)
    app.include_router(router)


def _add_world(router: APIRouter, desk: Desk, *, house: bool) -> None:
    """Routes of TextCraft and its like; `house`: as ALFWorld's server has them."""
    outcome = _house_outcome if house else _outcome

    @router.post("/create")
    async def create() -> Tree:
        """Create an environment."""
        number = await desk.create()
        return {"id": number, **({} if house else outcome(await desk.reset(number, number)))}

    @router.post("/reset")
    async def reset(item: TaskItem) -> Response:
        """Start a task."""
        seed = item.game if item.game is not None else item.data_idx or 0

        async def told() -> Tree:
            return {"id": item.id, **outcome(await desk.reset(item.id, seed))}

        return await desk.answer(told())

    @router.post("/step")
    async def step(item: ActionItem) -> Response:
        """Take an action."""

        async def told() -> Tree:
            return outcome(await desk.step(item.id, item.action))

        return await desk.answer(told())


def _add_world_views(router: APIRouter, desk: Desk, outcome: Callable[[Tree], Tree]) -> None:
    @router.post("/close")
    async def close(item: WorldItem) -> Tree:
        """End an environment."""
        return {"id": item.id, "closed": await desk.close(item.id)}

    @router.get("/observation")
    async def observation(id: Number) -> Response:
        """The last observation."""
        return await desk.shown(id, lambda reply: reply["observation"])

    @router.get("/available_actions")
    async def available_actions(id: Number) -> Response:
        """What can be done."""
        return await desk.shown(id, lambda reply: reply["admissible_actions"])

    @router.get("/detail")
    async def detail(id: Number) -> Response:
        """The last outcome."""
        return await desk.shown(id, outcome)


def _add_shop(router: APIRouter, desk: Desk) -> None:
    """Routes of WebShop's server."""

    @router.post("/create")
    async def create() -> int:
        """Create a shop."""
        return await desk.create()

    @router.post("/reset")
    async def reset(item: GoalItem) -> Response:
        """Start a goal."""
        seed = item.env_idx if item.session_id is None else item.session_id

        async def told() -> list[JsonValue]:
            return [(await desk.reset(item.env_idx, seed))["observation"], None]

        return await desk.answer(told())

    @router.post("/step")
    async def step(item: ClickItem) -> Response:
        """Search or click."""

        async def told() -> Tree:
            reply = await desk.step(item.env_idx, item.action)
            done = reply["terminated"] or reply["truncated"]
            state, reward = reply["observation"], reply["reward"]
            return {"state": state, "reward": reward, "done": done, "info": None}

        return await desk.answer(told())


def _add_shop_views(router: APIRouter, desk: Desk) -> None:
    @router.post("/close")
    async def close(item: ShopItem) -> Tree:
        """End a shop."""
        return {"closed": await desk.close(item.env_idx)}

    @router.get("/observation")
    async def observation(env_idx: Number) -> Response:
        """The last page."""
        return await desk.shown(env_idx, lambda reply: reply["observation"])

    @router.get("/available_actions")
    async def available_actions(env_idx: Number) -> Response:
        """What can be clicked, and whether there is a field to search."""
        return await desk.shown(env_idx, _clickables)

    @router.get("/list_envs")
    async def list_envs() -> list[int]:
        """Shops that are alive."""
        return desk.numbers()


def _outcome(reply: Tree) -> Tree:
    return {
        "observation": reply["observation"],
        "reward": reply["reward"],
        "done": reply["terminated"] or reply["truncated"],
        "available_actions": reply["admissible_actions"],
    }


def _house_outcome(reply: Tree) -> Tree:
    """As ALFWorld's server tells it: no greeting, and a reward of 1 for a task that was done."""
    observation: str = reply["observation"]
    greeting, _, rest = observation.partition("\n\n")
    if greeting.startswith("-="):
        observation = rest.replace("\n\n", "\n")
    return {
        **_outcome(reply),
        "observation": observation,
        "reward": float(bool(reply["info"].get("won"))),
        "task_type": reply["info"].get("task_type"),
    }


def _clickables(reply: Tree) -> Tree:
    actions: list[str] = reply["admissible_actions"] or []
    clicks = [action[len("click[") : -1] for action in actions if action.startswith("click[")]
    return {"has_search_bar": len(clicks) < len(actions), "clickables": clicks}
