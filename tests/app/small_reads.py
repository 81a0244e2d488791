"""Small reads of every label kind, made from the files of the command line's tests."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from overread.exchange import ReadOptions, read_reads
from overread.labels import Kind, Reads
from tests.cli.inputs import INPUTS

_NAMES = {
    Kind.NOMINAL: "nominal",
    Kind.ORDINAL: "ordinal",
    Kind.MULTILABEL: "wide",
    Kind.SCORE: "score",
    Kind.BOX: "boxes",
    Kind.INSTANCE: "instances",
    Kind.MASK: "masks",
}


@cache
def _reads(kind: Kind) -> Reads:
    with tempfile.TemporaryDirectory() as folder:
        return read_reads(INPUTS[_NAMES[kind]].write(Path(folder)), ReadOptions(kind=kind))


def _maker(kind: Kind) -> Callable[[], Reads]:
    return lambda: _reads(kind)


READS: dict[Kind, Callable[[], Reads]] = {kind: _maker(kind) for kind in Kind}
