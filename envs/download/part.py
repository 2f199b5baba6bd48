"""A file that is not whole yet: `NAME.part`, and beside it where its bytes came from.

`NAME.part.json` holds the URL and the validator that the server gave. With them a later run asks
for the rest only if the server still has the same content.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from .folder import write_whole

_KEYS = ("url", "validator")


class Part:
    """The part of a file that is here."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._origin = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def validator(self, url: str) -> str:
        """What the server of this URL called the bytes that are here; empty if it did not."""
        try:
            tree: object = json.loads(self._origin.read_bytes())
        except (OSError, ValueError, RecursionError):
            return ""
        if not isinstance(tree, dict):
            return ""
        found = [cast("dict[str, object]", tree).get(key) for key in _KEYS]
        return str(found[1]) if found[0] == url else ""

    def at(self, start: int) -> BinaryIO:
        """Open for appending at `start`; what lies beyond is dropped."""
        self.path.touch()
        os.truncate(self.path, start)
        return self.path.open("ab")

    def came_from(self, url: str, validator: str) -> None:
        """Keep where the bytes come from; called before they are written."""
        write_whole(self._origin, json.dumps({"url": url, "validator": validator}).encode())

    def drop(self) -> None:
        """Forget all of it."""
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def finish(self) -> None:
        """The part is the file from here on; it is on the disk when it gets its name."""
        with self.path.open("rb") as stream:
            os.fsync(stream.fileno())
        self.path.replace(self._target)
        with suppress(FileNotFoundError):
            self._origin.unlink()
