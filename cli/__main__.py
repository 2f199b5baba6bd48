"""`python -m gigym.cli` is the `gigym` command."""

from . import main

main()
