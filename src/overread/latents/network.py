"""What a convolutional network looks like, as plain values.

One description serves two executors: :mod:`overread.latents.onnx_graph` turns it into an ONNX
file, ``overread.learn`` into torch modules. So a network trained here runs where torch is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]
Bend: TypeAlias = Literal["", "relu", "relu6"]
Preparation: TypeAlias = Literal["own", "fixed"]


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution, a batch norm, a bend; padded so that only the stride shrinks (SAME).

    Args:
        name: its weight is ``{name}.weight`` (outputs, inputs / groups, kernel, kernel).
        norm: ``{norm}.weight``, ``.bias``, ``.running_mean``, ``.running_var``.
        inputs, outputs: channels.
        kernel, stride, groups: of the convolution.
        bend: what follows the norm.
    """

    name: str
    norm: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    groups: int = 1
    bend: Bend = ""


@dataclass(frozen=True, slots=True)
class Block:
    """Convolutions in a row, and a way past them.

    Args:
        convs: in order.
        past: "none"; "same": the input is added; "conv": the input through ``beside`` is added.
        beside: where ``past`` is "conv".
        bend: after the sum.
    """

    convs: tuple[Conv, ...]
    past: Literal["none", "same", "conv"] = "none"
    beside: Conv | None = None
    bend: Bend = ""


@dataclass(frozen=True, slots=True)
class Network:
    """Images to the mean of the last block's channels.

    Args:
        side: rows and columns of its images.
        channels: 1 or 3.
        blocks: in order.
        preparation: "own": each image gets mean 0 and spread 1; "fixed": (image - ``middle``) /
            ``spread``, of brightness 0 to 255.
        middle, spread: of a fixed preparation, one a channel or one for all.
        epsilon: of the norms.
        root: latents are the square roots of the means (they are not negative).
    """

    side: int
    channels: int
    blocks: tuple[Block, ...]
    preparation: Preparation
    middle: tuple[float, ...] = (0.0,)
    spread: tuple[float, ...] = (1.0,)
    epsilon: float = 1e-5
    root: bool = False

    @property
    def dimension(self) -> int:
        """Latents of an image."""
        return self.blocks[-1].convs[-1].outputs


def convs_of(network: Network) -> Iterator[Conv]:
    """Every convolution, also those beside a block."""
    for block in network.blocks:
        yield from block.convs
        if block.beside is not None:
            yield block.beside


def shapes_of(network: Network) -> dict[str, tuple[int, ...]]:
    """Shape of every weight that the network needs, by name."""
    found: dict[str, tuple[int, ...]] = {}
    for conv in convs_of(network):
        kernel = conv.kernel, conv.kernel
        found[f"{conv.name}.weight"] = (conv.outputs, conv.inputs // conv.groups, *kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{conv.norm}.{part}"] = (conv.outputs,)
    return found


def small_resnet(*, side: int = 64, channels: int = 1, widths: tuple[int, ...] = ()) -> Network:
    """The network that is trained on the project's own images.

    Args:
        side: rows and columns of its images.
        channels: 1 or 3.
        widths: channels of the stages; 24, 48, 72, 96 by default.
    Source:
        He et al. 2016, CVPR (basic blocks); a stem of stride 2 and one block a stage.
    """
    widths = widths or (24, 48, 72, 96)
    before = widths[0]
    stem = Conv("stem", "stem_norm", channels, before, 3, 2, bend="relu")
    blocks = [Block((stem,))]
    for stage, width in enumerate(widths):
        stride = 1 if stage == len(widths) - 1 else 2
        name = f"stage{stage}"
        convs = (
            Conv(f"{name}.a", f"{name}.a_norm", before, width, 3, stride, bend="relu"),
            Conv(f"{name}.b", f"{name}.b_norm", width, width, 3),
        )
        beside = Conv(f"{name}.past", f"{name}.past_norm", before, width, 1, stride)
        blocks.append(Block(convs, "conv", beside, "relu"))
        before = width
    return Network(side, channels, tuple(blocks), "own")
