"""The shop's own error: what its files hold is not what they should."""

from ..errors import GameFileError


class CatalogueError(GameFileError):
    """A file of products, instructions or a store cannot be read; the message says where."""
