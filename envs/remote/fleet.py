"""The servers of a pool: which one takes the next session, and whether they play the same game."""

import asyncio
from collections.abc import Sequence

from ..errors import EpisodeLost, ServerError
from ..wire_answers import EnvInfo
from .station import Station


class Fleet:
    """Stations in the order the user named them."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self.stations = tuple(stations)
        self.rebuilt = 0
        """Episodes that were taken up again by replay."""
        self._env: EnvInfo | None = None
        for station in stations:
            station.link.alone = len(self.stations) == 1

    @property
    def alone(self) -> bool:
        """There is nowhere else to go."""
        return len(self.stations) == 1

    async def connect(self, give_up_at: float) -> None:
        """Meet all servers; one that answers is enough.

        Raises the first server's error when none does, and `UnknownEnv` or `ServerError` for one
        that cannot be used.
        """
        met = await asyncio.gather(
            *(station.meet(give_up_at) for station in self.stations), return_exceptions=True
        )
        for station, result in zip(self.stations, met, strict=True):
            if isinstance(result, EnvInfo):
                self.check(station, result)
            elif not (isinstance(result, ServerError) and result.retryable):
                raise result
        faults = [result for result in met if isinstance(result, BaseException)]
        if len(faults) == len(met):
            raise faults[0]

    def choose(self) -> Station:
        """The station for the next session: one that answers, with the most free places."""
        now = asyncio.get_running_loop().time()
        return min(
            self.stations,
            key=lambda station: (
                station.link.silent_until > now,
                station.full_until > now,
                -station.free,
            ),
        )

    def check(self, station: Station, env: EnvInfo) -> None:
        """Raise `ServerError` unless all servers play the same version of the environment."""
        if self._env is None:
            self._env = env
        elif env.version != self._env.version:
            raise ServerError(
                f"{station.link.url} plays {env.id} {env.version}, others {self._env.version}; "
                "episodes of one run must come from one version",
                "VERSION",
            )

    def check_replays(self) -> None:
        """Raise `EpisodeLost` for an environment whose episodes cannot be taken up again."""
        if self._env is not None and "replay" not in self._env.caps:
            raise EpisodeLost(
                f"the session was lost, and {self._env.id} is not deterministic: "
                "its episode cannot be replayed"
            )
