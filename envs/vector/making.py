"""`make_vec`: one door to the three places where environments may live."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..errors import BadOption
from ..registry import make
from ..types import JsonValue, Options
from .crew import Crew, CrewSpec
from .env import TextVectorEnv, autoreset_mode

if TYPE_CHECKING:
    from gymnasium.vector import AutoresetMode


def make_vec(
    env_id: str,
    n: int = 1,
    backend: str = "sync",
    autoreset: "str | AutoresetMode" = "disabled",
    *,
    urls: str | Sequence[str] = (),
    each: Sequence[Options] = (),
    crew: CrewSpec | None = None,
    **options: JsonValue,
) -> TextVectorEnv:
    """`n` environments as one; the options are those of `make`.

    `backend` is `sync`, `process` or `remote` (with the `urls` of env servers). `autoreset` is
    `disabled`, `next_step` or `same_step`. `each` holds further options for each environment.
    Raises what `make` raises, and `ServerError` where servers do not answer.
    """
    builders: dict[str, Callable[[], Crew]] = {
        "sync": lambda: _local(env_id, laid_out),
        "process": lambda: _process(env_id, laid_out, crew or CrewSpec()),
        "remote": lambda: _remote(env_id, urls, laid_out, crew or CrewSpec()),
    }
    if backend not in builders:
        raise BadOption(f"backend must be one of {', '.join(builders)}, got {backend!r}")
    if urls and backend != "remote":
        raise BadOption(f"urls are for backend='remote', got backend={backend!r}")
    mode = autoreset_mode(autoreset)
    laid_out = one_each(n, each, options)
    return TextVectorEnv(builders[backend](), n, mode)


def one_each(n: int, each: Sequence[Options], options: Options) -> list[dict[str, JsonValue]]:
    """The options of each of `n` environments: its own over those of all."""
    if isinstance(n, bool) or n < 1:
        raise BadOption(f"expected at least one environment, got n={n!r}")
    if each and len(each) != n:
        raise BadOption(f"each must hold {n} sets of options, one per environment, got {len(each)}")
    return [{**options, **own} for own in each] or [dict(options)] * n


_Each: TypeAlias = list[dict[str, JsonValue]]


def _local(env_id: str, each: _Each) -> Crew:
    from .local import LocalCrew

    return LocalCrew([make(env_id, **options) for options in each])


def _process(env_id: str, each: _Each, spec: CrewSpec) -> Crew:
    from .process import ProcessCrew

    wanted = _processors() if spec.workers is None else spec.workers
    if wanted < 1:
        raise BadOption(f"expected at least one worker, got {wanted}")
    return ProcessCrew(env_id, each, min(wanted, len(each)), spec)


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _remote(env_id: str, urls: str | Sequence[str], each: _Each, spec: CrewSpec) -> Crew:
    if not urls:
        raise BadOption("backend='remote' needs urls=['http://...'] of env servers")
    from ..connect.target import Target, urls_of
    from .far import RemoteCrew

    return RemoteCrew(Target(urls=urls_of(urls), env=env_id, token=spec.token), each, spec)
