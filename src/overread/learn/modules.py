"""A network as torch modules, with the same numbers as its ONNX file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from overread.errors import InputError
from overread.latents.network import Block, Conv, Network, Weights, convs_of
from overread.latents.onnx_graph import LEAST_SPREAD, check_weights


class TorchNetwork(nn.Module):
    """Images (n, side, side, channels) of brightness 0 to 255 to latents (n, dimension).

    Args:
        network: what it looks like.
    Raises:
        InputError: a full convolution has outputs that are no multiple of 8: oneDNN of torch
            2.13 then writes out of its memory while training on a CPU.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        for conv in convs_of(network):
            if conv.outputs % 8:
                rule = "be a multiple of 8 channels"
                raise InputError(f"outputs of {conv.name}", rule, conv.outputs)
        self.network = network
        self.parts = nn.ModuleDict()
        for conv in convs_of(network):
            self.parts[_key(conv.name)] = nn.Conv2d(
                conv.inputs, conv.outputs, conv.kernel, conv.stride, groups=conv.groups, bias=False
            )
            self.parts[_key(conv.norm)] = nn.BatchNorm2d(conv.outputs, eps=network.epsilon)
            nn.init.kaiming_normal_(
                self.parts[_key(conv.name)].weight,  # type: ignore[arg-type]
                mode="fan_out",
                nonlinearity="relu",
            )
        for block in network.blocks:  # a block starts as its way past
            if block.past == "conv":
                nn.init.zeros_(self.parts[_key(block.convs[-1].norm)].weight)  # type: ignore[arg-type]
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # a third faster

    def forward(self, images: Tensor) -> Tensor:
        """Brightness to latents."""
        at = self._prepared(images).permute(0, 3, 1, 2)
        at = at.contiguous(memory_format=torch.channels_last)
        for block in self.network.blocks:
            at = self._block(at, block)
        mean = at.mean(dim=(2, 3))
        return mean.clamp_min(1e-12).sqrt() if self.network.root else mean

    def _prepared(self, images: Tensor) -> Tensor:
        if self.network.preparation == "fixed":
            middle = images.new_tensor(self.network.middle)
            return (images - middle) / images.new_tensor(self.network.spread)
        apart = images - images.mean(dim=(1, 2, 3), keepdim=True)
        wide = (apart * apart).mean(dim=(1, 2, 3), keepdim=True).sqrt()
        return apart / wide.clamp_min(LEAST_SPREAD)

    def _block(self, start: Tensor, block: Block) -> Tensor:
        at = start
        for conv in block.convs:
            at = self._conv(at, conv)
        if block.past != "none":
            at = at + (start if block.beside is None else self._conv(start, block.beside))
        return _bent(at, block.bend)

    def _conv(self, at: Tensor, conv: Conv) -> Tensor:
        part = self.parts[_key(conv.name)]
        left, right, top, bottom = _same(at.shape[-2:], conv)
        if left == right and top == bottom:  # no copy
            out = functional.conv2d(at, part.weight, None, conv.stride, (top, left), 1, conv.groups)  # type: ignore[arg-type]
        else:
            out = part(functional.pad(at, [left, right, top, bottom]))
        return _bent(self.parts[_key(conv.norm)](out), conv.bend)


def _key(name: str) -> str:
    return name.replace(".", "/")  # torch allows no dot in the name of a part


def _same(size: Any, conv: Conv) -> list[int]:
    """Padding left, right, top, bottom such that outputs = ceil(inputs / stride)."""
    found: list[int] = []
    for inputs in (size[1], size[0]):
        outputs = math.ceil(inputs / conv.stride)
        more = max((outputs - 1) * conv.stride + conv.kernel - inputs, 0)
        found += [more // 2, more - more // 2]
    return found


def _bent(at: Tensor, bend: str) -> Tensor:
    if bend == "relu6":
        return functional.relu6(at)
    return functional.relu(at) if bend else at


def weights_of(module: TorchNetwork) -> dict[str, NDArray[np.float32]]:
    """Weights by the names of :func:`overread.latents.network.shapes_of`."""
    held = module.state_dict()
    return {
        name.removeprefix("parts.").replace("/", "."): value.detach().cpu().numpy().copy()
        for name, value in held.items()
        if not name.endswith("num_batches_tracked")
    }


def with_weights(network: Network, weights: Weights) -> TorchNetwork:
    """A module that holds these weights.

    Raises:
        InputError: a weight is missing or has another shape.
    """
    check_weights(network, weights)
    module = TorchNetwork(network)
    held = module.state_dict()
    for name in held:
        plain = name.removeprefix("parts.").replace("/", ".")
        if plain in weights:
            held[name] = torch.from_numpy(np.array(weights[plain], dtype=np.float32))
    module.load_state_dict(held)
    return module
