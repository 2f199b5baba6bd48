"""How many requests a server takes a second: a bucket that fills at a steady rate."""

import time
from collections.abc import Callable

_BURST_S = 10.0


class Bucket:
    """Holds ten seconds' worth of requests; a rate of 0 lets everything through."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s * _BURST_S)
        self._held = self._most
        self._clock = clock
        self._filled = clock()

    def take(self) -> float:
        """Take one request; else the seconds until there is one to take."""
        if not self._per_s:
            return 0.0
        now = self._clock()
        self._held = min(self._most, self._held + (now - self._filled) * self._per_s)
        self._filled = now
        if self._held >= 1.0:
            self._held -= 1.0
            return 0.0
        return (1.0 - self._held) / self._per_s
