"""Script of a helper process: items and scores of reasoning-gym, one JSON line each.

In: `["item", name, seed]` or `["score", name, seed, answer]`. Out: `{"question", "answer"}`, a
number, or `{"error": TEXT}`. Started by `helper_process.py` only; the package takes seconds to
import, draws from global generators, and some of its scorers evaluate what they are given.
"""

import json
import os
import sys
from typing import Any, cast


def main() -> None:
    """Answer until the input ends."""
    # Whatever the library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    import reasoning_gym  # pyright: ignore[reportMissingImports]

    answers.write('"ready"\n')
    answers.flush()
    for line in sys.stdin:
        try:
            result: object = answered(reasoning_gym, *json.loads(line))
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error!s:.200}"}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def answered(library: object, ask: str, name: str, seed: int, answer: str = "") -> object:
    """One item of a data set, or the score of an answer to it."""
    data = cast(Any, library).create_dataset(name, size=1, seed=seed)
    entry = data[0]
    if ask == "item":
        return {"question": str(entry["question"]), "answer": str(entry["answer"])}
    return float(data.score_answer(answer=answer, entry=entry))


if __name__ == "__main__":
    main()
