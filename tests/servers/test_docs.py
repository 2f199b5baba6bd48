"""docs/servers.md: its transcripts run, its tables are those of the code."""

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from http_door import SPEC, open_door
from prometheus_client.parser import text_string_to_metric_families
from served import Served, served
from starlette.routing import Route

from gigym.envs.wire import PUBLIC_PATHS, Code
from gigym.servers import Limits
from gigym.servers.app import create_app
from gigym.servers.host import Host

PAGE = (Path(__file__).parents[2] / "docs" / "servers.md").read_text(encoding="utf-8")
HOME = "http://127.0.0.1:8000"
SID = re.compile(r"s-[0-9a-f]{32}")
NUMBER = re.compile(r'("lease_until":)[0-9.]+')


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served("ALFWorld-v0") as running:
        yield running


def transcript() -> list[tuple[str, str]]:
    """Commands and what the page says they print."""
    text = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.S))
    return [
        (command, said.strip())
        for command, said in re.findall(r"^\$ (.*?)\n(.*?)(?=^\$ |\Z)", text, re.S | re.M)
    ]


def as_pattern(said: str) -> re.Pattern[str]:
    """What is printed: `...` stands for anything, leases end at any time."""
    parts = NUMBER.sub(r"\1...", said).split("...")
    return re.compile(".*".join(map(re.escape, parts)) + ("" if said.endswith("...") else "$"))


def test_every_transcript_runs_as_written(server: Served) -> None:
    commands = transcript()
    assert len(commands) >= 8
    ours: dict[str, str] = {}
    for command, expected in commands:
        for theirs, real in ours.items():
            command, expected = command.replace(theirs, real), expected.replace(theirs, real)
        command = command.replace(HOME, server.url)
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=30)
        known = {*ours, *ours.values()}
        new = [sid for sid in dict.fromkeys(SID.findall(expected)) if sid not in known]
        fresh = [sid for sid in dict.fromkeys(SID.findall(done.stdout)) if sid not in known]
        for theirs, real in zip(new, fresh, strict=False):
            ours[theirs], expected = real, expected.replace(theirs, real)
        assert as_pattern(expected).match(done.stdout), (command, done.stdout)


def effects(app: FastAPI) -> dict[tuple[str, str], str]:
    """Every route and what it does, in its own words."""
    found: dict[tuple[str, str], str] = {}
    for route in app.routes:
        if isinstance(route, APIWebSocketRoute):
            words = (route.endpoint.__doc__ or "").strip().splitlines()[0]
            found["socket", route.path] = words
        elif isinstance(route, APIRoute):
            for method in route.methods:
                found[method, route.path] = route.description.splitlines()[0]
        elif isinstance(route, Route):
            for method in route.methods or ():
                found[method, route.path] = "The description of all routes."
    return {place: words for place, words in found.items() if place[0] != "HEAD"}


def is_face(path: str) -> bool:
    return path.startswith("/openenv/")


def route_table(app: FastAPI) -> str:
    rows = ["| route | token | effect |", "|---|---|---|"]
    for (method, path), words in sorted(effects(app).items(), key=lambda row: (row[0][1], row)):
        if not is_face(path):
            token = "no" if path in PUBLIC_PATHS else "yes"
            rows.append(f"| `{method} {path}` | {token} | {words} |")
    return "\n".join(rows)


def test_the_table_of_routes_is_complete() -> None:
    table = route_table(create_app(Host(SPEC)))
    assert table in PAGE, f"put this into docs/servers.md:\n\n{table}"


async def test_each_route_wants_the_token_as_the_page_says() -> None:
    async with open_door(replace(SPEC, token="secret")) as door:
        app = create_app(door.host)
        for method, path in effects(app):
            if method == "socket":
                continue
            place = path.replace("{env_id:path}", "Corridor-v0").replace("{", "").replace("}", "")
            answer = await door.http.request(method, place, headers={"Authorization": ""})
            assert (answer.status_code != 401) == (path in PUBLIC_PATHS), (method, path)


def test_the_table_of_limits_is_complete() -> None:
    (section,) = re.findall(r"^## Limits\n(.*?)^## ", PAGE, re.S | re.M)
    rows = dict(re.findall(r"^\| `(\w+)` \| ([0-9.]+) \|", section, re.M))
    told = {field.name: str(field.default) for field in dataclasses.fields(Limits)}
    assert rows == told


def test_the_table_of_errors_is_complete() -> None:
    (section,) = re.findall(r"^## Errors\n(.*?)^## ", PAGE, re.S | re.M)
    assert set(re.findall(r"`([A-Z_]+)`", section)) == {code.value for code in Code}


def test_the_table_of_metrics_is_complete(server: Served) -> None:
    (section,) = re.findall(r"^## Watching\n(.*?)^## ", PAGE, re.S | re.M)
    told = set(re.findall(r"`(gigym_\w+)", section))
    families = text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text)
    shown = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("gigym_")
    }
    assert told == shown
