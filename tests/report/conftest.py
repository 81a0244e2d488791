"""Pages of every state, drawn once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from overread import report

_SPEC = importlib.util.spec_from_file_location("gallery", Path(__file__).parent / "gallery.py")
gallery = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(gallery)


@pytest.fixture(scope="session")
def states():
    return gallery.STATES


@pytest.fixture(scope="session")
def hostile():
    return gallery.HOSTILE


@pytest.fixture(scope="session")
def page():
    drawn = {}

    def of(state):
        if state not in drawn:
            drawn[state] = report.html(gallery.STATES[state]())
        return drawn[state]

    return of
