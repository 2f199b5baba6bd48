"""The seed of each request, a function of what is asked for and never of when it is asked."""

import json
from hashlib import blake2b


def request_seed(
    run_seed: int, iteration: int, task: str, sibling: int, turn: int, attempt: int = 0
) -> int:
    """64 bits that name one attempt at one turn of one sibling; equal in any process."""
    numbers = [int(number) for number in (run_seed, iteration, sibling, turn, attempt)]
    name = json.dumps([task, *numbers]).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
