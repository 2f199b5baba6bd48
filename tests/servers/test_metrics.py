"""`/metrics`: every name of the protocol is there, and numbers follow what happens."""

from dataclasses import replace

from http_door import SPEC, Clock, Door, open_door
from prometheus_client.parser import text_string_to_metric_families

NAMES = {
    "gigym_sessions",
    "gigym_sessions_total",
    "gigym_steps_total",
    "gigym_step_seconds_bucket",
    "gigym_queue_depth",
    "gigym_busy_total",
    "gigym_replayed_total",
    "gigym_errors_total",
    "gigym_workers",
    "gigym_rss_bytes",
}


async def numbers(door: Door) -> dict[tuple[str, ...], float]:
    """Every sample: its name, then the values of its labels by their names."""
    answer = await door.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_names_are_those_of_the_protocol() -> None:
    async with open_door() as door:
        assert (await door.post("/v1/sessions", {"env": "Nowhere-v0"})).status_code == 404
        sid = await door.begun()
        await door.items("/v1/close", {"sid": sid})
        assert {name for name, *_ in await numbers(door)} >= NAMES


async def test_numbers_follow_what_happens() -> None:
    clock = Clock()
    async with open_door(clock=clock, sessions=2) as door:
        sid = await door.begun()
        step = {"sid": sid, "ep": 1, "n": 0, "action": "east"}
        await door.items("/v1/step", step)
        await door.items("/v1/step", step)
        await door.items("/v1/step", {**step, "n": 9})
        await door.lease("Dice-v0")
        assert (await door.post("/v1/sessions", {"env": "Dice-v0", "wait_s": 0})).status_code == 429
        await door.items("/v1/close", {"sid": sid})
        clock.now += 700
        door.host.store.sweep()
        told = await numbers(door)
        assert told["gigym_sessions", "Corridor-v0"] == told["gigym_sessions", "Dice-v0"] == 0
        assert told["gigym_sessions_total", "closed", "Corridor-v0"] == 1
        assert told["gigym_sessions_total", "expired", "Dice-v0"] == 1
        assert told["gigym_steps_total", "Corridor-v0"] == 1
        assert told["gigym_step_seconds_count",] == 1
        assert told["gigym_step_seconds_bucket", "+Inf"] == 1
        assert told["gigym_replayed_total",] == told["gigym_busy_total",] == 1
        assert told["gigym_errors_total", "STEP_INDEX"] == told["gigym_errors_total", "BUSY"] == 1
        assert told["gigym_rss_bytes",] > 2**20


async def test_episodes_and_cuts_are_counted() -> None:
    async with open_door() as door:
        sid = await door.begun("Trapdoor-v0")
        long = await door.item("/v1/step", sid=sid, ep=1, n=0, action="long")
        assert long["reply"]["observation"].endswith("bytes cut]")
        told = await numbers(door)
        assert told["gigym_cut_total", "observation"] == 1
        assert told["gigym_episodes_total", "Trapdoor-v0"] == 0


async def test_two_servers_of_a_process_count_for_themselves() -> None:
    async with open_door() as one, open_door() as other:
        await one.lease()
        assert (await numbers(one))["gigym_sessions", "Corridor-v0"] == 1
        assert (await numbers(other))["gigym_sessions", "Corridor-v0"] == 0


async def test_metrics_need_the_token() -> None:
    async with open_door(replace(SPEC, token="secret")) as door:
        answer = await door.http.get("/metrics", headers={"Authorization": ""})
        assert answer.status_code == 401
        assert await numbers(door)
