"""What the host tells the zygote: which layers to put up and what the code may read."""

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Plan", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The layers of one sandbox and the files that stay readable in it."""

    bubblewrap: bool = False
    """The zygote was started by bubblewrap, which has already narrowed its view."""
    namespaces: bool = False
    """Each run has its own user, process, network, IPC, host name and mount namespaces."""
    view: bool = False
    """The zygote builds a root that holds nothing but the library and the packages."""
    landlock: int = 0
    """ABI of Landlock to use; 0: do without."""
    seccomp: bool = False
    """Each run is held to the list of allowed system calls."""
    drop: bool = False
    """The zygote gives up root for nobody."""
    library: tuple[str, ...] = ()
    """Folders of the standard library."""
    covered: tuple[str, ...] = ()
    """Folders inside of them that hold further packages and stay out of sight."""
    packages: tuple[str, ...] = ()
    """Folders of the packages that may be imported."""
    preload: tuple[str, ...] = ()
    """Modules to import before the first run, so that runs get them for nothing."""

    @property
    def level(self) -> int:
        """The level of isolation that these layers make when all of them hold."""
        if not (self.namespaces or self.seccomp or self.bubblewrap):
            return 1
        if not (self.landlock or self.view or self.bubblewrap):
            return 2
        return 4 if self.seccomp else 3

    def to_json(self) -> str:
        """The plan as one word of a command line."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Plan":
        """The plan that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        lists = ("library", "covered", "packages", "preload")
        fields |= {name: tuple(fields[name]) for name in lists}
        return Plan(**fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One run as it crosses to the keeper; the fields are those of the host's `Limits`."""

    code: str
    seconds: float
    cpu_seconds: int
    memory_bytes: int
    output_chars: int
    file_bytes: int
    files: int
    descriptors: int
