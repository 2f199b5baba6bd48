"""The official ALFWorld games: from folders, zips, packs and servers, right or refused."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Answer, FileServer, file_server
from game_files import release, write_folder, write_zip

import gigym
from gigym.envs import BadOption, CannotStore, DataDamaged, DataMissing, GameFileError
from gigym.envs.alfworld import PackRow, read_games, write_pack
from gigym.envs.alfworld.generator import generate
from gigym.envs.download import alfworld
from gigym.envs.download.alfworld import SPLITS, Wish, content_digest, install
from gigym.envs.download.folder import locked
from gigym.envs.download.types import Patience, RemoteFile

HASTE = Patience(
    connect_s=2, silence_s=1, whole_s=10, attempts=2, backoff_s=0.01, backoff_max_s=0.1
)
ROWS = tuple(
    replace(generate(seed, difficulty="tiny"), id=f"{split}/task-{seed}/trial_{seed}")
    for seed, split in enumerate(["train", "valid_seen", "train", "valid_unseen", "train"])
)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of these tests; no release lies on this machine."""
    monkeypatch.setenv("GIGYM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "no-release"))
    return tmp_path / "data" / "alfworld"


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The games above are the published ones."""

    def published(split: alfworld.Split) -> alfworld.Split:
        rows = [row for row in ROWS if row.id.startswith(f"{split.name}/")]
        return replace(split, games=len(rows), digest=content_digest(rows))

    monkeypatch.setattr(alfworld, "SPLITS", tuple(map(published, SPLITS[:3])))


def write_packs(root: Path, rows: tuple[PackRow, ...] = ROWS) -> Path:
    root.mkdir(parents=True)
    for split in SPLITS:
        if chosen := [row for row in rows if row.id.startswith(f"{split.name}/")]:
            write_pack(root / f"{split.name}.jsonl", reversed(chosen))
    return root


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("ours")
def test_every_form_gives_the_same_packs_byte_for_byte(tmp_path: Path) -> None:
    forms = [
        write_zip(tmp_path / "release.zip", ROWS),
        write_folder(tmp_path / "plain", ROWS),
        write_folder(tmp_path / "data" / "json_2.1.1", ROWS).parent,
        write_packs(tmp_path / "packs"),
    ]
    results: list[dict[str, bytes]] = []
    for number, form in enumerate(forms):
        done = install(Wish(source=str(form), folder=tmp_path / f"to-{number}"))
        assert [held.count for held in done.manifest.files] == [3, 1, 1]
        results.append(files_in(done.folder))
        results[-1].pop("manifest.json")
    assert all(result == results[0] for result in results)
    assert tuple(read_games(tmp_path / "to-0", "train")) == tuple(
        row for row in ROWS if row.id.startswith("train/")
    )


@pytest.mark.usefixtures("ours")
def test_what_was_fetched_is_found_by_name(tmp_path: Path, home: Path) -> None:
    with pytest.raises(DataMissing, match="gigym download alfworld"):
        gigym.make("ALFWorld-v0", games="official")
    done = install(Wish(source=str(write_zip(tmp_path / "release.zip", ROWS))))
    assert done.folder == home
    env = gigym.make("ALFWorld-v0", games="official", split="valid_unseen")
    _, info = env.reset(seed=0)
    assert info["task_id"] == ROWS[3].id


@pytest.mark.usefixtures("ours")
def test_a_second_call_does_nothing_unless_something_is_wrong(tmp_path: Path) -> None:
    source = str(write_zip(tmp_path / "release.zip", ROWS))
    first = install(Wish(source=source))
    second = install(Wish())
    assert second.was_there and second.manifest == first.manifest
    pack = first.folder / "train.jsonl.xz"
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1])
    third = install(Wish(source=source))
    assert not third.was_there and pack.read_bytes() == whole


@pytest.mark.usefixtures("ours")
def test_a_source_with_one_split_leaves_the_others_in_place(tmp_path: Path) -> None:
    install(Wish(source=str(write_zip(tmp_path / "all.zip", ROWS))))
    done = install(
        Wish(source=str(write_zip(tmp_path / "some.zip", ROWS[:1] + ROWS[2:3] + ROWS[4:])))
    )
    assert {held.name for held in done.manifest.files} == {
        "train.jsonl.xz",
        "valid_seen.jsonl.xz",
        "valid_unseen.jsonl.xz",
    }


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("kind", ["missing", "changed", "renamed", "more"])
def test_games_that_are_not_the_published_ones_are_told_and_change_nothing(
    tmp_path: Path, kind: str
) -> None:
    install(Wish(source=str(write_zip(tmp_path / "right.zip", ROWS))))
    before = files_in(tmp_path / "data" / "alfworld")
    extra = replace(ROWS[0], id="train/task-9/trial_9")
    changes = {
        "missing": ROWS[:-1],
        "changed": (*ROWS[:-1], replace(ROWS[-1], pddl_problem=ROWS[-1].pddl_problem + " ")),
        "renamed": (*ROWS[:-1], replace(ROWS[-1], id=extra.id)),
        "more": (*ROWS, extra),
    }
    rows = changes[kind]
    got = content_digest(row for row in rows if row.id.startswith("train/"))
    count = sum(row.id.startswith("train/") for row in rows)
    with pytest.raises(DataDamaged) as caught:
        install(Wish(source=str(write_zip(tmp_path / "wrong.zip", rows))))
    expected = alfworld.SPLITS[0].digest
    told = str(caught.value)
    assert "wrong.zip: the split train is not the official one" in told
    assert f"expected 3 games with the digest {expected}" in told
    assert f"got {count} games with {got}" in told and "kept" in told
    assert files_in(tmp_path / "data" / "alfworld") == before


def test_other_games_are_sent_to_the_option_games(tmp_path: Path) -> None:
    strange = (replace(ROWS[0], id="mine/a/b"),)
    with pytest.raises(GameFileError, match=r"no game of an official split.*'mine/a/b'"):
        install(Wish(source=str(write_zip(tmp_path / "mine.zip", strange))))


@pytest.mark.usefixtures("ours")
def test_a_hostile_zip_is_refused_and_nothing_is_written(tmp_path: Path, home: Path) -> None:
    path = write_zip(tmp_path / "evil.zip", ROWS, more="../../../evil.txt")
    with pytest.raises(GameFileError, match=r"evil\.txt' has a name that leaves its folder"):
        install(Wish(source=str(path)))
    assert sorted(each.name for each in home.iterdir()) == [".lock"]
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_path_that_is_not_there_is_told() -> None:
    with pytest.raises(BadOption, match="no such file or folder; --from takes"):
        install(Wish(source="/nowhere/release.zip"))


@pytest.mark.usefixtures("ours")
def test_a_server_gives_the_release_and_its_archive_is_not_kept(
    server: FileServer, tmp_path: Path, home: Path
) -> None:
    content = write_zip(tmp_path / "release.zip", ROWS).read_bytes()
    url = server.put("/r.zip", Answer(content=content, cut=900), Answer(content=content))
    done = install(Wish(source=url), HASTE)
    assert done.manifest.source == url
    assert server.ranges == ["", "bytes=900-"]
    assert not list(home.glob("*.zip*"))


@pytest.mark.usefixtures("ours")
def test_a_server_with_other_games_changes_nothing(
    server: FileServer, tmp_path: Path, home: Path
) -> None:
    content = write_zip(tmp_path / "release.zip", ROWS[1:]).read_bytes()
    url = server.put("/r.zip", Answer(content=content))
    with pytest.raises(DataDamaged, match=r"what http.* gave is not right: .*split train"):
        install(Wish(source=url), HASTE)
    assert sorted(path.name for path in home.iterdir()) == [".lock"]


@pytest.mark.usefixtures("ours")
def test_a_cut_archive_of_unknown_length_is_told(
    server: FileServer, tmp_path: Path, home: Path
) -> None:
    content = write_zip(tmp_path / "release.zip", ROWS).read_bytes()[:-100]
    url = server.put("/r.zip", Answer(content=content, length=False))
    with pytest.raises(DataDamaged, match="not a readable zip"):
        install(Wish(source=url), HASTE)
    assert not list(home.glob("*.zip*"))


@pytest.fixture
def official_at(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteFile:
    """The official archive lies on the test's server."""
    content = write_zip(tmp_path / "official.zip", ROWS).read_bytes()
    url = server.put("/official.zip", Answer(content=content))
    file = RemoteFile(name="official.zip", urls=(url,), begins=(b"PK",), size=len(content))
    monkeypatch.setattr(alfworld, "RELEASE", file)
    return file


@pytest.mark.usefixtures("ours", "official_at")
def test_a_release_on_this_machine_is_read_before_anything_is_fetched(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "cache" / "json_2.1.1", ROWS)
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "cache"))
    done = install(Wish(), HASTE)
    assert done.manifest.source == str(tmp_path / "cache") and server.seen == []


@pytest.mark.usefixtures("ours")
def test_a_wrong_release_on_this_machine_is_no_obstacle(
    server: FileServer, official_at: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "cache" / "json_2.1.1", ROWS[1:])
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "cache"))
    assert install(Wish(), HASTE).manifest.source == official_at.urls[0]
    assert len(server.seen) == 1


@pytest.mark.usefixtures("ours")
def test_another_download_in_the_folder_is_told(tmp_path: Path, home: Path) -> None:
    with locked(home), pytest.raises(CannotStore, match="another download is writing there"):
        install(Wish(source=str(write_zip(tmp_path / "release.zip", ROWS))))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CannotStore, match="Permission denied; name another folder with --to"):
        install(Wish(source=".", folder=tmp_path / "to"))


def test_a_folder_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStore, match="name another folder with --to"):
        install(Wish(source=".", folder=tmp_path / "file" / "to"))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"format": 2}', b'{"format": 1, "files": 3}', b"\xff", b"[" * 99999]
)
@pytest.mark.usefixtures("ours")
def test_a_manifest_that_makes_no_sense_counts_as_none(
    tmp_path: Path, home: Path, content: bytes
) -> None:
    source = str(write_zip(tmp_path / "release.zip", ROWS))
    install(Wish(source=source))
    right = files_in(home)
    (home / "manifest.json").write_bytes(content)
    assert not install(Wish(source=source)).was_there
    assert files_in(home) == right


def test_the_published_digests_are_those_of_the_official_games(test_data: Path) -> None:
    for split in SPLITS[:2]:
        games = read_games(test_data / "alfworld", split.name)
        assert (len(games), content_digest(games)) == (split.games, split.digest)


def test_the_order_of_the_games_does_not_change_their_digest() -> None:
    assert content_digest(ROWS) == content_digest(reversed(ROWS)) != content_digest(ROWS[1:])


def test_official_games_in_a_zip_become_the_pack_with_its_rules(
    test_data: Path, tmp_path: Path
) -> None:
    data = test_data / "alfworld"
    domain, grammar = (data / "alfred.pddl").read_text(), (data / "alfred.twl2").read_text()
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for row in read_games(data, "valid_seen"):
            own = grammar.replace("Your task is to: UNKNOWN GOAL.", row.task)
            text = release(row, pddl_domain=domain, grammar=own)
            archive.writestr(f"json_2.1.1/{row.id}/game.tw-pddl", text)
    done = install(Wish(source=str(path), folder=tmp_path / "to"))
    assert [(held.name, held.verified) for held in done.manifest.files] == [
        ("valid_seen.jsonl.xz", True),
        ("alfred.pddl", True),
        ("alfred.twl2", True),
    ]
    for name in ("alfred.pddl", "alfred.twl2"):
        assert (done.folder / name).read_bytes() == (data / name).read_bytes()
    assert tuple(read_games(done.folder, "valid_seen")) == tuple(read_games(data, "valid_seen"))
