"""WebShop's catalogues: three files fetched or read, judged, then converted to a store once.

The files are those of WebShop's `setup.sh`, which keeps them on Google Drive. Drive often answers
with a page that asks for a sign-in or says that a quota is used up; copies elsewhere are taken
only because the hash of the very same bytes is known.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from ..errors import BadOption, DataDamaged, need
from .addresses import is_url
from .fetch import fetch
from .folder import locked, need_room, sha256_of
from .manifest import Held, Installed, Manifest, is_whole, read_manifest, write_manifest
from .places import SHOPS, STORE, webshop_folder
from .types import MIB, Patience, RemoteFile, Silent, Watcher

_PARSED = 256 * MIB
"""Larger files are not parsed to be judged; the converter reads them as a stream."""
_STORE_SHARE = 2
"""A store takes at most so many times the bytes of its source while it is built."""


def _file(name: str, drive: str, size: int, sha256: str) -> RemoteFile:
    hub = "https://huggingface.co/datasets"
    return RemoteFile(
        name=name,
        urls=(
            f"https://drive.usercontent.google.com/download?id={drive}&export=download&confirm=t",
            f"{hub}/YWZBrandon/webshop-data/resolve/ce990fff5aee388db2706f07820c578ab68e0453/{name}",
            f"{hub}/HongbangYuan/webshop/resolve/0129d4a81dbdb827e76afd20a1e2c38b61098613/{name}",
        ),
        begins=(b"[", b"{"),
        size=size,
        sha256=sha256,
    )


_HUMAN = _file(
    "items_human_ins.json",
    "14Kb5SPBk_jfdLZ_CDBNitW98QLDlKR5O",
    5_137_548,
    "cf78667548a71786e1d9049c24b802e48e1084ad4bb021cae56ce1f6d96954a3",
)
FILES = {
    "small": (
        _file(
            "items_shuffle_1000.json",
            "1EgHdxQ_YxqIQlvvq5iKlCrkEKR6-j0Ib",
            4_467_013,
            "30a4765c3a327af72d9a9a95a6b2486d516f0fa1d3ecd83681901ce82a21b269",
        ),
        _file(
            "items_ins_v2_1000.json",
            "1IduG0xl544V_A_jv3tHXC0kyFi7PnyBu",
            147_099,
            "f88a36314a397b53b3d9c3fa5878e5f7b26d35019a51ec83fbedeca61a948f6f",
        ),
        _HUMAN,
    ),
    "full": (
        _file(
            "items_shuffle.json",
            "1A2whVgOO0euk5O13n2iYDM0bQRkkRduB",
            5_479_720_229,
            "2ef591d65df3af89e972ab72468eb82cbf124d876552d9f3678667edd620a6c8",
        ),
        _file(
            "items_ins_v2.json",
            "1s2j6NgHljiZzQNL3veZaAiyW_qDEgBNi",
            186_295_270,
            "1d36af476bdb8f82a5da62bd8acdabe54cd8de2fa84010d37da5c4890feb447e",
        ),
        _HUMAN,
    ),
}
"""Products, their instructions, and what people wrote, of each size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    size: str
    """`small` or `full`."""
    sources: tuple[str, ...] = ()
    """Folders, files or URLs to take the files from; none: the places that are known."""
    folder: Path | None = None
    """Where the store goes; None: where environments look for it."""
    again: bool = False
    """Do not stop at a store that is here already."""
    keep: bool = False
    """Leave the fetched files beside the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One of the three files, here."""

    path: Path
    sha256: str
    verified: bool
    """It has the published hash."""
    fetched: bool
    """We put it here and may take it away."""


def install(
    wish: Wish, patience: Patience | None = None, watcher: Watcher | None = None
) -> Installed:
    """Get a catalogue into a folder as a store.

    Raises `DataDamaged` when a file is not what it must be, `DownloadFailed` when no source gave
    it, `CannotStore` when the folder cannot take it; a store that is there already stays.
    """
    if wish.size not in SHOPS:
        raise BadOption(f"no catalogue {wish.size!r}; there are: {', '.join(SHOPS)}")
    for module in ("bm25s", "Stemmer"):
        # told before gigabytes are fetched for a converter that cannot run
        need(module, "webshop")
    folder = wish.folder or webshop_folder(wish.size)
    patience, watcher = patience or Patience(), watcher or Silent()
    with locked(folder):
        held = read_manifest(folder)
        if held and not wish.again and not wish.sources and is_whole(folder, held):
            return Installed(folder=folder, manifest=held, was_there=True)
        files = [_located(file, wish) for file in FILES[wish.size]]
        need_room(folder, sum(_bytes_missing(file, folder) for file in files))
        here = [_obtained(file, folder, patience, watcher) for file in files]
        count = _build(here, folder, watcher)
        manifest = _manifest(wish, folder, here, count)
        write_manifest(folder, manifest)
        for source in here:
            if source.fetched and not wish.keep:
                source.path.unlink()
        return Installed(folder=folder, manifest=manifest, was_there=False)


def _manifest(wish: Wish, folder: Path, here: list[_Source], count: int) -> Manifest:
    # what follows a question mark may be a key to the file
    named = ", ".join(each.partition("?")[0] for each in wish.sources)
    return Manifest(
        source=named or "the links of WebShop's setup.sh and copies of them",
        files=_listed(folder, count, verified=all(source.verified for source in here)),
        made_from=tuple(f"{source.path.name} sha256:{source.sha256}" for source in here),
    )


def _bytes_missing(file: RemoteFile | Path, folder: Path) -> int:
    """Bytes that are yet to come, as far as that is known."""
    if isinstance(file, Path) or file.size is None:
        return 0
    names = (file.name, f"{file.name}.part")
    sizes = [path.stat().st_size for name in names if (path := folder / name).is_file()]
    return max(0, file.size - max(sizes, default=0))


def _located(file: RemoteFile, wish: Wish) -> RemoteFile | Path:
    """Where a file is to come from: a path of the user's, or URLs."""
    if not wish.sources:
        return file
    urls: list[str] = []
    for source in wish.sources:
        if is_url(source):
            urls += _url_of(file.name, source)
        elif (path := _path_of(file.name, Path(source).expanduser())) is not None:
            return path
    if not urls:
        raise BadOption(
            f"no {file.name} in {', '.join(wish.sources)}; --from takes a folder that holds "
            "it, the file, or a URL that ends with its name or with a slash"
        )
    return RemoteFile(
        name=file.name,
        urls=tuple(urls),
        begins=file.begins,
        limit=max(512 * MIB, 2 * (file.size or 0)),
    )


def _url_of(name: str, source: str) -> list[str]:
    """The URL itself if it is that of the file, or of the file in a folder of such URLs."""
    path = urlsplit(source).path
    if path.endswith("/"):
        return [f"{source}{name}"]
    return [source] if path.rpartition("/")[2] == name else []


def _path_of(name: str, source: Path) -> Path | None:
    if source.is_dir():
        source = source / name
    return source if source.name == name and source.is_file() else None


def _obtained(
    file: RemoteFile | Path, folder: Path, patience: Patience, watcher: Watcher
) -> _Source:
    path = file if isinstance(file, Path) else fetch(file, folder, patience, watcher)
    known = next(each for each in (*FILES["small"], *FILES["full"]) if each.name == path.name)
    got = sha256_of(path)
    if got != known.sha256:
        watcher.note(f"{path}: not the published file; it has the sha256 {got}")
        _judge_json(path)
    fetched = isinstance(file, RemoteFile)
    return _Source(path=path, sha256=got, verified=got == known.sha256, fetched=fetched)


def _judge_json(path: Path) -> None:
    """Refuse a file that is not JSON of the kind that all three have."""
    if path.stat().st_size > _PARSED:
        return
    try:
        tree: object = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataDamaged(f"{path}: not JSON: {error}; fetch it again") from None
    if not isinstance(tree, list | dict) or not cast("list[object] | dict[str, object]", tree):
        raise DataDamaged(f"{path}: expected a list or an object of products, got {tree!r:.60}")


def _build(sources: list[_Source], folder: Path, watcher: Watcher) -> int:
    """Convert beside the old store, then take its place; answers the number of products."""
    products, instructions, human = (source.path for source in sources)
    need_room(folder, _STORE_SHARE * products.stat().st_size)
    fresh, store, old = (folder / f"{STORE}{ending}" for ending in (".new", "", ".old"))
    _clear(store, fresh, old)
    watcher.start(f"converting {products.name}", 0, None, "products")
    try:
        count = _convert((products, instructions, human), fresh, watcher)
        if store.exists():
            store.rename(old)
        fresh.rename(store)
    finally:
        _clear(store, fresh, old)
    return count


def _convert(files: tuple[Path, Path, Path], out: Path, watcher: Watcher) -> int:
    """Write a store; answers the number of its products."""
    from ..webshop.convert import convert

    told = 0

    def progress(count: int) -> None:
        nonlocal told
        watcher.advance(count - told)
        told = count

    return convert(*files, out, progress).products


def _clear(store: Path, fresh: Path, old: Path) -> None:
    """Remove what a change of stores leaves behind, wherever it was cut short."""
    if old.exists() and not store.exists():
        old.rename(store)
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)


def _listed(folder: Path, count: int, *, verified: bool) -> tuple[Held, ...]:
    """The files of the store; the products are counted at its label."""
    from ..webshop.manifest import LABEL

    paths = sorted(path for path in (folder / STORE).rglob("*") if path.is_file())
    return tuple(
        Held(
            name=path.relative_to(folder).as_posix(),
            count=count if path.name == LABEL else 0,
            digest="",
            verified=verified,
            sha256=sha256_of(path),
        )
        for path in paths
    )
