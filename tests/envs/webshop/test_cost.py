"""What a shop and its sessions cost; generous limits, since machines and their load differ."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping

from small_shop import SHIRT_GOAL, TO_THE_SHIRT

from gigym.envs.webshop import Shelf, WebShopEnv


def test_a_thousand_products_and_sessions_stay_small(real_files: Mapping[str, str]) -> None:
    code = (
        "import json, sys; from gigym.bench.webshop import memory_report; "
        "print(json.dumps(memory_report(json.loads(sys.argv[1]), 200)))"
    )
    command = [sys.executable, "-c", code, json.dumps(dict(real_files))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    report = json.loads(done.stdout)
    assert report["process_mb"] <= 150
    assert report["session_kb"] <= 50


def test_a_step_without_search_takes_less_than_a_third_of_a_millisecond(shop: Shelf) -> None:
    env = WebShopEnv(products=shop)
    env.start(0, {"task": SHIRT_GOAL.id})
    for action in TO_THE_SHIRT:
        env.answer(action)
    seconds: list[float] = []
    for _ in range(300):
        twin = env.fork()[0]
        started = time.perf_counter()
        twin.step("click[light blue]")
        seconds.append(time.perf_counter() - started)
    assert statistics.median(seconds) < 0.0003


def test_environments_share_one_shop(real_files: Mapping[str, str]) -> None:
    products, instructions = real_files["products"], real_files["instructions"]
    first, second = (
        WebShopEnv(products=products, instructions=instructions, split=split)
        for split in ("train", "test")
    )
    assert first.shop is second.shop
    assert WebShopEnv().shop is WebShopEnv(reward="score").shop


def test_listing_environments_loads_no_shop() -> None:
    code = (
        "import sys, gigym; gigym.list_envs(); "
        "heavy = {'bm25s', 'Stemmer', 'rapidfuzz', 'gigym.envs.webshop'} & {*sys.modules}; "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
