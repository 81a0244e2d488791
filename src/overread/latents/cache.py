"""Latents that were computed before: blocks of rows, by image content and encoder version.

A block is one file, written whole and renamed, so a killed run loses at most the block it was
at, and two processes at once do no worse than compute a block twice. Damaged blocks are taken
for missing ones.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.latents.encoder import Encoder
from overread.latents.files import placed

_IN_MEMORY = 64 << 20
_DIGITS = 32

Codes = NDArray[np.bytes_]


def codes_of(keys: Sequence[str]) -> Codes:
    """A short code of each key, of the same length whatever the keys are."""
    made = [hashlib.sha256(str(key).encode()).hexdigest()[:_DIGITS] for key in keys]
    return np.array(made, dtype=f"S{_DIGITS}")


class Cache:
    """The blocks of one encoder.

    Args:
        folder: of all latents; a folder for the encoder's version is made in it.
        encoder: whose latents.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self.folder = folder / encoder.version
        self.dimension = encoder.dimension

    def write(self, codes: Codes, latents: NDArray[Any]) -> None:
        """Keep rows."""
        order = np.argsort(codes)
        made = io.BytesIO()
        np.savez(made, allow_pickle=False, codes=codes[order], latents=latents[order])
        placed(self.folder / f"{os.urandom(12).hex()}.npz", made.getvalue())

    def blocks(self) -> Iterator[tuple[Codes, NDArray[Any]]]:
        """Every sound block, one at a time."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.npz")):
            found = self._read(path)
            if found is not None:
                yield found

    def _read(self, path: Path) -> tuple[Codes, NDArray[Any]] | None:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                codes, latents = held["codes"], held["latents"]
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        sound = codes.ndim == 1 and codes.dtype == np.dtype(f"S{_DIGITS}")
        return (codes, latents) if sound and latents.shape == (len(codes), self.dimension) else None

    def known(self, codes: Codes) -> NDArray[np.bool_]:
        """Whether each of these (ascending, distinct) has its row."""
        found = np.zeros(len(codes), dtype=bool)
        for have, _ in self.blocks():
            found[_places(codes, have)[0]] = True
        return found

    def gather(self, codes: Codes) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Rows in the order of ``codes``, which may repeat, and whether each was there.

        What would not fit into 64 MiB lies in a file without a name, gone with the array.
        """
        distinct, back = np.unique(codes, return_inverse=True)
        order = np.argsort(back, kind="stable")
        start = np.searchsorted(back[order], np.arange(len(distinct) + 1))
        dtype = next((latents.dtype for _, latents in self.blocks()), np.dtype(np.float32))
        rows = _room((len(codes), self.dimension), dtype, self.folder)
        there = np.zeros(len(codes), dtype=bool)
        for have, latents in self.blocks():
            wanted, source = _places(distinct, have)
            count = start[wanted + 1] - start[wanted]
            # every place of every wanted code, without a loop over them
            shift = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
            places = order[np.repeat(start[wanted], count) + shift]
            rows[places] = latents[np.repeat(source, count)]
            there[places] = True
        if np.issubdtype(dtype, np.floating):
            rows[~there] = np.nan
        return rows, there


def _places(wanted: Codes, have: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places in ``wanted`` and in ``have`` of what is in both; both are ascending."""
    at = np.searchsorted(wanted, have)
    inside = at < len(wanted)
    inside[inside] = wanted[at[inside]] == have[inside]
    source = np.flatnonzero(inside)
    return at[source], source


def _room(shape: tuple[int, int], dtype: np.dtype[Any], folder: Path) -> NDArray[Any]:
    if math.prod(shape) * dtype.itemsize <= _IN_MEMORY:
        return np.zeros(shape, dtype=dtype)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=shape)
