"""JSON-RPC 2.0 as OpenEnv's servers speak it: sessions, and an environment's one tool for agents.

The tool `act` takes a command of the episode under way. Resetting is no tool, since tools are what
the agent may use: an episode begins over `/ws`, or with the session (`openenv/session/create` with
the keywords of a reset). Over a socket the session is the socket's; over `POST /mcp` it is named by
the parameter `session_id`. Errors are answers; batches are refused, as MCP has dropped them.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from ... import __version__
from ...envs.wire import Code, JsonObject, Message, explain
from ..errors import WireFault
from ..replies import encode
from ..strict_json import BadJson, parse_json
from .attach import WAIT_S
from .face import Face, asked_opening
from .forms import Action
from .seats import Seat
from .translate import Unreadable, problem_trees, read, refused_at_door

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000

_PROTOCOLS = ("2025-06-18", "2025-03-26", "2024-11-05")
"""Revisions of MCP whose `initialize`, `ping` and tools are these."""
_SAID_TO_AGENT = frozenset({Code.EPISODE_OVER, Code.NOT_RESET, Code.BAD_ITEM})
"""Faults that are results of the tool: the agent can do something about them."""
_LOG = logging.getLogger("gigym.servers")

Call = Callable[[Face, JsonObject, Seat | None], Awaitable[JsonObject]]
RpcId = str | int | None


class RpcError(Exception):
    """What is answered instead of a result."""

    def __init__(self, code: int, message: str, data: JsonValue = None) -> None:
        super().__init__(code, message, data)
        self.code, self.message, self.data = code, message, data


class RpcRequest(Message):
    """A JSON-RPC request."""

    jsonrpc: Literal["2.0"]
    method: str
    params: object = None
    id: RpcId = None


class RpcFault(BaseModel):
    """Error of a JSON-RPC answer."""

    code: int
    message: str
    data: JsonValue = None


class RpcAnswer(BaseModel):
    """A JSON-RPC answer: a result or an error."""

    model_config = ConfigDict(json_schema_extra={"required": ["jsonrpc", "id"]})

    jsonrpc: Literal["2.0"] = "2.0"
    id: RpcId = None
    result: JsonObject = Field(default_factory=dict)
    error: RpcFault | None = None


async def respond_to(face: Face, body: bytes, own: Seat | None = None) -> JsonObject:
    """The answer to the text of a request; `own` is the session of the socket it came over."""
    try:
        tree = parse_json(body)
    except BadJson as error:
        return failed(None, RpcError(PARSE_ERROR, f"Parse error: {error}"))
    return await respond(face, tree, own)


async def respond(face: Face, tree: object, own: Seat | None) -> JsonObject:
    """As `respond_to`, for a request that was read."""
    number = _id_of(tree)
    try:
        result = await _result(face, tree, own)
    except RpcError as error:
        return failed(number, error)
    except WireFault as fault:
        face.host.watch.refused(fault.code)
        code = INVALID_PARAMS if fault.code is Code.BAD_ITEM else INTERNAL_ERROR
        return failed(number, RpcError(code, fault.message, fault.body()))
    except Unreadable as error:
        data: JsonValue = problem_trees(error.problems)
        return failed(number, RpcError(INVALID_PARAMS, f"Invalid params: {error}", data))
    except Exception as error:
        _LOG.exception("a JSON-RPC request failed")
        return failed(number, RpcError(INTERNAL_ERROR, f"internal error: {type(error).__name__}"))
    return {"jsonrpc": "2.0", "id": number, "result": result}


async def _result(face: Face, tree: object, own: Seat | None) -> JsonObject:
    if isinstance(tree, list):
        raise RpcError(INVALID_REQUEST, "Invalid request: batches are not taken; send one by one")
    try:
        request = RpcRequest.model_validate(tree)
    except ValidationError as error:
        raise RpcError(INVALID_REQUEST, f"Invalid request: {explain(error)}") from None
    params = request.params
    if params is not None and not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "Params must be an object")
    call = _METHODS.get(request.method)
    if call is None and request.method.startswith("notifications/"):
        return {}
    if call is None:
        raise RpcError(METHOD_NOT_FOUND, f"Method not found: {request.method[:80]}")
    return await call(face, cast("JsonObject", params or {}), own)


async def _initialize(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in _PROTOCOLS else _PROTOCOLS[0],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": f"gigym {face.env}", "version": __version__},
    }


async def _ping(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    return {}


async def _create(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    """A session; with keywords of a reset, one whose episode has begun."""
    if own is not None:
        return {"session_id": own.sid}
    opening = asked_opening(face.env, face.shelf, params) if params else None
    try:
        seat = await face.seats.lease(face.env, wait_s=WAIT_S, born_here=False)
    except WireFault as fault:
        raise no_session(face, fault) from None
    if opening is None:
        return {"session_id": seat.sid}
    try:
        begun = await face.reset(seat, opening)
    except WireFault:
        await face.seats.end(seat)
        raise
    return {"session_id": seat.sid, **begun}


async def _close(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    sid = params.get("session_id")
    if own is not None and sid == own.sid:
        raise RpcError(INVALID_REQUEST, "a socket's own session ends with its frame close")
    seat = await _named(face, params)
    if seat.line is not None:
        seat.closing = True
        return {"session_id": seat.sid, "closed": False, "closing": True}
    await face.seats.end(seat)
    return {"session_id": seat.sid, "closed": True}


async def _tools(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    if own is None and "session_id" in params:
        await _named(face, params)
    schema: JsonObject = {
        "type": "object",
        "properties": {"command": {"type": "string", "description": "What to do, in words."}},
        "required": ["command"],
        "additionalProperties": False,
    }
    about = f"Take one action in {face.env}: {face.card.summary}. Answers what happens."
    return {"tools": [{"name": "act", "description": about, "inputSchema": schema}]}


async def _call(face: Face, params: JsonObject, own: Seat | None) -> JsonObject:
    name = params.get("name")
    if not isinstance(name, str) or not name:
        raise RpcError(INVALID_PARAMS, "Missing 'name' in params")
    if name != "act":
        raise RpcError(INVALID_PARAMS, f"Tool not found: {name[:80]}; there is one: act")
    action = read(Action, params.get("arguments", {}))
    seat = own or await _named(face, params)
    try:
        told = await face.step(seat, action)
    except WireFault as fault:
        if fault.code not in _SAID_TO_AGENT:
            raise
        return {"content": [{"type": "text", "text": fault.message}], "isError": True}
    text = cast("JsonObject", told["observation"])["text"]
    return {
        "content": [{"type": "text", "text": text}],
        "structuredContent": told,
        "isError": False,
        # What OpenEnv's MCPToolClient hands its caller as the value of the call.
        "data": text,
    }


_METHODS: dict[str, Call] = {
    "initialize": _initialize,
    "ping": _ping,
    "openenv/session/create": _create,
    "openenv/session/close": _close,
    "tools/list": _tools,
    "tools/call": _call,
}


async def _named(face: Face, params: JsonObject) -> Seat:
    """The session that a request names. Raises `RpcError`."""
    sid = params.get("session_id")
    if not isinstance(sid, str) or not sid:
        hint = "make one with openenv/session/create"
        raise RpcError(INVALID_PARAMS, f"Invalid params - 'session_id' is required; {hint}")
    try:
        return await face.seats.find(sid)
    except WireFault as fault:
        raise RpcError(
            INVALID_PARAMS, f"Unknown session_id: {sid[:80]} ({fault.message})"
        ) from None


def no_session(face: Face, fault: WireFault) -> RpcError:
    """The answer where no session could be leased."""
    face.host.watch.refused(fault.code)
    return RpcError(SERVER_ERROR, fault.message, face.shortage(refused_at_door(fault)))


def text_of(answer: JsonObject) -> str:
    """An answer as a frame."""
    return encode(answer).decode("ascii")


def failed(number: RpcId, error: RpcError) -> JsonObject:
    """The answer that an error makes."""
    told: JsonObject = {"code": error.code, "message": error.message, "data": error.data}
    return {"jsonrpc": "2.0", "id": number, "error": told}


def _id_of(tree: object) -> RpcId:
    """The number to answer with, also of a request that is wrong otherwise."""
    number = cast("dict[str, object]", tree).get("id") if isinstance(tree, dict) else None
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None
