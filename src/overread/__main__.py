"""``python -m overread`` is the command line."""

from overread.cli import main

main()
