"""Errors of the trainer room.

GigymError
  ConfigError        the recipe or an override is wrong       exit 2
  RunExists          the run directory is taken               exit 2
  CheckpointError    a checkpoint is torn or does not fit     exit 5
  LearnerError       the update cannot go on                  exit 70
  Interrupted        stopped by a signal, state saved         exit 130
    Terminated       that signal was SIGTERM                  exit 0
"""

from .. import GigymError

__all__ = [
    "CheckpointError",
    "ConfigError",
    "Interrupted",
    "LearnerError",
    "RunExists",
    "Terminated",
    "TooManyFailures",
]


class ConfigError(GigymError, ValueError):
    """The configuration is wrong; the message lists every fault found, one per line."""

    exit_code = 2


class RunExists(GigymError, FileExistsError):
    """The run directory already holds a run."""

    exit_code = 2


class CheckpointError(GigymError, ValueError):
    """A checkpoint is missing, torn or of another run."""

    exit_code = 5


class TooManyFailures(GigymError, RuntimeError):
    """More episodes were lost to infrastructure than the run allows."""

    exit_code = 6


class LearnerError(GigymError, ArithmeticError):
    """Training cannot go on: gradients stayed non-finite."""

    exit_code = 70


class Interrupted(GigymError, KeyboardInterrupt):
    """The run was stopped by a signal after its state was saved."""

    exit_code = 130


class Terminated(Interrupted):
    """The run was asked to end by SIGTERM and ended in order; whoever sent it expects code 0."""

    exit_code = 0
