"""An ONNX file of somebody else, tried before anything of it is kept: as an encoder, or a model.

It is opened in a process with bounds (:mod:`overread.latents.onnx_apart`) and sees a few made-up
images.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError
from overread.latents.encoder import Images, Wanted
from overread.latents.onnx_apart import SECONDS, TOGETHER, Apart, opened_apart
from overread.latents.onnx_file import Scale

MOST_LATENTS = 8_192
_AS_ONE_BYTES = 64 << 20  # of what a model gives for the images that it is tried with


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial tells of an encoder.

    Args:
        version: of the encoder.
        side: pixels of its images, which are square; channels: 1 or 3.
        latents: of an image.
        scale: of its input, as it was given or as the file itself says.
        milliseconds: an image took, on one thread.
    """

    version: str
    side: int
    channels: int
    latents: int
    scale: str
    milliseconds: float


@dataclass(frozen=True, slots=True, eq=False)
class TriedModel:
    """What a trial tells of a model.

    Args:
        file: SHA-256 of its file.
        wanted: images that it takes; scale: of its input.
        says: what the file says of itself, by key.
        told: (images, ...) what it gave for the made-up images.
        milliseconds: an image took, on one thread.
    """

    file: str
    wanted: Wanted
    scale: str
    says: Mapping[str, str]
    told: NDArray[np.float32]
    milliseconds: float


def try_onnx(
    path: Path, *, scale: Scale | None = None, seconds: float = SECONDS, megabytes: int = 0
) -> Tried:
    """Open a file and encode images with it, where it can do no harm.

    Args:
        path: of the file.
        scale: of its input, where the file does not say so itself.
        seconds: that opening it, and encoding, may take.
        megabytes: of memory it may take beyond what its process has at the start; by default six
            times the file and 3,000.
    Raises:
        InputError: it is no encoder of square images, takes too much, gives latents that are not
            finite or the same for all images, or an image's latents change with its neighbours.
        MissingExtraError: onnxruntime or onnx is not installed.
    """
    bounds = {"seconds": seconds, "megabytes": megabytes}
    with opened_apart(path, "encoder", scale=scale, **bounds) as encoder:  # type: ignore[arg-type]
        wanted, latents = encoder.wanted, encoder.dimension
        if wanted.rows != wanted.columns:
            got = f"{wanted.rows} x {wanted.columns}"
            raise InputError("ONNX file", "take square images", got)
        if not 2 <= latents <= MOST_LATENTS:
            rule = f"give 2 to {MOST_LATENTS:,} latents an image"
            raise InputError("ONNX file", rule, f"{latents:,}")
        rows, took = _sound(encoder, _made_up(wanted, TOGETHER), "latents")
        if float(np.ptp(rows, axis=0).max()) <= 1e-6 * float(np.abs(rows).max()):
            remedy = "Look at the scale of the input."
            raise InputError("ONNX file", "tell images apart", "the same of all", remedy=remedy)
        return Tried(
            encoder.version, wanted.rows, wanted.channels, latents, encoder.scale, took
        )  # fmt: skip


def try_model(
    path: Path, *, scale: Scale | None = None, side: int | None = None, seconds: float = SECONDS,
    megabytes: int = 0,
) -> TriedModel:  # fmt: skip
    """Open a file and have it answer for images, where it can do no harm.

    Args:
        path, scale, seconds, megabytes: as of :func:`try_onnx`.
        side: rows and columns where the graph leaves them open; 224 by default.
    Raises:
        InputError: it takes no images, takes too much, gives numbers that are not finite, or an
            image's answer changes with its neighbours.
        MissingExtraError: onnxruntime or onnx is not installed.
    """
    with opened_apart(
        path, "model", scale=scale, side=side, seconds=seconds, megabytes=megabytes
    ) as model:
        together = min(TOGETHER, max(2, _AS_ONE_BYTES // (4 * max(1, model.dimension))))
        told, took = _sound(model, _made_up(model.wanted, together), "numbers")
        return TriedModel(model.version, model.wanted, model.scale, model.says, told, took)


def _sound(model: Apart, images: Images, what: str) -> tuple[NDArray[np.float32], float]:
    """What it gives for images, and the milliseconds of each."""
    begun = time.perf_counter()
    told = model.encode(images)
    took = round(1_000 * (time.perf_counter() - begun) / len(images), 2)
    largest = float(np.abs(told).max(initial=0.0))
    if not np.isfinite(largest):
        raise InputError("ONNX file", f"give finite {what}", "nan or infinity")
    alone = model.encode(images[:1])
    if (
        alone.shape[1:] != told.shape[1:]
        or np.abs(alone - told[:1]).max(initial=0) > 0.01 * largest
    ):
        remedy = "Export it for inference (without dropout, norms with fixed statistics)."
        got = "others among others"
        rule = f"give an image the same {what} each time"
        raise InputError("ONNX file", rule, got, remedy=remedy)
    return told, took


def _made_up(wanted: Wanted, together: int) -> Images:
    """Slopes and noise, darker and lighter."""
    rng = np.random.default_rng(0)
    slope = np.linspace(0, 120, wanted.rows)[None, :, None, None]
    turned = np.linspace(0, 80, wanted.columns)[None, None, :, None]
    share = rng.uniform(size=(together, 2, 1, 1, 1))
    noise = rng.normal(0, 12, (together, wanted.rows, wanted.columns, wanted.channels))
    made = 20 + share[:, 0] * slope + share[:, 1] * turned + noise
    return np.clip(made, 0, 255).astype(np.uint8)
