"""Stores that are torn, changed, foreign or unfinished are refused, and it is said why."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

import gigym
from gigym.envs.webshop.convert import write_synthetic
from gigym.envs.webshop.errors import CatalogueError
from gigym.envs.webshop.manifest import verify
from gigym.envs.webshop.postings import ARRAYS
from gigym.envs.webshop.store import open_store

SIZE = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "shop"
    write_synthetic(path, 5, SIZE)
    return path


def copied(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to)
    return to


def test_a_whole_store_is_verified(folder: Path) -> None:
    assert verify(folder).products == SIZE


@pytest.mark.parametrize("name", ["shop.sqlite", *ARRAYS, "synthetic-goals.npy"])
def test_a_truncated_file_is_told(folder: Path, tmp_path: Path, name: str) -> None:
    broken = copied(folder, tmp_path / "shop")
    os.truncate(broken / name, (broken / name).stat().st_size - 1)
    with pytest.raises(CatalogueError, match=rf"{name}: damaged store: expected \d+ bytes, got"):
        open_store(broken)


@pytest.mark.parametrize("name", ["shop.sqlite", *ARRAYS])
def test_changed_bytes_at_either_end_are_seen_at_opening(
    folder: Path, tmp_path: Path, name: str
) -> None:
    for place in (0, -1):
        broken = copied(folder, tmp_path / f"shop{place}")
        content = bytearray((broken / name).read_bytes())
        content[place] ^= 0xFF
        (broken / name).write_bytes(content)
        with pytest.raises(CatalogueError, match="damaged store"):
            open_store(broken)


def test_verifying_reads_every_byte(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path / "shop")
    content = bytearray((broken / "shop.sqlite").read_bytes())
    for place in range(20_000, 20_100):
        content[place] ^= 0xFF
    (broken / "shop.sqlite").write_bytes(content)
    with pytest.raises(CatalogueError, match=r"shop\.sqlite: damaged store"):
        verify(broken)


def test_a_missing_file_a_foreign_folder_and_a_foreign_label_are_told(
    folder: Path, tmp_path: Path
) -> None:
    broken = copied(folder, tmp_path / "shop")
    (broken / ARRAYS[0]).unlink()
    with pytest.raises(CatalogueError, match="damaged store: No such file"):
        open_store(broken)
    with pytest.raises(CatalogueError, match="no store of WebShop"):
        gigym.make("WebShop-v0", products=str(tmp_path))
    label = json.loads((folder / "store.json").read_text())
    for content, told in (
        ("{", "damaged store: not a label"),
        ("[" * 100_000, "damaged store: not a label"),
        ("[]", "expected format gigym-webshop-store version 1, got none"),
        (json.dumps({**label, "version": 2}), "version 1, got gigym-webshop-store version 2"),
        (json.dumps({**label, "files": 3}), "damaged store: not a label"),
        (json.dumps({**label, "files": {"../other": {}}}), "damaged store: not a label"),
        (json.dumps({**label, "products": 0}), "damaged store: not a label"),
        (json.dumps({**label, "goals": {"synthetic": -1}}), "damaged store: not a label"),
    ):
        (broken / "store.json").write_text(content)
        with pytest.raises(CatalogueError, match=told):
            open_store(broken)


def test_a_label_that_is_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store.json")
    with pytest.raises(CatalogueError, match=r"no store of WebShop, store\.json: not a file"):
        open_store(tmp_path)


def test_a_record_that_rots_after_opening_is_told(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path / "shop")
    shop = open_store(broken)
    with sqlite3.connect(broken / "shop.sqlite") as base:
        base.execute("update products set packed = x'00ff' where place = 3")
    base.close()
    with pytest.raises(CatalogueError, match="damaged store: product 3"):
        shop.product(3)
