"""Playing on env servers over HTTP, with the seats of `gigym.envs.pool`.

    async with RemotePool(["http://127.0.0.1:8000"], "ALFWorld-v0", {}) as pool:
        (seat,) = await pool.open(1)
        reply = await seat.reset(Task(env="ALFWorld-v0", seed=7))
        reply = await seat.step("look")

Lost answers, restarted servers and lost sessions are made good by repetition and replay; what
cannot be made good within a deadline is `ServerUnreachable` or `EpisodeLost`.
"""

from .pool import RemotePool, server_info
from .seat import RemoteSeat
from .spec import ClientSpec

__all__ = ["ClientSpec", "RemotePool", "RemoteSeat", "server_info"]
