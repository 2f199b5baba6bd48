"""Leases, the queue for sessions, and idempotency keys."""

import asyncio

import pytest
from http_door import Clock, Door, error_of, open_door


async def code_of_step(door: Door, sid: str) -> str:
    result = await door.item("/v1/step", sid=sid, ep=1, n=0, action="east")
    return result["error"]["code"] if "error" in result else "ok"


async def test_an_unused_session_expires_and_is_remembered_for_a_while() -> None:
    clock = Clock()
    async with open_door(clock=clock, lease_s=600.0, memory_s=600.0) as door:
        sid = await door.begun()
        clock.now += 599
        assert await code_of_step(door, sid) == "ok"
        clock.now += 601
        assert await code_of_step(door, sid) == "SESSION_EXPIRED"
        looked_at = await door.http.get(f"/v1/sessions/{sid}")
        assert (looked_at.status_code, error_of(looked_at)["code"]) == (410, "SESSION_EXPIRED")
        clock.now += 601
        door.host.store.sweep()
        assert await code_of_step(door, sid) == "SESSION_UNKNOWN"


async def test_every_call_and_renewals_keep_a_session() -> None:
    clock = Clock()
    async with open_door(clock=clock) as door:
        (sid,) = await door.lease(lease_s=10)
        for _ in range(5):
            clock.now += 9
            assert (await door.item("/v1/renew", sid=sid))["sid"] == sid
        longer = await door.item("/v1/renew", sid=sid, lease_s=100)
        clock.now += 99
        again = await door.item("/v1/renew", sid=sid)
        assert again["lease_until"] - longer["lease_until"] == pytest.approx(99)
        clock.now += 101
        assert (await door.item("/v1/renew", sid=sid))["error"]["code"] == "SESSION_EXPIRED"


async def test_abandoned_sessions_make_room_and_are_forgotten() -> None:
    clock = Clock()
    async with open_door(clock=clock, sessions=10, memory_s=60.0) as door:
        sid = ""
        for _ in range(100):
            sid = (await door.lease(count=10, lease_s=5, wait_s=0))[0]
            clock.now += 6
        assert await code_of_step(door, sid) == "SESSION_EXPIRED"
        door.host.store.sweep()
        assert len(door.host.store) == 0 and door.host.store.free == 10
        clock.now += 61
        door.host.store.sweep()
        assert await code_of_step(door, sid) == "SESSION_UNKNOWN"


async def test_a_full_server_is_busy_and_says_when_to_come_back() -> None:
    async with open_door(sessions=2) as door:
        await door.lease(count=2)
        answer = await door.post("/v1/sessions", {"env": "Corridor-v0", "wait_s": 0.05})
        error = error_of(answer)
        assert (answer.status_code, error["code"], error["retryable"]) == (429, "BUSY", True)
        assert error["message"] == "2 of 2 sessions in use"
        assert error["detail"]["retry_after_ms"] == 1500 and answer.headers["Retry-After"] == "2"
        ready = await door.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "full"})


async def test_the_queue_is_first_come_first_served() -> None:
    async with open_door(sessions=2) as door:
        held = await door.lease(count=2)
        served: list[str] = []

        async def wait(name: str, count: int) -> None:
            await door.lease(count=count, wait_s=5)
            served.append(name)

        waiting = [asyncio.create_task(wait("big", 2))]
        await asyncio.sleep(0.1)
        waiting.append(asyncio.create_task(wait("small", 1)))
        await asyncio.sleep(0.1)
        await door.item("/v1/close", sid=held[0])
        await asyncio.sleep(0.1)
        assert served == [], "the small request must not overtake the big one"
        await door.item("/v1/close", sid=held[1])
        await asyncio.wait_for(waiting[0], 5)
        assert served == ["big"]
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert len(door.host.store) == 2 and door.host.store.reserved == 0


async def test_an_expiring_session_lets_the_next_in() -> None:
    clock = Clock()
    async with open_door(clock=clock, sessions=1) as door:
        await door.lease(lease_s=5)
        waiting = asyncio.create_task(door.lease(wait_s=5))
        await asyncio.sleep(0.1)
        clock.now += 6
        door.host.store.sweep()
        assert len(await asyncio.wait_for(waiting, 5)) == 1


async def test_more_sessions_than_the_server_has_are_refused_at_once() -> None:
    async with open_door(sessions=4) as door:
        answer = await door.post("/v1/sessions", {"env": "Corridor-v0", "count": 5})
        assert answer.status_code == 400
        assert "--max-sessions 5" in error_of(answer)["message"]


async def test_a_queue_has_an_end() -> None:
    async with open_door(sessions=1, queued_per_session=1) as door:
        await door.lease()
        first = asyncio.create_task(
            door.post("/v1/sessions", {"env": "Corridor-v0", "wait_s": 0.5})
        )
        await asyncio.sleep(0.1)
        second = await door.post("/v1/sessions", {"env": "Corridor-v0", "wait_s": 30})
        assert second.status_code == 429
        assert (await first).status_code == 429


async def test_a_repeated_lease_gives_the_same_sessions() -> None:
    clock = Clock()
    async with open_door(clock=clock) as door:
        body = {"env": "Corridor-v0", "count": 2}
        first = await door.post("/v1/sessions", body, idempotency_key="k")
        again = await door.post("/v1/sessions", body, idempotency_key="k")
        assert first.json() == again.json() and len(door.host.store) == 2
        other = await door.post("/v1/sessions", {**body, "count": 3}, idempotency_key="k")
        assert (other.status_code, error_of(other)["code"]) == (400, "BAD_REQUEST")
        clock.now += 601
        later = await door.post("/v1/sessions", {**body, "count": 3}, idempotency_key="k")
        assert later.status_code == 201


async def test_a_lease_repeated_while_it_waits_is_served_once() -> None:
    async with open_door(sessions=1) as door:
        (held,) = await door.lease()
        body = {"env": "Corridor-v0", "wait_s": 5}
        twins = [
            asyncio.create_task(door.post("/v1/sessions", body, idempotency_key="k"))
            for _ in range(2)
        ]
        await asyncio.sleep(0.1)
        await door.item("/v1/close", sid=held)
        first, second = await asyncio.gather(*twins)
        assert first.json() == second.json() and len(door.host.store) == 1


async def test_a_lease_whose_answer_was_lost_is_told_again_by_a_server_that_stops() -> None:
    async with open_door() as door:
        body = {"env": "Corridor-v0"}
        first = await door.post("/v1/sessions", body, idempotency_key="k")
        door.host.draining = True
        again = await door.post("/v1/sessions", body, idempotency_key="k")
        assert (again.status_code, again.json()) == (201, first.json())
        other = await door.post("/v1/sessions", body, idempotency_key="other")
        assert (other.status_code, error_of(other)["code"]) == (503, "DRAINING")


async def test_a_refused_lease_may_be_tried_again_under_its_key() -> None:
    async with open_door(sessions=1) as door:
        (held,) = await door.lease()
        body = {"env": "Corridor-v0", "wait_s": 0}
        busy = await door.post("/v1/sessions", body, idempotency_key="k")
        assert busy.status_code == 429
        await door.item("/v1/close", sid=held)
        assert (await door.post("/v1/sessions", body, idempotency_key="k")).status_code == 201


async def test_a_draining_server_leases_nothing_and_plays_on() -> None:
    async with open_door() as door:
        sid = await door.begun()
        door.host.draining = True
        answer = await door.post("/v1/sessions", {"env": "Corridor-v0"})
        assert (answer.status_code, error_of(answer)["code"]) == (503, "DRAINING")
        assert error_of(answer)["retryable"] and answer.headers["Retry-After"] == "1"
        assert await code_of_step(door, sid) == "ok"
        assert (await door.http.get("/readyz")).json() == {"status": "draining"}
        assert (await door.http.get("/healthz")).json() == {"status": "healthy"}
