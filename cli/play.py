"""`gigym play`: one episode in the terminal, by a person or by a scripted agent.

A person sees the observation, the numbered choices, the reward and the state key, and whether
the state was met before; the tab key completes actions. `u` steps back, `h` shows the moves so
far, `?WORD` the choices that hold a word, `q` ends; a backslash sends such a word as an action.
With `--json` the transcript goes to stderr and the episode to stdout as one object, whatever the
environment's code prints.
"""

import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .prompt import ask, listed
from .text import clean
from .words import AsJson, Assignments, EnvId, new_app

if TYPE_CHECKING:
    from ..envs import Policy, Reply, TextEnv
    from .sitting import Sitting

Agent = Literal["human", "expert", "random"]

app = new_app()


@app.command()
def play(
    env_id: EnvId,
    options: Assignments = None,
    seed: Annotated[int, typer.Option(min=0, help="Which task.")] = 0,
    agent: Annotated[Agent, typer.Option(help="Who chooses the actions.")] = "human",
    as_json: AsJson = False,
) -> None:
    """Play one episode in the terminal."""
    from ..envs import make
    from ..envs.options import parse_options
    from .sitting import Sitting

    with redirect_stdout(sys.stderr if as_json else sys.stdout):
        env = make(env_id, **parse_options(options or ()))
        sitting = Sitting(env, seed)
        print(f"{env_id}, seed {seed}\n\n{clean(sitting.reply.observation)}")
        if agent == "human":
            _play_by_hand(sitting)
        else:
            _play_by_policy(sitting, _policy(env, agent, seed))
        print(f"\n{_ending(sitting)}")
    if as_json:
        print(json.dumps({"env": env_id, "seed": seed, "agent": agent, **sitting.record()}))


def _policy(env: "TextEnv", agent: Agent, seed: int) -> "Policy":
    from ..agents import RandomPolicy

    return env.expert("state", seed) if agent == "expert" else RandomPolicy(seed)


def _play_by_policy(sitting: "Sitting", policy: "Policy") -> None:
    while not sitting.reply.done:
        sitting.take(policy.act(sitting.reply))
        move = sitting.moves[-1]
        print(f"\n> {clean(move.action)}\n{clean(move.observation)}")


def _play_by_hand(sitting: "Sitting") -> None:
    shown = None
    while not sitting.reply.done:
        choices = sitting.reply.admissible_actions
        if shown is not sitting.reply:
            keys = "(u back, h history, ?WORD find, q quit)"
            print(f"\n{listed(choices)}\n{_standing(sitting)}  {keys}")
        shown = sitting.reply
        line = ask(choices or ())
        if line in (None, "q"):
            return
        if line:
            _obey(line, sitting)


def _obey(line: str, sitting: "Sitting") -> None:
    from ..envs import Unsupported

    if line == "h":
        print(_history(sitting))
        return
    if line.startswith("?"):
        print(listed(sitting.reply.admissible_actions, line[1:].strip()))
        return
    if line != "u":
        sitting.take(_meant(line, sitting.reply))
    else:
        try:
            sitting.back()
        except Unsupported as error:
            print(f"{error}")
            return
    print(f"\n{clean(sitting.reply.observation)}")


def _history(sitting: "Sitting") -> str:
    moves = enumerate(sitting.moves, 1)
    lines = [f"{n:3d} {clean(move.action)}  ({move.reward:+g})" for n, move in moves]
    return "\n".join(lines) or "(no moves so far)"


def _meant(line: str, reply: "Reply") -> str:
    choices = reply.admissible_actions or ()
    if line.startswith("\\"):
        return line[1:]
    if line.isdecimal() and 1 <= int(line) <= len(choices):
        return choices[int(line) - 1]
    return line


def _standing(sitting: "Sitting") -> str:
    reply, met = sitting.reply, sitting.met_before()
    key = "" if reply.state_key is None else f"  state {reply.state_key[:8]}"
    again = "" if met is None else f" (met at turn {met})"
    turn = f"turn {len(sitting.moves)}  reward {reply.reward:g}  return {sitting.total:g}"
    return f"{turn}{key}{again}"


def _ending(sitting: "Sitting") -> str:
    reply = sitting.reply
    verdict = "won" if reply.info.get("won") else "over" if reply.terminated else "out of turns"
    said = verdict if reply.done else "left unfinished"
    return f"{said} after {len(sitting.moves)} turns, return {sitting.total:g}"
