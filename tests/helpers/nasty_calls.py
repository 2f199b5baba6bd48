"""Calls that are well formed and must be refused; see `nasties.py`."""

from nasties import Nasty, about, item, items, refused, served, tree


def _order() -> list[Nasty]:
    """Calls that are right in form and come at the wrong moment."""
    other_task = about("SID", ep="0", seed="7", options='{"task":"lamp"}')
    return [
        served("step n+1", "STEP_INDEX", items(item(n="2"))),
        served("step far ahead", "STEP_INDEX", items(item(n=str(2**53 - 1)))),
        served("step of ep 0", "STEP_INDEX", items(item(ep="0"))),
        served("step of ep 2", "STEP_INDEX", items(item(ep="2"))),
        served("taken otherwise", "STEP_CONFLICT", items(item(n="0", action='"w"'))),
        served("taken likewise", "ok", items(item(n="0"))),
        served("not reset", "NOT_RESET", items(item(sid='"FRESH"', n="0"))),
        served("over", "EPISODE_OVER", items(item(sid='"OVER"', n="2"))),
        served("over, repeated", "ok", items(item(sid='"OVER"'))),
        served("reset repeated", "ok", about("SID", ep="0", seed="7"), "/v1/reset"),
        served("reset conflict", "STEP_CONFLICT", about("SID", ep="0", seed="8"), "/v1/reset"),
        served("reset to another task", "STEP_CONFLICT", other_task, "/v1/reset"),
        served("reset ahead", "STEP_INDEX", about("SID", ep="5", seed="7"), "/v1/reset"),
        served("reset closed", "SESSION_UNKNOWN", about("CLOSED", ep="0", seed="7"), "/v1/reset"),
        served("renew closed", "SESSION_UNKNOWN", about("CLOSED"), "/v1/renew"),
        served("close twice", "ok", about("CLOSED"), "/v1/close"),
        served("close nobody", "ok", about("s-none"), "/v1/close"),
        served("snapshot of no episode", "NOT_RESET", about("FRESH"), "/v1/snapshot"),
        served("fork of no episode", "NOT_RESET", about("FRESH", count="1"), "/v1/fork"),
        served("no items at all", "ok", items()),
    ]


def _resets() -> list[Nasty]:
    seeds = {"a text": '"7"', "true": "true", "7.0": "7.0", "null": "null"}
    edges = {"-2**63": str(-(2**63)), "2**63 - 1": str(2**63 - 1)}
    options = {
        "a task that is not there": '{"task":"sun"}',
        "a task that is a list": '{"task":["lamp"]}',
        "a task of 100,000 characters": '{"task":"%s"}' % ("x" * 100_000),
        "options a list": "[]",
        "options null": "null",
        "options a text": '"task"',
    }

    def reset(name: str, code: str, **fields: str) -> Nasty:
        return served(name, code, about("FRESH", ep="0", **fields), "/v1/reset")

    return [
        reset("no seed", "BAD_ITEM"),
        *(reset(f"seed {name}", "BAD_ITEM", seed=text) for name, text in seeds.items()),
        *(reset(f"seed {name}", "ok", seed=text) for name, text in edges.items()),
        *(reset(name, "BAD_ITEM", seed="1", options=text) for name, text in options.items()),
    ]


def _leases() -> list[Nasty]:
    at = "/v1/sessions"

    def lease(env: str = '"Corridor-v0"', **fields: str) -> str:
        return tree(env=env, **fields)

    bad = {
        "count 0": lease(count="0"),
        "count -1": lease(count="-1"),
        "count true": lease(count="true"),
        "count 1.0": lease(count="1.0"),
        "count a text": lease(count='"1"'),
        "count 1,025 of 1,024": lease(count="1025"),
        "count 2**62": lease(count=str(2**62)),
        "env null": lease("null"),
        "env a list": lease('["Corridor-v0"]'),
        "no env": "{}",
        "lease 0": lease(lease_s="0"),
        "lease -1": lease(lease_s="-1"),
        "lease of a day and a second": lease(lease_s="86401"),
        "lease a text": lease(lease_s='"1"'),
        "lease true": lease(lease_s="true"),
        "wait -1": lease(wait_s="-1"),
        "wait 31": lease(wait_s="31"),
        "wait null": lease(wait_s="null"),
        "options a list": lease(options="[]"),
        "an option that is not there": lease(options='{"lenght":3}'),
        "an option of the wrong size": lease(options='{"length":1}'),
        "an option of the wrong kind": lease(options='{"length":"3"}'),
        "an option only its host sets": lease(options='{"plan":"/etc/passwd"}'),
        "an option that is an object": lease(options='{"length":{"$gt":0}}'),
        "self as an option": lease(options='{"self":1}'),
        "env_id as an option": lease(options='{"env_id":"Hallway-v0"}'),
        "__class__ as an option": lease(options='{"__class__":1}'),
        "an unknown field": lease(token='"x"'),
        "items instead": '{"items":[]}',
        "a list": "[]",
    }
    unknown = [
        "Coridor-v0",
        "",
        "corridor-v0",
        "../Corridor-v0",
        "os:system",
        "corridor_env:Corridor",
    ]
    unknown += ["Corridor-v0\\u0000", "\\u202eCorridor-v0", "x" * 100_000, "ALFWorld-v0"]
    keys = {"an empty key": "", "a key of 129 characters": "k" * 129}
    return [
        *(refused(name, body, at) for name, body in bad.items()),
        *(
            Nasty(
                name=f"env {e[:20]!r}",
                path=at,
                body=lease(f'"{e}"'),
                status=404,
                code="UNKNOWN_ENV",
            )
            for e in unknown
        ),
        *(refused(name, lease(), at, Idempotency_Key=key) for name, key in keys.items()),
    ]


def _restores() -> list[Nasty]:
    copy = '{"kind":"data","env":"Corridor-v0","version":"1.0.0","blob":%s}'
    deep, long = '"%s"' % ("[" * 20_000), ",".join(['"east"'] * 40)
    told = {
        "no source": {},
        "two sources": {"recipe": '{"seed":7}', "snapshot": "COPY"},
        "a recipe without a seed": {"recipe": "{}"},
        "a recipe that is a list": {"recipe": "[]"},
        "actions that are numbers": {"recipe": '{"seed":7,"actions":[1]}'},
        "actions that are one text": {"recipe": '{"seed":7,"actions":"east"}'},
        "keys that do not fit": {"recipe": '{"seed":7,"actions":["east"],"keys":["a"]}'},
        "a kind that is not there": {"snapshot": (copy % '"{}"').replace("data", "pickle")},
        "another environment": {"snapshot": (copy % '"{}"').replace("Corridor", "Hallway")},
        "another version": {"snapshot": (copy % '"{}"').replace("1.0.0", "9.9.9")},
        "a blob that is empty": {"snapshot": copy % '""'},
        "a blob that is no JSON": {"snapshot": copy % '"gASVAAA="'},
        "a blob that is an object": {"snapshot": copy % "{}"},
        "a blob of NaN": {"snapshot": copy % '"NaN"'},
        "a blob that is a number": {"snapshot": copy % '"7"'},
        "a blob 20,000 deep": {"snapshot": copy % deep},
        "a recipe 20,000 deep": {"snapshot": (copy % deep).replace("data", "recipe")},
        "a snapshot that is null": {"snapshot": "null"},
    }
    others = {
        "keys of another game": ("REPLAY_DIVERGED", '{"seed":7,"actions":[],"keys":["a"]}'),
        "40 actions of 30": ("REPLAY_DIVERGED", tree(seed="7", actions=f"[{long}]")),
    }

    def restore(name: str, code: str, **fields: str) -> Nasty:
        return served(name, code, about("FRESH", **fields), "/v1/restore")

    return [
        *(restore(name, "BAD_ITEM", **fields) for name, fields in told.items()),
        *(restore(name, code, recipe=text) for name, (code, text) in others.items()),
        restore("a blob of 2 MiB", "TOO_LARGE", snapshot=copy % ('"%s"' % ("x" * 2**21))),
        restore("a sound copy", "ok", snapshot="COPY"),
    ]


def _forks_and_renewals() -> list[Nasty]:
    counts = {"0": "BAD_ITEM", "-1": "BAD_ITEM", "true": "BAD_ITEM", "1.0": "BAD_ITEM"}
    counts |= {"4097": "BAD_ITEM", "4096": "BUSY", "1e3": "BAD_ITEM"}
    lengths = ["0", "-5", "1e300", "86401", '"1"', "true", "[]"]
    return [
        *(
            served(f"fork {count}", code, about("SID", count=count), "/v1/fork")
            for count, code in counts.items()
        ),
        *(
            served(f"renew for {length} s", "BAD_ITEM", about("SID", lease_s=length), "/v1/renew")
            for length in lengths
        ),
    ]


CALLS: tuple[Nasty, ...] = (
    *_order(),
    *_resets(),
    *_leases(),
    *_restores(),
    *_forks_and_renewals(),
)
