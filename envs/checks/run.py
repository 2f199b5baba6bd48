"""`check_env`: resolve what is to be checked, run the table over it, write the report."""

import functools
import importlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..base import TextEnv
from ..errors import BadOption, near
from ..registry import entry_point_of, make
from ..types import JsonValue, Options
from .report import CheckReport, Finding, Skip
from .subject import Fault, NotChecked, Origin, Subject, local_subject
from .table import CHECKS

_FINDINGS = 3
"""Findings of one check that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """How long to look, and for what."""

    seeds: int = 3
    """Episodes from seeds 0, 1, ... are played."""
    steps: int = 25
    """Longest random walk."""
    only: Sequence[str] = ()
    """Names of checks; none: all."""
    skip: Sequence[str] = ()
    actions: tuple[str, ...] = ()
    """Actions worth trying, for an environment that lists none."""
    envs: Sequence[str] = ()
    """Of a server's environments, those to check; none: all."""
    token: str | None = None
    """Bearer token of the server."""


def check_env(
    env: str | type[TextEnv] | TextEnv, plan: CheckPlan | None = None, **options: JsonValue
) -> CheckReport:
    """Check an id, a class, an instance, `package.module:Class`, or the URL of an env server.

    Options are those of the environment. Raises what `make` raises where it cannot be built, and
    `BadOption` for something else than an environment or for a check that does not exist.
    """
    told = plan or CheckPlan()
    names = _chosen(told)
    if isinstance(env, str) and env.startswith(("http://", "https://")):
        return _check_server(env, options, told, names)
    subject = _resolve(env, options, told)
    subject.build().close()
    return _report(subject.name, [_run(subject, names)])


def _resolve(env: object, options: Options, plan: CheckPlan) -> Subject:
    facts: dict[str, Any] = {
        "seeds": range(plan.seeds),
        "steps": plan.steps,
        "actions": plan.actions,
    }
    if isinstance(env, str) and ":" not in env:
        return _registered(env, options, facts)
    found = _imported(env) if isinstance(env, str) else env
    if isinstance(found, TextEnv) and _is_far(found):
        return _far(found, options, facts)
    if isinstance(found, TextEnv) or (isinstance(found, type) and issubclass(found, TextEnv)):
        return local_subject(found, options, **facts)
    raise BadOption(
        f"expected an environment's id, class, instance or URL, got {found!r:.80}; "
        "a Gymnasium environment must be a gigym.envs.TextEnv first"
    )


def _registered(env_id: str, options: Options, facts: dict[str, Any]) -> Subject:
    kind = type(make(env_id, **dict(options)))
    subject = local_subject(kind, options, **facts)
    module, _, name = entry_point_of(env_id).partition(":")
    subject.build = functools.partial(_made, env_id, options)
    file = None if subject.origin is None else subject.origin.file
    subject.origin = Origin(module=module, qualname=name, file=file)
    return subject


def _is_far(env: TextEnv) -> bool:
    # Whoever holds one has loaded its module, which is not loaded for this question.
    module = sys.modules.get("gigym.envs.connect.env")
    return module is not None and isinstance(env, module.RemoteEnv)


def _far(env: Any, options: Options, facts: dict[str, Any]) -> Subject:  # noqa: ANN401
    """A subject over an environment at a server; its twins play at the same servers."""
    return Subject(
        name=env.card.id,
        card=env.card,
        build=functools.partial(env.twin, **options),
        option_names=env.option_names,
        options=options,
        remote=True,
        **facts,
    )


def _made(env_id: str, held: Options, **options: JsonValue) -> TextEnv:
    return make(env_id, **{**held, **options})


def _imported(name: str) -> object:
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise BadOption(f"cannot import {name!r}: {error}") from None


def _check_server(url: str, options: Options, plan: CheckPlan, names: Sequence[str]) -> CheckReport:
    from .far import Door, builder, chosen

    door = Door(url, plan.token)
    try:
        parts: list[CheckReport] = []
        for env in chosen(door.envs(), plan.envs, url):
            subject = Subject(
                name=env.id,
                card=door.card_of(env),
                build=builder(door, env.id, options),
                option_names=tuple(env.options),
                seeds=range(plan.seeds),
                steps=plan.steps,
                actions=plan.actions,
                options=options,
                remote=True,
            )
            parts.append(_run(subject, names))
        return _report(url, parts)
    finally:
        door.close()


def _chosen(plan: CheckPlan) -> list[str]:
    for name in (*plan.only, *plan.skip):
        if name not in CHECKS:
            hint = near(name, CHECKS)
            raise BadOption(f"no check {name!r}.{hint} There are: {', '.join(CHECKS)}")
    if plan.seeds < 1 or plan.steps < 1:
        raise BadOption(f"expected at least one seed and step, got {plan.seeds} and {plan.steps}")
    return [name for name in plan.only or CHECKS if name not in plan.skip]


def _run(subject: Subject, names: Sequence[str]) -> CheckReport:
    passed: list[str] = []
    skipped: list[Skip] = []
    findings: list[Finding] = []
    remarks: list[Finding] = []
    unplayable = list(_findings(subject, "plays"))
    for name in names:
        try:
            if unplayable and name != "plays":
                raise NotChecked("no episode can be played; see: plays")
            found = unplayable if name == "plays" else list(_findings(subject, name))
        except NotChecked as reason:
            skipped.append(Skip(env=subject.name, check=name, reason=str(reason)))
            continue
        findings += [finding for finding, doubt in found if not doubt]
        remarks += [finding for finding, doubt in found if doubt]
        if all(doubt for _, doubt in found):
            passed.append(name)
    if "plays" not in names:
        findings += [finding for finding, _ in unplayable]
    return CheckReport(
        subject=subject.name,
        envs=(subject.name,),
        passed=tuple(passed),
        skipped=tuple(skipped),
        findings=tuple(findings),
        remarks=tuple(remarks),
    )


def _findings(subject: Subject, name: str) -> Iterator[tuple[Finding, bool]]:
    """The first findings of one check; an error that nobody expected is one as well."""
    subject.last = None
    try:
        for fault in islice(CHECKS[name](subject), _FINDINGS):
            yield _finding(subject, name, fault), fault.doubt
    except NotChecked:
        raise
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
        fault = Fault(expected="no error", got=got, by=subject.last)
        yield _finding(subject, name, fault), False
    finally:
        subject.release()


def _finding(subject: Subject, name: str, fault: Fault) -> Finding:
    facts: dict[str, Any] = {}
    if fault.by is not None:
        facts = {
            "seed": fault.by.seed,
            "options": fault.by.options,
            "actions": tuple(fault.by.actions),
        }
    return Finding(env=subject.name, check=name, expected=fault.expected, got=fault.got, **facts)


def _report(subject: str, parts: Sequence[CheckReport]) -> CheckReport:
    return CheckReport(
        subject=subject,
        envs=tuple(env for part in parts for env in part.envs),
        passed=tuple(dict.fromkeys(name for part in parts for name in part.passed)),
        skipped=tuple(skip for part in parts for skip in part.skipped),
        findings=tuple(finding for part in parts for finding in part.findings),
        remarks=tuple(remark for part in parts for remark in part.remarks),
    )
