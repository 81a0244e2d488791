"""What every encoder is: images in, one row of latents each out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images an encoder takes: brightness 0 to 255 (uint8), channels last.

    Args:
        rows, columns: every image is stretched to them.
        channels: 1 or 3.
    """

    rows: int
    columns: int
    channels: int


class Encoder(Protocol):
    """An encoder; the same version always gives the same latents for the same image."""

    @property
    def name(self) -> str:
        """As it was asked for."""
        ...

    @property
    def version(self) -> str:
        """Hash of everything that decides the latents."""
        ...

    @property
    def dimension(self) -> int:
        """Latents of an image."""
        ...

    @property
    def wanted(self) -> Wanted:
        """The images it takes."""
        ...

    def encode(self, images: Images) -> NDArray[Any]:
        """(n, rows, columns, channels) to (n, dimension), finite; rows do not mix."""
        ...


@dataclass(frozen=True, slots=True)
class Pixels:
    """The images themselves as latents: a cached, memory-mapped stack to train on.

    Args:
        wanted: size of the images.
    """

    wanted: Wanted

    @property
    def name(self) -> str:
        """Of this encoder."""
        return "pixels"

    @property
    def version(self) -> str:
        """Hash of the size."""
        return version_of("pixels", {"wanted": np.array(_size(self.wanted))})

    @property
    def dimension(self) -> int:
        """Samples of an image."""
        return self.wanted.rows * self.wanted.columns * self.wanted.channels

    def encode(self, images: Images) -> NDArray[np.uint8]:
        """Samples of each image in a row."""
        return check_images(images, self.wanted).reshape(len(images), -1)


def version_of(kind: str, parts: Mapping[str, NDArray[Any]]) -> str:
    """Hash of named arrays: their names, types, shapes and bytes.

    Args:
        kind: of encoder, with the number of its code's version where that decides the latents.
        parts: what it learned.
    """
    total = hashlib.sha256(kind.encode())
    for name in sorted(parts):
        part = np.ascontiguousarray(parts[name])
        total.update(f"\n{name} {part.dtype.str} {part.shape}\n".encode())
        total.update(part.tobytes())
    return total.hexdigest()[:32]


def check_images(images: Images, wanted: Wanted) -> Images:
    """Images of the size wanted, or an error."""
    images = np.asarray(images)
    size = _size(wanted)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != size:
        rule = f"be brightness 0 to 255 (uint8) of shape (n, {', '.join(map(str, size))})"
        raise InputError("images", rule, f"{images.dtype} of shape {images.shape}")
    return images


def _size(wanted: Wanted) -> tuple[int, int, int]:
    return wanted.rows, wanted.columns, wanted.channels
