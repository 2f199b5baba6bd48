"""What an engine may be asked next: paused or not, asleep or awake, with weights it trusts or not.

Plain bookkeeping shared by all engines; every call out of order raises before anything is touched.

    sleep(1) -> wake                       weights are kept
    sleep(2) -> wake(weights) -> push -> wake(kv_cache)      weights are dropped
"""

from .engine import Health, PauseMode
from .errors import EngineClosed, OutOfOrder, StaleWeights

TAGS = ("weights", "kv_cache")
"""What wakes apart from the rest."""


class Lifecycle:
    """The state of one engine."""

    def __init__(self, levels: tuple[int, ...], version: str = "0") -> None:
        self.version = version
        """The weights that answer."""
        self.pause_mode: PauseMode | None = None
        """How the engine was paused; None while it runs."""
        self.closed = False
        self._levels = levels
        self._asleep: set[str] = set()
        self._fault = ""

    @property
    def asleep(self) -> bool:
        """Whether anything of it sleeps."""
        return bool(self._asleep)

    @property
    def fault(self) -> str:
        """Why its weights cannot be trusted; empty while they can."""
        return self._fault

    def health(self, detail: str, *, up: bool = True) -> Health:
        """Whether the engine would answer; `detail` is told while its weights can be trusted."""
        return Health(
            ok=up and not (self.closed or self.asleep or self._fault),
            detail=self._fault or detail,
            weight_version=self.version,
            paused=self.pause_mode is not None,
            asleep=self.asleep,
        )

    def check_open(self, what: str) -> None:
        """Raise `EngineClosed` after `close`."""
        if self.closed:
            raise EngineClosed(f"cannot {what}: the engine is closed; make another one")

    def check_generate(self) -> None:
        """Raise where no request may come: closed, asleep, dirty."""
        self.check_open("generate")
        if self._asleep:
            raise OutOfOrder("the engine is asleep; await wake() before generate()")
        if self._fault:
            raise StaleWeights(f"{self._fault}; a push that succeeds makes the engine usable again")

    def check_push(self, version: str) -> None:
        """Raise where no weights can be taken: closed, or weights asleep."""
        self.check_open(f"push version {version!r}")
        if "weights" in self._asleep:
            raise OutOfOrder(
                f"cannot push version {version!r}: the weights are asleep; "
                'await wake(("weights",)) first'
            )

    def pushed(self, version: str) -> None:
        """The weights are those of `version` from here on."""
        self.version, self._fault = version, ""

    def distrust(self, fault: str) -> None:
        """Refuse requests until a push succeeds."""
        self._fault = fault

    def sleep(self, level: int) -> None:
        """Fall asleep."""
        self.check_open("sleep")
        if self._asleep:
            raise OutOfOrder("the engine is asleep already")
        if level not in self._levels:
            levels = ", ".join(map(str, self._levels)) or "no level"
            raise OutOfOrder(f"cannot sleep at level {level}: this engine knows {levels}")
        self._asleep = set(TAGS)
        if level > 1:
            self.distrust(f"sleep({level}) dropped the weights")

    def wake(self, tags: tuple[str, ...] | None) -> None:
        """Wake what the tags name, or everything."""
        self.check_open("wake")
        if not self._asleep:
            raise OutOfOrder("the engine is awake; sleep() comes before wake()")
        wanted = set(TAGS if tags is None else tags)
        if not wanted <= set(TAGS):
            raise ValueError(f"tags must be among {', '.join(TAGS)}, got {tags}")
        if "kv_cache" in wanted and "weights" not in wanted:
            self._check_weights_are_back()
        self._asleep -= wanted

    def resume(self) -> None:
        """Run again."""
        self.check_open("resume")
        if self._asleep:
            raise OutOfOrder("the engine is asleep; await wake() before resume()")
        self.pause_mode = None

    def _check_weights_are_back(self) -> None:
        if "weights" in self._asleep or self._fault:
            raise OutOfOrder(
                'cannot wake the cache yet; the order is wake(("weights",)), push_weights, '
                'wake(("kv_cache",))'
            )
