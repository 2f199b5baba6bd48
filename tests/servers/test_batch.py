"""Results that are on their way: in the order of items as a document, as they come as lines."""

import asyncio
import json

from gigym.envs.wire import BadItem, Code, SidItem
from gigym.servers.batch import Act, Result, as_document, as_lines, run_items, settled
from gigym.servers.errors import WireFault
from gigym.servers.watch import Watch

ITEMS = [SidItem(sid=name) for name in ("slow", "here", "soon", "bad", "slow")]


class Counted(Watch):
    def __init__(self) -> None:
        self.codes: list[str] = []

    def refused(self, code: str) -> None:
        self.codes.append(code)


async def late(name: str, gate: asyncio.Event | None) -> bytes:
    if gate is not None:
        await gate.wait()
    if name == "bad":
        raise WireFault(Code.TIMEOUT, "too slow")
    return b'{"sid":"%s"}' % name.encode()


def acting(gate: asyncio.Event) -> Act[SidItem]:
    """`slow` waits for the gate, `here` is there at once, the others after a turn of the loop."""

    def act(item: SidItem) -> Result:
        if item.sid == "here":
            return b'{"sid":"here"}'
        return late(item.sid, gate if item.sid == "slow" else None)

    return act


async def test_lines_are_written_as_results_come_and_none_waits_for_a_slow_neighbour() -> None:
    gate, watch = asyncio.Event(), Counted()
    lines = as_lines(run_items(ITEMS, acting(gate), watch))
    first = [json.loads(await anext(lines)) for _ in range(4)]
    assert [line["i"] for line in first] == [1, 4, 2, 3]
    assert first[3]["error"]["code"] == "TIMEOUT" and first[3]["sid"] == "bad"
    assert watch.codes == ["BAD_ITEM", "TIMEOUT"]
    gate.set()
    assert [json.loads(line)["i"] async for line in lines] == [0]


async def test_a_document_keeps_the_order_of_the_items() -> None:
    gate = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, gate.set)
    items = [*ITEMS, BadItem(sid=None, message="broken")]
    results = json.loads(await as_document(run_items(items, acting(gate))))["results"]
    assert [result["sid"] for result in results] == ["slow", "here", "soon", "bad", "slow", None]


async def test_a_reader_that_leaves_takes_no_result_from_its_session() -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def work() -> bytes:
        await gate.wait()
        done.set()
        raise WireFault(Code.ENV_ERROR, "nobody hears it")

    results = run_items(ITEMS[:2], lambda item: work() if item.sid == "slow" else b"{}")
    assert await anext(results) == (1, b"{}")
    await results.aclose()
    gate.set()
    await asyncio.wait_for(done.wait(), 5)
    assert await settled(b"{}") == b"{}"
