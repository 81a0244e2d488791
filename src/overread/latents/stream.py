"""Images to latents, block by block: no memory holds them all, and nothing is computed twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError
from overread.latents.cache import Cache, Codes, codes_of
from overread.latents.encoder import Encoder, Images
from overread.latents.shrink import shrunk

LoadImage = Callable[[int], Images | None]
"""Place among the keys to (rows, columns) or (rows, columns, 3) brightness 0 to 255; None: gone."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Latents:
    """Latents of images, in their order.

    Args:
        rows: (images, latents); may lie in a file. Rows of vanished images are not a number.
        there: (images,) whether an image has its row.
        encoder, version: that made them.
    """

    rows: NDArray[Any]
    there: NDArray[np.bool_]
    encoder: str
    version: str

    @property
    def missing(self) -> NDArray[np.intp]:
        """Places of the images that have vanished."""
        return np.flatnonzero(~self.there)


def latents_of(
    keys: Sequence[str], load_image: LoadImage, encoder: Encoder, folder: Path, *,
    progress: Progress | None = None,
) -> Latents:  # fmt: skip
    """Latents of images by one encoder; see :func:`latents_of_all`."""
    return latents_of_all(keys, load_image, [encoder], folder, progress=progress)[0]


def latents_of_all(
    keys: Sequence[str], load_image: LoadImage, encoders: Sequence[Encoder], folder: Path, *,
    batch: int = 64, block: int = 512, seconds: float = 30.0, progress: Progress | None = None,
) -> list[Latents]:  # fmt: skip
    """Latents of images by several encoders; each image is loaded once.

    A run that is stopped, by a kill too, goes on where it was. Several processes may run at once.

    Args:
        keys: content hash of each image; equal keys are one image, computed once.
        load_image: gives an image by its place among the keys, None where it has vanished.
        encoders: in the order of the results.
        folder: of the cache; made where it is missing.
        batch: images that are encoded together.
        block, seconds: rows, or time, after which what was computed is kept.
        progress: told of images done and of all there are to do; what it raises stops the run,
            and what was computed is kept.
    Returns:
        One :class:`Latents` an encoder.
    """
    codes = codes_of(keys)
    distinct, first = np.unique(codes, return_index=True)
    works = [_Work(encoder, Cache(folder, encoder)) for encoder in encoders]
    needed = [~work.cache.known(distinct) for work in works]
    todo = np.flatnonzero(np.any(needed, axis=0)) if works else np.arange(0)
    todo = todo[np.argsort(first[todo])]  # in the order given: files lie together
    saved = time.monotonic()
    try:
        for done, one in enumerate(todo, start=1):
            _load(load_image, int(first[one]), distinct[one], works, [need[one] for need in needed])
            for work in works:
                work.encode(batch)
            if time.monotonic() - saved > seconds or max(work.count for work in works) >= block:
                _keep(works)
                saved = time.monotonic()
            if progress is not None:
                progress(done, len(todo))
    finally:
        _keep(works)
    return [work.result(codes) for work in works]


def _load(
    load_image: LoadImage, place: int, code: Any, works: list[_Work], needed: list[Any]
) -> None:
    image = load_image(place)
    if image is None:
        return
    for work, need in zip(works, needed, strict=True):
        if need:
            size = work.encoder.wanted
            work.images.append(shrunk(image, size.rows, size.columns, size.channels))
            work.waiting.append(code)


def _keep(works: list[_Work]) -> None:
    for work in works:
        work.encode(1)
        work.keep()


class _Work:
    """What one encoder still has to do and has not kept yet."""

    def __init__(self, encoder: Encoder, cache: Cache) -> None:
        self.encoder, self.cache = encoder, cache
        self.images: list[Images] = []
        self.waiting: list[Any] = []
        self.codes: list[Any] = []
        self.rows: list[NDArray[Any]] = []

    @property
    def count(self) -> int:
        return len(self.codes) + len(self.waiting)

    def encode(self, batch: int) -> None:
        """Encode what waits, once a batch is full."""
        if len(self.images) < batch:
            return
        found = np.asarray(self.encoder.encode(np.stack(self.images)))
        if found.shape != (len(self.images), self.encoder.dimension):
            rule = f"give {self.encoder.dimension} latents an image"
            raise InputError(f"encoder {self.encoder.name}", rule, found.shape)
        if not np.isfinite(found).all():
            raise InputError(f"encoder {self.encoder.name}", "give finite latents", "nan")
        self.rows.append(found)
        self.codes += self.waiting
        self.images, self.waiting = [], []

    def keep(self) -> None:
        if self.codes:
            self.cache.write(np.array(self.codes), np.concatenate(self.rows))
        self.codes, self.rows = [], []

    def result(self, codes: Codes) -> Latents:
        rows, there = self.cache.gather(codes)
        return Latents(rows, there, self.encoder.name, self.encoder.version)
