"""Checks of single answers: their types, their info, their reward, the card's claims."""

import json
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, cast

from ..errors import Unsupported
from ..types import Reply
from .subject import Fault, Recorder, Subject
from .walks import Walk, shown

_INFO_BYTES = 16 * 2**10
_CHOICES = 1000
_PLAIN = (str, int, float, bool, type(None))


def plays(subject: Subject) -> Iterator[Fault]:
    """Episodes can be begun and played at all."""
    for walk in subject.walks:
        for step, reply in enumerate(walk.replies):
            wrong = _wrong_field(reply)
            if wrong:
                yield Fault(expected=wrong[0], got=wrong[1], by=_at(subject, walk, step))
                return


def five_tuple(subject: Subject) -> Iterator[Fault]:
    """`reset` answers (str, dict), `step` answers (str, float, bool, bool, dict)."""
    player = subject.local()
    walk = subject.walks[-1]
    env = player.env
    player.seed, player.actions = walk.seed, []
    first: Any = env.reset(seed=walk.seed)
    if _kinds(first) != ["str", "dict"]:
        yield Fault(expected="reset: (str, dict)", got=str(_kinds(first)), by=player)
    for action in walk.actions:
        player.actions.append(action)
        answer: Any = env.step(action)
        if _kinds(answer) not in (_STEP, [*_STEP[:1], "int", *_STEP[2:]]):
            yield Fault(expected=f"step: {_STEP}", got=str(_kinds(answer)), by=player)
            return


_STEP = ["str", "float", "bool", "bool", "dict"]


def observation(subject: Subject) -> Iterator[Fault]:
    """Each observation lies in the observation space."""
    from ..spaces import UnicodeText

    near = subject.make().player
    space = getattr(near, "observation_space", UnicodeText())
    for walk, step, reply in _replies(subject):
        if not space.contains(reply.observation):
            by = _at(subject, walk, step)
            yield Fault(expected=f"in {space!r}", got=shown(reply.observation), by=by)
            return


def info(subject: Subject) -> Iterator[Fault]:
    """Info is JSON data of at most 16 KiB; keys and lists that the card promises are there."""
    for walk, step, reply in _replies(subject):
        for expected, got in _info_faults(subject, reply):
            yield Fault(expected=expected, got=got, by=_at(subject, walk, step))
            return


def reward(subject: Subject) -> Iterator[Fault]:
    """Rewards are finite and in the card's range; winning pays what the card says."""
    low, high = subject.card.reward_range
    for walk, step, reply in _replies(subject):
        if not math.isfinite(reply.reward) or not low <= reply.reward <= high:
            by = _at(subject, walk, step)
            yield Fault(expected=f"a reward in [{low}, {high}]", got=shown(reply.reward), by=by)
            return
    success = subject.card.success_reward
    for walk in subject.walks if success is not None else ():
        last, earned = walk.replies[-1], math.fsum(reply.reward for reply in walk.replies)
        won = last.info.get("won") is True
        if last.done and success is not None and won != math.isclose(earned, success):
            claim = f"a return of {success} exactly when info['won'] is true"
            got = f"won={last.info.get('won')!r} with a return of {earned}"
            yield Fault(expected=claim, got=got, by=_at(subject, walk, len(walk.actions)))


def caps(subject: Subject) -> Iterator[Fault]:
    """The card claims exactly the abilities that are there."""
    player = subject.make()
    reply = player.start(subject.seeds[0])
    there = {
        "state_key": reply.state_key is not None,
        "admissible_actions": reply.admissible_actions is not None,
    }
    if hasattr(player.player, "snapshot"):
        env = player.env
        there["snapshot"] = _works(env.snapshot)
        there["fork"] = _works(env.fork)
        there["expert"] = _works(env.expert) or _works(lambda: env.expert("observation"))
    for name, found in there.items():
        if found != (name in subject.card.caps):
            claimed = "claims it" if name in subject.card.caps else "does not claim it"
            got = f"{'it is there' if found else 'it is not there'}, and the card {claimed}"
            yield Fault(
                expected=f"the cap {name!r} in the card where it is there", got=got, by=player
            )


def gymnasium(subject: Subject) -> Iterator[Fault]:
    """Gymnasium's own checker passes, without a warning."""
    from gymnasium.utils.env_checker import check_env

    player = subject.local()
    env = player.env
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            check_env(env, skip_render_check=env.spec is None)
        except Exception as error:
            yield Fault(
                expected="gymnasium's check_env passes", got=f"{type(error).__name__}: {error}"
            )
    for warning in said[:1]:
        yield Fault(expected="gymnasium's check_env warns of nothing", got=str(warning.message))


def _replies(subject: Subject) -> Iterator[tuple[Walk, int, Reply]]:
    for walk in subject.walks:
        for step, reply in enumerate(walk.replies):
            yield walk, step, reply


def _at(subject: Subject, walk: Walk, step: int) -> Recorder:
    """A player's record that ends at a step of a walk."""
    record = Recorder(cast("Any", None))
    record.seed, record.actions = walk.seed, list(walk.actions[:step])
    return record


def _wrong_field(reply: object) -> tuple[str, str] | None:
    if not isinstance(reply, Reply):
        return "a Reply", shown(reply)
    expected: dict[str, tuple[type, ...]] = {
        "observation": (str,),
        "reward": (float, int),
        "terminated": (bool,),
        "truncated": (bool,),
        "state_key": (str, type(None)),
        "admissible_actions": (tuple, type(None)),
        "info": (dict,),
    }
    for name, kinds in expected.items():
        value = getattr(reply, name)
        if type(value) not in kinds:
            told = " or ".join(kind.__name__ for kind in kinds)
            return f"{name} of type {told}", f"{type(value).__name__} {shown(value)}"
    return None


def _info_faults(subject: Subject, reply: Reply) -> Iterator[tuple[str, str]]:
    strange = _strange(dict(reply.info), "info")
    if strange:
        yield strange
        return
    try:
        size = len(json.dumps(dict(reply.info), allow_nan=False, ensure_ascii=False).encode())
    except ValueError as error:
        yield "info that is JSON in UTF-8", str(error)
        return
    if size > _INFO_BYTES:
        yield f"an info of at most {_INFO_BYTES} bytes", f"{size} bytes"
    yield from _promises(subject, reply)


def _promises(subject: Subject, reply: Reply) -> Iterator[tuple[str, str]]:
    card, actions = subject.card, reply.admissible_actions
    if "state_key" in card.caps and not reply.state_key:
        yield "a state_key in every reply, as the card's caps say", shown(reply.state_key)
    if "admissible_actions" in card.caps and actions is None:
        yield "admissible_actions in every reply, as the card's caps say", "None"
    if actions is not None and not _are_choices(actions):
        yield f"at most {_CHOICES} admissible actions, texts, each once", shown(actions)
    if card.success_reward is not None and type(reply.info.get("won")) is not bool:
        yield (
            "info['won'], a bool, since the card has a success_reward",
            shown(reply.info.get("won")),
        )


def _are_choices(actions: tuple[Any, ...]) -> bool:
    texts = all(isinstance(action, str) and action for action in actions)
    return texts and len(set(actions)) == len(actions) <= _CHOICES


def _strange(value: object, where: str) -> tuple[str, str] | None:
    """A value in a tree that is no JSON data, as JSON gives it back."""
    if type(value) in _PLAIN:
        return None
    if type(value) is list:
        parts = [(f"{where}[{i}]", part) for i, part in enumerate(cast("list[object]", value))]
    elif type(value) is dict:
        tree = cast("dict[object, object]", value)
        names = [key for key in tree if type(key) is not str]
        if names:
            return f"{where} with keys of type str", shown(names[0])
        parts = [(f"{where}[{key!r}]", part) for key, part in tree.items()]
    else:
        return f"JSON data in {where}", f"{type(value).__name__} {shown(value)}"
    return next(filter(None, (_strange(part, name) for name, part in parts)), None)


def _kinds(answer: object) -> list[str]:
    if not isinstance(answer, tuple):
        return [type(answer).__name__]
    return [type(part).__name__ for part in cast("tuple[object, ...]", answer)]


def _works(call: Callable[[], object]) -> bool:
    try:
        call()
    except Unsupported:
        return False
    return True
