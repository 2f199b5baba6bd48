"""Four times as many clients as sessions: nobody is lost, refusals say when to come back."""

import asyncio
import random
from collections import Counter

import httpx
from raw_http import dial, open_files, request, wait_until

from gigym.servers import HostedEnv, Limits, LocalServer, ServerSpec

SESSIONS, CLIENTS, EPISODES, STEPS = 8, 32, 2, 5
SPEC = ServerSpec(
    envs=(HostedEnv(id="Counting-v0"),),
    port=0,
    imports=("counting_env",),
    limits=Limits(sessions=SESSIONS, connections=SESSIONS, queued_per_session=1),
)
Answers = Counter[int]


async def insist(
    http: httpx.AsyncClient, path: str, tree: object, answers: Answers
) -> httpx.Response:
    """The answer of a server that was asked until it had time."""
    rng = random.Random(path)
    while True:
        answer = await http.post(path, json=tree)
        answers[answer.status_code] += 1
        if answer.status_code not in (429, 503):
            return answer
        error = answer.json()["error"]
        assert error["code"] == "BUSY" and error["retryable"]
        assert int(answer.headers["Retry-After"]) >= 1
        # Told to wait a second and a half; the test would rather press.
        assert error["detail"]["retry_after_ms"] >= 500
        await asyncio.sleep(rng.uniform(0.02, 0.1))


async def play(url: str, answers: Answers) -> int:
    """Steps that were answered, over all episodes of a client."""
    done = 0
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        for _ in range(EPISODES):
            body = {"env": "Counting-v0", "wait_s": 0.05}
            leased = (await insist(http, "/v1/sessions", body, answers)).json()
            item = {"sid": leased["sessions"][0]["sid"]}
            await insist(http, "/v1/reset", {"items": [{**item, "ep": 0, "seed": 1}]}, answers)
            for n in range(STEPS):
                step = {**item, "ep": 1, "n": n, "action": "red"}
                answer = await insist(http, "/v1/step", {"items": [step]}, answers)
                done += "reply" in answer.json()["results"][0]
            await insist(http, "/v1/close", {"items": [item]}, answers)
    return done


async def test_four_times_the_load_is_served_in_turn_and_refused_with_a_time() -> None:
    answers = Answers()
    with LocalServer(SPEC) as server:
        files = open_files(server.pid)
        done = await asyncio.gather(*(play(server.url, answers) for _ in range(CLIENTS)))
        assert set(done) == {EPISODES * STEPS}
        assert set(answers) <= {200, 201, 429, 503} and answers[429] + answers[503] > 0
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            info = (await http.get("/v1/info")).json()
        assert info["free"] == SESSIONS and server.restarts == 0
        await asyncio.to_thread(
            wait_until, lambda: open_files(server.pid) <= files, "connections are closed"
        )


async def test_clients_that_stall_do_not_keep_others_from_playing() -> None:
    spec = ServerSpec(envs=SPEC.envs, port=0, imports=SPEC.imports)
    answers = Answers()
    with LocalServer(spec) as server:
        ask = b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        part = request("POST", "/v1/step", b'{"it', {"Content-Length": "1000"})
        lines = [dial(server.url) for _ in range(200)]
        try:
            for number, line in enumerate(lines):
                line.sendall((b"P", ask[:30], part, ask * 3)[number % 4])
            done = await asyncio.wait_for(
                asyncio.gather(*(play(server.url, answers) for _ in range(4))), 30
            )
            assert set(done) == {EPISODES * STEPS} and set(answers) == {200, 201}
        finally:
            for line in lines:
                line.close()
