"""Where fetched data lies: `$GIGYM_DATA`, else `gigym` under the user's data directory."""

import os
from pathlib import Path

from ..errors import DataMissing

OFFICIAL = "official"
"""The value of an option that means the data which `gigym download` fetched."""
SHOPS = ("small", "full")
"""Values of the option `products` that mean the catalogues which `gigym download` fetched."""
STORE = "store"
"""The folder of a converted catalogue, below that of its size."""
MANIFEST = "manifest.json"
"""Written last: a folder without it holds nothing finished."""


def data_home() -> Path:
    """The folder of all fetched data; it need not exist."""
    if named := os.environ.get("GIGYM_DATA"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "gigym"


def alfworld_folder() -> Path:
    """Where the packs of the official ALFWorld games lie."""
    return data_home() / "alfworld"


def webshop_folder(size: str) -> Path:
    """Where the store of the `small` or `full` WebShop catalogue lies."""
    return data_home() / "webshop" / size


def official_games() -> Path:
    """The folder of the official ALFWorld games. Raises `DataMissing` before they are fetched."""
    return _finished(alfworld_folder(), "the official ALFWorld games", "alfworld")


def official_shop(size: str) -> Path:
    """The store of a WebShop catalogue. Raises `DataMissing` before it is fetched."""
    what, command = f"the files of the {size} WebShop catalogue", f"webshop --{size}"
    return _finished(webshop_folder(size), what, command) / STORE


def _finished(folder: Path, what: str, command: str) -> Path:
    if not (folder / MANIFEST).is_file():
        raise DataMissing(
            f"{what} are not in {folder}; fetch them once with: gigym download {command}"
        )
    return folder
