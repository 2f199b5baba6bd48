"""WebShop's files: from Drive or a copy, from folders and servers, judged, then converted."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Answer, FileServer, file_server
from remote_file import HASTE, Log

import gigym
from gigym import GigymError
from gigym.envs import BadOption, DataDamaged, DataMissing, DownloadFailed
from gigym.envs.download import webshop
from gigym.envs.download.webshop import FILES, Wish, install

SHIRTS = [
    {
        "asin": f"B00000000{number}",
        "name": f"Harbor Shirt {number}",
        "full_description": "soft",
        "small_description": ["wash warm"],
        "pricing": "$19.50",
        "category": "fashion",
        "query": "shirts",
        "product_category": "Clothing \u203a Shirts",
        "customization_options": {"Size": [{"value": "Large", "image": None}]},
    }
    for number in range(3)
]
WISHES = {
    shirt["asin"]: {
        "attributes": ["machine wash"],
        "instruction": "i want a machine wash shirt",
        "instruction_attributes": ["machine wash"],
    }
    for shirt in SHIRTS
}
HUMAN = {
    shirt["asin"]: [
        {
            "instruction": "a large shirt.",
            "instruction_attributes": ["machine wash"],
            "instruction_options": ["large"],
        }
    ]
    for shirt in SHIRTS
}
NAMES: tuple[str, ...] = (
    "items_shuffle_1000.json",
    "items_ins_v2_1000.json",
    "items_human_ins.json",
)
CONTENTS: dict[str, bytes] = dict(
    zip(NAMES, (json.dumps(tree).encode() for tree in (SHIRTS, WISHES, HUMAN)), strict=True)
)
PAGE = b"<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head></html>"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIGYM_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "webshop" / "small"


@pytest.fixture
def ours(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files above are the published ones, at `/drive/` and `/copy/` of the server."""
    files = tuple(
        replace(
            file,
            urls=tuple(f"{server.url}/{place}/{file.name}" for place in ("drive", "copy")),
            size=len(CONTENTS[file.name]),
            sha256=hashlib.sha256(CONTENTS[file.name]).hexdigest(),
        )
        for file in FILES["small"]
    )
    monkeypatch.setattr(webshop, "FILES", {"small": files, "full": ()})
    for place in ("drive", "copy"):
        serve(server, f"/{place}/", CONTENTS)


def serve(server: FileServer, place: str, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        server.put(f"{place}{name}", Answer(content=content))


def write(folder: Path, **changed: bytes) -> Path:
    folder.mkdir()
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(changed.get(name.partition(".")[0], content))
    return folder


def test_the_published_instructions_have_the_published_hash(test_data: Path) -> None:
    content = (test_data / "webshop" / "items_ins_v2_1000.json").read_bytes()
    known = next(file for file in FILES["small"] if file.name == "items_ins_v2_1000.json")
    assert (len(content), hashlib.sha256(content).hexdigest()) == (known.size, known.sha256)


def test_both_sizes_have_three_files_each_at_several_places() -> None:
    for files in FILES.values():
        assert len(files) == 3
        for file in files:
            assert len(file.urls) >= 3 and all(url.startswith("https://") for url in file.urls)
            assert len(file.sha256) == 64 and file.size is not None


def test_a_size_that_is_not_there_is_told() -> None:
    with pytest.raises(BadOption, match="there are: small, full"):
        install(Wish(size="medium"))


@pytest.mark.parametrize("source", ["/nowhere", "http://127.0.0.1:1/other.json"])
def test_a_source_without_a_file_is_told_with_the_files_name(source: str) -> None:
    with pytest.raises(BadOption, match=r"no items_shuffle_1000\.json in .*--from takes a folder"):
        install(Wish(size="small", sources=(source,)))


@pytest.mark.usefixtures("ours")
def test_a_page_everywhere_in_place_of_the_file_is_told(server: FileServer, home: Path) -> None:
    for place in ("drive", "copy"):
        server.put(f"/{place}/{NAMES[0]}", Answer(content=PAGE))
    with pytest.raises(DataDamaged, match="a web page titled 'Google Drive - Quota exceeded'"):
        install(Wish(size="small"), HASTE)
    assert [path.name for path in home.iterdir()] == [".lock"]


@pytest.mark.usefixtures("ours")
def test_what_was_fetched_before_a_failure_is_not_fetched_again(
    server: FileServer, home: Path
) -> None:
    server.put(f"/drive/{NAMES[2]}", Answer(status=404))
    server.put(f"/copy/{NAMES[2]}", Answer(status=404))
    for _ in range(2):
        with pytest.raises(DownloadFailed, match=r"items_human_ins\.json could not be fetched"):
            install(Wish(size="small"), HASTE)
    paths = [each.path for each in server.seen]
    assert paths.count(f"/drive/{NAMES[0]}") == paths.count(f"/drive/{NAMES[1]}") == 1


@pytest.mark.parametrize("content", [b'{"a": 1', b"[]", b"3", b"[" * 100_000, b"\xff\xfe"])
def test_a_given_file_that_is_no_json_of_products_is_told(tmp_path: Path, content: bytes) -> None:
    folder = write(tmp_path / "given", items_ins_v2_1000=content)
    with pytest.raises(DataDamaged, match=r"items_ins_v2_1000\.json: (not JSON|expected a list)"):
        install(Wish(size="small", sources=(str(folder),)))


@pytest.mark.usefixtures("ours")
def test_the_files_become_a_shop_that_is_found_by_name(server: FileServer, home: Path) -> None:
    with pytest.raises(DataMissing, match="gigym download webshop --small"):
        gigym.make("WebShop-v0", products="small")
    done = install(Wish(size="small"), HASTE)
    assert all(held.verified for held in done.manifest.files)
    assert sum(held.count for held in done.manifest.files) == 3
    assert sorted(path.name for path in home.iterdir()) == [".lock", "manifest.json", "store"]
    env = gigym.make("WebShop-v0", products="small", split="test")
    assert env.num_tasks == 3
    observation, info = env.reset(seed=0)
    assert "machine wash shirt" in observation and info["task_id"].startswith("B00000000")
    assert install(Wish(size="small"), HASTE).was_there
    assert len(server.seen) == 3


@pytest.mark.usefixtures("ours")
def test_a_page_on_drive_is_made_good_by_a_copy(server: FileServer) -> None:
    for name in NAMES:
        server.put(f"/drive/{name}", Answer(content=PAGE))
    log = Log()
    install(Wish(size="small"), HASTE, log)
    assert [each.path.partition("/items")[0] for each in server.seen] == ["/drive", "/copy"] * 3
    assert sum("Quota exceeded" in note for note in log.notes) == 3


@pytest.mark.parametrize("by", ["folder", "files", "folder of URLs", "URLs"])
def test_given_files_are_taken_as_they_are_and_their_hashes_told(
    server: FileServer, tmp_path: Path, by: str
) -> None:
    folder = write(tmp_path / "given")
    serve(server, "/x/", CONTENTS)
    sources = {
        "folder": (str(folder),),
        "files": tuple(str(folder / name) for name in NAMES),
        "folder of URLs": (f"{server.url}/x/",),
        "URLs": tuple(f"{server.url}/x/{name}" for name in NAMES),
    }
    log = Log()
    done = install(Wish(size="small", sources=sources[by], folder=tmp_path / "to"), HASTE, log)
    assert not any(held.verified for held in done.manifest.files)
    assert done.manifest.made_from == tuple(
        f"{name} sha256:{hashlib.sha256(CONTENTS[name]).hexdigest()}" for name in NAMES
    )
    assert sum("not the published file; it has the sha256" in note for note in log.notes) == 3
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    store = str(tmp_path / "to" / "store")
    _, info = gigym.make("WebShop-v0", products=store, split="test").reset(seed=0)
    assert info["task_id"].startswith("B00000000")


@pytest.mark.usefixtures("ours")
def test_fetched_files_are_kept_on_demand(home: Path) -> None:
    install(Wish(size="small", keep=True), HASTE)
    assert {*NAMES, "store"} < {path.name for path in home.iterdir()}


@pytest.mark.usefixtures("ours")
def test_a_conversion_that_fails_leaves_the_old_store(tmp_path: Path, home: Path) -> None:
    install(Wish(size="small"), HASTE)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    odd = write(tmp_path / "odd", items_shuffle_1000=b'[{"asin": 3}]')
    with pytest.raises(GigymError):
        install(Wish(size="small", sources=(str(odd),)), HASTE)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
