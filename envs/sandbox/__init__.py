"""Runs Python code of unknown intent, layer upon layer, or refuses where the layers are missing.

`local_sandbox(required_level)` gives a `Sandbox` on this machine or raises `SandboxTooWeak`;
`RemoteSandbox(url)` sends code to a SandboxFusion-compatible server; `probe()` says what is here.
"""

from typing import TYPE_CHECKING

from .errors import SandboxFailed, SandboxTooWeak
from .types import Limits, Outcome, Report, Row, Sandbox, Status

if TYPE_CHECKING:
    from .local import LocalSandbox
    from .remote import RemoteSandbox, Traffic
    from .strength import local_sandbox, probe

__all__ = [
    "Limits",
    "LocalSandbox",
    "Outcome",
    "RemoteSandbox",
    "Report",
    "Row",
    "Sandbox",
    "SandboxFailed",
    "SandboxTooWeak",
    "Status",
    "Traffic",
    "local_sandbox",
    "probe",
]

_HOME = {
    "LocalSandbox": "local",
    "local_sandbox": "strength",
    "probe": "strength",
    "RemoteSandbox": "remote",
    "Traffic": "remote",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOME[name]}", __name__), name)
