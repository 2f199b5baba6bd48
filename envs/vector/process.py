"""Environments in worker processes, several to a worker.

A worker that dies is replaced, and the episodes it held are played again from their seeds and
actions; the step that was under way is tried once more. An environment that is overdue, or that
ends its worker twice in a row, fails alone.
"""

import weakref
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ... import GigymError
from .. import errors
from ..base import reply_of
from ..errors import BadOption, EnvCodeError, EnvTimeout, WorkerLost
from ..registry import card, entry_point_of
from ..types import Options, Reply
from .channel import Channel, Job, converse, dismiss
from .crew import Answer, CrewSpec, Start

_TRIES = 2


@dataclass(slots=True, kw_only=True)
class Past:
    """What it takes to play an episode again."""

    start: Start
    actions: list[str]
    last: Reply


class ProcessCrew:
    """See the module docstring."""

    def __init__(self, env_id: str, each: Sequence[Options], workers: int, spec: CrewSpec) -> None:
        self._card, self._entry_point = card(env_id), entry_point_of(env_id)
        if self._entry_point.startswith("__main__:"):
            raise BadOption(
                f"{env_id} is defined in the main script, which worker processes cannot import; "
                "put it into a module, or use backend='sync'"
            )
        self._each, self._spec = tuple(each), spec
        self._teams = [range(first, len(each), workers) for first in range(workers)]
        self._channels: dict[int, Channel] = {}
        self._pasts: dict[int, Past] = {}
        self._end = weakref.finalize(self, _dismiss, self._channels)
        try:
            for i, answer in self._hire(range(workers)).items():
                if isinstance(answer, Exception):
                    answer.args = (f"environment {i}: {answer}",)
                    raise answer
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers."""
        return tuple(channel.pid for channel in self._channels.values())

    def start(self, starts: Mapping[int, Start]) -> dict[int, Answer]:
        """Begin episodes."""
        for i in starts:
            self._pasts.pop(i, None)
        items = {i: [start.seed, dict(start.options)] for i, start in starts.items()}
        answers = self._ask("start", items, self._spec.reset_s)
        for i, answer in answers.items():
            if isinstance(answer, Reply):
                self._pasts[i] = Past(start=starts[i], actions=[], last=answer)
        return answers

    def answer(self, actions: Mapping[int, str]) -> dict[int, Answer]:
        """Apply actions."""
        return self._ask("answer", {i: [text] for i, text in actions.items()}, self._spec.step_s)

    def close(self) -> None:
        """End the workers."""
        self._end()

    def _ask(self, verb: str, items: Mapping[int, list[Any]], seconds: float) -> dict[int, Answer]:
        """Ask until every environment answered or is given up."""
        if not self._end.alive:
            raise WorkerLost("the vector environment is closed")
        answers: dict[int, Answer] = {}
        strikes: Counter[int] = Counter()
        while left := [i for i in items if i not in answers]:
            answers |= self._restore(sorted({self._team(i) for i in left}), left)
            jobs = self._jobs(verb, {i: items[i] for i in left if i not in answers}, seconds)
            converse(jobs)
            for job in jobs:
                answers |= self._taken(verb, job, items)
                if job.broken:
                    answers |= self._blame(job, strikes, seconds)
        return answers

    def _taken(self, verb: str, job: Job, items: Mapping[int, list[Any]]) -> dict[int, Answer]:
        """The answers of a job; what they add to the pasts."""
        answers = {i: self._read(answer) for i, answer in job.answers.items()}
        for i, answer in answers.items():
            if verb != "answer" or i not in self._pasts:
                continue
            if isinstance(answer, Reply):
                self._pasts[i].actions.append(items[i][0])
                self._pasts[i].last = answer
            elif isinstance(answer, EnvCodeError):
                del self._pasts[i]
        return answers

    def _blame(self, job: Job, strikes: "Counter[int]", seconds: float) -> dict[int, Answer]:
        """What a broken job means for the environment that was at work."""
        if not job.owed:
            return {}
        culprit = job.owed[0]
        strikes[culprit] += 1
        if not job.overdue and strikes[culprit] < _TRIES:
            return {}
        self._pasts.pop(culprit, None)
        if job.overdue:
            return {culprit: EnvTimeout(f"{self._card.id} gave no answer within {seconds:g} s")}
        code = job.channel.exit_code
        return {culprit: WorkerLost(f"{self._card.id} ended its process {_TRIES} times ({code})")}

    def _restore(self, teams: Sequence[int], left: Sequence[int]) -> dict[int, Answer]:
        """Replace the workers that are gone, with the episodes they held; answers who cannot."""
        failures: dict[int, Exception] = {}
        gone = [team for team in teams if not self._channels[team].alive]
        for _ in range(_TRIES):
            failures = {i: a for i, a in self._hire(gone).items() if isinstance(a, Exception)}
            gone = [team for team in gone if not self._channels[team].alive]
            if not gone:
                break
        members = {i for team in gone for i in self._teams[team]}
        failures |= {i: WorkerLost(f"no worker for {self._card.id} stays alive") for i in members}
        for i in failures:
            self._pasts.pop(i, None)
        return {i: failure for i, failure in failures.items() if i in left}

    def _hire(self, teams: Sequence[int]) -> dict[int, Answer | None]:
        """Start workers, have them make their environments and play again what they had."""
        for team in teams:
            if team in self._channels:
                self._channels[team].end()
            self._channels[team] = Channel()
        request = {"do": "make", "card": asdict(self._card), "entry_point": self._entry_point}
        jobs = [
            self._job(team, {**request, "items": [[i, dict(self._each[i])] for i in members]})
            for team in teams
            if (members := self._teams[team])
        ]
        converse(jobs)
        answers: dict[int, Answer | None] = {}
        for job in jobs:
            answers |= {i: self._read(answer) for i, answer in job.answers.items()}
            answers |= {i: self._stillborn(job) for i in job.owed}
        made = [i for i, answer in answers.items() if answer is None and i in self._pasts]
        return answers | self._replay(made)

    def _stillborn(self, job: Job) -> Exception:
        if job.overdue:
            return EnvTimeout(f"{self._card.id} was not made within {job.seconds:g} s")
        return WorkerLost(f"the worker that makes {self._card.id} ended ({job.channel.exit_code})")

    def _replay(self, members: Sequence[int]) -> dict[int, Answer | None]:
        pasts = {i: self._pasts[i] for i in members}
        if not self._card.deterministic:
            lost = f"{self._card.id} is not deterministic: its episode died with its process"
            return {i: WorkerLost(lost) for i in pasts}
        items = {
            i: [past.start.seed, dict(past.start.options), past.actions]
            for i, past in pasts.items()
        }
        jobs = self._jobs("replay", items, self._spec.start_s)
        converse(jobs)
        answers = {i: self._read(a) for job in jobs for i, a in job.answers.items()}
        apart = WorkerLost(f"{self._card.id} played its episode differently in a new process")
        return {i: None if answers.get(i) == past.last else apart for i, past in pasts.items()}

    def _jobs(self, verb: str, items: Mapping[int, list[Any]], seconds: float) -> list[Job]:
        teams = sorted({self._team(i) for i in items})
        rows = {team: [[i, *items[i]] for i in self._teams[team] if i in items] for team in teams}
        return [self._job(team, {"do": verb, "items": rows[team]}, seconds) for team in teams]

    def _job(self, team: int, request: dict[str, Any], seconds: float | None = None) -> Job:
        return Job(
            channel=self._channels[team],
            request=request,
            owed=deque(item[0] for item in request["items"]),
            seconds=self._spec.start_s if seconds is None else seconds,
        )

    def _team(self, i: int) -> int:
        return i % len(self._teams)

    def _read(self, answer: dict[str, Any]) -> Any:  # noqa: ANN401
        if "reply" in answer:
            return reply_of(answer["reply"])
        return self._error(**answer["error"]) if "error" in answer else None

    def _error(self, kind: str, message: str) -> Exception:
        found = getattr(errors, kind, None)
        if isinstance(found, type) and issubclass(found, GigymError):
            return found(message)
        return EnvCodeError(f"{self._card.id} {message}")


def _dismiss(channels: dict[int, Channel]) -> None:
    dismiss(channels.values())
