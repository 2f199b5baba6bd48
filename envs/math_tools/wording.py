"""What the environment says besides the question: the rules at the start, the remarks between."""

from collections.abc import Sequence

from .calls import Malformed

_EXAMPLES = {
    "calculator": "<calculator>(17 + 4) * comb(9, 2)</calculator>",
    "python": "<python>print(sum(range(10)))</python>",
}
_ABOUT = {
    "calculator": (
        "The calculator takes one exact expression with + - * / // % **, brackets, pi, e and "
        "gcd lcm comb perm factorial sqrt abs min max round floor ceil pow."
    ),
    "python": "Python programs run apart from each other and show what they print.",
}
ANSWERING = "Give your final answer as <answer>...</answer>; it ends the task and counts once."
CORRECT = "Correct."
WRONG = "That is not the right answer."
SPENT = "All tool calls are used up, and another was asked for: the task ends here."


def opening(question: str, tools: Sequence[str], calls: int, turns: int | None) -> str:
    """The question and how to go about it."""
    lines = [question, ""]
    for tool in tools:
        lines.append(f"To use the tool {tool}, write {_EXAMPLES[tool]}. {_ABOUT[tool]}")
    if tools:
        lines.append(
            "A JSON tool call in <tool_call>...</tool_call> works as well. "
            f"One call per turn, at most {calls} in all; the result comes between "
            "<output> and </output>."
        )
    if turns is not None:
        lines.append(f"You have {turns} turns.")
    return "\n".join([*lines, ANSWERING])


def result(text: str) -> str:
    """A tool's result as a message."""
    return f"<output>{text}</output>"


def not_understood(said: Malformed, tools: Sequence[str]) -> str:
    """What was wrong with a turn, and what a turn may be."""
    forms = [f"<{tool}>...</{tool}>" for tool in tools] + ["<answer>...</answer>"]
    return f"This turn did nothing: {said.reason}. Write {' or '.join(forms)}."
