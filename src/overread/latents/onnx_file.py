"""Any ONNX file that takes one batch of images: its input is read from the graph."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError
from overread.latents.encoder import Images, Wanted, check_images
from overread.latents.onnx_graph import MARK
from overread.latents.onnx_weights import refuse_weights_elsewhere

Scale: TypeAlias = Literal["brightness", "unit", "imagenet", "plus-minus-one"]
SCALES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "brightness": ((0.0,), (1.0,)),
    "unit": ((0.0,), (255.0,)),
    "plus-minus-one": ((127.5,), (127.5,)),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}
"""What is taken off brightness 0 to 255, and what it is divided by; one, or one a channel."""
SIDE = 224
"""Rows and columns where neither the graph nor anybody says."""
_TYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_TOGETHER = 32


@dataclass(frozen=True, slots=True, eq=False)
class OnnxFile:
    """A graph that onnxruntime runs.

    Args:
        sha256: of the file.
        wanted: images that it takes.
        session: of onnxruntime.
        first: whether channels come first.
        scale: of :data:`SCALES`.
        together: images a call; 0: any number.
        dtype: of the input.
        says: what the file says of itself, by key.
    """

    sha256: str
    wanted: Wanted
    session: Any
    first: bool
    scale: Scale
    together: int
    dtype: type[np.generic]
    says: Mapping[str, str]

    def run(self, images: Images) -> NDArray[Any]:
        """(n, rows, columns, channels) to (n, ...), the first output; n is not 0."""
        images = check_images(images, self.wanted)
        size = self.together or _TOGETHER
        found = [self._run(images[at : at + size]) for at in range(0, len(images), size)]
        return np.concatenate(found)

    def _run(self, images: Images) -> NDArray[Any]:
        n = len(images)
        if self.together > n:  # a graph of a fixed number of images
            images = np.concatenate([images, np.repeat(images[-1:], self.together - n, axis=0)])
        given = scaled(images, self.scale).astype(self.dtype)
        if self.first:
            given = np.ascontiguousarray(given.transpose(0, 3, 1, 2))
        name = self.session.get_outputs()[0].name
        told = self.session.run([name], {self.session.get_inputs()[0].name: given})[0]
        made = np.asarray(told)
        if not made.ndim or len(made) != len(images):
            rule = "give one row an image"
            raise InputError("output of the ONNX file", rule, f"shape {made.shape}")
        return made[:n]


def scaled(images: Images, scale: Scale) -> NDArray[np.float32]:
    """Brightness 0 to 255 on another scale."""
    middle, spread = (np.array(part, np.float32) for part in SCALES[scale])
    if len(middle) > images.shape[-1]:
        middle, spread = middle.mean(keepdims=True), spread.mean(keepdims=True)
    return (images.astype(np.float32) - middle) / spread


def open_file(
    path: Path, *, scale: Scale | None = None, side: int | None = None, threads: int = 1
) -> OnnxFile:
    """Open an ONNX file.

    Args:
        path: of the file; its weights must be in it.
        scale: of the input, where the file was not written by this program; "imagenet" by
            default.
        side: rows and columns where the graph leaves them open; 224 by default.
        threads: of onnxruntime.
    Raises:
        InputError: the file is missing or damaged, or takes something else.
        MissingExtraError: onnxruntime is not installed.
    """
    session, sha256 = _session(path, threads)
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in _TYPES or len(inputs[0].shape) != 4:
        told = ", ".join(f"{one.type} {one.shape}" for one in inputs)
        raise InputError("ONNX file", "take one batch of images (4 axes)", told[:200])
    wanted, first, together = _layout(inputs[0].shape, side or SIDE)
    dtype = _TYPES[inputs[0].type]
    says = dict(session.get_modelmeta().custom_metadata_map)
    chosen: Scale = says.get(MARK) or scale or _usual(dtype)
    if chosen not in SCALES:
        raise InputError("scale", f"be one of {', '.join(SCALES)}", chosen)
    return OnnxFile(sha256, wanted, session, first, chosen, together, dtype, says)


def measured(file: OnnxFile) -> NDArray[Any]:
    """What the graph gives for a blank image, (1, ...): shapes in graphs are often open.

    Raises:
        InputError: it cannot run on images of the size that it was opened for.
    """
    size = file.wanted.rows, file.wanted.columns, file.wanted.channels
    try:
        return file.run(np.zeros((1, *size), dtype=np.uint8))
    except InputError:
        raise
    except Exception as error:  # onnxruntime's own kinds
        remedy = "Give the side of the images that it was made for."
        got = type(error).__name__
        raise InputError("ONNX file", f"run on images of {size}", got, remedy=remedy) from error


def _usual(dtype: type[np.generic]) -> Scale:
    return "brightness" if dtype is np.uint8 else "imagenet"


def _session(path: Path, threads: int) -> tuple[Any, str]:
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Running an encoder", "encoders") from error
    if not path.is_file():
        raise InputError("ONNX file", "be there", "nothing at this path")
    data = path.read_bytes()
    refuse_weights_elsewhere(data)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds
        got = type(error).__name__
        raise InputError("ONNX file", "be a sound ONNX graph", got) from error
    return session, hashlib.sha256(data).hexdigest()


def _layout(shape: list[Any], side: int) -> tuple[Wanted, bool, int]:
    """Size of the images, whether channels come first, images a call."""
    sizes = [one if isinstance(one, int) and one > 0 else 0 for one in shape]
    first = sizes[1] in {1, 3}
    if not first and sizes[3] not in {1, 3}:
        raise InputError("ONNX file", "take images of 1 or 3 channels", shape)
    rows, columns = sizes[2:] if first else sizes[1:3]
    wanted = Wanted(rows or side, columns or side, sizes[1] if first else sizes[3])
    return wanted, first, sizes[0]
