"""The process in which TextWorld runs; a script that knows nothing of gigym.

    python -P worker.py [--stock]

Standard input is a socket: requests come in and answers go out, each one line of JSON. What
TextWorld prints reaches nobody. Each session has an engine of its own, with its own copy of the
planner's library, because the library keeps its state in global variables. Parsed texts are
remembered unless `--stock` is given: the engine parses the same few sentences at every step.
"""

import contextlib
import copy
import functools
import importlib
import json
import os
import re
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_GAMES_KEPT = 16
_TEXTS_KEPT = 4096


class GameRefused(Exception):
    """The engine could not load a game."""


class Session:
    """One game in the engine, with the facts that are to be told after every command."""

    def __init__(self, *, stock: bool) -> None:
        pddl = importlib.import_module("textworld.envs.pddl")
        alfred = importlib.import_module("alfworld.agents.environment.alfred_tw_env")
        asked = importlib.import_module("textworld").EnvInfos(won=True, admissible_commands=True)
        self._engine: Any = pddl.PddlEnv(asked)
        self._named: Any = alfred.AlfredDemangler(self._engine)
        self._stock = stock
        self._watched = frozenset[str]()
        if not stock:
            self._engine.downward_lib.load_sas_replan = _nothing

    def start(self, game: Json, watched: list[str]) -> Json:
        """Load a game and answer its reset."""
        self._watched = frozenset(watched)
        try:
            self._named.load(game)
            if not self._stock:
                remember_commands(self._engine)
            return self._seen(self._named.reset())
        except (Exception, SystemExit) as error:
            raise GameRefused(f"{type(error).__name__}: {error}") from error

    def step(self, command: str) -> Json:
        """Play one command."""
        return self._seen(self._named.step(command)[0])

    def end(self) -> None:
        """Give the library back."""
        importlib.import_module("fast_downward").close_lib(self._engine.downward_lib)

    def _seen(self, state: Any) -> Json:  # noqa: ANN401
        facts: dict[str, list[list[str]]] = {name: [] for name in self._watched}
        for fact in state["_facts"]:
            if fact.name in facts:
                facts[fact.name].append([variable.name for variable in fact.arguments])
        return {
            "text": state.feedback,
            "admissible": state["admissible_commands"],
            "won": state["won"],
            "facts": facts,
        }


def _nothing(_: bytes) -> None:
    """Stands for loading the task a second time for a planner that is never asked."""


def remember_commands(engine: Any) -> None:  # noqa: ANN401
    """Derive the text of an action once, where nothing that changes takes part in it."""
    logic: Any = engine._logic
    tasks: Any = engine._pddl_state.task.actions
    changing = {effect.literal.predicate.lower() for task in tasks for effect in task.effects}
    steady = {
        action.template
        for action in logic.actions.values()
        if "#" not in action.template and changing.isdisjoint(_predicates(action.template))
    }
    derive, known = logic.grammar.derive, dict[tuple[object, ...], str]()

    def remembered(start: str, context: Json) -> str:
        if start not in steady:
            return derive(start, context)
        key = (start, *((ph.name, var.name) for ph, var in context["mapping"].items()))
        if key not in known:
            known[key] = derive(start, context)
        return known[key]

    logic.grammar.derive = remembered


def _predicates(template: str) -> list[str]:
    return [name.lower() for name in re.findall(r"(\w+)\(", template)]


def remember_texts() -> None:
    """Parse each rule of a grammar, each query and each game once; copy contexts one level deep."""
    textgen: Any = importlib.import_module("textworld.envs.pddl.textgen")
    logic: Any = importlib.import_module("textworld.envs.pddl.logic")
    rule: Any = importlib.import_module("textworld.logic").Rule
    downward: Any = importlib.import_module("fast_downward")
    symbols = functools.lru_cache(_TEXTS_KEPT)(textgen._parse_and_convert)

    def parse_symbols(text: str, rule_name: str, trace: bool = False) -> Any:  # noqa: ANN401
        return copy.deepcopy(symbols(text, rule_name=rule_name))

    textgen._parse_and_convert = parse_symbols
    textgen.copy_context = _copy_context
    logic._parse_and_convert = functools.lru_cache(_GAMES_KEPT)(logic._parse_and_convert)
    rule.parse_conjunctive_query = functools.lru_cache(_TEXTS_KEPT)(rule.parse_conjunctive_query)
    translated = functools.lru_cache(_GAMES_KEPT)(downward.pddl2sas)

    def pddl2sas(domain: str, problem: str, verbose: bool = False, optimize: bool = False) -> Any:  # noqa: ANN401
        return (None, "") if optimize else translated(domain, problem)

    downward.pddl2sas = pddl2sas


def _copy_context(context: Json) -> Json:
    return context | {name: dict(context[name]) for name in ("variables", "mapping")}


@contextlib.contextmanager
def slim_library() -> Generator[None]:
    """Let sessions copy only the part of the planner's library that is loaded: 1 MB of 33."""
    interface: Any = importlib.import_module("fast_downward.interface")
    source = Path(interface.DOWNWARD_LIB_PATH)
    with tempfile.TemporaryDirectory() as folder:
        size = _loaded_size(source)
        if size:
            slim = Path(folder) / source.name
            with source.open("rb") as whole:
                slim.write_bytes(whole.read(size))
            interface.DOWNWARD_LIB_PATH = str(slim)
        yield


def _loaded_size(path: Path) -> int:
    """Bytes of a 64-bit little-endian ELF file that its segments span; 0 for any other file."""
    with path.open("rb") as stream:
        head = stream.read(64)
        if head[:6] != b"\x7fELF\x02\x01":
            return 0
        (offset,) = struct.unpack_from("<Q", head, 32)
        entry, count = struct.unpack_from("<HH", head, 54)
        stream.seek(offset)
        table = stream.read(entry * count)
    segments = [struct.unpack_from("<IIQQQQ", table, entry * number) for number in range(count)]
    return max(start + size for _, _, start, _, _, size in segments)


def serve(stream: Any, *, stock: bool) -> None:  # noqa: ANN401
    """Answer requests until the other side is gone."""
    sessions: dict[int, Session] = {}
    for line in stream:
        request: Json = json.loads(line)
        try:
            answer = _HANDLERS[request["do"]](sessions, request, stock)
        except GameRefused as error:
            answer = {"refused": str(error)}
        except Exception as error:  # the caller is told; the other sessions go on
            answer = {"failed": f"{type(error).__name__}: {error}"}
        stream.write(json.dumps(answer).encode("ascii") + b"\n")
        stream.flush()


def _start(sessions: dict[int, Session], request: Json, stock: bool) -> Json:
    number = request["session"]
    if number not in sessions:
        sessions[number] = Session(stock=stock)
    seen = sessions[number].start(request["game"], request["watched"])
    for command in request["commands"]:
        seen = sessions[number].step(command)
    return seen


def _step(sessions: dict[int, Session], request: Json, stock: bool) -> Json:
    return sessions[request["session"]].step(request["command"])


def _end(sessions: dict[int, Session], request: Json, stock: bool) -> Json:
    for number in request["sessions"]:
        if number in sessions:
            sessions.pop(number).end()
    return {}


_HANDLERS: dict[str, Callable[[dict[int, Session], Json, bool], Json]] = {
    "start": _start,
    "step": _step,
    "end": _end,
}


def main() -> None:
    """Import the engine, say so, and serve."""
    channel = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    os.environ.setdefault("ALFWORLD_DATA", tempfile.gettempdir())
    stock = "--stock" in sys.argv
    with channel, channel.makefile("rwb") as stream, slim_library():
        if not stock:
            remember_texts()
        for name in ("textworld.envs.pddl", "alfworld.agents.environment.alfred_tw_env"):
            importlib.import_module(name)
        stream.write(b'{"ready": true}\n')
        stream.flush()
        serve(stream, stock=stock)


if __name__ == "__main__":
    main()
