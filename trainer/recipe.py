"""From a TOML file and `key=value` overrides to a `Config`, or to one error that lists all faults.

A source is the name of a shipped recipe (`quickstart`) or a path to a TOML file; a file may say
`extends = "recipe:quickstart"` or name another file. Overrides win over the file, the file over
what it extends, that over the defaults. Keys of `[env]` that gigym does not know are options of
the environment and are checked against it.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel, ValidationError

from ..envs import GameFileError, UnknownEnv, option_names
from ..envs.options import parse_assignment
from ..grouping import estimator_names
from .config import Config, EnvSection
from .errors import ConfigError
from .world import world_card

Tree = dict[str, Any]

_PACKAGE = "gigym.trainer"


def recipe_names() -> tuple[str, ...]:
    """Names of the shipped recipes."""
    folder = resources.files(_PACKAGE) / "recipes"
    return tuple(sorted(p.name[:-5] for p in folder.iterdir() if p.name.endswith(".toml")))


def load_config(source: str, overrides: Sequence[str] = ()) -> Config:
    """Read a recipe or TOML file, apply `a.b=c` overrides, validate.

    Raises `ConfigError` (all faults at once), `UnknownEnv`, or `BadOption` for a malformed
    override.
    """
    tree = _read(source, seen=())
    tree.setdefault("recipe", Path(source).stem)
    for text in overrides:
        key, value = parse_assignment(text)
        _put(tree, key.split("."), value, text)
    return config_from_tree(tree, source)


def override(config: Config, overrides: Sequence[str]) -> Config:
    """A configuration with `a.b=c` overrides on top."""
    tree = _tree(config)
    for text in overrides:
        key, value = parse_assignment(text)
        _put(tree, key.split("."), value, text)
    return config_from_tree(tree, config.recipe)


def refuse_changes(old: Config, new: Config, done: int) -> None:
    """Raise `ConfigError` where `new` cannot continue a run of `old` after `done` iterations.

    What the weights are, and what both scores of a run must share, stays as it was.
    """
    before, after = _fixed(old), _fixed(new)
    faults = [
        f"{key}: {before[key]!r} cannot become {after[key]!r} in a run under way; start another "
        "run, with model.path=<this run>/checkpoints/step-NNNNNN where its weights are wanted"
        for key in before
        if before[key] != after[key]
    ]
    if new.iterations < done:
        faults.append(f"iterations: {done} are done already, got {new.iterations}")
    if faults:
        raise ConfigError("\n".join(faults))


def _fixed(config: Config) -> dict[str, Any]:
    model = config.model.model_dump(exclude={"device"})
    warmstart = config.warmstart.model_dump(exclude={"cache"})
    return {
        "seed": config.seed,
        "env.id": config.env.id,
        **{f"model.{key}": value for key, value in model.items()},
        **{f"warmstart.{key}": value for key, value in warmstart.items()},
        **{f"eval.{key}": value for key, value in config.eval.model_dump().items()},
        "rollout.pool": config.rollout.pool,
        "rollout.show_choices": config.rollout.show_choices,
        "env options": config.env.options,
    }


def config_from_tree(tree: Tree, source: str = "config") -> Config:
    """Validate a parsed tree; `source` names it in messages."""
    tree = {**tree, "env": _split_env(tree.get("env", {}))}
    try:
        config = Config.model_validate_json(json.dumps(tree, default=str))
    except ValidationError as error:
        raise ConfigError("\n".join(_faults(error, source))) from None
    _check_lengths(config, source)
    _check_estimator(config, source)
    _check_engine(config, source)
    _check_env(config, source)
    return _with_absolute_paths(config, source)


def dump_config(config: Config) -> str:
    """TOML text that `load_config` reads back to an equal `Config`."""
    return tomli_w.dumps(_tree(config))


def _tree(config: Config) -> Tree:
    tree = json.loads(config.model_dump_json())
    env = tree["env"]
    tree["env"] = {**{k: v for k, v in env.items() if k != "options"}, **env["options"]}
    return _without_none(tree)


def _read(source: str, seen: tuple[str, ...]) -> Tree:
    if source in seen:
        raise ConfigError(f"{source}: recipes extend each other: {' -> '.join((*seen, source))}")
    name = source.removeprefix("recipe:")
    text, origin = _text(name)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: not valid TOML: {error}") from None
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    return _merge(_read(str(parent), (*seen, source)), tree)


def _text(name: str) -> tuple[str, str]:
    if name in recipe_names():
        return (resources.files(_PACKAGE) / "recipes" / f"{name}.toml").read_text(), name
    path = Path(name)
    if path.is_file():
        return path.read_text(), name
    near = difflib.get_close_matches(name, recipe_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ConfigError(
        f"no recipe or file {name!r}; {hint}shipped recipes: {', '.join(recipe_names())}"
    )


def _merge(base: Tree, over: Tree) -> Tree:
    merged = dict(base)
    for key, value in over.items():
        held = merged.get(key)
        if isinstance(held, dict) and isinstance(value, dict):
            value = _merge(held, value)
        merged[key] = value
    return merged


def _put(tree: Tree, path: list[str], value: object, text: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{text!r}: {part!r} is a value, not a section")
    tree[path[-1]] = value


def _split_env(table: object) -> object:
    if not isinstance(table, dict):
        return table
    own = EnvSection.model_fields.keys() - {"options"}
    known = {key: value for key, value in table.items() if key in own}
    return {**known, "options": {key: table[key] for key in table if key not in own}}


def _check_lengths(config: Config, source: str) -> None:
    reply, whole = config.rollout.max_action_tokens, config.engine.max_model_len
    if reply >= whole:
        raise ConfigError(
            f"{_place(source, ('rollout', 'max_action_tokens'))}: a reply of {reply} tokens leaves "
            f"no room for a prompt; it must be less than engine.max_model_len={whole}"
        )


def _check_estimator(config: Config, source: str) -> None:
    names = estimator_names()
    if config.estimator in names:
        return
    near = difflib.get_close_matches(config.estimator, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    place = _place(source, ("estimator",))
    raise ConfigError(f"{place}: no estimator {config.estimator!r}; {hint}there are: {names}")


def _check_engine(config: Config, source: str) -> None:
    place, section = _place(source, ("engine", "url")), config.engine
    if section.name == "openai" and not section.urls:
        raise ConfigError(f"{place}: engine.name=openai needs the address of a server")
    if section.name != "openai" and section.urls:
        raise ConfigError(f"{place}: only engine.name=openai has a server, got {section.name!r}")


def _check_env(config: Config, source: str) -> None:
    try:
        names = option_names(config.env.id)
    except UnknownEnv as error:
        if config.env.urls:
            return
        raise ConfigError(f"{source}: env.id: {error}") from None
    except GameFileError as error:
        raise ConfigError(f"{source}: env: {error}") from None
    own = tuple(key for key in EnvSection.model_fields if key != "options")
    faults = [
        f"{_place(source, ('env', name))}: unknown key; {_near(name, (*own, *names), 'env.')}"
        for name in config.env.options
        if name not in names
    ]
    if faults:
        raise ConfigError("\n".join(faults))


def _with_absolute_paths(config: Config, source: str) -> Config:
    options = dict(config.env.options)
    hosted = world_card(config).host_options
    for name in hosted:
        if not options.get(name):
            continue
        if config.env.urls:
            raise ConfigError(
                f"{_place(source, ('env', name))}: the servers of env.urls have their own; "
                f"start them with: gigym serve {config.env.id} {name}={options[name]}"
            )
        path = Path(str(options[name])).expanduser().absolute()
        if not path.exists():
            raise ConfigError(f"{_place(source, ('env', name))}: no such file or folder: {path}")
        options[name] = str(path)
    return config.model_copy(update={"env": config.env.model_copy(update={"options": options})})


def _faults(error: ValidationError, source: str) -> Iterable[str]:
    for fault in error.errors(include_url=False):
        path = tuple(str(part) for part in fault["loc"])
        place = _place(source, path)
        if fault["type"] == "extra_forbidden":
            prefix = "".join(f"{part}." for part in path[:-1])
            yield f"{place}: unknown key; {_near(path[-1], _siblings(path), prefix)}"
        else:
            yield f"{place}: {fault['msg']}, got {fault['input']!r}"


def _siblings(path: tuple[str, ...]) -> tuple[str, ...]:
    model: type[BaseModel] = Config
    for part in path[:-1]:
        if part.isdecimal():
            continue
        kind = model.model_fields[part].annotation if part in model.model_fields else None
        kind = next(iter(get_args(kind)), kind)
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return ()
        model = kind
    return tuple(model.model_fields)


def _near(name: str, known: Sequence[str], prefix: str) -> str:
    here = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if here:
        return f"did you mean {prefix}{here[0]}?"
    everywhere = {
        field: f"{section}.{field}"
        for section, info in Config.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
        for field in info.annotation.model_fields
    } | {field: field for field in Config.model_fields}
    there = difflib.get_close_matches(name, everywhere, n=1, cutoff=0.6)
    if there:
        return f"did you mean {everywhere[there[0]]}?"
    return f"known here: {', '.join(known)}"


def _place(source: str, path: tuple[str, ...]) -> str:
    dotted = ".".join(path)
    file = Path(source)
    if not file.is_file():
        return dotted
    pattern = re.compile(rf"^\s*{re.escape(path[-1])}\s*=")
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if pattern.match(line):
            return f"{source}:{number}: {dotted}"
    return f"{source}: {dotted}"


def _without_none(tree: Tree) -> Tree:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in tree.items()
        if value is not None
    }
