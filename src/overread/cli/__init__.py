"""The command line, one file a command."""

from overread.cli.main import main

__all__ = ["main"]
