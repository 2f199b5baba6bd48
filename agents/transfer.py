"""Ways for weights to reach a server: four steps, init, begin, send as often as need be, commit.

Parts are safetensors files in memory. `RpcParts` sends them through a worker extension and needs
nothing but HTTP; `FileRoutes` hands files over on one machine, by vLLM's weight-transfer routes.
"""

import base64
import tempfile
from pathlib import Path
from typing import Protocol

from .errors import EngineError, PushError
from .link import Link, LinkDown
from .vllm_worker import EXTENSION

SHARED = Path("/dev/shm")
"""Files there never reach a disk."""


class Transfer(Protocol):
    """One way to one server."""

    async def init(self) -> None:
        """Once per server. Raises `EngineError` where the server does not know this way."""
        ...

    async def begin(self) -> None:
        """An update starts; what an earlier one left is forgotten."""
        ...

    async def send(self, part: bytes) -> None:
        """One part."""
        ...

    async def commit(self, version: str) -> None:
        """Load what came and call it `version`."""
        ...


class RpcParts:
    """Parts in base64 by `/collective_rpc`, taken by our worker extension."""

    def __init__(self, link: Link, deadline_s: float) -> None:
        self._link, self._deadline_s = link, deadline_s

    async def init(self) -> None:
        """Ask for the extension."""
        await self._call("gigym_begin")

    async def begin(self) -> None:
        """Forget earlier parts."""
        await self._call("gigym_begin")

    async def send(self, part: bytes) -> None:
        """One part."""
        await self._call("gigym_part", base64.b64encode(part).decode())

    async def commit(self, version: str) -> None:
        """Load, then stamp."""
        await self._call("gigym_commit")
        await self._link.order(
            "/update_weight_version", deadline_s=self._deadline_s, json={"new_version": version}
        )

    async def _call(self, method: str, *args: str) -> None:
        body = {"method": method, "args": args}
        await self._link.order("/collective_rpc", deadline_s=self._deadline_s, json=body)


class FileRoutes:
    """Files by `/start_weight_update`, `/update_weights`, `/finish_weight_update`."""

    def __init__(self, link: Link, deadline_s: float) -> None:
        self._link, self._deadline_s = link, deadline_s

    async def init(self) -> None:
        """Set the transfer up; the server must share this machine's files."""
        if not self._link.local:
            raise EngineError(f"{self._link.url} is another machine and cannot read our files")
        await self._order("/init_weight_transfer_engine", {"init_info": {}})

    async def begin(self) -> None:
        """Start the update."""
        await self._order("/start_weight_update", None)

    async def send(self, part: bytes) -> None:
        """One file, gone when the server has read it."""
        folder = SHARED if SHARED.is_dir() else None
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".safetensors") as file:
            file.write(part)
            file.flush()
            await self._order("/update_weights", {"update_info": {"path": file.name}})

    async def commit(self, version: str) -> None:
        """Load and stamp."""
        await self._order("/finish_weight_update", {"weight_version": version})

    async def _order(self, path: str, body: dict[str, object] | None) -> None:
        content = {} if body is None else {"json": body}
        await self._link.order(path, deadline_s=self._deadline_s, **content)


async def choose_transfer(link: Link, deadline_s: float) -> Transfer:
    """The first way that the server knows. Raises `PushError` where it knows none."""
    refusals: list[str] = []
    for kind in (RpcParts, FileRoutes):
        transfer = kind(link, deadline_s)
        try:
            await transfer.init()
        except (EngineError, LinkDown) as error:
            refusals.append(str(error))
        else:
            return transfer
    raise PushError(
        f"{link.url} takes no weights; start it with VLLM_SERVER_DEV_MODE=1 and "
        f"--worker-extension-cls {EXTENSION}: {'; '.join(refusals)}"
    )
