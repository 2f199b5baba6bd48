"""A TextWorld game file as a Gymnasium environment of text, for `wrap`.

`.z1` to `.z8` files, as `tw-make` writes them, with the `.json` of the game beside: without it
nobody knows the score, the end, the admissible commands and the facts. Reward is the change of the
score. The status line that the interpreter appends to every text is cut off: it counts moves, so
that no text would come twice.

The interpreter runs in this process. Commands of the interpreter itself, which would write files or
end the game, are no actions, and a command is one line of printable ASCII.
"""

import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium

from ..errors import GameFileError, need
from ..spaces import UnicodeText
from ..types import JsonValue

_SUFFIX = re.compile(r"\.z[1-8]")
_STATUS = re.compile(r"\s*\n>[^\n]*\Z")
_LONGEST = 200
_REFUSED = "Nothing happens."
_INTERPRETERS = re.compile(
    r"(?:^|[.,;]|\bthen\b)\s*(?:"
    r"q|quit|restart|save|restore|undo|oops|(?:un|no|tran)?script|verify|version|record\w*|replay|"
    r"notify|pronouns|(?:super)?brief|verbose|(?:full)?score|full|trace|actions|rules|showme|"
    r"purloin|abstract|gonear|random|relations|responses|scenes|show(?:heap|verb)|tree|timers|"
    r"routines|messages|changes|goto|tw-\S*)(?!\w)",
    re.IGNORECASE,
)
"""What speaks to the interpreter or its debugger, not to the world; a line may hold several."""


class TextWorldGame(gymnasium.Env[str, str]):
    """One game; seeds change nothing, a game file starts in one state."""

    def __init__(self, path: Path) -> None:
        self.observation_space = UnicodeText()
        self.action_space = UnicodeText()
        self._game = _started(path)
        self._state: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """The opening text."""
        super().reset(seed=seed)
        self._state = self._game.reset()
        return _told(self._state), self._info()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """One command; what is none of the world's leaves everything as it is."""
        command = " ".join(action[: 2 * _LONGEST].split())
        odd = len(command) > _LONGEST or not (command.isascii() and command.isprintable())
        if odd or not command or _INTERPRETERS.search(command):
            return _REFUSED, 0.0, False, False, self._info()
        before = self._score()
        self._state, _, done = self._game.step(command)
        ended = bool(done or self._state.won or self._state.lost)
        return _told(self._state), self._score() - before, ended, False, self._info()

    def close(self) -> None:
        """End the interpreter."""
        self._game.close()

    def facts(self) -> JsonValue:
        """The state as the game knows it: its facts and the score."""
        held: list[JsonValue] = [*sorted({str(fact) for fact in self._state.facts})]
        return [held, self._score()]

    def _score(self) -> float:
        return float(self._state.score or 0)

    def _info(self) -> dict[str, Any]:
        state = self._state
        commands = sorted(state.admissible_commands)
        return {"won": bool(state.won), "score": self._score(), "admissible_commands": commands}


def game_at(path: Path) -> TextWorldGame:
    """Open a game file. Raises `GameFileError`, or `MissingExtra` without TextWorld."""
    if not path.is_file():
        raise GameFileError(f"no game at {str(path)!r}; give a file that tw-make wrote")
    if not _SUFFIX.fullmatch(path.suffix):
        hint = "; ALFWorld's games: gigym.make('ALFWorld-v0', games=PATH)"
        raise GameFileError(
            f"{path.name}: wrap plays .z1 to .z8 files, got {path.suffix!r}"
            f"{hint if path.suffix == '.tw-pddl' else ''}"
        )
    if not path.with_suffix(".json").is_file():
        raise GameFileError(
            f"{path.name} lacks {path.stem}.json beside it, which tells its score and its end; "
            "tw-make writes both"
        )
    need("textworld", "alfworld")
    return TextWorldGame(path)


def _started(path: Path) -> Any:  # noqa: ANN401
    """TextWorld's own environment over the file; TextWorld is imported here alone."""
    textworld = import_module("textworld")
    names = ("won", "lost", "score", "facts", "admissible_commands")
    try:
        with warnings.catch_warnings():
            # its interpreter warns of every game that is none of the classics it was made for
            warnings.simplefilter("ignore")
            return textworld.start(str(path), textworld.EnvInfos(**dict.fromkeys(names, True)))
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise GameFileError(f"{path}: TextWorld cannot open it ({cause:.200})") from None


def _told(state: Any) -> str:  # noqa: ANN401
    return _STATUS.sub("", str(state.feedback)).strip()
