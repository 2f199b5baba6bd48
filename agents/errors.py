"""Errors of the agents room.

GigymError
  TemplateError      a chat template that no dialogue can be built on   exit 2
  AnchorMissing      the environment does not name what was asked for   exit 2
  RecordError        a file of episodes that cannot be read             exit 5
  UnsupportedModel   a model the engine cannot run exactly              exit 2
  EngineClosed       a request after `close`                            exit 70
  StaleWeights       weights changed and nobody pushed them             exit 70
  OutOfOrder         sleep, wake or resume where it cannot come         exit 70
  PushError          a push that the engine cannot take                 exit 70
  EngineError        a server or engine that cannot be used at all      exit 4
"""

from .. import GigymError

__all__ = [
    "AnchorMissing",
    "EngineClosed",
    "EngineError",
    "OutOfOrder",
    "PushError",
    "RecordError",
    "StaleWeights",
    "TemplateError",
    "UnsupportedModel",
]


class TemplateError(GigymError, ValueError):
    """The tokenizer's chat template is absent or cannot carry a dialogue."""

    exit_code = 2


class AnchorMissing(GigymError, LookupError):
    """The environment gives no key of the kind that names states in this rollout."""

    exit_code = 2


class RecordError(GigymError, ValueError):
    """A line of an episode file is not what the schema says."""

    exit_code = 5


class UnsupportedModel(GigymError, ValueError):
    """The model's layers, head or settings are not what the engine can run exactly."""

    exit_code = 2


class EngineClosed(GigymError, RuntimeError):
    """A request came after the engine was closed."""


class StaleWeights(GigymError, RuntimeError):
    """The weights are not those of the last push, so neither caches nor versions hold."""


class OutOfOrder(GigymError, RuntimeError):
    """A call that the engine cannot take in its present state, such as waking the awake."""


class PushError(GigymError, RuntimeError):
    """The engine did not take the new weights, or does not sample with them."""


class EngineError(GigymError, ConnectionError):
    """The engine does not start, or what answers at its address is none that can be used."""

    exit_code = 4
