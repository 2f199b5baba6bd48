"""The learning curve as a PNG, drawn from `metrics.jsonl` and the two summaries alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..envs.errors import need
from .metrics import read_metrics
from .rundir import RunDir

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SMOOTH = 5
_KINDS = (
    ("train", "o", "tab:blue", "training tasks"),
    ("heldout", "s", "tab:orange", "unseen tasks"),
)


def plot_curve(run: RunDir) -> Path:
    """Write `curve.png`: success per iteration while training, evaluations at both ends.

    Raises `MissingExtra` without matplotlib.
    """
    need("matplotlib", "report")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = [line for line in read_metrics(run.metrics) if "success" in line]
    scores = {**run.read_json("baseline.json"), **run.read_json("summary.json")}
    figure = Figure(figsize=(7, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_training(axes, [line["step"] for line in lines], [line["success"] for line in lines])
    _draw_evaluations(axes, scores, last=lines[-1]["step"] if lines else 0)
    axes.set(xlabel="iteration", ylabel="success, %", ylim=(0, 102), title=run.path.name)
    axes.grid(alpha=0.3)
    if axes.has_data():
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    path = run.path / "curve.png"
    figure.savefig(path)
    return path


def trailing_means(values: list[float], width: int) -> list[float]:
    """Mean of each value and those before it, at most `width` in all."""
    windows = (values[max(0, end - width) : end] for end in range(1, len(values) + 1))
    return [sum(window) / len(window) for window in windows]


def _draw_training(axes: "Axes", steps: list[float], success: list[float]) -> None:
    if not steps:
        return
    percent = [100 * value for value in success]
    axes.plot(steps, percent, color="tab:blue", alpha=0.35, label="while training, sampled")
    smooth = trailing_means(percent, _SMOOTH)
    axes.plot(steps, smooth, color="tab:blue", label=f"mean of the last {_SMOOTH} iterations")


def _draw_evaluations(axes: "Axes", scores: Mapping[str, Any], last: float) -> None:
    for kind, marker, color, label in _KINDS:
        ends = ((0.0, scores.get(f"{kind}_before")), (last, scores.get(f"{kind}_after")))
        points = [(x, score) for x, score in ends if score is not None and score["episodes"] > 0]
        if not points:
            continue
        means = [100 * score["mean"] for _, score in points]
        below = [100 * (score["mean"] - score["low"]) for _, score in points]
        above = [100 * (score["high"] - score["mean"]) for _, score in points]
        axes.errorbar(
            [x for x, _ in points],
            means,
            yerr=[below, above],
            fmt=marker,
            color=color,
            capsize=3,
            label=f"evaluation on {label}, 95 % interval",
        )
