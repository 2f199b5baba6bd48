"""Inputs that must not hurt a server, each with the answer that it deserves.

In texts, `SID` stands for a session of `Corridor-v0` at episode 1, step 1, `FRESH` for one that
was not reset, `OVER` for one whose episode is over (at step 2), `CLOSED` for one that was closed,
and `COPY` for a snapshot of the first as JSON.
`code` is that of the error, of the first item's where the whole request was served, or `ok`.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Nasty:
    name: str
    code: str
    status: int = 200
    path: str = "/v1/step"
    method: str = "POST"
    body: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


BIG_BODY = 8 * 2**20
"""Most bytes of a body, as in `Limits`."""
STEP = '{"items":[{"sid":"SID","ep":1,"n":1,"action":"east"}]}'


def refused(name: str, body: str | bytes, path: str = "/v1/step", **headers: str) -> Nasty:
    """A request that is refused as a whole."""
    named = {header.replace("_", "-"): text for header, text in headers.items()}
    return Nasty(name=name, code="BAD_REQUEST", status=400, path=path, body=body, headers=named)


def served(name: str, code: str, body: str, path: str = "/v1/step") -> Nasty:
    """A request that is served, and its item answered with the code."""
    return Nasty(name=name, code=code, path=path, body=body)


def tree(**fields: str) -> str:
    """An object whose values are JSON texts."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"


def item(**fields: str) -> str:
    """One step with fields replaced by JSON texts; an empty text leaves the field out."""
    texts = {"sid": '"SID"', "ep": "1", "n": "1", "action": '"east"'} | fields
    return tree(**{name: text for name, text in texts.items() if text})


def items(*texts: str) -> str:
    return '{"items":[' + ",".join(texts) + "]}"


def about(sid: str, **fields: str) -> str:
    """An item of another call."""
    return items(tree(sid=f'"{sid}"', **fields))


def _bodies() -> list[Nasty]:
    """What is no JSON that every reader takes the same way."""
    deep, pairs = 20_000, "\\ud83d\\ude00"
    told: dict[str, str | bytes] = {
        "NaN": item(n="NaN"),
        "minus infinity": item(n="-Infinity"),
        "1e400": item(n="1e400"),
        "-1e400 in an unknown field": item(more="-1e400"),
        "an integer of 5,000 digits": item(n="1" * 5000),
        "an integer beyond 64 bits": item(n=str(2**63)),
        "a negative one beyond 64 bits": item(n=str(-(2**63) - 1)),
        "half of a pair, the high one": item(action='"\\ud800"'),
        "half of a pair, the low one": item(action='"\\udc00"'),
        "halves in the wrong order": item(action='"\\ude00\\ud83d"'),
        "a half as a key": item(**{"\\ud800": "1"}),
        "a half after a whole pair": item(action=f'"{pairs}\\uD83D"'),
        "a half as raw bytes": items(item(action='"X"')).encode().replace(b"X", b"\xed\xa0\x80"),
        "bytes that are not UTF-8": items(item(action='"X"')).encode().replace(b"X", b"\xff\xfe"),
        "an overlong slash": items(item(action='"X"')).encode().replace(b"X", b"\xc0\xaf"),
        "UTF-16": STEP.encode("utf-16"),
        "UTF-8 with a mark": b"\xef\xbb\xbf" + STEP.encode(),
        "a raw NUL in a text": items(item(action='"X"')).replace("X", "\0"),
        "a raw line break in a text": items(item(action='"X"')).replace("X", "\n"),
        "a key twice": '{"items":[],"items":[]}',
        "a key of an item twice": items(item(sid='"SID","sid":"SID"')),
        "the same key, one escaped": items(item(n='1,"\\u006e":2')),
        "lists 20,000 deep": "[" * deep + "]" * deep,
        "lists 20,000 deep, never closed": '{"items":' + "[" * deep,
        "objects 20,000 deep": '{"a":' * deep + "1" + "}" * deep,
        "33 levels": items(item(more="[" * 30 + "]" * 30)),
        "half a document": STEP[:30],
        "two documents": STEP + STEP,
        "a document and a letter": STEP + "x",
        "single quotes": STEP.replace('"', "'"),
        "a trailing comma": '{"items":[],}',
        "a comment": '{"items":[/* none */]}',
        "a leading zero": items(item(n="01")),
        "a plus sign": items(item(n="+1")),
        "hexadecimal": items(item(n="0x1")),
        "a bare word": "step",
        "an empty list": "[]",
        "null": "null",
        "a number": "7",
        "true": "true",
        "a text": '"items"',
        "spaces alone": "   ",
        "nothing": "",
        "form data": "items=%5B%5D",
        "no items": "{}",
        "items null": '{"items":null}',
        "items an object": '{"items":{}}',
        "items a text": '{"items":"SID"}',
        "a field beside items": '{"items":[],"more":1}',
        "Items with a capital": '{"Items":[]}',
    }
    told = {
        name: items(body) if isinstance(body, str) and body.startswith('{"sid"') else body
        for name, body in told.items()
    }
    return [refused(name, body) for name, body in told.items()]


def _fields() -> list[Nasty]:
    """Items that are JSON and wrong: refused alone."""
    told = {
        "an item that is null": "null",
        "an item that is a list": "[]",
        "an item that is a text": '"SID"',
        "an empty item": "{}",
        "no action": item(action=""),
        "an action that is null": item(action="null"),
        "an action that is a number": item(action="3"),
        "an action that is true": item(action="true"),
        "an action that is a list": item(action='["east"]'),
        "an action that is an object": item(action='{"command":"east"}'),
        "an action of 64 KiB and one byte": item(action='"%s"' % ("x" * 65537)),
        "an action of 1 MB": item(action='"%s"' % ("x" * 10**6)),
        "an action of 64 KiB and one byte in emoji": item(action='"a%s"' % ("\U0001f600" * 16384)),
        "no n": item(n=""),
        "n true": item(n="true"),
        "n a text": item(n='"1"'),
        "n 1.0": item(n="1.0"),
        "n 1e0": item(n="1e0"),
        "n null": item(n="null"),
        "n -1": item(n="-1"),
        "n beyond 53 bits": item(n=str(2**53)),
        "n of 64 bits": item(n=str(2**63 - 1)),
        "n 1e300": item(n="1e300"),
        "no ep": item(ep=""),
        "ep false": item(ep="false"),
        "ep -1": item(ep="-1"),
        "ep -2**63": item(ep=str(-(2**63))),
        "ep [1]": item(ep="[1]"),
        "no sid": item(sid=""),
        "sid a number": item(sid="7"),
        "sid null": item(sid="null"),
        "sid empty": item(sid='""'),
        "sid of 65 characters": item(sid='"%s"' % ("s" * 65)),
        "sid of 100,000 characters": item(sid='"%s"' % ("s" * 100_000)),
        "an unknown field": item(colour='"red"'),
        "__proto__": item(__proto__='{"n":1}'),
        "a key of 10,000 characters": item(**{"k" * 10_000: "1"}),
    }
    return [served(name, "BAD_ITEM", items(text)) for name, text in told.items()]


def _unknown_sessions() -> list[Nasty]:
    odd = ["s-none", "s-" + "0" * 32, "../SID", "SID\\u0000", " SID", "SID/", "\\u202eSID"]
    odd += ["%s", "{sid}", "'; DROP TABLE sessions", "\\u0000", "\U0001f600", "CLOSED"]
    return [served(f"sid {sid}", "SESSION_UNKNOWN", items(item(sid=f'"{sid}"'))) for sid in odd]


BODIES: tuple[Nasty, ...] = (*_bodies(), *_fields(), *_unknown_sessions())
