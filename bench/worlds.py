"""Small text worlds whose dynamics are tables, so that values and gradients are exact.

A `World` holds transition chances and the feedback text of every transition; a `Task` adds a
policy. Rewards are paid on entering the won state. Nothing here is random but what a generator
says.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]

REWARD = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A finite world: state 0..S-1, the last one is won and absorbing."""

    moves: Table
    """Chance of (state, action, next state)."""
    feedback: NDArray[np.int64]
    """Text id of (state, action, next state)."""
    start: int
    cap: int
    """Steps after which an episode is truncated."""

    @property
    def won(self) -> int:
        """The absorbing state that pays on entry."""
        return self.moves.shape[0] - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A world and who acts in it."""

    world: World
    policy: Table
    """Chance of (state, action)."""


def build(
    states: list[tuple[int, ...]],
    num_actions: int,
    step: Callable[[tuple[int, ...], int], tuple[tuple[int, ...] | None, str]],
    scatter: Callable[[tuple[int, ...], int], list[tuple[int, ...]]],
    slip: float,
) -> tuple[Table, NDArray[np.int64]]:
    """Tables from a rule. `step` gives the next state (None = won) and the text; with chance
    `slip` a uniform one of `scatter` happens instead, told as if it had been wanted."""
    index = {state: i for i, state in enumerate(states)}
    size = len(states) + 1
    moves = np.zeros((size, num_actions, size))
    feedback = np.zeros((size, num_actions, size), np.int64)
    texts: dict[str, int] = {}
    for (state, i), action in itertools.product(index.items(), range(num_actions)):
        feedback[i, action, :] = texts.setdefault("nothing happens", len(texts))
        others = scatter(state, action)
        for other in others:
            moves[i, action, index[other]] += slip / len(others)
            told = f"you arrive at {other[0]}" if other != state else "nothing happens"
            feedback[i, action, index[other]] = texts.setdefault(told, len(texts))
        then, text = step(state, action)
        landing = size - 1 if then is None else index[then]
        moves[i, action, landing] += 1.0 - slip
        feedback[i, action, landing] = texts.setdefault(text, len(texts))
    moves[size - 1, :, size - 1] = 1.0
    return moves, feedback


def household(draw: np.random.Generator, slip: float) -> World:
    """Go, open, take, carry, put: 6 places, a closed container, 24 states, 10 actions."""
    places = 6
    container, goal, start = draw.permutation(places)[:3].tolist()
    states = [(at, o, h) for at in range(places) for o in (0, 1) for h in (0, 1)]

    def step(state: tuple[int, ...], action: int) -> tuple[tuple[int, ...] | None, str]:
        at, opened, holding = state
        if action < places and action != at:
            return (action, opened, holding), f"you arrive at {action}"
        if action == places and at == container and not opened:
            return (at, 1, holding), "you open it"
        if action == places + 1 and at == container and opened and not holding:
            return (at, opened, 1), "you take it"
        if action == places + 2 and at == goal and holding:
            return None, "you put it down"
        return state, "nothing happens"

    def scatter(state: tuple[int, ...], action: int) -> list[tuple[int, ...]]:
        return [(at, *state[1:]) for at in range(places)] if action < places else [state]

    moves, feedback = build(states, places + 4, step, scatter, slip)
    return World(moves=moves, feedback=feedback, start=states.index((start, 0, 0)), cap=25)


def key_door(draw: np.random.Generator, slip: float) -> World:
    """A corridor of 12: fetch a key behind the start, open a door, walk to the end."""
    length, door = 12, int(draw.integers(5, 8))
    key, start = int(draw.integers(0, 2)), int(draw.integers(2, 4))
    states = [(at, k, o) for at in range(length) for k in (0, 1) for o in (0, 1)]

    def step(state: tuple[int, ...], action: int) -> tuple[tuple[int, ...] | None, str]:
        at, has_key, opened = state
        then = at + (1, -1)[action] if action < 2 else at
        if action == 0 and at == length - 2:
            return None, "you reach the end"
        if action < 2 and 0 <= then < length and (opened or then != door):
            return (then, has_key, opened), "you walk on"
        if action == 2 and at == key and not has_key:
            return (at, 1, opened), "you take the key"
        if action == 3 and at == door - 1 and has_key and not opened:
            return (at, has_key, 1), "the door opens"
        return state, "nothing happens"

    moves, feedback = build(states, 5, step, lambda state, action: [state], slip)
    return World(moves=moves, feedback=feedback, start=states.index((start, 0, 0)), cap=50)


def maze(draw: np.random.Generator, slip: float) -> World:
    """Rooms on a 4 x 4 torus that show their colour only: take an item, bring it to the exit."""
    side = 4
    colour = draw.integers(0, 4, side * side)
    item, goal, start = draw.permutation(side * side)[:3].tolist()
    states = [(room, held) for room in range(side * side) for held in (0, 1)]

    def beside(room: int, action: int) -> int:
        row, column = divmod(room, side)
        down, right = ((0, 1), (0, -1), (1, 0), (-1, 0))[action]
        return (row + down) % side * side + (column + right) % side

    def step(state: tuple[int, ...], action: int) -> tuple[tuple[int, ...] | None, str]:
        room, held = state
        if action < 4:
            then = beside(room, action)
            if then == goal and held:
                return None, "you are out"
            return (then, held), f"a {colour[then]} room"
        if room == item and not held:
            return (room, 1), "you take it"
        return state, "nothing happens"

    def scatter(state: tuple[int, ...], action: int) -> list[tuple[int, ...]]:
        if action == 4:
            return [state]
        inside = [beside(state[0], a) for a in range(4)]
        return [(room, state[1]) for room in inside if not (room == goal and state[1])] or [state]

    moves, feedback = build(states, 5, step, scatter, slip)
    return World(moves=moves, feedback=feedback, start=states.index((start, 0)), cap=40)


def skilled_policy(draw: np.random.Generator, world: World, low: float, high: float) -> Table:
    """In each state the best action with extra chance U(low, high), the rest Dirichlet(0.35)."""
    values = np.zeros(world.moves.shape[0])
    for _ in range(4 * world.cap):
        values = action_values(world, values, 0.95).max(axis=1)
    best = action_values(world, values, 0.95).argmax(axis=1)
    num_states, num_actions = world.moves.shape[:2]
    rest = draw.dirichlet(np.full(num_actions, 0.35), num_states)
    extra = draw.uniform(low, high, (num_states, 1))
    policy = (1.0 - extra) * rest + extra * np.eye(num_actions)[best]
    return np.maximum(policy, 1e-6) / np.maximum(policy, 1e-6).sum(axis=1, keepdims=True)


def action_values(world: World, after: Table, gamma: float) -> Table:
    """Value of (state, action) when the next state is worth `after`; won pays once, on entry."""
    worth = gamma * after
    worth[world.won] = REWARD
    values = world.moves @ worth
    values[world.won] = 0.0
    return values


def advantages(task: Task, gamma: float) -> Table:
    """Exact A of (time, state, action) under the task's policy, by backward induction."""
    world = task.world
    after = np.zeros(world.moves.shape[0])
    found = np.empty((world.cap, *task.policy.shape))
    for t in reversed(range(world.cap)):
        values = action_values(world, after, gamma)
        after = (task.policy * values).sum(axis=1)
        found[t] = values - after[:, None]
    return found


def occupancy(task: Task) -> Table:
    """Exact chance of (time, state)."""
    world = task.world
    found = np.zeros((world.cap, world.moves.shape[0]))
    found[0, world.start] = 1.0
    flow = np.einsum("sa,sat->st", task.policy, world.moves)
    for t in range(1, world.cap):
        found[t] = found[t - 1] @ flow
    found[:, world.won] = 0.0
    return found


def expected_return(task: Task) -> float:
    """Exact undiscounted expected return."""
    values = np.zeros(task.world.moves.shape[0])
    for _ in range(task.world.cap):
        values = (task.policy * action_values(task.world, values, 1.0)).sum(axis=1)
    return float(values[task.world.start])
