"""Every nasty of the table gets the answer it deserves, and hurts nobody."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from nasties import BODIES, Nasty
from nasty_calls import CALLS
from nasty_frames import BREACHES, IN_FRAMES, ODD_FRAMES, Breach
from nasty_requests import REQUESTS
from raw_http import Answered, exchange, get, open_files, post, request, wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from gigym.envs.wire import SOCKET_PATH, Code
from gigym.servers import HostedEnv, LocalServer, ServerSpec

SPEC = ServerSpec(
    envs=(HostedEnv(id="Corridor-v0"), HostedEnv(id="Hallway-v0")),
    port=0,
    imports=("corridor_env",),
)
SETS = {"bodies": BODIES, "calls": CALLS, "requests": REQUESTS}


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer(SPEC) as server:
        yield server


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Sessions for one nasty; the texts of the table name them."""

    url: str
    sids: dict[str, str]
    copy: str

    def fill(self, text: str | bytes) -> bytes:
        raw = text.encode() if isinstance(text, str) else text
        for name, sid in self.sids.items():
            raw = raw.replace(name.encode(), sid.encode())
        return raw.replace(b"COPY", self.copy.encode())

    def leave(self) -> None:
        post(self.url, "/v1/close", {"items": [{"sid": sid} for sid in self.sids.values()]})


def play(url: str, path: str, **fields: object) -> Any:  # noqa: ANN401
    answer = post(url, path, {"items": [fields]})
    (result,) = answer.tree["results"]
    assert "error" not in result, result
    return result


def lease(url: str, count: int, **more: object) -> list[str]:
    body = {"env": "Corridor-v0", "count": count, **more}
    return [held["sid"] for held in post(url, "/v1/sessions", body).tree["sessions"]]


def set_scene(url: str) -> Scene:
    """`SID` stands at step 1, `OVER` at its end, `FRESH` nowhere, `CLOSED` is gone."""
    sid, fresh, closed = lease(url, 3)
    (over,) = lease(url, 1, options={"max_steps": 2})
    for name in (sid, over):
        play(url, "/v1/reset", sid=name, ep=0, seed=7)
        play(url, "/v1/step", sid=name, ep=1, n=0, action="east")
    play(url, "/v1/step", sid=over, ep=1, n=1, action="east")
    play(url, "/v1/close", sid=closed)
    copy = play(url, "/v1/snapshot", sid=sid)["snapshot"]
    sids = {"SID": sid, "FRESH": fresh, "CLOSED": closed, "OVER": over}
    return Scene(url=url, sids=sids, copy=json.dumps(copy))


class Scenes:
    """One scene as long as nothing was to change it: who is refused must not have touched it."""

    def __init__(self, url: str) -> None:
        self.url, self.current = url, set_scene(url)
        self.view = self.seen()

    def after(self, nasty: Nasty) -> None:
        if nasty.code != "ok":
            assert self.seen() == self.view, nasty.name
            return
        self.current.leave()
        self.current = set_scene(self.url)
        self.view = self.seen()

    def seen(self) -> object:
        view = get(self.url, f"/v1/sessions/{self.current.sids['SID']}").tree
        return {**view, "lease_until": None}


def by_post(scene: Scene, nasty: Nasty) -> str:
    body = None if nasty.body is None else scene.fill(nasty.body)
    path = scene.fill(nasty.path).decode()
    answer = exchange(scene.url, request(nasty.method, path, body, nasty.headers))
    return f"{answer.status} {code_of(answer)}"


def code_of(answer: Answered) -> str:
    return answer.code if answer.body else "no body"


def expected(nasty: Nasty) -> str:
    return f"{nasty.status} {'no body' if nasty.method == 'HEAD' else nasty.code}"


def free_places(server: LocalServer) -> int:
    return get(server.url, "/v1/info").tree["free"]


@contextmanager
def unharmed(server: LocalServer) -> Iterator[Callable[[str], None]]:
    """Gives a check that the server plays on and another session is as it was."""
    (bystander,) = lease(server.url, 1)
    play(server.url, "/v1/reset", sid=bystander, ep=0, seed=3)
    files, free = open_files(server.pid), free_places(server)

    def view() -> object:
        seen = get(server.url, f"/v1/sessions/{bystander}").tree
        return {**seen, "lease_until": None}

    def check(name: str) -> None:
        assert view() == before, name

    before = view()
    yield check
    check("at the end")
    assert free_places(server) == free, "sessions were left behind"
    play(server.url, "/v1/close", sid=bystander)
    wait_until(lambda: open_files(server.pid) <= files, "its connections close")
    assert server.restarts == 0 and "Exception in ASGI" not in server.log.read_text()


def test_the_tables_are_long_and_say_nothing_undocumented() -> None:
    nasties = [nasty for group in SETS.values() for nasty in group]
    assert len(nasties) >= 290 and len(IN_FRAMES) + len(ODD_FRAMES) + len(BREACHES) >= 200
    known = {code.value for code in Code} - {"INTERNAL"} | {"ok"}
    assert {nasty.code for nasty in nasties} <= known
    assert all(nasty.status < 500 for nasty in nasties)


@pytest.mark.parametrize("group", SETS)
def test_a_nasty_request_gets_its_answer_and_hurts_nobody(server: LocalServer, group: str) -> None:
    wrong: dict[str, str] = {}
    with unharmed(server) as check:
        scenes = Scenes(server.url)
        for nasty in SETS[group]:
            answer = by_post(scenes.current, nasty)
            if answer != expected(nasty):
                wrong[nasty.name] = f"{answer}, expected {expected(nasty)}"
            scenes.after(nasty)
            check(nasty.name)
        scenes.current.leave()
    assert wrong == {}


def dialled(server: LocalServer) -> ClientConnection:
    url = server.url.replace("http", "ws") + SOCKET_PATH
    return connect(url, compression=None, max_size=2**24, proxy=None)


def heard(line: ClientConnection) -> tuple[int | None, str]:
    """Number and code of the next answer."""
    tree = json.loads(line.recv(timeout=20))
    first = tree["results"][0] if tree.get("results") else tree
    return tree["id"], first.get("error", {}).get("code", "ok")


def still_served(line: ClientConnection) -> bool:
    line.send('{"id":77,"call":"renew","items":[]}')
    return heard(line) == (77, "ok")


def test_what_is_nasty_in_a_request_is_answered_alike_in_a_frame(server: LocalServer) -> None:
    wrong: dict[str, str] = {}
    with unharmed(server) as check, dialled(server) as line:
        scenes = Scenes(server.url)
        for nasty, frame in IN_FRAMES:
            line.send(scenes.current.fill(frame).decode())
            number, code = heard(line)
            if code != nasty.code or number not in (None, 1):
                wrong[nasty.name] = f"{number} {code}, expected {nasty.code}"
            assert still_served(line), nasty.name
            scenes.after(nasty)
            check(nasty.name)
        scenes.current.leave()
    assert wrong == {}


def test_an_odd_frame_is_refused_and_the_socket_stays_open(server: LocalServer) -> None:
    with unharmed(server) as check, dialled(server) as line:
        for name, frame in ODD_FRAMES.items():
            line.send(frame)
            assert heard(line)[1] == "BAD_REQUEST", name
            assert still_served(line), name
            check(name)


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.name)
def test_a_socket_that_breaks_its_protocol_is_closed_alone(
    server: LocalServer, breach: Breach
) -> None:
    with unharmed(server), dialled(server) as other, dialled(server) as line:
        line.socket.sendall(breach.sent)
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=20)
        assert line.close_code == breach.close
        assert still_served(other)


def test_a_socket_that_leaves_in_mid_frame_leaves_nothing(server: LocalServer) -> None:
    with unharmed(server):
        for rest in (b"", b"\x81", b"\x81\xfe\xff", b"\x01\x85\0\0\0\0{"):
            with dialled(server) as line:
                line.socket.sendall(rest)
                line.socket.shutdown(socket.SHUT_RDWR)
