"""`gigym download`: official data, fetched once and kept where environments find it by name.

Without a name it lists what there is and what is here already. Progress goes to stderr. Ctrl-C
keeps what came; the same command goes on from there.
"""

import json
import shlex
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from .endings import UsageMistake
from .text import clean, table
from .words import AsJson, new_app

if TYPE_CHECKING:
    from ..envs.download.manifest import Installed
    from ..envs.download.types import Patience, Watcher

To: TypeAlias = Annotated[
    Path | None, typer.Option("--to", metavar="DIR", help="Where it goes; see: gigym download.")
]
Again: TypeAlias = Annotated[
    bool, typer.Option("--again", help="Do it even if the data is here already.")
]
Deadline: TypeAlias = Annotated[
    float, typer.Option(min=1, help="Seconds for each file, with all retries.")
]

_HELP = (
    "Fetch official data, verify it, and keep it where environments find it. "
    "Without a command: list what there is and what is here. "
    "Data goes to $GIGYM_DATA, by default ~/.local/share/gigym."
)

app = new_app(help=_HELP)


@app.callback(invoke_without_command=True)
def _list(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is not None:
        return
    rows = list(_holdings())
    if as_json:
        print(json.dumps({"data": rows}))
        return
    body = [(row["command"], row["holds"] or "-", row["folder"]) for row in rows]
    print(clean(table([("command", "here", "folder"), *body])))


@app.command()
def alfworld(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PATH|URL",
            help="A folder or zip of the release, a folder of packs, or the URL of a zip. "
            "Default: a release in $ALFWORLD_DATA, else the official one on GitHub.",
        ),
    ] = "",
    to: To = None,
    again: Again = False,
    deadline: Deadline = 6 * 3600.0,
    as_json: AsJson = False,
) -> None:
    """The official ALFWorld games (36 MB to fetch, 6 MB kept)."""
    from ..envs.download.alfworld import Wish, install

    words = ["alfworld", *_option("--from", source), *_option("--to", to)]
    with _going_on(words) as watcher:
        wish = Wish(source=source, folder=to, again=again)
        done = install(wish, _patience(deadline), watcher)
    _tell("alfworld", done, _games_use(done, to), as_json=as_json)


@app.command()
def webshop(
    small: Annotated[bool, typer.Option("--small", help="1,000 products (10 MB).")] = False,
    full: Annotated[bool, typer.Option("--full", help="1.18 million products (5.7 GB).")] = False,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            metavar="PATH|URL",
            help="A folder that holds the files, one of the files, or a URL that ends with its "
            "name or with a slash; may be given several times.",
        ),
    ] = None,
    to: To = None,
    again: Again = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the fetched files too.")] = False,
    deadline: Deadline = 6 * 3600.0,
    as_json: AsJson = False,
) -> None:
    """The catalogue of WebShop, converted to a store."""
    from ..envs.download.webshop import Wish, install

    if small == full:
        raise UsageMistake("say which catalogue: gigym download webshop --small or --full")
    size = "small" if small else "full"
    froms = [word for each in sources or () for word in _option("--from", each)]
    kept = ["--keep"] if keep else []
    words = ["webshop", f"--{size}", *froms, *_option("--to", to), *kept]
    with _going_on(words) as watcher:
        wish = Wish(size=size, sources=tuple(sources or ()), folder=to, again=again, keep=keep)
        done = install(wish, _patience(deadline), watcher)
    _tell(f"webshop {size}", done, _shop_use(done, size, to), as_json=as_json)


def _holdings() -> Generator[dict[str, Any]]:
    from ..envs.download.manifest import read_manifest
    from ..envs.download.places import SHOPS, alfworld_folder, webshop_folder

    shops = [(f"gigym download webshop --{size}", webshop_folder(size)) for size in SHOPS]
    for command, folder in [("gigym download alfworld", alfworld_folder()), *shops]:
        held = read_manifest(folder)
        files = [file for file in held.files if file.count] if held else []
        holds = ", ".join(
            f"{Path(file.name).parts[0].partition('.')[0]} ({file.count:,})" for file in files
        )
        yield {"command": command, "folder": str(folder), "here": bool(held), "holds": holds}


@contextmanager
def _going_on(words: Sequence[str]) -> "Generator[Watcher]":
    """Show the progress; say how to go on when the user stops it."""
    from .strides import watcher

    try:
        with watcher() as seen:
            yield seen
    except KeyboardInterrupt:
        line = shlex.join(["gigym", "download", *words])
        print(f"\nwhat came is kept; go on with: {clean(line)}", file=sys.stderr)
        raise


def _option(name: str, value: object) -> list[str]:
    return [name, str(value)] if value else []


def _patience(deadline: float) -> "Patience":
    from ..envs.download.types import Patience

    return Patience(whole_s=deadline)


def _games_use(done: "Installed", to: Path | None) -> str:
    names = [file.name for file in done.manifest.files if file.name.endswith(".jsonl.xz")]
    split = "valid_seen" if "valid_seen.jsonl.xz" in names else names[0].partition(".")[0]
    games = shlex.quote(str(to)) if to else "official"
    return f"gigym play ALFWorld-v0 games={games} split={split}"


def _shop_use(done: "Installed", size: str, to: Path | None) -> str:
    products = shlex.quote(str(done.folder / "store")) if to else size
    return f"gigym play WebShop-v0 products={products}"


def _tell(name: str, done: "Installed", use: str, *, as_json: bool) -> None:
    if as_json:
        facts = {"name": name, "folder": str(done.folder), "was_there": done.was_there, "use": use}
        print(json.dumps(facts | asdict(done.manifest)))
        return
    print(f"{name}: {'was here already, in' if done.was_there else 'is here, in'} {done.folder}")
    rows = [
        (
            file.name,
            f"{file.count:,}",
            "yes" if file.verified else "no",
        )
        for file in done.manifest.files
        if file.count
    ]
    print(table([("file", "holds", "verified"), *rows]))
    print(f"use it: {use}")
