"""Script of a helper process: compares two LaTeX formulas with math-verify, one JSON line each.

In: `[given, truth]`. Out: true, false, or `{"error": TEXT}`. Started by `helper_process.py` only;
model text is parsed by math-verify's LaTeX grammar, without its parser of Python expressions.
"""

import json
import os
import sys
from typing import Any, cast

_MEMORY = 2 << 30


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def main() -> None:
    """Answer until the input ends."""
    # Whatever the libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    _bound_memory()
    import math_verify  # pyright: ignore[reportMissingTypeStubs]

    answers.write('"ready"\n')
    answers.flush()
    for line in sys.stdin:
        given, truth = json.loads(line)
        try:
            result: object = equal(math_verify, given, truth)
        except Exception as error:
            result = {"error": type(error).__name__}
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def equal(library: object, given: str, truth: str) -> bool:
    """Whether both are formulas, and equal ones."""
    verify = cast(Any, library)
    wanted, answer = _formula(library, truth), _formula(library, given)
    # The library's own limits use signals; ours is the parent's clock. Twelve decimals: a rounded
    # value is not the number itself.
    found = verify.verify(
        wanted, answer, float_rounding=12, timeout_seconds=None, raise_on_error=True
    )
    return bool(wanted) and bool(answer) and bool(found)


def _formula(library: object, text: str) -> list[object]:
    verify = cast(Any, library)
    return verify.parse(
        f"${text}$",
        extraction_config=[verify.LatexExtractionConfig()],
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )


if __name__ == "__main__":
    main()
