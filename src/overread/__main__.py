"""``python -m overread`` is the command line."""

from overread.cli.main import main

main()
