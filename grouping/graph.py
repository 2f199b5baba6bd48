"""The state graph of each task: nodes are anchors, edges are executed actions, counts are rows.

`graph_of` reads one key level. The successor of a trajectory's last row is a sink, never the node
of its last observation; `landing` names that node for those who bootstrap a truncated row. Rows
are ordered rows; every node belongs to one task, and -1 stands for a sink.
"""

from dataclasses import dataclass

import numpy as np

from .columns import END
from .groups import Groups, group_by
from .ordered import Ordered
from .types import BoolRows, FloatRows, IntRows

SINK = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One key level of a batch as a graph, tasks side by side."""

    nodes: Groups
    """Rows by (task, key): the node each action was taken in."""
    edges: Groups
    """Rows by (node, action)."""
    task_of_node: IntRows
    follow: IntRows
    """Per row, the node of the trajectory's next row; a sink after its last."""
    landing: IntRows
    """Per row, the node of a truncated row's last observation where some row starts from it."""

    @property
    def visits(self) -> IntRows:
        """Rows at each node."""
        return self.nodes.sizes

    def actions_at(self) -> IntRows:
        """Distinct actions taken at each node."""
        return np.bincount(self.nodes.ids[self.edges.first()], minlength=self.nodes.count)

    def after(self, values: FloatRows, sink: FloatRows) -> FloatRows:
        """Per row, the value of the node it leads to, `sink` where it leads to none."""
        inner = self.follow != SINK
        return np.where(inner, values[self.follow] if len(values) else 0.0, sink)


def graph_of(rows: Ordered, level: str = "") -> Graph:
    """The graph of one key level."""
    nodes = rows.nodes(level)
    follow = np.full(len(rows), SINK)
    follow[:-1] = nodes.ids[1:]
    follow[rows.last] = SINK
    return Graph(
        nodes=nodes,
        edges=group_by(nodes.ids, rows.action),
        task_of_node=rows.task.ids[nodes.first()],
        follow=follow,
        landing=_landings(rows, nodes, level),
    )


def _landings(rows: Ordered, nodes: Groups, level: str) -> IntRows:
    """Nodes that truncated last rows ended in, found among the rows that start there."""
    found = np.full(len(rows), SINK)
    column = rows.level(level)
    ends = rows.last[(column.next_ids[rows.last] != END) & ~rows.terminated[rows.last]]
    width = len(column.keys)
    starts = rows.task.ids * width + column.ids
    order = np.argsort(starts, kind="stable")
    wanted = rows.task.ids[ends] * width + column.next_ids[ends]
    place = np.searchsorted(starts, wanted, sorter=order)
    hit = place < len(order)
    hit[hit] = starts[order[place[hit]]] == wanted[hit]
    found[ends[hit]] = nodes.ids[order[place[hit]]]
    return found


def successes(rows: Ordered) -> BoolRows:
    """Trajectories that ended in a terminated row with a positive undiscounted return."""
    return rows.terminated[rows.last] & (rows.trajectory.sum(rows.reward) > 0)


def outcome_conflicts(rows: Ordered, level: str = "") -> tuple[BoolRows, BoolRows]:
    """The alias detector: rows of repeated (key, action) pairs, and of those with two outcomes.

    An outcome is the next key, the reward and whether the task ended. In a deterministic world one
    conflict proves that the key is not the state.
    """
    pairs = group_by(rows.task.ids, rows.level(level).ids, rows.action)
    outcome = (rows.level(level).next_ids, rows.reward, rows.terminated)
    several = np.logical_or.reduce([pairs.varied(column) for column in outcome])
    return (pairs.sizes >= 2)[pairs.ids], several[pairs.ids]


def alias_rate(rows: Ordered, level: str = "") -> float:
    """Share of the rows in repeated (key, action) pairs that had more than one outcome."""
    repeated, conflict = outcome_conflicts(rows, level)
    return float(conflict.sum() / max(int(repeated.sum()), 1))
