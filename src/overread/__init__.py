"""Medical-image labels of known, certified quality with the least reading time."""

from importlib.metadata import version

__version__ = version("overread")
