"""`import gigym` is instant: it loads no room and no heavy package."""

import subprocess
import sys

import pytest

import gigym

HEAVY = ("torch", "transformers", "numpy", "gymnasium", "pydantic", "httpx", "typer", "rich")


def loaded_after(statement: str) -> set[str]:
    """Modules in a fresh interpreter after the statement."""
    script = f"import sys\n{statement}\nprint(' '.join(sys.modules))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_after("import gigym")
    assert not loaded & set(HEAVY)
    assert not [name for name in loaded if name.startswith("gigym.")]


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert not loaded_after("import gigym.cli") & set(HEAVY)


def test_reading_a_configuration_loads_no_torch() -> None:
    loaded = loaded_after("from gigym.trainer import load_config; load_config('quickstart')")
    assert not loaded & {"torch", "transformers", "fastapi", "httpx", "matplotlib"}


def test_the_environments_need_no_torch() -> None:
    loaded = loaded_after("import gigym; gigym.make('ALFWorld-v0').reset(seed=1)")
    assert not loaded & {"torch", "transformers", "fastapi", "httpx"}


@pytest.mark.parametrize("name", gigym.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(gigym, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'mkae'"):
        getattr(gigym, "mkae")  # noqa: B009
