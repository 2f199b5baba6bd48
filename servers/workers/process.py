"""A worker process: sessions by name, told what to do by a server over stdin and stdout.

It ends when its pipe closes or its parent is gone, whichever shows first. What environments print
goes to stderr, and what they read from stdin is empty, so that neither mixes with the protocol.
"""

import functools
import importlib
import json
import signal
import traceback
from typing import Any

from ...envs.child import card_of, end_with_parent, own_streams
from ...envs.registry import register, registered
from ...envs.wire import Code, ResetItem, RestoreItem, SidItem, StepItem
from ..errors import WireFault
from ..parent import die_with_parent
from ..playing import Player, built
from ..sessions import Session
from ..spec import HostedEnv, Limits
from .frames import Build, Fork, Head, Recorder, Verb, answer_line, fault_text, read_call

_DONE = b"{}"
_ITEMS: dict[Verb, type[SidItem]] = {
    "build": Build,
    "reset": ResetItem,
    "restore": RestoreItem,
    "step": StepItem,
    "snapshot": SidItem,
    "fork": Fork,
    "view": SidItem,
    "end": SidItem,
}


def main() -> None:
    """Serve until the server closes the pipe."""
    die_with_parent()
    end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A service manager may signal all processes of the server, which has yet to drain. A
        # handler, unlike SIG_IGN, is not passed on to what environments start.
        signal.signal(number, _unheard)
    told, said = own_streams()
    hall = Hall()
    for line in told:
        said.write(hall.answer(line))
        said.flush()
    hall.close()


class Hall:
    """The sessions of a worker process."""

    def __init__(self) -> None:
        self._limits = Limits()
        self._sessions: dict[str, Session] = {}
        self._recorder = Recorder()

    def answer(self, line: bytes) -> bytes:
        """Do what a call says; the answer as a line."""
        verb, number, body = read_call(line)
        item = None if verb == "setup" else _ITEMS[verb].model_validate_json(body)
        try:
            result, ok = self._set_up(body) if item is None else self._do(item, verb), True
        except WireFault as fault:
            result, ok = fault_text(fault).encode("ascii"), False
        except Exception as bug:
            traceback.print_exc()
            message = f"internal error ({type(bug).__name__}); the server's log has the traceback"
            result, ok = fault_text(WireFault(Code.INTERNAL, message)).encode("ascii"), False
        session = self._sessions.get(item.sid) if item is not None else None
        head = Head(
            number=number,
            ok=ok,
            standing=session and session.standing(),
            events=self._recorder.take(),
        )
        return answer_line(head, result)

    def close(self) -> None:
        """End all sessions."""
        for session in self._sessions.values():
            session.end()

    def _do(self, item: SidItem, verb: Verb) -> bytes:
        if isinstance(item, Build):
            return self._build(item)
        if verb == "end":
            return self._end(item)
        session = self._sessions.get(item.sid)
        if session is None:
            raise WireFault(Code.SESSION_UNKNOWN, "no such session in this worker")
        match item:
            case StepItem():
                return session.step(item, self._limits.action_bytes)
            case ResetItem():
                return session.reset(item)
            case RestoreItem():
                return session.restore(item)
            case Fork():
                twins = session.fork(item.sids)
                self._sessions.update({twin.sid: twin for twin in twins})
                return _DONE
            case _:
                return session.snapshot() if verb == "snapshot" else session.view()

    def _set_up(self, body: bytes) -> bytes:
        tree: dict[str, Any] = json.loads(body)
        self._limits = Limits(**tree["limits"])
        for module in tree["imports"]:
            _import(module)
        known = {card.id for card in registered()}
        for card, entry_point in tree["envs"]:
            if card["id"] not in known:
                register(card_of(card), entry_point)
        return _DONE

    def _build(self, item: Build) -> bytes:
        build = functools.partial(built, HostedEnv(id=item.env, options=item.options))
        session = Session(item.sid, Player(build, self._limits), self._recorder)
        try:
            session.revive(item.past())
        except BaseException:
            session.end()
            raise
        self._sessions[item.sid] = session
        # Watchers heard of all this when it happened first.
        self._recorder.take()
        return _DONE

    def _end(self, item: SidItem) -> bytes:
        session = self._sessions.pop(item.sid, None)
        if session is not None:
            session.end()
        return _DONE


def _unheard(number: int, frame: object) -> None:
    """A signal that changes nothing."""


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except Exception as error:
        raise WireFault(Code.INTERNAL, f"it cannot import {module!r}: {error}") from error


if __name__ == "__main__":
    main()
