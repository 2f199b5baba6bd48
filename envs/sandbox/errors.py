"""Errors of the sandbox: too weak for what is asked, or broken on our side."""

from ... import GigymError

__all__ = ["SandboxFailed", "SandboxTooWeak"]


class SandboxTooWeak(GigymError, RuntimeError):
    """The host cannot isolate code to the required level; nothing was run."""

    exit_code = 3

    def __init__(self, message: str, level: int = 0, required_level: int = 3) -> None:
        super().__init__(message, level, required_level)
        self.level = level
        self.required_level = required_level

    def __str__(self) -> str:
        return str(self.args[0])


class SandboxFailed(GigymError, RuntimeError):
    """The sandbox itself failed, local or remote; says nothing about the code."""

    exit_code = 4
