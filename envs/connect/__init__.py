"""Playing at env servers as if their environments were here: `gigym.connect`.

    env = gigym.connect("http://127.0.0.1:8000", "ALFWorld-v0")
    env = gigym.connect(["http://a:8000", "http://b:8000"], "ALFWorld-v0", split="test")

Servers of ours, of OpenEnv and of AgentGym are spoken to; `seat_pool` gives the seats of
`gigym.envs.pool` at any of them.
"""

from .door import connect
from .env import RemoteEnv
from .meeting import Meeting, meet
from .pool import ConnectedPool, seat_pool
from .target import Shape, Target, urls_of

__all__ = [
    "ConnectedPool",
    "Meeting",
    "RemoteEnv",
    "Shape",
    "Target",
    "connect",
    "meet",
    "seat_pool",
    "urls_of",
]
