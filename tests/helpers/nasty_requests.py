"""Requests that are too much, too odd or at the wrong door; see `nasties.py`."""

import gzip

from nasties import BIG_BODY, STEP, Nasty, item, items, refused, served


def _crowds() -> list[Nasty]:
    """Much at once."""
    many = items(*(item(sid=f'"s-{i}"') for i in range(4097)))
    ids = items(*(f'{{"sid":"s-{i}"}}' for i in range(100_000)))
    nulls = items(*["null"] * 100_000)

    def too_large(name: str, body: str, path: str = "/v1/step") -> Nasty:
        return Nasty(name=name, code="TOO_LARGE", status=413, path=path, body=body)

    return [
        too_large("4,097 items", many),
        too_large("100,000 sids to close", ids, "/v1/close"),
        too_large("100,000 nulls", nulls),
        too_large("a body of 8 MiB and one byte", " " * (BIG_BODY + 1)),
        served("one sid twice", "ok", items(item(), item(n="2"))),
        served("8 MiB of quotes", "BAD_ITEM", items('"%s"' % ('\\"' * (BIG_BODY // 2 - 20)))),
        refused("8 MiB of digits", items("1" * (BIG_BODY - 100))),
        refused("8 MiB of brackets", "[" * BIG_BODY),
    ]


def _odd_but_fine() -> list[Nasty]:
    """What looks dangerous and is only text."""
    fine = ["\\u0000", "\\u202egnihton", "\\u200b\\ufeff", "\\ud83d\\ude00", "", " "]
    fine += ["${jndi:ldap://x}", "<script>alert(1)</script>", "\\u001b[2J", "%00%n%s", "\\uffff"]
    fine += ["x" * 65536, "e\\u0301" * 50]
    return [served(f"action {text[:20]!r}", "ok", items(item(action=f'"{text}"'))) for text in fine]


def _heads() -> list[Nasty]:
    """Requests that are wrong before their body is."""
    wrong = {
        "a foreign host": {"Host": "evil.example"},
        "a host that only begins like ours": {"Host": "127.0.0.1.evil.example"},
        "a host behind an at sign": {"Host": "127.0.0.1@evil.example"},
        "a host with a port that is none": {"Host": "127.0.0.1:x"},
        "a host with a path": {"Host": "127.0.0.1/x"},
        "another loopback address": {"Host": "127.0.0.2"},
        "all addresses": {"Host": "0.0.0.0"},
        "a decimal address": {"Host": "2130706433"},
        "a host with a dot at its end": {"Host": "localhost."},
        "brotli": {"Content-Encoding": "br"},
        "gzip twice": {"Content-Encoding": "gzip, gzip"},
        "an encoding that is none": {"Content-Encoding": "evil"},
        "gzip that is none": {"Content-Encoding": "gzip"},
        "plain text": {"Content-Type": "text/plain"},
        "a form": {"Content-Type": "application/x-www-form-urlencoded"},
        "parts": {"Content-Type": "multipart/form-data; boundary=x"},
        "almost JSON": {"Content-Type": "application/jsonp"},
        "no type": {"Content-Type": ""},
    }
    pages = [
        "http://evil.example",
        "null",
        "file://",
        "http://127.0.0.1.evil.example",
        "ws://127.0.0.1",
    ]
    pages += [
        "https://evil.example:8000",
        "http://127.0.0.1@evil.example",
        "//127.0.0.1",
        "127.0.0.1",
    ]
    sound = STEP.encode()
    packed = gzip.compress(sound, mtime=0)
    zipped = {
        "gzip cut short": (packed[:-1], 400, "BAD_REQUEST"),
        "gzip and a byte": (packed + b"x", 400, "BAD_REQUEST"),
        "gzip and gzip": (packed + packed, 400, "BAD_REQUEST"),
        "gzip with a wrong sum": (packed[:-8] + b"\0" * 8, 400, "BAD_REQUEST"),
        "gzip of nothing": (gzip.compress(b"", mtime=0), 400, "BAD_REQUEST"),
        "gzip of gzip": (gzip.compress(packed, mtime=0), 400, "BAD_REQUEST"),
        "gzip of 64 MiB": (gzip.compress(b" " * 2**26, 9, mtime=0), 413, "TOO_LARGE"),
        "sound gzip of another's step": (packed, 200, "SESSION_UNKNOWN"),
    }
    return [
        *(refused(name, STEP, **head) for name, head in wrong.items()),
        *(
            Nasty(
                name=f"a page of {origin}",
                body=STEP,
                headers={"Origin": origin},
                status=403,
                code="BAD_REQUEST",
            )
            for origin in pages
        ),
        *(
            Nasty(
                name=name, body=body, headers={"Content-Encoding": "gzip"}, status=status, code=code
            )
            for name, (body, status, code) in zipped.items()
        ),
    ]


def _routes() -> list[Nasty]:
    """Places and methods that are not there."""
    nowhere = ["/", "/v1", "/v1/", "/v1/steps", "/v2/step", "/V1/STEP", "//v1/step", "/v1/step/x"]
    nowhere += [
        "/v1/%2e%2e/step",
        "/v1/step%00",
        "/v1/step;x",
        "/.env",
        "/redoc",
        "/static/x",
    ]
    nowhere += [
        "/v1/step/",
        "/v1/sessions/..%2f..",
        "/v1/step%2f",
        "/etc/passwd",
        "/%ff",
        "/%F0%9F%98%80",
        "/v1/..%2f..%2fetc%2fpasswd",
    ]
    views = ["s-none", "%00", "%ff", "x" * 10_000, "CLOSED", "%E2%80%AE", "SID%20", "-1"]
    methods = [
        ("GET", "/v1/step"),
        ("PUT", "/v1/step"),
        ("DELETE", "/v1/step"),
        ("PATCH", "/v1/reset"),
    ]
    methods += [
        ("POST", "/v1/info"),
        ("HEAD", "/v1/step"),
        ("OPTIONS", "/v1/step"),
        ("TRACE", "/v1/step"),
    ]
    methods += [("POST", "/healthz"), ("DELETE", "/v1/sessions/SID"), ("GET", "/v1/sessions")]
    methods += [("EVIL", "/v1/step"), ("POST", "/v1/sessions/SID")]
    return [
        *(
            Nasty(name=f"route {path}", path=path, body=STEP, status=404, code="UNKNOWN_ROUTE")
            for path in nowhere
        ),
        *(
            Nasty(
                name=f"view of {sid[:12]}",
                method="GET",
                path=f"/v1/sessions/{sid}",
                status=404,
                code="SESSION_UNKNOWN",
            )
            for sid in views
        ),
        *(
            Nasty(
                name=f"{method} {path}", method=method, path=path, status=405, code="UNKNOWN_ROUTE"
            )
            for method, path in methods
        ),
        Nasty(name="a query", path="/v1/step?ep=5&n=NaN", body=STEP, code="ok"),
    ]


REQUESTS: tuple[Nasty, ...] = (*_crowds(), *_odd_but_fine(), *_heads(), *_routes())
