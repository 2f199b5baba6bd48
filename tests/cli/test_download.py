"""`gigym download`: what it says where, how it ends, and that Ctrl-C costs nothing."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import Answer, FileServer, file_server

from gigym.envs.alfworld import read_games

Gigym = Callable[..., Any]
SPLIT = "valid_seen"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as files:
        yield files


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory; no release lies on this machine."""
    monkeypatch.setenv("GIGYM_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ALFWORLD_DATA", str(tmp_path / "none"))
    return tmp_path / "data"


@pytest.fixture(scope="session")
def archive(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of one official split."""
    path = tmp_path_factory.mktemp("release") / "release.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writer:
        for row in read_games(test_data / "alfworld", SPLIT):
            tree = {"grammar": row.task, "pddl_problem": row.pddl_problem, "solvable": True}
            text = json.dumps(tree | {"walkthrough": row.walkthrough})
            writer.writestr(f"json_2.1.1/{row.id}/game.tw-pddl", text)
    return path


def test_without_a_name_it_lists_what_there_is(gigym: Gigym, home: Path) -> None:
    done = gigym("download")
    assert done.code == 0 and done.err == ""
    assert "gigym download webshop --full" in done.out and str(home / "alfworld") in done.out


def test_the_list_tells_what_is_here(gigym: Gigym, archive: Path) -> None:
    assert [row["here"] for row in gigym("download", "--json").json["data"]] == [False] * 3
    assert gigym("download", "alfworld", "--from", archive).code == 0
    rows = gigym("download", "--json").json["data"]
    assert [row["here"] for row in rows] == [True, False, False]
    assert rows[0]["holds"] == "valid_seen (140)"


def test_help_names_sources_and_folders(gigym: Gigym) -> None:
    assert "$GIGYM_DATA" in gigym("download", "--help").out
    said = gigym("download", "alfworld", "--help").out
    assert "--from PATH|URL" in said and "$ALFWORLD_DATA" in said
    assert "--small" in gigym("download", "webshop", "--help").out


def test_a_zip_becomes_packs_that_are_played_by_name(gigym: Gigym, archive: Path) -> None:
    done = gigym("download", "alfworld", "--from", archive)
    assert done.code == 0
    assert "use it: gigym play ALFWorld-v0 games=official split=valid_seen" in done.out
    assert "no games of the split train" in done.err
    played = gigym(
        "play", "ALFWorld-v0", "games=official", f"split={SPLIT}", "--agent", "expert", "--json"
    )
    assert played.code == 0 and played.json["success"]
    again = gigym("download", "alfworld")
    assert again.code == 0 and "was here already" in again.out


def test_json_is_one_object_and_progress_goes_to_stderr(
    gigym: Gigym, archive: Path, server: FileServer, tmp_path: Path
) -> None:
    url = server.put("/r.zip", Answer(content=archive.read_bytes()))
    done = gigym("download", "alfworld", "--from", url, "--to", tmp_path / "to", "--json")
    assert done.code == 0 and done.out.count("\n") == 1
    (held,) = done.json["files"]
    assert (held["name"], held["count"], held["verified"]) == ("valid_seen.jsonl.xz", 140, True)
    assert done.json["folder"] == str(tmp_path / "to") and done.json["source"] == url
    assert "json_2.1.3_tw-pddl.zip" in done.err and "MiB" in done.err


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("alfworld", "--from", "/nowhere"), 2, "BAD_OPTION"),
        (("alfworld", "--from", "ftp://127.0.0.1/a.zip"), 2, "BAD_OPTION"),
        (("webshop",), 2, "USAGE_MISTAKE"),
        (("webshop", "--small", "--full"), 2, "USAGE_MISTAKE"),
        (("webshop", "--small", "--from", "/nowhere"), 2, "BAD_OPTION"),
        (("alfworld", "--to", "/proc/nothing/here"), 3, "CANNOT_STORE"),
        (("alfred",), 2, "USAGE_MISTAKE"),
    ],
)
def test_mistakes_end_with_their_codes(
    gigym: Gigym, words: tuple[str, ...], code: int, name: str
) -> None:
    done = gigym("download", *words, "--json")
    assert done.code == code and done.json["error"]["code"] == name


def test_a_server_that_has_nothing_ends_with_4(gigym: Gigym, server: FileServer) -> None:
    done = gigym("download", "alfworld", "--from", f"{server.url}/r.zip")
    assert done.code == 4 and done.out == "" and "404" in done.err


def test_a_web_page_ends_with_5(gigym: Gigym, server: FileServer) -> None:
    page = b"<html><head><title>Sign in \x1b[31m</title></head></html>"
    url = server.put("/r.zip", Answer(content=page))
    done = gigym("download", "alfworld", "--from", url)
    assert done.code == 5 and "a web page titled 'Sign in" in done.err and "\x1b" not in done.err


def test_other_games_end_with_5_and_name_both_digests(
    gigym: Gigym, archive: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.zip"
    with zipfile.ZipFile(archive) as right, zipfile.ZipFile(wrong, "w") as writer:
        for name in right.namelist()[1:]:
            writer.writestr(name, right.read(name))
    done = gigym("download", "alfworld", "--from", wrong, "--json")
    assert done.code == 5 and done.json["error"]["code"] == "DATA_DAMAGED"
    told = done.json["error"]["message"]
    assert "split valid_seen" in told and "got 139 games" in told
    assert "c3f454e802337dc8d8a4005b7689870f6d1cdace0e61418459441c1615a8c17f" in told


def started(url: str, folder: Path) -> "subprocess.Popen[str]":
    words = [sys.executable, "-m", "gigym.cli", "download", "alfworld", "--from", url]
    return subprocess.Popen(
        [*words, "--to", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_ctrl_c_keeps_what_came_and_the_named_command_goes_on(
    server: FileServer, archive: Path, tmp_path: Path
) -> None:
    content, folder = archive.read_bytes(), tmp_path / "a folder"
    url = server.put("/r.zip", Answer(content=content, pause_s=0.01), Answer(content=content))
    running = started(url, folder)
    part = folder / "json_2.1.3_tw-pddl.zip.part"
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 20_000) and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    kept = part.stat().st_size
    assert running.returncode == 130 and out == ""
    line = f"gigym download alfworld --from {url} --to '{folder}'"
    assert f"what came is kept; go on with: {line}" in err
    assert 20_000 < kept < len(content)

    running = started(url, folder)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    assert server.ranges == ["", f"bytes={kept}-"]
    assert (folder / "valid_seen.jsonl.xz").is_file() and not part.exists()
