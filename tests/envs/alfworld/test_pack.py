"""Packs, folders and zips of games: the same games, in the same order; damage is told precisely."""

import json
import lzma
import os
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from game_files import release, write_folder, write_zip

from gigym.envs import BadOption, GameFileError, UnknownTask, make
from gigym.envs.alfworld import GameSet, PackRow, pack, read_games, write_pack
from gigym.envs.alfworld.generator import generate
from gigym.envs.alfworld.sources import FixedGames

ROWS = tuple(
    PackRow(
        id=f"train/task-{number}/trial_{number}",
        task=row.task,
        pddl_problem=row.pddl_problem,
        walkthrough=row.walkthrough,
    )
    for number, row in enumerate(generate(seed, difficulty="tiny") for seed in range(4))
)


def write_plain(path: Path) -> Path:
    write_pack(path, ROWS)
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("games.jsonl", write_plain),
        ("games.jsonl.xz", write_plain),
        ("games.zip", lambda path: write_zip(path, ROWS)),
        ("json_2.1.1", lambda path: write_folder(path, ROWS)),
    ],
)
def test_every_form_holds_the_same_games_in_the_same_order(
    tmp_path: Path, name: str, write: Callable[[Path], Path]
) -> None:
    assert tuple(read_games(write(tmp_path / name))) == ROWS


def test_one_release_file_is_a_set_of_one(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ROWS)
    assert tuple(read_games(folder / ROWS[2].id / "game.tw-pddl")) == ROWS[2:3]


def test_a_written_pack_counts_its_games_and_leaves_nothing_beside(tmp_path: Path) -> None:
    assert write_pack(tmp_path / "games.jsonl.xz", ROWS) == 4
    assert [path.name for path in tmp_path.iterdir()] == ["games.jsonl.xz"]


def test_a_pack_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_pack(tmp_path / "games.jsonl", (ROWS[1 // number] for number in (1, 0)))
    assert list(tmp_path.iterdir()) == []


def test_a_split_names_a_part_of_a_folder(tmp_path: Path) -> None:
    write_pack(tmp_path / "train.jsonl.xz", ROWS[:2])
    write_pack(tmp_path / "valid_seen.jsonl", ROWS[2:])
    assert len(read_games(tmp_path, "train")) == 2
    assert read_games(tmp_path, "valid_seen").ids == (ROWS[2].id, ROWS[3].id)


def test_a_split_is_found_below_the_folder_of_the_release(tmp_path: Path) -> None:
    write_folder(tmp_path / "json_2.1.1", ROWS[:3])
    write_pack(tmp_path / "json_2.1.1" / "valid_unseen.jsonl", ROWS[3:])
    assert len(read_games(tmp_path, "train")) == 3
    assert len(read_games(tmp_path, "valid_unseen")) == 1


def test_a_folder_with_parts_has_no_other_split(tmp_path: Path) -> None:
    write_folder(tmp_path, ROWS)
    with pytest.raises(BadOption, match=r"no split 'test'; it has: train"):
        read_games(tmp_path, "test")
    assert len(read_games(tmp_path / "train", "test")) == 4


@pytest.mark.parametrize("split", ["../other", "/etc", "a/b", "..", "train\0"])
def test_a_split_is_never_a_path(tmp_path: Path, split: str) -> None:
    with pytest.raises(BadOption, match="plain name"):
        read_games(tmp_path, split)


def test_the_same_file_is_loaded_once_for_the_whole_process(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "games.jsonl")
    found: list[GameSet] = []
    threads = [threading.Thread(target=lambda: found.append(read_games(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(games) for games in found}) == 1
    write_pack(path, ROWS[:1])
    assert len(read_games(path)) == 1


def test_the_siblings_of_a_group_share_one_parsed_game(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "games.jsonl")
    here, there = FixedGames(str(path), None), FixedGames(str(path), None)
    assert here.drawn(5) is there.named(ROWS[1].id)


def test_an_unknown_id_is_told_with_one_that_is_there(tmp_path: Path) -> None:
    games = read_games(write_plain(tmp_path / "games.jsonl"))
    with pytest.raises(
        UnknownTask, match=r"no game 'x' in .*games\.jsonl.*4 games such as 'train/"
    ):
        games.row("x")


def test_games_that_alfworld_leaves_out_are_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, ROWS)
    for name in ("pick_and_place_with_movable_recep-Mug", "heat-AppleSliced-None"):
        place = tmp_path / "train" / name / "trial"
        place.mkdir(parents=True)
        (place / "game.tw-pddl").write_text("not even read")
    unsolvable = tmp_path / ROWS[0].id / "game.tw-pddl"
    unsolvable.write_text(release(ROWS[0], solvable=False))
    assert tuple(read_games(tmp_path)) == ROWS[1:]


LINE = json.dumps(
    {
        "id": "a",
        "task": "Your task is to: rest.",
        "pddl_problem": ROWS[0].pddl_problem,
        "walkthrough": ["look"],
    }
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{LINE}\n{LINE[:-40]}\n", "line 2: not JSON"),
        (f"{LINE}\n[1, 2]\n", "line 2: expected a JSON object, got list"),
        (f'{LINE}\n\n{{"id": "b"}}\n', "line 3: expected the texts id, task"),
        (LINE.replace('["look"]', '"look"'), "line 1: expected the texts"),
        (f"{LINE}\n{LINE}\n", "two games have the id 'a'"),
        ("\n\n", "holds no game"),
        ("\x00\xff", "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
    ],
)
def test_a_damaged_pack_is_told_with_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "games.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(GameFileError) as caught:
        read_games(path)
    assert str(caught.value).startswith(str(path)) and told in str(caught.value)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_torn_archive_is_told(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "games.jsonl.xz"
    path.write_bytes(lzma.compress(LINE.encode() * 3)[:keep])
    with pytest.raises(GameFileError, match=r"games\.jsonl\.xz: (cannot be read|holds no game)"):
        read_games(path)


def test_bytes_flipped_in_an_archive_are_told(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "games.jsonl.xz")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(GameFileError, match="cannot be read after line"):
        read_games(path)


def test_a_broken_zip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "games.zip"
    path.write_bytes(write_zip(path, ROWS).read_bytes()[:-40])
    with pytest.raises(GameFileError, match="not a readable zip"):
        read_games(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        (release(ROWS[0], grammar="no task"), "no line 'Your task is to"),
        (release(ROWS[0], pddl_problem=None), "expected the texts"),
    ],
)
def test_a_damaged_release_file_is_told_with_its_path(tmp_path: Path, text: str, told: str) -> None:
    write_folder(tmp_path, ROWS)
    broken = tmp_path / ROWS[1].id / "game.tw-pddl"
    broken.write_text(text)
    with pytest.raises(GameFileError) as caught:
        read_games(tmp_path)
    assert str(broken) in str(caught.value) and told in str(caught.value)


def test_a_game_beyond_the_size_limit_is_refused_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "MAX_GAME_BYTES", 1000)
    write_plain(tmp_path / "games.jsonl.xz")
    write_zip(tmp_path / "games.zip", ROWS)
    write_folder(tmp_path / "tree", ROWS)
    for name in ("games.jsonl.xz", "games.zip", "tree"):
        with pytest.raises(GameFileError, match="more than 1000 bytes"):
            read_games(tmp_path / name)


def test_a_set_beyond_the_size_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "MAX_SET_BYTES", 10_000)
    with pytest.raises(GameFileError, match="more than 10000 bytes of games"):
        read_games(write_plain(tmp_path / "games.jsonl.xz"))


def test_a_flood_of_lines_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MAX_LINES", 10)
    path = tmp_path / "games.jsonl.xz"
    path.write_bytes(lzma.compress(b"\n" * 10 + LINE.encode()))
    with pytest.raises(GameFileError, match="more than 10 lines are refused"):
        read_games(path)
    path.write_bytes(lzma.compress(b"\n" * 9 + LINE.encode()))
    assert len(read_games(path)) == 1


def test_a_bomb_in_a_pack_is_refused_with_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "games.jsonl.xz"
    path.write_bytes(lzma.compress(b"[" * (64 << 20), preset=0))
    tracemalloc.start()
    try:
        with pytest.raises(GameFileError, match="line 1: a game of more than"):
            read_games(path)
        assert tracemalloc.get_traced_memory()[1] < 3 * pack.MAX_GAME_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["games.jsonl", "games.jsonl.xz", "games.zip", "game.tw-pddl"])
def test_a_pipe_is_no_game_file(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(GameFileError, match="a device or a pipe"):
        read_games(tmp_path / name)
    folder = write_folder(tmp_path / "tree", ROWS)
    os.mkfifo(folder / "train" / "game.tw-pddl")
    with pytest.raises(GameFileError, match="expected a plain file"):
        read_games(folder)


@pytest.mark.parametrize("name", ["a\0b", "~nobody-of-this-name/games", "a\ud800b\0"])
def test_a_text_that_is_no_path_is_told(name: str) -> None:
    with pytest.raises(GameFileError, match=r"is no path: .*check the option games"):
        read_games(name)
    with pytest.raises(GameFileError, match="is no path"):
        make("ALFWorld-v0", games=name)


def test_a_folder_that_cannot_be_listed_is_not_taken_for_empty(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (write_folder(tmp_path, ROWS) / "train").chmod(0)
    with pytest.raises(GameFileError, match="check its permissions"):
        read_games(tmp_path)


def test_a_hostile_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "games.zip", ROWS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../outside.txt", "x")
    with pytest.raises(GameFileError, match="leaves its folder"):
        read_games(path)


@pytest.mark.parametrize("name", ["absent.jsonl", "absent"])
def test_a_path_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(GameFileError, match=r"absent.*No such file.*option games"):
        read_games(tmp_path / name)


def test_a_file_of_another_kind_is_told_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "games.csv"
    path.write_text("a,b")
    with pytest.raises(GameFileError, match=r"expected a \.jsonl or \.jsonl\.xz pack"):
        read_games(path)
    with pytest.raises(GameFileError, match=r"expected a \.jsonl"):
        write_pack(path, ROWS)


def test_a_problem_that_does_not_parse_is_told_when_the_game_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "games.jsonl"
    path.write_text(LINE.replace("(:goal", "(:gaol"))
    games = FixedGames(str(path), None)
    with pytest.raises(GameFileError, match=r"games\.jsonl: game 'a': .*no complete \(:goal"):
        games.drawn(0)
