"""The crash file: what a report of a bug needs, written where the user can find it."""

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from .. import __version__


def write_crash(error: BaseException, words: Sequence[str]) -> Path:
    """Write versions, the command and the traceback; answers where, `/dev/null` if nowhere."""
    text = "".join(
        [
            f"gigym {__version__}, Python {platform.python_version()}, {platform.platform()}\n",
            f"gigym {' '.join(words)}\n\n",
            *traceback.format_exception(error),
        ]
    )
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (_cache() / "crash", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as failure:
            print(f"cannot write {folder / name}: {failure.strerror}", file=sys.stderr)
            continue
        return folder / name
    return Path(os.devnull)


def _cache() -> Path:
    named = os.environ.get("GIGYM_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(named) if named else Path(home) / "gigym"
