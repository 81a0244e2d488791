"""Images that stand in where the package with real ones is missing: noise with bright spots."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.exchange.atomic import written

_SIZE = 512


@dataclass(frozen=True, slots=True)
class Spotted:
    """A synthetic image and the boxes of its spots, as x1, y1, x2, y2."""

    name: str
    boxes: tuple[tuple[float, float, float, float], ...]


def write_synthetic_images(folder: Path, *, seed: int, images: int = 6) -> list[Spotted]:
    """Write PNG files that show SYNTHETIC noise with 0 to 3 bright spots.

    Args:
        folder: exists.
        seed: the same seed makes the same images.
    """
    made: list[Spotted] = []
    for number in range(images):
        pixels, boxes = _spots(np.random.default_rng([seed, number]), number % 4)
        name = f"synthetic-{number + 1}"
        with written(folder / f"{name}.png") as file:
            file.write_bytes(_png(pixels))
        made.append(Spotted(name, boxes))
    return made


def _spots(
    rng: np.random.Generator, count: int
) -> tuple[NDArray[np.uint8], tuple[tuple[float, float, float, float], ...]]:
    ground = np.repeat(np.repeat(rng.normal(60, 14, (64, 64)), 8, axis=0), 8, axis=1)
    y, x = np.mgrid[:_SIZE, :_SIZE] + 0.5
    boxes: list[tuple[float, float, float, float]] = []
    # each in a quarter of its own, so that none touches another
    for corner in rng.permutation(4)[:count]:
        radius = float(rng.uniform(15, 40))
        cx = float(rng.uniform(60, 196) + 256 * (corner % 2))
        cy = float(rng.uniform(60, 196) + 256 * (corner // 2))
        ground += 90 * ((x - cx) ** 2 + (y - cy) ** 2 < radius**2)
        boxes.append((cx - radius, cy - radius, cx + radius, cy + radius))
    noisy = ground + rng.normal(0, 12, ground.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), tuple(boxes)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """An 8-bit grey PNG."""
    rows, columns = pixels.shape
    lines = np.zeros((rows, columns + 1), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = pixels
    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
