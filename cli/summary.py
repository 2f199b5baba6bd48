"""What a finished run says last: success before and after, honestly labelled, and what is next."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .text import table

if TYPE_CHECKING:
    from ..trainer import RunDir
    from ..trainer.config import Config


def facts(run: "RunDir") -> dict[str, Any]:
    """The end of a run as one JSON object: its folder, its curve, its `summary.json`."""
    return {"run": str(run.path), "curve": _curve(run), **run.read_json("summary.json")}


def page(run: "RunDir") -> str:
    """The end of a run for a person."""
    from ..trainer.recipe import load_config

    config = load_config(str(run.path / "config.toml"))
    summary = run.read_json("summary.json")
    places = [f"run    {run.path}"]
    if curve := _curve(run):
        places.append(f"curve  {curve}")
    return "\n\n".join(
        part for part in (_scores(summary, config), "\n".join(places), _next(run, config)) if part
    )


def program() -> str:
    """What to type for `gigym` here: the path of this one where the shell knows it not."""
    mine, known = Path(sys.argv[0]), shutil.which("gigym")
    if mine.name != "gigym" or (known is not None and Path(known).samefile(mine)):
        return "gigym"
    return str(mine)


def _curve(run: "RunDir") -> str | None:
    path = run.path / "curve.png"
    return str(path) if path.is_file() else None


def _scores(summary: dict[str, Any], config: "Config") -> str:
    labels = {"train": _training_label(config), "heldout": "tasks never trained on"}
    rows = [
        (label, _score(summary[f"{kind}_before"]), _score(summary[f"{kind}_after"]))
        for kind, label in labels.items()
        if summary.get(f"{kind}_before") and summary.get(f"{kind}_after")
    ]
    if not rows:
        return ""
    head = ("success, 95 % interval", "before", "after")
    return f"{table([head, *rows])}\n{_caution(config)}"


def _training_label(config: "Config") -> str:
    pool = config.rollout.pool
    return f"the {pool} tasks trained on" if pool else "training tasks"


def _caution(config: "Config") -> str:
    how = (
        f"One run, seed {config.seed}, sampled at temperature {config.eval.temperature:g}. The "
        "intervals are over its episodes;\nanother seed or warm start may end elsewhere."
    )
    if config.rollout.pool and not config.model.path:
        return (
            "The first line is practice: a small model mostly memorises the tasks it trains on.\n"
            f"The second line is what it learned about tasks it has not seen.\n{how}"
        )
    return how


def _score(score: dict[str, float]) -> str:
    if not score["episodes"]:
        return "not scored"
    mean, low, high = (100 * score[name] for name in ("mean", "low", "high"))
    return f"{mean:.1f} % [{low:.1f}, {high:.1f}] of {score['episodes']:.0f}"


def _next(run: "RunDir", config: "Config") -> str:
    from ..trainer.recipe import recipe_names

    commands = [f"train --resume {run.path} iterations={2 * config.iterations}"]
    if config.recipe in recipe_names():
        rival = "gigpo" if config.estimator == "grpo" else "grpo"
        commands.insert(0, f"train {config.recipe} estimator={rival} seed={config.seed}")
    return "\n".join(f"next   {program()} {command}" for command in commands)
