"""Worker processes that hold sessions: for environments that are unsafe, slow or bound to the GIL.

The server keeps of each session what it takes to play it again (`seat.py`), sends its items on and
passes the answers through unread. A worker that dies or hangs is replaced (`worker.py`), and its
other sessions do not notice.
"""

from .frames import Setup
from .pool import Pool
from .seat import Plan
from .worker import Duty

__all__ = ["Duty", "Plan", "Pool", "Setup"]
