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


def wire_seed(seed: int | None) -> int | None:
    """The same 64 bits as the signed number that vLLM's wire format has room for."""
    return seed - (1 << 64) if seed is not None and seed >= 1 << 63 else seed


def seed_from_wire(seed: int | None) -> int | None:
    """What `wire_seed` was given."""
    return seed + (1 << 64) if seed is not None and seed < 0 else seed
