"""The published OpenAPI says what the server does: routes, bodies, answers, refusals."""

from dataclasses import replace

import httpx
from http_door import SPEC, Door, Tree, open_door
from openapi_fit import misfits

from gigym.envs.wire import Code
from gigym.servers.errors import STATUS


async def conversation(door: Door) -> list[httpx.Response]:
    """An answer of every route, successes and refusals."""
    leased = await door.post("/v1/sessions", {"env": "Corridor-v0", "count": 2})
    sid, other = (session["sid"] for session in leased.json()["sessions"])
    reset = {"items": [{"sid": sid, "ep": 0, "seed": 1}, {"sid": "s-none", "ep": 0, "seed": 1}]}
    step = {"items": [{"sid": sid, "ep": 1, "n": 0, "action": "east"}]}
    answers = [leased, await door.post("/v1/reset", reset)]
    answers += [await door.post("/v1/step", step) for _ in range(2)]
    snapshot = await door.post("/v1/snapshot", {"items": [{"sid": sid}, {"sid": other}]})
    held = snapshot.json()["results"][0]["snapshot"]
    answers += [snapshot, await door.http.get(f"/v1/sessions/{sid}")]
    for path, item in (
        ("/v1/restore", {"sid": other, "snapshot": held}),
        ("/v1/fork", {"sid": sid, "count": 1}),
        ("/v1/renew", {"sid": sid}),
        ("/v1/close", {"sid": sid}),
    ):
        answers.append(await door.post(path, {"items": [item, {"sid": 7}]}))
    answers.append(await door.post("/v1/sessions", {"env": "Nowhere-v0"}))
    answers.append(await door.http.get("/v1/sessions/s-none"))
    answers += [await door.http.get(path) for path in ("/healthz", "/readyz", "/v1/info")]
    return answers


def route_of(answer: httpx.Response) -> tuple[str, str]:
    path = answer.request.url.path
    return ("/v1/sessions/{sid}" if path.startswith("/v1/sessions/") else path), (
        answer.request.method.lower()
    )


async def native_part(door: Door) -> Tree:
    """The document without OpenEnv's routes, which test_openenv_openapi.py looks at."""
    published: Tree = (await door.http.get("/openapi.json")).json()
    published["paths"] = {
        path: methods
        for path, methods in published["paths"].items()
        if not any("OpenEnv" in method.get("tags", ()) for method in methods.values())
    }
    return published


async def test_every_answer_is_documented_to_the_field() -> None:
    async with open_door() as door:
        published = await native_part(door)
        seen: set[str] = set()
        for answer in await conversation(door):
            path, method = route_of(answer)
            seen.add(path)
            responses = published["paths"][path][method]["responses"]
            family = f"{answer.status_code // 100}XX"
            documented = responses.get(str(answer.status_code), responses.get(family))
            assert documented is not None, (path, answer.status_code)
            schema = documented["content"]["application/json"]["schema"]
            assert misfits(answer.json(), schema, published) == [], path
        assert seen == set(published["paths"]) - {"/metrics", "/v1/events"}, "those are no JSON"


async def test_the_document_promises_no_status_of_the_framework() -> None:
    async with open_door() as door:
        published = await native_part(door)
        assert published["info"]["version"] == "1.0.0"
        for path, methods in published["paths"].items():
            for method in methods.values():
                assert "422" not in method["responses"], path
                assert method["description"], path
        assert "HTTPValidationError" not in published["components"]["schemas"]


async def test_what_worker_processes_do_to_whole_requests_is_published() -> None:
    async with open_door() as door:
        paths = (await native_part(door))["paths"]
        for method in (paths["/v1/sessions"]["post"], paths["/v1/sessions/{sid}"]["get"]):
            for code in (Code.WORKER_LOST, Code.TIMEOUT):
                assert str(STATUS[code]) in method["responses"]


async def test_a_token_is_published_where_one_is_needed() -> None:
    async with open_door(replace(SPEC, token="t")) as door:
        published = await native_part(door)
        secured = {
            path
            for path, methods in published["paths"].items()
            if all("security" in method for method in methods.values())
        }
        assert set(published["paths"]) - secured == {"/healthz", "/readyz", "/v1/info"}
