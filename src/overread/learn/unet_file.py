"""A small U-Net as a file: what it was made for, what it sees, and running it without torch.

Source:
    Ronneberger, Fischer, Brox (2015) U-Net: convolutional networks for biomedical image
    segmentation. MICCAI.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom
from scipy.special import expit, softmax

from overread.errors import InputError, MissingExtraError

MULTIPLE = 8
"""Sides of what the network sees are multiples of this: it halves them three times."""
LEAST = 2 * MULTIPLE
"""A side of this at least: the coarsest level is to have more than one pixel."""
ABOUT_KEY = "overread.unet"
"""Under which the file tells what it was made for."""
SIDE = 16.0
"""Pixels of the side of a box whose logarithm is painted as 0."""


@dataclass(frozen=True, slots=True)
class UnetAbout:
    """What a network was made for.

    Args:
        question: id of the question it answers.
        kind: "mask", "box" or "instance" (outlines).
        classes: names, from code 1; code 0 is the background.
        channels: 1 or 3.
        width: channels of the first level; each level down has twice as many.
        longest: longer side of what it sees; larger images are made smaller.
        shrink: only without middles: boxes were painted as ellipses of this share of their sides,
            so that neighbours stay apart.
        middles: it paints how near the middle of its finding each pixel is as well, and of boxes
            the sides. Files of before have none.
    """

    question: str
    kind: str
    classes: tuple[str, ...]
    channels: int = 1
    width: int = 16
    longest: int = 512
    shrink: float = 0.7
    middles: bool = False

    @property
    def further(self) -> int:
        """Maps that it paints beside the classes."""
        return {"box": 3, "instance": 1}.get(self.kind, 0) if self.middles else 0


class Maps(NamedTuple):
    """What a network paints of an image, in the size that it sees.

    Args:
        sure: (classes + 1, rows, columns) probabilities, sum to 1 over the classes.
        middle: (rows, columns) from 0 at the border of a finding to 1 in its middle; or None.
        sides: (2, rows, columns) width and height of the box around, in pixels; or None.
    """

    sure: NDArray[np.float32]
    middle: NDArray[np.float32] | None
    sides: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, eq=False)
class Unet:
    """A network ready to run. Args: version: of its file, 12 signs of its SHA-256."""

    about: UnetAbout
    version: str
    session: Any

    def maps(self, image: NDArray[Any]) -> Maps:
        """What it paints.

        Raises:
            InputError: neither rows x columns, nor rows x columns x 3.
        """
        small = seen(image, self.about)
        rows, columns = small.shape[1:]
        pads = [(0, 0), *((0, max(-n % MULTIPLE, LEAST - n)) for n in (rows, columns))]
        given = {"images": np.pad(small, pads, mode="edge")[None]}
        painted = self.session.run(None, given)[0][0][:, :rows, :columns]
        return maps_of(painted, self.about)

    def probabilities(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """(classes + 1, rows, columns) of the small image, sum to 1 over the classes."""
        return self.maps(image).sure


def maps_of(painted: NDArray[Any], about: UnetAbout) -> Maps:
    """What (classes + 1 + further, rows, columns) of a network's numbers mean."""
    first = len(about.classes) + 1
    sure = softmax(painted[:first], axis=0)
    middle = expit(painted[first]) if about.further else None
    sides = SIDE * np.exp(np.clip(painted[first + 1 :], -3, 6)) if about.further == 3 else None
    return Maps(sure, middle, sides)


def seen(image: NDArray[Any], about: UnetAbout) -> NDArray[np.float32]:
    """An image as the network sees it: (channels, rows, columns), mean 0 and spread 1.

    Raises:
        InputError: neither rows x columns, nor rows x columns x 3.
    """
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or not image.size:
        raise InputError("image", "be rows x columns, or rows x columns x 3", image.shape)
    values = np.asarray(image, dtype=np.float32)
    if about.channels == 1 and values.ndim == 3:
        values = values.mean(axis=2)
    if about.channels == 3 and values.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=2)
    values = resized(values, scale_of(image.shape[:2], about), order=1)
    values = (values - values.mean()) / max(float(values.std()), 1e-6)
    return np.ascontiguousarray(values[None] if values.ndim == 2 else values.transpose(2, 0, 1))


def scale_of(size: tuple[int, ...], about: UnetAbout) -> float:
    """How much smaller than an image the network sees it."""
    return min(1.0, about.longest / max(size))


def resized(values: NDArray[Any], scale: float, *, order: int) -> NDArray[Any]:
    """Rows and columns made smaller by a factor."""
    if scale == 1:
        return values
    factors = [max(1, round(n * scale)) / n for n in values.shape[:2]]
    if order:  # what is finer than the new pixels would become noise
        blur = [0.4 / scale, 0.4 / scale, *[0.0] * (values.ndim - 2)]
        values = gaussian_filter(values, blur, mode="nearest")
    whole: Any = zoom(values, factors + [1.0] * (values.ndim - 2), order=1 if order else 0)
    return np.asarray(whole)


def open_unet(file: Path, *, threads: int = 1) -> Unet:
    """Open a network that was trained here.

    Raises:
        InputError: another file.
        MissingExtraError: onnxruntime is not installed.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Running a network", "encoders") from error
    try:
        content = file.read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        told = json.loads(session.get_modelmeta().custom_metadata_map[ABOUT_KEY])
        about = UnetAbout(**(told | {"classes": tuple(told["classes"])}))
    except Exception as error:
        rule = "be an ONNX file that this program trained"
        raise InputError("network", rule, "another file") from error
    return Unet(about, hashlib.sha256(content).hexdigest()[:12], session)
