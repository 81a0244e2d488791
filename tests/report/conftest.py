"""Pages of every state, drawn once."""

from __future__ import annotations

import pytest

from overread import report

from . import gallery


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
