"""G2PO as released (arXiv 2606.22995, `Nala-YN/G2PO`)."""

from dataclasses import dataclass

import numpy as np

from ..graph import graph_of
from ..groups import Norm, NormKind, normalise
from ..ordered import Ordered
from ..parts import Parts
from ..returns import Penalty, episode_scores, step_returns
from .options import NotNegative, Share
from .registry import estimator
from .scalars import Weighting, episode_advantages

_TIE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class G2poOptions:
    """Options of `g2po`."""

    gamma: Share = 0.95
    """Discount; the release has this number in its code."""
    omega: NotNegative = 1.0
    """Weight of the two step terms."""
    norm: NormKind = "mean_std"
    """Divide by the standard deviation, or not."""
    success_value: NotNegative = 10.0
    """Return that marks a success, which then is also the value behind its last row."""
    invalid_penalty: NotNegative = 0.1
    """Taken off the next state's value where the reply was no action."""
    episode_weighting: Weighting = "step"
    """Count each trajectory in the episode term once per turn, as released, or once."""


@estimator("g2po")
def g2po(rows: Ordered, options: G2poOptions) -> Parts:
    """A_E plus the next state's value within the anchor (C1) plus the gain in the task (C2).

    The paper describes one term, a one-step TD error standardised over the graph; the released
    code has these three, and C2 carries neither a discount nor a reward. Returns other than
    `success_value` count as failure.
    """
    graph = graph_of(rows)
    total = rows.trajectory.sum(rows.reward)[rows.trajectory.ids]
    targets = options.gamma ** (rows.remaining + 1.0) * total
    values = graph.nodes.mean(targets)
    sink = np.where(total == options.success_value, options.success_value, 0.0)
    after = graph.after(values, sink)
    gain = after - values[graph.nodes.ids]
    norm = Norm(kind=options.norm, tolerance=_TIE)
    within = normalise(after - options.invalid_penalty * ~rows.valid, graph.nodes, norm)
    across = normalise(gain, rows.task, norm)
    scores = episode_scores(rows, Penalty())
    episode = episode_advantages(rows, scores, norm, options.episode_weighting)
    return Parts(
        advantage=episode + options.omega * (within + across),
        episode=episode,
        step=within + across,
        returns=step_returns(rows, options.gamma, Penalty()),
        groups=graph.nodes,
        bootstraps=("",),
        extra={
            "V": values[graph.nodes.ids],
            "V_next": after,
            "gain": gain,
            "C1": within,
            "C2": across,
        },
    )
