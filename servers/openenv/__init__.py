"""OpenEnv's protocol on the same application: `/ws` and the HTTP routes around it.

Sessions are those of the native protocol: limits, leases, workers, metrics and draining hold for
them as well. The first environment of a server stands at the root, every one under
`/openenv/<id>/`. Nothing of the package `openenv` is used; docs/openenv.md tells what differs.
"""

from .install import install

__all__ = ["install"]
