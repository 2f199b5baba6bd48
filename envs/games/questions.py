"""`TwentyQuestions`: one seat finds the hidden object by questions that the other must answer.

`ask ATTRIBUTE` (or `ask is it ATTRIBUTE?`) costs a question, `guess OBJECT` a guess. The answers
are facts of the table; the referee knows them too, and an answerer that lies forfeits the game.
Both seats are paid alike: 1 for the right guess, less 0.02 per question where `shaped`.
"""

import random
from dataclasses import dataclass, replace
from typing import Any, cast

from ..errors import BadOption
from ..types import JsonValue
from .facts import Facts, facts
from .rules import Moved, Refused, Rules, Sight, strings

COST = 0.02
"""What a question costs of the reward where it is shaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quest:
    """The state of a game."""

    task: str
    candidates: tuple[str, ...]
    hidden: str
    answers: tuple[tuple[str, str], ...] = ()
    """Questions asked, with `yes`, `no` or `unknown`."""
    pending: str | None = None
    """A question that awaits its answer."""
    guesses: tuple[str, ...] = ()
    """Objects guessed; the last may be the right one."""


class TwentyQuestions(Rules[Quest]):
    """The questioner is `agent_0`, the answerer `agent_1`."""

    id = "TwentyQuestions-v0"

    def __init__(
        self,
        *,
        candidates: int = 64,
        questions: int = 20,
        guesses: int = 3,
        noise: float = 0.0,
        shaped: bool = False,
        full_key: bool = False,
    ) -> None:
        """`noise` is the chance of an attribute to be answered `unknown` throughout a game.

        The key of a state is its remaining candidates and guesses; `full_key` adds questions left.
        """
        self.facts: Facts = facts()
        if not 2 <= candidates <= len(self.facts.objects):
            most = len(self.facts.objects)
            raise BadOption(f"candidates must be between 2 and {most}, got {candidates}")
        if not (0 <= questions <= 1000 and guesses >= 1):
            raise BadOption(
                f"questions must be 0-1000 and guesses at least 1, got {questions} and {guesses}"
            )
        if not 0.0 <= noise <= 1.0:
            raise BadOption(f"noise is a probability, between 0 and 1, got {noise}")
        self.candidates, self.questions, self.guesses = candidates, questions, guesses
        self.noise, self.shaped, self.full_key = noise, shaped, full_key
        self.key_counts_strikes = full_key

    def deal(self, task: str) -> Quest:
        """The candidates of the task and the one that is hidden."""
        rng = random.Random(f"twenty questions/{task}")
        drawn = set(rng.sample(self.facts.objects, self.candidates))
        ordered = tuple(thing for thing in self.facts.objects if thing in drawn)
        return Quest(task=task, candidates=ordered, hidden=rng.choice(ordered))

    def answer(self, state: Quest, attribute: str) -> str:
        """What the answerer has to say; a function of the task, so that asking again is vain."""
        if random.Random(f"noise/{state.task}/{attribute}").random() < self.noise:
            return "unknown"
        return "yes" if self.facts.holds(attribute, state.hidden) else "no"

    def remaining(self, state: Quest) -> tuple[str, ...]:
        """Candidates that fit all answers and were not guessed."""
        wrong = self._wrong(state)
        things = tuple(thing for thing in state.candidates if thing not in wrong)
        for attribute, answer in state.answers:
            if answer != "unknown":
                things = self.facts.keep(things, attribute, answer == "yes")
        return things

    def movers(self, state: Quest) -> tuple[str, ...]:
        """The answerer where a question is open, else the questioner."""
        if state.pending is not None:
            return self.agents[1:]
        spent = len(state.guesses) >= self.guesses or len(state.guesses) == len(state.candidates)
        return () if spent or self._found(state) else self.agents[:1]

    def move(self, state: Quest, agent: str, text: str) -> Moved[Quest] | Refused:
        """One command on one line."""
        verb, _, rest = " ".join(text.lower().split()).partition(" ")
        if agent == self.agents[1]:
            return self._answered(state, verb if not rest else "")
        if verb == "ask":
            return self._asked(state, rest)
        if verb == "guess":
            return self._guessed(state, rest)
        return Refused(why="the commands are: ask <attribute>, guess <object>")

    def _asked(self, state: Quest, name: str) -> Moved[Quest] | Refused:
        attribute = self.facts.attribute_named(name)
        if len(state.answers) >= self.questions:
            return Refused(why="no questions are left; guess <object>")
        if attribute is None:
            return Refused(why="this is none of the listed attributes; ask <attribute>")
        line = f"{self.agents[0]} asks: is it {attribute}?"
        return Moved(state=replace(state, pending=attribute), lines=(line,))

    def _guessed(self, state: Quest, thing: str) -> Moved[Quest] | Refused:
        thing = thing.removesuffix("?").strip()
        if thing not in state.candidates:
            return Refused(why="this is none of the listed objects; guess <object>")
        if thing in state.guesses:
            return Refused(why=f"{thing} was guessed before")
        right = "That is right!" if thing == state.hidden else "That is wrong."
        line = f"{self.agents[0]} guesses: {thing}. {right}"
        return Moved(state=replace(state, guesses=(*state.guesses, thing)), lines=(line,))

    def _answered(self, state: Quest, answer: str) -> Moved[Quest] | Refused:
        attribute = state.pending or ""
        if answer not in ("yes", "no", "unknown"):
            return Refused(why="answer yes or no; unknown where you are told so")
        if answer != self.answer(state, attribute):
            line = f"{self.agents[1]} gives a false answer and forfeits the game."
            return Moved(state=state, lines=(line,), forfeit=True)
        asked = (*state.answers, (attribute, answer))
        line = f"{self.agents[1]} answers: {answer}."
        return Moved(state=replace(state, answers=asked, pending=None), lines=(line,))

    def legal(self, state: Quest, agent: str) -> tuple[str, ...]:
        """Templates; attributes and objects are listed in the rules of the game."""
        if agent == self.agents[1]:
            return ("yes", "no", "unknown")
        ask = ("ask <attribute>",) if len(state.answers) < self.questions else ()
        return (*ask, "guess <object>")

    def commands(self, state: Quest, agent: str) -> tuple[str, ...]:
        """All that is accepted, whether it makes sense or not: the list tells nothing."""
        if agent == self.agents[1]:
            return ("yes", "no", "unknown")
        asks = self.facts.attributes if len(state.answers) < self.questions else ()
        things = (thing for thing in state.candidates if thing not in state.guesses)
        return (*(f"ask {name}" for name in asks), *(f"guess {thing}" for thing in things))

    def sight(self, state: Quest, agent: str) -> Sight:
        """What was asked and guessed; the answerer knows the object and what to answer as well."""
        seen: Sight = {
            "remaining": list(self.remaining(state)),
            "answers": [list(pair) for pair in state.answers],
            "guesses": list(state.guesses),
            "questions_left": self.questions - len(state.answers),
            "guesses_left": self.guesses - len(state.guesses),
            "pending": state.pending,
            "found": self._found(state),
        }
        if agent == self.agents[0]:
            return {"candidates": list(state.candidates), **seen}
        truth = None if state.pending is None else self.answer(state, state.pending)
        return {"hidden": state.hidden, "truth": truth, **seen}

    def key(self, state: Quest, agent: str | None) -> JsonValue:
        """Remaining candidates and guesses left, whatever the way that led there."""
        key: list[JsonValue] = [
            [*sorted(self.remaining(state))],
            self.guesses - len(state.guesses),
            state.pending,
            self._found(state),
        ]
        if agent != self.agents[0]:
            key += [agent, state.hidden]
        if agent is None or self.full_key:
            key.extend([[*state.candidates], len(state.answers), [*sorted(state.guesses)]])
        if agent is None:
            key += [state.task, self.questions, self.guesses, self.noise, self.shaped]
        return key

    def intro(self, sight: Sight, agent: str) -> str:
        """The rules, with all objects and attributes; for the answerer those that hold."""
        pay = f"1, less {COST} for each question asked" if self.shaped else "1"
        if agent == self.agents[1]:
            hidden = str(sight["hidden"])
            held = [name for name in self.facts.attributes if self.facts.holds(name, hidden)]
            return (
                f"You are {agent}, the answerer. The hidden object is: {hidden}\n"
                f"It is: {'; '.join(held)}\nIt is nothing else that can be asked for.\n"
                "Answer each question truly: yes or no, and unknown where you are told so. "
                f"A false answer forfeits the game. Both are paid {pay} if {self.agents[0]} "
                "finds the object."
            )
        return (
            f"You are {agent}, the questioner. Find the hidden object by at most "
            f"{self.questions} questions and {self.guesses} guesses.\n"
            f"Objects: {', '.join(strings(sight['candidates']))}\n"
            f"Attributes: {'; '.join(self.facts.attributes)}\n"
            "Commands: ask <attribute>, guess <object>. "
            f"Answers are yes, no or unknown. The right guess pays {pay}."
        )

    def status(self, sight: Sight, agent: str) -> str:
        """What is left, or what to answer."""
        if agent == self.agents[1] and sight["pending"] is not None:
            return f"Is it {sight['pending']}? The true answer is: {sight['truth']}"
        return f"Questions left: {sight['questions_left']}. Guesses left: {sight['guesses_left']}."

    def rewards(self, state: Quest, forfeits: tuple[str, ...]) -> dict[str, float]:
        """The same for both seats: 1 for the right guess."""
        paid = 0.0
        if self._found(state) and not forfeits:
            paid = max(0.0, 1.0 - COST * len(state.answers)) if self.shaped else 1.0
        return dict.fromkeys(self.agents, paid)

    def outcome(self, state: Quest, forfeits: tuple[str, ...], agent: str) -> Sight:
        """The hidden object, and whether it was found."""
        return {
            "won": self._found(state) and not forfeits,
            "hidden": state.hidden,
            "questions": len(state.answers),
        }

    def freeze(self, state: Quest) -> JsonValue:
        """The task and what was done."""
        return {
            "task": state.task,
            "answers": [list(pair) for pair in state.answers],
            "pending": state.pending,
            "guesses": list(state.guesses),
        }

    def thaw(self, frozen: JsonValue) -> Quest:
        """The task dealt again, and what was done."""
        held = cast("dict[str, Any]", frozen)
        dealt = self.deal(str(held["task"]))
        asked = [attribute for attribute, _ in held["answers"]]
        pending, guesses = held["pending"], tuple(held["guesses"])
        known = {*self.facts.attributes}
        if not {*asked, *([pending] if pending else [])} <= known:
            raise ValueError("questions for attributes that are not there")
        if not set(guesses) <= set(dealt.candidates):
            raise ValueError("guesses of objects that are not there")
        answers = tuple((attribute, self.answer(dealt, attribute)) for attribute in asked)
        return replace(dealt, answers=answers, pending=pending, guesses=guesses)

    def _found(self, state: Quest) -> bool:
        return bool(state.guesses) and state.guesses[-1] == state.hidden

    def _wrong(self, state: Quest) -> set[str]:
        return set(state.guesses) - {state.hidden}
