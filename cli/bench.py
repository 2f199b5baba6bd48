"""`gigym bench`: run a benchmark, or all, and print figures with what they were taken on."""

import json
import sys
from typing import Annotated, Any

import typer

from .text import table
from .words import AsJson, new_app

app = new_app()


@app.command()
def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A benchmark, or all.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds, rougher figures.")] = False,
    sessions: Annotated[
        list[int] | None,
        typer.Option("--sessions", metavar="N", help="servers: sessions at once; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure speed and memory on this machine."""
    from ..bench import bench_names, run_bench

    names = bench_names() if name == "all" else (name,)
    results: list[dict[str, Any]] = []
    for each in names:
        print(f"running {each} ...", file=sys.stderr, flush=True)
        results.append(run_bench(each, quick=quick, sessions=sessions or ()))
        if not as_json:
            print(_page(results[-1]))
    if as_json:
        print(json.dumps({"benches": results} if name == "all" else results[0]))


def _page(result: dict[str, Any]) -> str:
    machine = result["machine"]
    head = (
        f"{result['name']}: {result['date']}, commit {result['commit'] or 'unknown'}, "
        f"{machine['cores']} cores {machine['system']}, Python {machine['python']}, "
        f"load {machine['load']}"
    )
    tables = [f"{name}:\n{_rows(rows)}" for name, rows in result.get("tables", {}).items() if rows]
    notes = [f"- {note}" for note in result["notes"]]
    return "\n".join([head, _rows(result["rows"]), *tables, *notes, ""])


def _rows(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    body = [[_cell(row.get(name, "")) for name in names] for row in rows]
    return table([names, *body])


def _cell(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
