"""The learning curve as a PNG, drawn from `metrics.jsonl` alone."""

from pathlib import Path

from ..envs.errors import need
from .metrics import read_metrics
from .rundir import RunDir


def plot_curve(run: RunDir) -> Path:
    """Write `curve.png`: success per iteration on the training tasks, before and after beside it.

    Raises `MissingExtra` without matplotlib.
    """
    need("matplotlib", "report")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = read_metrics(run.metrics)
    summary = {**run.read_json("baseline.json"), **run.read_json("summary.json")}
    steps = [line["step"] for line in lines]
    figure = Figure(figsize=(7, 4), dpi=120)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(steps, [100 * line["success"] for line in lines], label="training tasks, sampled")
    for name, mark in (("train", "o"), ("heldout", "s")):
        ends = [(0, summary.get(f"{name}_before")), (steps[-1:] or [0], summary.get(f"{name}_after"))]
        for where, value in ends:
            if value is None or value["episodes"] == 0:
                continue
            x = where[0] if isinstance(where, list) else where
            spread = [[100 * (value["mean"] - value["low"])], [100 * (value["high"] - value["mean"])]]
            label = f"evaluation, {'training' if name == 'train' else 'held-out'} tasks"
            axes.errorbar(
                [x], [100 * value["mean"]], yerr=spread, fmt=mark, capsize=3,
                color="tab:blue" if name == "train" else "tab:orange",
                label=label if where == 0 else None,
            )
    axes.set(xlabel="iteration", ylabel="success, %", ylim=(0, 100), title=run.path.name)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)
    path = run.path / "curve.png"
    figure.savefig(path)
    return path
