"""Whether two texts reach a `difflib` ratio, decided without always computing it.

`difflib` takes the longest common block, then the same to its left and right, and so on; the
ratio is twice the length of all blocks over the length of both texts. Here the largest pending
region goes first, and the search stops once the blocks found suffice or what is left cannot. Long
blocks are read off the runs of equal 16-letter windows; only where none is left, the longest
common subsequence is asked for an upper bound, and then `difflib` itself.
"""

import functools
import heapq
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from .types import IntRows

_WINDOW = 16
_MOST_PAIRS = 50
"""Equal windows per letter beyond which a text is too repetitive for runs."""
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)

Hashes = NDArray[np.uint64]
Region = tuple[int, int, int, int]


def reaches(left: str, right: str, threshold: float) -> bool:
    """Whether `SequenceMatcher(None, left, right, autojunk=False).ratio() >= threshold`."""
    total = len(left) + len(right)
    if left == right:
        return threshold <= 1.0
    runs = _runs(left, right)
    matched, bounded = 0, False
    pending: list[tuple[int, Region]] = []
    possible = _push(pending, (0, len(left), 0, len(right)))
    while pending and 2.0 * matched / total < threshold <= 2.0 * (matched + possible) / total:
        most, region = heapq.heappop(pending)
        possible += most
        block = _longest_in_runs(runs, region)
        if block is None:
            if not bounded and not subsequence_reaches(left, right, threshold):
                return False
            bounded = True
            block = _longest_block(left, right, region)
        i, j, size = block
        if size:
            matched += size
            a, b, c, d = region
            possible += _push(pending, (a, i, c, j)) + _push(pending, (i + size, b, j + size, d))
    return 2.0 * matched / total >= threshold


def subsequence_reaches(left: str, right: str, threshold: float) -> bool:
    """Whether the longest common subsequence, which no set of blocks exceeds, could do.

    Bit-parallel (Hyyro 2004): one bit per letter of `left`, one pass over `right`. The pass ends
    when more letters of `right` are unmatched than may be; matches lie in a band around it.
    """
    need = int(np.ceil(threshold * (len(left) + len(right)) / 2.0 - 1e-9))
    slack, spare = max(len(left) - need, 0), len(right) - need
    places: dict[str, int] = {}
    for i, letter in enumerate(left):
        places[letter] = places.get(letter, 0) | 1 << i
    full = (1 << len(left)) - 1
    open_bits = full
    for count, letter in enumerate(right, start=1):
        hits = open_bits & places.get(letter, 0)
        open_bits = ((open_bits + hits) | (open_bits - hits)) & full
        if count % 128 == 0 or count == len(right):
            band = min(count + slack, len(left))
            common = band - (open_bits & ((1 << band) - 1)).bit_count()
            if count - common > spare:
                return False
    return spare >= 0


def _push(pending: list[tuple[int, Region]], region: Region) -> int:
    """Queue a region, largest first; how many letters it can match at most."""
    most = min(region[1] - region[0], region[3] - region[2])
    if most > 0:
        heapq.heappush(pending, (-most, region))
    return max(most, 0)


def _longest_block(left: str, right: str, region: Region) -> tuple[int, int, int]:
    """Start in each text and length of `difflib`'s longest match in a region."""
    a, b, c, d = region
    match = SequenceMatcher(None, left[a:b], right[c:d], autojunk=False).find_longest_match()
    return a + match.a, c + match.b, match.size


def _longest_in_runs(runs: IntRows, region: Region) -> tuple[int, int, int] | None:
    """The same, where a block of at least a window's length lies in the region."""
    a, b, c, d = region
    shift, start, stop = runs
    first = np.maximum(start, np.maximum(a, c + shift))
    size = np.minimum(stop, np.minimum(b, d + shift)) - first
    longest = int(size.max(initial=0))
    if longest < _WINDOW:
        return None
    hits = np.flatnonzero(size == longest)
    best = hits[np.lexsort((first[hits] - shift[hits], first[hits]))[0]]
    return int(first[best]), int(first[best] - shift[best]), longest


def _runs(left: str, right: str) -> IntRows:
    """Rows (shift, start, stop): left[start:stop] == right[start - shift:stop - shift], maximal.

    Empty where the texts repeat themselves too much. Windows are compared by hashes of 64 bits.
    """
    mine, theirs = _windows(left), _windows(right)
    order = np.argsort(theirs, kind="stable")
    low = np.searchsorted(theirs, mine, side="left", sorter=order)
    count = np.searchsorted(theirs, mine, side="right", sorter=order) - low
    if int(count.sum()) > _MOST_PAIRS * (len(mine) + 1):
        return np.zeros((3, 0), np.int64)
    i = np.repeat(np.arange(len(mine)), count)
    within = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
    shift = i - order[np.repeat(low, count) + within]
    sequence = np.lexsort((i, shift))
    i, shift = i[sequence], shift[sequence]
    fresh = np.append(True, (np.diff(shift) != 0) | (np.diff(i) != 1))[: len(i)]
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(i))[: len(first)] - 1
    return np.stack([shift[first], i[first], i[last] + _WINDOW])


@functools.lru_cache(maxsize=256)
def _windows(text: str) -> Hashes:
    """Hash of every substring of the window's length, wherever it stands."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    count = len(letters)
    if count < _WINDOW:
        return np.zeros(0, np.uint64)
    terms = (letters.astype(np.uint64) + np.uint64(1)) * _powers(_INVERSE, count)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)])
    return (sums[_WINDOW:] - sums[:-_WINDOW]) * _powers(_BASE, count)[: count - _WINDOW + 1]


@functools.lru_cache(maxsize=8)
def _powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)
