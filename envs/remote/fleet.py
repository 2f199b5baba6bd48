"""The servers of a pool: which one takes the next session, and whether they play the same game."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import EpisodeLost, ServerError
from ..wire_answers import EnvInfo
from .station import Station

if TYPE_CHECKING:
    from .seat import RemoteSeat


class Fleet:
    """Stations in the order the user named them."""

    def __init__(self, stations: Sequence[Station]) -> None:
        self.stations = tuple(stations)
        self.rebuilt = 0
        """Episodes that were taken up again by replay or from a snapshot."""
        self.handed_over = 0
        """Episodes that left a server before it stopped."""
        self.env: EnvInfo | None = None
        """What is played, once a server told."""
        self.guests: set[RemoteSeat] = set()
        """Seats that were forked from others; they live as long as the pool."""
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
        """The station for the next session: one that answers, with the most free places.

        Raises `ServerError` when none plays our version.
        """
        now = asyncio.get_running_loop().time()
        chosen = min(
            self.stations,
            key=lambda station: (
                station.misfit is not None,
                station.link.silent,
                station.link.draining,
                station.full_until > now,
                -station.free,
            ),
        )
        if chosen.misfit is not None:
            raise chosen.misfit
        return chosen

    def refuge(self, station: Station) -> bool:
        """Whether another server could take the sessions of this one."""
        return any(
            other is not station and not (other.misfit or other.link.silent or other.link.draining)
            for other in self.stations
        )

    def check(self, station: Station, env: EnvInfo) -> None:
        """Raise `ServerError` unless all servers play the same version of the environment.

        Retryable while others do: the server is avoided until it plays ours again.
        """
        station.misfit = None
        if self.env is None:
            self.env = env
        elif env.version != self.env.version:
            message = (
                f"{station.link.url} plays {env.id} {env.version}, others {self.env.version}; "
                "episodes of one run must come from one version"
            )
            station.misfit = ServerError(message, "VERSION")
            others = any(other.misfit is None for other in self.stations)
            raise ServerError(message, "VERSION", retryable=others)

    def can(self, ability: str) -> bool:
        """Whether the environment has an ability, such as `snapshot`."""
        return self.env is not None and ability in self.env.caps

    def check_replays(self) -> None:
        """Raise `EpisodeLost` for an environment whose episodes cannot be taken up again."""
        if self.env is not None and not self.can("replay"):
            raise EpisodeLost(
                f"the session was lost, and {self.env.id} is not deterministic: "
                "its episode cannot be replayed"
            )
