"""Checks of tasks by name and of splits."""

from collections.abc import Iterator

from ..errors import BadOption, GameFileError, MissingExtra, UnknownTask, Unsupported
from ..tasks import TaskSet
from ..types import JsonValue
from .subject import Fault, NotChecked, Recorder, Subject
from .walks import difference, shown

_TASKS = 20
"""Tasks of a split that are looked at."""


def tasks(subject: Subject) -> Iterator[Fault]:
    """`reset(options={"task": ID})` starts the episode of the seed that has this task."""
    known = 0
    for seed in subject.seeds:
        player = subject.make()
        first = player.start(seed)
        name = first.info.get("task_id")
        if not isinstance(name, str):
            continue
        known += 1
        again = player.start(seed + 1, {"task": name})
        apart = difference([first], [again])
        if apart:
            claim = f"the episode of seed {seed}, whose task_id this is: {apart[0]}"
            yield Fault(expected=claim, got=apart[1], by=player)
    if not known:
        raise NotChecked("its infos have no task_id")
    yield from _refusals(subject)
    if not subject.remote:
        yield from _named(subject)


def seeds(subject: Subject) -> Iterator[Fault]:
    """Of a fixed number of tasks, the seeds from 0 on visit each once."""
    count = subject.local().env.num_tasks
    if count is None:
        raise NotChecked("its tasks have no end")
    player = subject.make()
    looked = range(min(count, _TASKS))
    names = [player.start(seed).info.get("task_id") for seed in looked]
    if all(name is None for name in names):
        raise NotChecked("its infos have no task_id")
    if len(set(names)) != len(names):
        yield Fault(expected=f"{len(names)} different tasks for as many seeds", got=shown(names))


def splits(subject: Subject) -> Iterator[Fault]:
    """Each split of the card can be made, has a length, and shares no task with another."""
    if not subject.card.splits or "split" not in subject.option_names:
        raise NotChecked("it has no splits")
    owners: dict[str, str] = {}
    for split in subject.card.splits:
        try:
            player = subject.make(split=split)
        except (MissingExtra, GameFileError) as error:
            raise NotChecked(f"split {split}: {error}") from None
        found = player.env.tasks()
        if (found.split, bool(len(found))) != (split, True):
            claim = f"env.tasks() of the split {split!r}, not empty"
            yield Fault(expected=claim, got=shown(found))
        for seed in range(min(len(found), _TASKS)):
            name = player.start(seed).info.get("task_id")
            if isinstance(name, str) and owners.setdefault(name, split) != split:
                claim = f"{name!r} in one split"
                yield Fault(expected=claim, got=f"in {owners[name]} and in {split}", by=player)
                return


def _refusals(subject: Subject) -> Iterator[Fault]:
    wrong: list[tuple[JsonValue, type[Exception]]] = [
        ("no such task \u00e9\x00", UnknownTask),
        (["a list"], BadOption),
    ]
    for value, kind in wrong:
        player = subject.make()
        try:
            player.start(0, {"task": value})
            got = "an episode"
        except kind:
            continue
        except Exception as error:
            got = f"{type(error).__name__}: {error}"
        yield Fault(expected=f"{kind.__name__} from the option task={value!r}", got=got, by=player)


def _named(subject: Subject) -> Iterator[Fault]:
    """`env.tasks()` names tasks as replies do."""
    player = subject.local()
    try:
        found = player.env.tasks()
    except Unsupported as error:
        raise NotChecked(str(error)) from None
    for seed in range(min(len(found), len(subject.seeds))):
        yield from _as_listed(player, found, seed)


def _as_listed(player: Recorder, found: TaskSet, place: int) -> Iterator[Fault]:
    task = found[place]
    listed = task.options.get("task")
    told = player.start(task.seed).info.get("task_id")
    if listed is not None and listed != told:
        claim = f"the id that env.tasks()[{place}] names, {listed!r}, in info['task_id']"
        yield Fault(expected=claim, got=shown(told), by=player)
