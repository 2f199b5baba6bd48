"""How far a download is: a bar on a terminal, few lines elsewhere, nothing that a server draws."""

import io

import pytest
from rich.console import Console

from gigym.cli.strides import Bars, Lines, Work, watcher


def test_bytes_are_told_in_mib_and_other_things_by_number() -> None:
    def far(unit: str, total: int | None) -> str:
        return Work(name="", unit=unit, done=3 << 20, total=total).far

    assert far("bytes", 6 << 20) == "3.0 of 6.0 MiB"
    assert far("bytes", None) == "3.0 MiB"
    assert far("games", 4 << 20) == "3,145,728 of 4,194,304 games"


def test_lines_are_few(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.start("games.zip", 0, 1000 << 10)
    for _ in range(1000):
        lines.advance(1 << 10)
    lines.note("a note \x1b[31m")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "games.zip: 0.0 of 1.0 MiB",
        "games.zip: 1.0 of 1.0 MiB",
        "a note \\x1b[31m",
    ]


@pytest.mark.parametrize("total", [2 << 20, None])
def test_a_terminal_shows_one_bar_and_the_notes_above_it(total: int | None) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100, color_system=None)
    with Bars(console) as bars:
        bars.advance(1)
        bars.start("first", 0, total)
        bars.advance(1 << 20)
        bars.note("a note \x1b[31m [bold]")
        bars.start("second [red]", 1 << 20, total)
    text = shown.getvalue()
    assert "a note \\x1b[31m [bold]" in text and "\x1b[31m" not in text
    last = next(line for line in reversed(text.splitlines()) if "MiB" in line)
    assert "second [red]" in last and "1.0" in last and "first" not in last


def test_without_a_terminal_there_are_lines() -> None:
    with watcher() as seen:
        assert isinstance(seen, Lines)
