"""Small files of reads, made once a session; commands never change what they read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.inputs import INPUTS, Input


@pytest.fixture(scope="session")
def reads_of(tmp_path_factory: pytest.TempPathFactory):
    """Arguments that name the reads of a kind: the path and the options that it needs."""
    made: dict[str, Path] = {}

    def of(name: str) -> tuple[object, ...]:
        one: Input = INPUTS[name]
        if name not in made:
            made[name] = one.write(tmp_path_factory.mktemp(name))
        return (made[name], *one.options)

    return of
