"""The tree of commands: names and where they live; each file is imported when it is called."""

import importlib
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

import typer

from .. import __version__
from .endings import Manner, UsageMistake, end, guarded

if TYPE_CHECKING:
    from typer.core import TyperGroup

FILES = {
    "train": "train",
    "eval": "evaluate",
    "play": "play",
    "serve": "serve",
    "list": "listing",
    "check": "check",
    "download": "download",
    "config": "config",
    "bench": "bench",
    "doctor": "doctor",
    "conformance": "conformance",
}
"""Command -> module of this room that holds it in `app`; the order is the order of the help."""

_EPILOG = (
    "Exit codes: 0 done, 1 negative finding, 2 wrong usage, 3 something is missing, "
    "4 a server failed, 5 damaged data, 7 an environment raised, 70 a bug, 130 interrupted."
)


class Command(Protocol):
    """The part of typer's private command class that is used here."""

    name: str | None
    callback: Callable[..., Any] | None


class LazyCommands(MutableMapping[str, Any]):
    """Commands by name, built at first use and with their errors turned into exit codes."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._built: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        if name not in self._built:
            module = importlib.import_module(f".{FILES[name]}", __package__)
            command = typer.main.get_command(module.app)
            command.name = name
            _guard(command, self._manner)
            self._built[name] = command
        return self._built[name]

    def __setitem__(self, name: str, command: Command) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FILES)

    def __len__(self) -> int:
        return len(FILES)


def run(argv: Sequence[str] | None = None) -> None:
    """Parse and call; ends in `SystemExit`."""
    words = list(sys.argv[1:] if argv is None else argv)
    manner = Manner(words=tuple(words), debug="--debug" in words, as_json="--json" in words)
    parsed = [word for word in words if word != "--debug"] or ["--help"]
    group = cast("TyperGroup", typer.main.get_command(_root()))
    group.commands = LazyCommands(manner)
    try:
        code = group.main(args=parsed, prog_name="gigym", standalone_mode=False)
    except Exception as error:
        # typer keeps the class of its usage errors to itself; they format their own message
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        end(UsageMistake(f"{message()} See: {_help_of(error)}"), manner)
    raise SystemExit(code or 0)


def _root() -> typer.Typer:
    app = typer.Typer(
        name="gigym",
        help="Text environments and GiGPO training for language agents.",
        epilog=_EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_general)
    return app


def _guard(command: Command, manner: Manner) -> None:
    for inner in getattr(command, "commands", {}).values():
        _guard(inner, manner)
    if command.callback is not None:
        command.callback = guarded(command.callback, manner)


def _help_of(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'gigym'} --help"


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"gigym {__version__}")
        raise typer.Exit


def _general(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks; may stand anywhere.")
    ] = False,
) -> None:
    return None
