"""Versions of what a figure was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PARTS = ("overread", "numpy", "scipy", "numba", "sqlalchemy", "pydicom")


def software() -> dict[str, str]:
    """Name -> version; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in _PARTS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra that is not installed
            continue
    return found
