"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import overread

_MODULES = [m.name for m in pkgutil.walk_packages(overread.__path__, "overread.")]


@pytest.mark.parametrize("name", [n for n in _MODULES if not n.endswith("__main__")])
def test_examples_run(name: str) -> None:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0
