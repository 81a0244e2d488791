"""A small U-Net as plain values: its layers, its ONNX file, and running that without torch.

Four levels of two convolutions; each level down halves the sides, each level up doubles them and
sees the level of its size again. Norms are folded into the convolutions of the file.

Source:
    Ronneberger, Fischer, Brox (2015) U-Net: convolutional networks for biomedical image
    segmentation. MICCAI.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from overread.errors import InputError, MissingExtraError

LEVELS = 4
MULTIPLE = 2 ** (LEVELS - 1)
"""Sides of what the network sees are multiples of this."""
EPSILON = 1e-5
_OPSET = 17
_KEY = "overread.unet"


@dataclass(frozen=True, slots=True)
class UnetAbout:
    """What a network was made for.

    Args:
        question: id of the question it answers.
        kind: "mask" or "box".
        classes: names, from code 1; code 0 is the background.
        channels: 1 or 3.
        width: channels of the first level; each level down has twice as many.
        longest: longer side of what it sees; larger images are made smaller.
        shrink: boxes were painted as ellipses of this share of their sides, so that neighbours
            stay apart.
    """

    question: str
    kind: str
    classes: tuple[str, ...]
    channels: int = 1
    width: int = 16
    longest: int = 512
    shrink: float = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Unet:
    """A network ready to run. Args: version: of its file, 12 signs of its SHA-256."""

    about: UnetAbout
    version: str
    session: Any

    def probabilities(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """(classes + 1, rows, columns) of the small image, rows sum to 1 over the classes."""
        small = seen(image, self.about)
        rows, columns = small.shape[1:]
        pads = [(0, 0), (0, -rows % MULTIPLE), (0, -columns % MULTIPLE)]
        logits = self.session.run(None, {"images": np.pad(small, pads, mode="edge")[None]})[0][0]
        shifted = np.exp(logits - logits.max(axis=0))[:, :rows, :columns]
        made: NDArray[np.float32] = shifted / shifted.sum(axis=0)
        return made


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


def layers(about: UnetAbout) -> Iterator[tuple[str, int, int]]:
    """Convolutions of 3 x 3 with their norms: name, channels in, channels out."""
    width = [about.width * 2**level for level in range(LEVELS)]
    before = about.channels
    for level, out in enumerate(width):
        yield f"down{level}a", before, out
        yield f"down{level}b", out, out
        before = out
    for level in reversed(range(LEVELS - 1)):
        yield f"up{level}a", width[level + 1] + width[level], width[level]
        yield f"up{level}b", width[level], width[level]


def unet_bytes(about: UnetAbout, weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Write the ONNX file.

    Args:
        weights: of each layer ``.conv.weight``, ``.norm.weight``, ``.norm.bias``,
            ``.norm.running_mean``, ``.norm.running_var``; of the last ``head.weight``, ``.bias``.
    Raises:
        MissingExtraError: onnx is not installed.
    """
    try:
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Writing a network as ONNX", "learn") from error
    nodes: list[Any] = []
    values: dict[str, NDArray[Any]] = {"twice": np.array([1, 1, 2, 2], np.float32)}

    def conv(name: str, given: str) -> str:
        weight, bias = _folded(name, weights)
        values[f"{name}.w"], values[f"{name}.b"] = weight, bias
        inputs = [given, f"{name}.w", f"{name}.b"]
        nodes.append(helper.make_node("Conv", inputs, [f"{name}.c"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"{name}.c"], [name]))
        return name

    here = "images"
    for level in range(LEVELS):
        if level:
            pool: dict[str, Any] = {"kernel_shape": [2, 2], "strides": [2, 2]}
            nodes.append(helper.make_node("MaxPool", [here], [f"pool{level}"], **pool))
            here = f"pool{level}"
        here = conv(f"down{level}b", conv(f"down{level}a", here))
    for level in reversed(range(LEVELS - 1)):
        how: dict[str, Any] = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
        how["nearest_mode"] = "floor"
        nodes.append(helper.make_node("Resize", [here, "", "twice"], [f"grown{level}"], **how))
        both = [f"grown{level}", f"down{level}b"]
        nodes.append(helper.make_node("Concat", both, [f"both{level}"], axis=1))
        here = conv(f"up{level}b", conv(f"up{level}a", f"both{level}"))
    values["head.w"] = np.asarray(weights["head.weight"], np.float32)
    values["head.b"] = np.asarray(weights["head.bias"], np.float32)
    nodes.append(helper.make_node("Conv", [here, "head.w", "head.b"], ["logits"]))
    number = TensorProto.FLOAT
    given = helper.make_tensor_value_info("images", number, ["n", about.channels, "r", "c"])
    out = helper.make_tensor_value_info("logits", number, ["n", len(about.classes) + 1, "r", "c"])
    kept = [numpy_helper.from_array(one, name) for name, one in values.items()]
    graph = helper.make_graph(nodes, "unet", [given], [out], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)
    helper.set_model_props(model, {_KEY: json.dumps(asdict(about))})
    return bytes(model.SerializeToString())


def _folded(name: str, weights: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """A convolution with its norm in it."""
    norm = {key: np.asarray(weights[f"{name}.norm.{key}"], np.float64) for key in _NORM}
    scale = norm["weight"] / np.sqrt(norm["running_var"] + EPSILON)
    weight = np.asarray(weights[f"{name}.conv.weight"], np.float64) * scale[:, None, None, None]
    bias = norm["bias"] - norm["running_mean"] * scale
    return weight.astype(np.float32), bias.astype(np.float32)


_NORM = ("weight", "bias", "running_mean", "running_var")


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
        told = json.loads(session.get_modelmeta().custom_metadata_map[_KEY])
        about = UnetAbout(**(told | {"classes": tuple(told["classes"])}))
    except Exception as error:
        rule = "be an ONNX file that this program trained"
        raise InputError("network", rule, "another file") from error
    return Unet(about, hashlib.sha256(content).hexdigest()[:12], session)
