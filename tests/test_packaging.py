"""What is installed is what is needed: all packages and data, no tests, the promised extras."""

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS = ["train", "serve", "vllm", "lora", "alfworld", "webshop"]
EXTRAS += ["math", "data", "reasoning", "multi", "textarena", "report", "dev"]
LEFT_BEHIND = (".git", ".venv*", "build", "dist", "*.egg-info", "runs", "__pycache__", ".*_cache")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of this checkout, built without the network."""
    pytest.importorskip("setuptools", minversion="77", reason="needs setuptools to build a wheel")
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND), symlinks=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder of an unpacked wheel, as pip would lay it out."""
    folder = wheel.parent / "installed"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def test_the_wheel_holds_every_module_and_all_data_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    checkout = wheel.parent / "checkout"
    rooms = ("envs", "servers", "agents", "grouping", "trainer", "cli", "bench")
    modules = [path for room in rooms for path in (checkout / room).rglob("*.py")]
    patterns = ("trainer/recipes/*.toml", "envs/data/*", "servers/web/**/*")
    data = [path for pattern in patterns for path in checkout.glob(pattern) if path.is_file()]
    wanted = {f"gigym/{path.relative_to(checkout).as_posix()}" for path in (*modules, *data)}
    assert wanted | {"gigym/py.typed"} <= names
    assert data
    strangers = {name.split("/")[1] for name in names if name.startswith("gigym/")}
    assert strangers <= {*rooms, "__init__.py", "py.typed"}


def test_the_wheel_runs_where_it_is_unpacked(installed: Path, tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path[:0] = [{str(installed)!r}, {sysconfig.get_path('purelib')!r}]\n"
        "import gigym; assert gigym.__file__.startswith(sys.path[0]), gigym.__file__\n"
        "from gigym.cli import main; main(sys.argv[1:])\n"
    )
    for words in (
        ("config", "show", "quickstart"),
        ("play", "ALFWorld-v0", "--agent", "expert", "--json"),
    ):
        # -S leaves out the editable install of the checkout
        command = [sys.executable, "-S", "-c", script, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr


def test_the_extras_are_those_of_the_documentation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(project["optional-dependencies"]) == sorted(EXTRAS)


def test_every_pin_of_the_constraints_is_exact() -> None:
    lines = (ROOT / "constraints" / "cpu.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins and all(line.count("==") == 1 for line in pins)


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a target of the Makefile that installs nothing."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_make_names_what_this_machine_lacks(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\n[ "$1" = -V ]\n')
    old.chmod(0o755)
    too_old = make("check-python", f"PYTHON={old}")
    assert too_old.returncode != 0
    assert "needs Python 3.11 or newer" in too_old.stderr and "Python 3.9.2" in too_old.stderr
    absent = make("check-python", "PYTHON=no-such-python")
    assert absent.returncode != 0
    assert "no no-such-python here" in absent.stderr


def test_make_is_content_with_the_python_that_runs_the_tests() -> None:
    assert make("check-python", f"PYTHON={sys.executable}").returncode == 0
