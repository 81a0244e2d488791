"""Any ONNX file as an encoder: what its graph gives becomes one row of latents an image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError
from overread.latents.encoder import Images, Wanted, check_images
from overread.latents.onnx_file import OnnxFile, Scale, measured, open_file


@dataclass(frozen=True, slots=True, eq=False)
class OnnxEncoder:
    """A graph that onnxruntime runs.

    Args:
        name, version, dimension: as of every encoder.
        file: its graph.
    """

    name: str
    version: str
    dimension: int
    file: OnnxFile

    @property
    def wanted(self) -> Wanted:
        """The images it takes."""
        return self.file.wanted

    @property
    def scale(self) -> Scale:
        """Of its input."""
        return self.file.scale

    def encode(self, images: Images) -> NDArray[np.float32]:
        """(n, rows, columns, channels) to (n, dimension)."""
        images = check_images(images, self.wanted)
        if not len(images):
            return np.empty((0, self.dimension), np.float32)
        return flat(self.file.run(images)).astype(np.float32)


def flat(told: NDArray[Any]) -> NDArray[Any]:
    """One row an image: maps are averaged over places, tokens over tokens.

    Raises:
        InputError: it is neither.
    """
    if told.ndim == 4:
        return np.asarray(told.mean(axis=(2, 3), dtype=np.float64))
    if told.ndim == 3:
        return np.asarray(told.mean(axis=1, dtype=np.float64))
    if told.ndim != 2:
        raise InputError("output of the ONNX file", "have 2, 3 or 4 axes", told.ndim)
    return told


def open_onnx(
    path: Path, *, name: str = "", scale: Scale | None = None, side: int | None = None,
    threads: int = 1,
) -> OnnxEncoder:  # fmt: skip
    """Open an ONNX file as an encoder.

    Args:
        path: of the file; its weights must be in it.
        name: of the encoder; the file's name without its ending by default.
        scale, side, threads: as of :func:`overread.latents.onnx_file.open_file`.
    Raises:
        InputError: the file is missing or damaged, or takes or gives something else.
        MissingExtraError: onnxruntime is not installed.
    """
    file = open_file(path, scale=scale, side=side, threads=threads)
    told = f"{file.sha256} {file.scale} {file.wanted}"
    version = hashlib.sha256(told.encode()).hexdigest()[:32]
    blank = flat(measured(file))  # shapes in graphs are often open
    return OnnxEncoder(name or path.stem, version, blank.shape[1], file)
