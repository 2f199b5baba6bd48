"""`check_env`: does an environment keep its contract?

    report = gigym.check_env("ALFWorld-v0", split="test")
    gigym.check_env(MyEnv, length=4).assert_ok()

An id, a class, an instance, `package.module:Class` or the URL of an env server can be checked.
Each check is a small function of the table in table.py; each finding names what was expected,
what came, and the seed and the actions that show it again.
"""

from .report import CheckReport, Finding, Skip
from .run import CheckPlan, check_env
from .table import CHECKS

__all__ = ["CHECKS", "CheckPlan", "CheckReport", "Finding", "Skip", "check_env"]
