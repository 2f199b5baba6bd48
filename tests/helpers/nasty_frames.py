"""Frames and handshakes that must not hurt the socket `/v1/ws`; see `nasties.py`."""

from dataclasses import dataclass

from nasties import BODIES, Nasty, item, items
from nasty_calls import CALLS
from nasty_requests import REQUESTS

CALLED = ("step", "reset", "restore", "renew", "snapshot", "close")


def frame_of(nasty: Nasty) -> str | None:
    """The text frame that says what the request says; None where only HTTP can say it."""
    call = nasty.path.removeprefix("/v1/")
    if call not in CALLED or nasty.method != "POST" or nasty.headers:
        return None
    if not isinstance(nasty.body, str) or len(nasty.body) > 8 * 2**20:
        return None
    return nasty.body.replace('{"items"', f'{{"id":1,"call":"{call}","items"', 1)


def _odd_frames() -> dict[str, str | bytes]:
    numbers = ["null", "true", "-1", "1.0", '"1"', "[]", "{}", "1e3", str(2**53), str(2**63), ""]
    calls = [
        '"fork"',
        '"sessions"',
        '"Step"',
        '""',
        "null",
        "7",
        "[]",
        '"step "',
        '"__class__"',
        "",
    ]
    rest = items(item())[1:]
    told: dict[str, str | bytes] = {
        f"id {number or 'absent'}": "{"
        + (f'"id":{number},' if number else "")
        + '"call":"step",'
        + rest
        for number in numbers
    }
    told |= {
        f"call {call or 'absent'}": '{"id":1,' + (f'"call":{call},' if call else "") + rest
        for call in calls
    }
    return told | {
        "no items": '{"id":1,"call":"step"}',
        "items null": '{"id":1,"call":"step","items":null}',
        "a field too many": '{"id":1,"call":"step","token":"x",' + rest,
        "a call twice": '{"id":1,"call":"step","call":"close",' + rest,
        "OpenEnv's words": '{"type":"reset","data":{"seed":1}}',
        "JSON-RPC": '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
        "a list of frames": '[{"id":1,"call":"step","items":[]}]',
        "a binary frame": b'{"id":1,"call":"step","items":[]}',
        "an empty binary frame": b"",
    }


ODD_FRAMES = _odd_frames()
"""Each is answered `BAD_REQUEST`, and the socket stays open."""
IN_FRAMES: tuple[tuple[Nasty, str], ...] = tuple(
    (nasty, frame)
    for nasty in (*BODIES, *CALLS, *REQUESTS)
    if (frame := frame_of(nasty)) is not None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Bytes after the handshake that break the WebSocket protocol itself."""

    name: str
    sent: bytes
    close: int
    """Code with which the server closes."""


_MASK = b"\0\0\0\0"
BREACHES = (
    Breach(name="text that is not UTF-8", sent=b"\x81\x82" + _MASK + b"\xff\xfe", close=1007),
    Breach(name="a frame without a mask", sent=b"\x81\x02{}", close=1002),
    Breach(name="reserved bits", sent=b"\xf1\x82" + _MASK + b"{}", close=1002),
    Breach(name="an opcode that is not there", sent=b"\x83\x82" + _MASK + b"{}", close=1002),
    Breach(name="a ping of 126 bytes", sent=b"\x89\xfe\x00\x7e" + _MASK + b"x" * 126, close=1002),
    Breach(name="a ping in pieces", sent=b"\x09\x80" + _MASK, close=1002),
    Breach(name="an end without a beginning", sent=b"\x80\x82" + _MASK + b"{}", close=1002),
    Breach(name="a beginning twice", sent=(b"\x01\x81" + _MASK + b"{") * 2, close=1002),
    Breach(
        name="8 MiB and a byte announced",
        sent=b"\x81\xff" + (8 * 2**20 + 1).to_bytes(8, "big") + _MASK,
        close=1009,
    ),
    Breach(
        name="2**62 bytes announced",
        sent=b"\x81\xff" + (2**62).to_bytes(8, "big") + _MASK,
        close=1009,
    ),
    Breach(name="a close of one byte", sent=b"\x88\x81" + _MASK + b"x", close=1002),
    Breach(
        name="a close code that is not there", sent=b"\x88\x82" + _MASK + b"\x03\xe7", close=1002
    ),
)
