"""Errors of the environments room, sorted by the border they belong to.

GigymError
  UnknownEnv, UnknownTask        a name that is not there        exit 2
  BadOption                      an option or value refused      exit 2
  GameFileError                  a game file that does not parse exit 5
  EpisodeError                   step before reset, after end    exit 7
  EnvCodeError                   the environment's code raised   exit 7
  EnvTimeout                     it did not answer in time       exit 7
  WorkerLost                     its process died                exit 7
  CheckFailed                    check_env found something       exit 1
  EngineFailed                   an engine's own process failed  exit 7
  Unsupported                    an ability the env lacks        exit 2
  MissingExtra                   an optional part is absent      exit 3
  DataMissing                    data that was not fetched yet   exit 3
  CannotStore                    no room, or no right to write   exit 3
  DataDamaged                    fetched data that is not right  exit 5
  DownloadFailed                 no source gave the file         exit 4
  ServerError                    the server answered an error    exit 4
    ServerUnreachable            no answer within the deadline   exit 4
    EpisodeLost                  the session is gone for good    exit 4

A plug-in that cannot be loaded is no error but a warning, `BrokenPlugin`.
"""

import importlib.util
from collections.abc import Iterable

from .. import GigymError

__all__ = [
    "BadOption",
    "CannotStore",
    "DataDamaged",
    "DataMissing",
    "DownloadFailed",
    "EngineFailed",
    "EnvCodeError",
    "EnvTimeout",
    "EpisodeError",
    "EpisodeLost",
    "GameFileError",
    "MissingExtra",
    "ServerError",
    "ServerUnreachable",
    "UnknownEnv",
    "UnknownTask",
    "Unsupported",
    "WorkerLost",
    "need",
]


class UnknownEnv(GigymError, LookupError):
    """No environment is registered under this id."""

    exit_code = 2


class UnknownTask(GigymError, LookupError):
    """The environment has no such task or game."""

    exit_code = 2


class BadOption(GigymError, ValueError):
    """An option does not exist or its value is not accepted."""

    exit_code = 2


class GameFileError(GigymError, ValueError):
    """A game file or pack cannot be read."""

    exit_code = 5


class EpisodeError(GigymError, RuntimeError):
    """A call that does not fit the episode: step before reset, step after the end."""

    exit_code = 7


class EnvCodeError(GigymError, RuntimeError):
    """Code of an environment raised; the message names its type and text."""

    exit_code = 7


class EngineFailed(GigymError, RuntimeError):
    """An engine that runs in a process of its own died, hung or raised."""

    exit_code = 7


class EnvTimeout(GigymError, TimeoutError):
    """An environment did not answer within its deadline."""

    exit_code = 7


class WorkerLost(GigymError, RuntimeError):
    """The process of an environment died, and its episode could not be taken up again."""

    exit_code = 7


class CheckFailed(GigymError, AssertionError):
    """`check_env` found something; the message holds the findings."""

    exit_code = 1


class BrokenPlugin(UserWarning):
    """A plug-in of the entry-point group `gigym.envs` could not be loaded."""


class Unsupported(GigymError, RuntimeError):
    """The environment lacks the ability that was asked for."""

    exit_code = 2


class MissingExtra(GigymError, ImportError):
    """An optional package is not installed; the message holds the install line."""

    exit_code = 3


class DataMissing(GigymError, LookupError):
    """Data that the user has to fetch is not there; the message holds the command."""

    exit_code = 3


class CannotStore(GigymError, OSError):
    """A folder cannot take a download: no room, no permission, or another download in it."""

    exit_code = 3


class DataDamaged(GigymError, ValueError):
    """Fetched data is not what it must be: another hash, a hostile archive, a torn file."""

    exit_code = 5


class DownloadFailed(GigymError, ConnectionError):
    """No source gave the file that was asked for."""

    exit_code = 4


class ServerError(GigymError, RuntimeError):
    """The env server refused a call; `code` is the protocol's error code."""

    exit_code = 4

    def __init__(self, message: str, code: str = "INTERNAL", retryable: bool = False) -> None:
        super().__init__(message, code, retryable)
        self.code = code
        self.retryable = retryable

    def __str__(self) -> str:
        return str(self.args[0])


class ServerUnreachable(ServerError, ConnectionError):
    """The env server did not answer within the deadline."""


class EpisodeLost(ServerError):
    """The session behind an episode is gone and could not be replayed."""


def need(module: str, extra: str) -> None:
    """Raise `MissingExtra` with the install line unless `module` can be imported."""
    if importlib.util.find_spec(module) is None:
        raise MissingExtra(
            f"{module} is not installed; it comes with the extra {extra!r}: "
            f"pip install 'gigym[{extra}]'"
        )


def near(name: str, known: Iterable[str]) -> str:
    """The sentence of an error that names what was probably meant; empty where nothing is near."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {found[0]!r}?" if found else ""
