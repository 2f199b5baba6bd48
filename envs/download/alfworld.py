"""The official ALFWorld games: fetched or read, verified by content, kept as packs.

Of the release one archive is needed: it holds the `game.tw-pddl` files of all splits. Its paths
say `json_2.1.1` although the archive is called 2.1.3. A split is right when the sha256 over

    id NUL pddl_problem NUL        for each game, in the order of the ids, as UTF-8

is the published one, wherever the games came from and however they were packed.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..alfworld.pack import GAME_FILE, GameSet, PackRow, read_games, write_pack
from ..errors import BadOption, DataDamaged, GameFileError
from .addresses import is_url
from .archives import zip_members
from .fetch import fetch
from .folder import locked, need_room, sha256_of, write_whole
from .manifest import Held, Installed, Manifest, is_whole, read_manifest, write_manifest
from .places import alfworld_folder
from .types import MIB, Patience, RemoteFile, Silent, Watcher

RELEASE = RemoteFile(
    name="json_2.1.3_tw-pddl.zip",
    urls=("https://github.com/alfworld/alfworld/releases/download/0.4.2/json_2.1.3_tw-pddl.zip",),
    begins=(b"PK\x03\x04",),
    size=36_507_267,
    sha256="5df77ea759f2211a4106082839ddbbb790f1ba4e7d097ed732cf453f72aa36cf",
)
ROOT = "json_2.1.1"
PACK_BYTES = 16 * MIB
"""Room for all packs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A part of the release."""

    name: str
    games: int
    digest: str
    """Of its content; empty where none was published."""


SPLITS = (
    Split(
        name="train",
        games=3553,
        digest="5c59503a08b81cf679658f5d86c8944b213057bfaced578acd9d7d71f9b30efc",
    ),
    Split(
        name="valid_seen",
        games=140,
        digest="c3f454e802337dc8d8a4005b7689870f6d1cdace0e61418459441c1615a8c17f",
    ),
    Split(
        name="valid_unseen",
        games=134,
        digest="1878ed49f99411dee1fc4e4f5b4cf17545606c4185af4effd7ff44d8697724a1",
    ),
    Split(name="valid_train", games=200, digest=""),
)
RULES = {
    "alfred.pddl": "0af55e7f92d12b09d28515aa730e4d03fddd17228ef1fd7b18a3ee8ba49b27b9",
    "alfred.twl2": "cce0702cd250cc6af6c3ea047a21f6c4c1c8d29a1739efefb5221ef4c3dcac57",
}
"""Domain and grammar, the same in all games; they are kept once, beside the packs."""
_NO_TASK = "Your task is to: UNKNOWN GOAL."

Rows = tuple[PackRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    source: str = ""
    """A folder, a zip, a pack or a URL of a zip; empty: a release that is here, else fetch it."""
    folder: Path | None = None
    """Where the packs go; None: where environments look for them."""
    again: bool = False
    """Do not stop at packs that are here already."""


def content_digest(rows: Iterable[PackRow]) -> str:
    """Names the games of a split by their ids and problems."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda each: each.id):
        digest.update(_bytes(f"{row.id}\0{row.pddl_problem}\0"))
    return digest.hexdigest()


def install(
    wish: Wish, patience: Patience | None = None, watcher: Watcher | None = None
) -> Installed:
    """Get the official games into a folder as packs.

    Raises `DataDamaged` or `GameFileError` when the games are not the published ones,
    `DownloadFailed` when no source gave them, `CannotStore` when the folder cannot take them;
    packs that are there already stay as they are.
    """
    folder = wish.folder or alfworld_folder()
    watcher = watcher or Silent()
    with locked(folder):
        held = read_manifest(folder)
        if held and not wish.again and not wish.source and is_whole(folder, held):
            return Installed(folder=folder, manifest=held, was_there=True)
        need_room(folder, PACK_BYTES)
        job = _Job(folder=folder, patience=patience or Patience(), watcher=watcher)
        manifest = _from_source(job, wish.source) if wish.source else _from_anywhere(job)
        return Installed(folder=folder, manifest=manifest, was_there=False)


def local_release() -> Path | None:
    """The release that `alfworld-download` put on this machine; None if there is none."""
    named = os.environ.get("ALFWORLD_DATA")
    folder = Path(named).expanduser() if named else Path.home() / ".cache" / "alfworld"
    return folder if (folder / ROOT).is_dir() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    folder: Path
    patience: Patience
    watcher: Watcher


def _from_anywhere(job: _Job) -> Manifest:
    """From a release on this machine if its games are right, else over the network."""
    here = local_release()
    if here is not None:
        try:
            return _keep(job, here, str(here))
        except (DataDamaged, GameFileError) as error:
            job.watcher.note(f"{error}; fetching it instead")
    return _from_url(job, RELEASE)


def _from_source(job: _Job, source: str) -> Manifest:
    if not is_url(source):
        path = Path(source).expanduser()
        if not path.exists():
            raise BadOption(f"{path}: no such file or folder; --from takes a path or an http URL")
        held = path / RELEASE.name
        return _keep(job, held if held.is_file() else path, str(path))
    named = RemoteFile(name=RELEASE.name, urls=(source,), begins=RELEASE.begins)
    return _from_url(job, named)


def _from_url(job: _Job, file: RemoteFile) -> Manifest:
    archive = fetch(file, job.folder, job.patience, job.watcher)
    try:
        # what follows the question mark may be a key to the file
        manifest = _keep(job, archive, file.urls[0].partition("?")[0])
    except (DataDamaged, GameFileError) as error:
        archive.unlink()
        raise DataDamaged(f"what {file.urls[0]} gave is not right: {error}") from None
    archive.unlink()
    return manifest


def _keep(job: _Job, path: Path, source: str) -> Manifest:
    """Verify all splits of a source, then write their packs, then say so."""
    job.watcher.note(f"reading and verifying the games of {path}")
    found = _splits_in(path)
    judged = [(split, rows, _judged(split, rows, source)) for split, rows in found.items()]
    entries = [_write(job, split, rows, digest) for split, rows, digest in judged]
    rules = list(_write_rules(job, path))
    before = read_manifest(job.folder)
    names = {entry.name for entry in (*entries, *rules)}
    kept = [held for held in (before.files if before else ()) if held.name not in names]
    manifest = Manifest(source=source, files=(*entries, *rules, *kept))
    write_manifest(job.folder, manifest)
    for split in SPLITS:
        if manifest.named(_pack_name(split)) is None:
            job.watcher.note(f"{source} has no games of the split {split.name}")
    return manifest


def _splits_in(path: Path) -> dict[Split, Rows]:
    """The games of each split of a pack, folder or zip, in the order of their ids."""
    sets = _packs_in(path) or (read_games(path),)
    found: dict[Split, Rows] = {}
    for split in SPLITS:
        named = f"{split.name}/"
        rows = [row for games in sets for row in _rows(games, named)]
        if rows:
            found[split] = tuple(sorted(rows, key=lambda row: row.id))
    if not found:
        some = sets[0].ids[0]
        raise GameFileError(
            f"{path}: no game of an official split; ids begin with {', '.join(_names())}, "
            f"here is {some!r:.100}"
        )
    return found


def _packs_in(path: Path) -> tuple[GameSet, ...]:
    """The packs of a folder that holds packs and no release."""
    names = [f"{name}{ending}" for name in _names() for ending in (".jsonl.xz", ".jsonl")]
    return tuple(read_games(path / name) for name in names if (path / name).is_file())


def _rows(games: GameSet, named: str) -> Iterator[PackRow]:
    return (games.row(game_id) for game_id in games.ids if game_id.startswith(named))


def _names() -> tuple[str, ...]:
    return tuple(split.name for split in SPLITS)


def _judged(split: Split, rows: Rows, source: str) -> str:
    """The digest of the games. Raises `DataDamaged` when another one is published."""
    got = content_digest(rows)
    if split.digest and got != split.digest:
        raise DataDamaged(
            f"{source}: the split {split.name} is not the official one: expected {split.games} "
            f"games with the digest {split.digest}, got {len(rows)} games with {got}; what was "
            "there before is kept. Fetch it again; other games are played with the option "
            "games=PATH and need no download"
        )
    return got


def _pack_name(split: Split) -> str:
    return f"{split.name}.jsonl.xz"


def _write(job: _Job, split: Split, rows: Rows, digest: str) -> Held:
    path = job.folder / _pack_name(split)
    job.watcher.start(f"packing {split.name}", 0, len(rows), "games")
    write_pack(path, _counted(rows, job.watcher))
    return Held(
        name=path.name,
        count=len(rows),
        digest=digest,
        verified=bool(split.digest),
        sha256=sha256_of(path),
    )


def _counted(rows: Rows, watcher: Watcher) -> Iterator[PackRow]:
    for row in rows:
        yield row
        watcher.advance(1)


def _write_rules(job: _Job, path: Path) -> Iterator[Held]:
    """Domain and grammar of the source; texts other than the published ones are left out."""
    texts = _rules_in(path)
    right = {name: hashlib.sha256(text).hexdigest() == RULES[name] for name, text in texts.items()}
    if not texts or not all(right.values()):
        return
    for name, text in texts.items():
        write_whole(job.folder / name, text)
        yield Held(name=name, count=0, digest=RULES[name], verified=True, sha256=RULES[name])


def _rules_in(path: Path) -> dict[str, bytes]:
    """Domain and grammar, from files of their own or from the first game."""
    if path.is_dir() and all((path / name).is_file() for name in RULES):
        return {name: (path / name).read_bytes() for name in RULES}
    game = _first_game(path)
    if game is None:
        return {}
    try:
        tree: dict[str, str] = json.loads(game)
        domain, grammar = str(tree["pddl_domain"]), str(tree["grammar"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    task = grammar.partition("Your task is to: ")[2].partition('"')[0].partition("\n")[0]
    plain = grammar.replace(f"Your task is to: {task}", _NO_TASK)
    return {"alfred.pddl": _bytes(domain), "alfred.twl2": _bytes(plain)}


def _first_game(path: Path) -> bytes | None:
    if path.suffix == ".zip":
        members = zip_members(path, lambda name: name.rpartition("/")[2] == GAME_FILE)
        return next((content for _, content in members), None)
    first = next(path.rglob(GAME_FILE), None) if path.is_dir() else None
    return None if first is None else first.read_bytes()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
