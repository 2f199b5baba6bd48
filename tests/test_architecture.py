"""The rooms form a DAG, the wheel holds every package, the root holds one module."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALLOWED: dict[str, set[str]] = {
    "grouping": set(),
    "envs": set(),
    "servers": {"envs"},
    "agents": {"envs", "grouping"},
    "trainer": {"agents", "envs", "grouping", "servers"},
    "bench": {"agents", "envs", "grouping", "servers", "trainer"},
    "cli": {"agents", "bench", "envs", "grouping", "servers", "trainer"},
}


def rooms_used(path: Path) -> set[str]:
    """Rooms that the file reaches by relative or absolute import."""
    depth = len(path.relative_to(ROOT).parts) - 1
    used: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            used |= {a.name.split(".")[1] for a in node.names if a.name.startswith("gigym.")}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == 0 and module.split(".")[0] == "gigym":
                module = module.removeprefix("gigym").removeprefix(".")
            elif node.level != depth + 1:
                continue
            used |= {module.split(".")[0]} if module else {a.name for a in node.names}
    return used & ALLOWED.keys()


def test_rooms_form_a_dag() -> None:
    for room, allowed in ALLOWED.items():
        for path in (ROOT / room).rglob("*.py"):
            used = rooms_used(path) - {room}
            assert used <= allowed, f"{path.relative_to(ROOT)} may not import {used - allowed}"


def test_wheel_lists_every_package() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(config["tool"]["setuptools"]["packages"])
    inits = [p for room in ALLOWED for p in (ROOT / room).rglob("__init__.py")]
    found = {".".join(("gigym", *p.parent.relative_to(ROOT).parts)) for p in inits}
    assert listed == found | {"gigym"}


def test_root_has_no_stray_module() -> None:
    assert [p.name for p in ROOT.glob("*.py")] == ["__init__.py"]


def test_grouping_needs_numpy_and_nothing_else() -> None:
    for path in (ROOT / "grouping").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = {a.name.split(".")[0] for a in node.names}
                assert not names & {"torch", "gymnasium", "pydantic", "httpx"}, path
