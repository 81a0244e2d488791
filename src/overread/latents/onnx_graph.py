"""A network as an ONNX file: images in, latents out, norms folded into the convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError, MissingExtraError
from overread.latents.network import Conv, Network, Weights, shapes_of

OPSET = 17
MARK = "overread.input"
"""Metadata key of a file whose input is brightness 0 to 255, channels last."""
LEAST_SPREAD = 1.0
"""Of brightness 0 to 255: an image without contrast becomes 0, not noise."""


def onnx_bytes(network: Network, weights: Weights, *, about: str = "") -> bytes:
    """Build the file.

    Args:
        network: what it looks like.
        weights: one array for every name of :func:`overread.latents.network.shapes_of`.
        about: kept in the file.
    Returns:
        The ONNX file: input ``images`` (any, side, side, channels) float32 of brightness 0 to
        255, output ``latents`` (any, dimension) float32.
    Raises:
        InputError: a weight is missing or has another shape.
        MissingExtraError: onnx is not installed.
    """
    try:
        import onnx  # noqa: PLC0415 - an extra
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Writing an encoder as ONNX", "encoders") from error
    check_weights(network, weights)
    parts = _Parts(network, weights)
    parts.prepared()
    for block in network.blocks:
        parts.block(block)
    parts.pooled()
    side, channels = network.side, network.channels
    shape_in: list[str | int | None] = ["n", side, side, channels]
    shape_out: list[str | int | None] = ["n", network.dimension]
    graph = helper.make_graph(
        [helper.make_node(kind, i, o, **more) for kind, i, o, more in parts.nodes],
        "latents",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape_in)],
        [helper.make_tensor_value_info("latents", TensorProto.FLOAT, shape_out)],
        [numpy_helper.from_array(array, name) for name, array in parts.held.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8, producer_name="overread")
    helper.set_model_props(model, {MARK: "brightness", "about": about})
    onnx.checker.check_model(model)
    made: bytes = model.SerializeToString(deterministic=True)
    return made


def check_weights(network: Network, weights: Weights) -> None:
    """Refuse weights that are not those of the network."""
    for name, shape in shapes_of(network).items():
        if name not in weights:
            raise InputError("weights", f"hold {name}", f"{len(weights)} others")
        if weights[name].shape != shape:
            raise InputError(f"weight {name}", f"have shape {shape}", weights[name].shape)


def folded(
    conv: Conv, weights: Weights, epsilon: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a convolution that does its norm's work too."""
    gain, shift, mean, var = (
        np.asarray(weights[f"{conv.norm}.{part}"], dtype=np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(var + epsilon)
    kernel = np.asarray(weights[f"{conv.name}.weight"], dtype=np.float64)
    bias = shift - mean * scale
    return (kernel * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)


class _Parts:
    """Nodes and constants of a graph, gathered as the network is walked."""

    def __init__(self, network: Network, weights: Weights) -> None:
        self.network, self.weights = network, weights
        self.nodes: list[tuple[str, list[str], list[str], dict[str, Any]]] = []
        self.held: dict[str, NDArray[Any]] = {}
        self.at = "images"

    def add(self, kind: str, *inputs: str, **more: Any) -> str:
        out = f"v{len(self.nodes)}"
        self.nodes.append((kind, list(inputs), [out], more))
        return out

    def hold(self, name: str, value: Any) -> str:
        self.held[name] = np.asarray(value)
        return name

    def prepared(self) -> None:
        """Brightness to what the first convolution wants, channels first."""
        network = self.network
        one = np.float32
        if network.preparation == "fixed":
            middle = self.hold("middle", np.array(network.middle, one))
            spread = self.hold("spread", np.array(network.spread, one))
            apart = self.add("Sub", self.at, middle)
            self.at = self.add("Div", apart, spread)
        else:
            mean = self.add("ReduceMean", self.at, axes=[1, 2, 3])
            apart = self.add("Sub", self.at, mean)
            square = self.add("Mul", apart, apart)
            wide = self.add("Sqrt", self.add("ReduceMean", square, axes=[1, 2, 3]))
            least = self.hold("least", np.array([[[[LEAST_SPREAD]]]], one))
            self.at = self.add("Div", apart, self.add("Max", wide, least))
        self.at = self.add("Transpose", self.at, perm=[0, 3, 1, 2])

    def conv(self, at: str, conv: Conv) -> str:
        kernel, bias = folded(conv, self.weights, self.network.epsilon)
        told = self.hold(f"{conv.name}.kernel", kernel), self.hold(f"{conv.name}.bias", bias)
        out = self.add(
            "Conv", at, *told, group=conv.groups, auto_pad="SAME_UPPER",
            kernel_shape=[conv.kernel] * 2, strides=[conv.stride] * 2,
        )  # fmt: skip
        return self.bend(out, conv.bend)

    def bend(self, at: str, kind: str) -> str:
        if kind == "relu6":
            low = self.hold("zero", np.array(0, np.float32))
            return self.add("Clip", at, low, self.hold("six", np.array(6, np.float32)))
        return self.add("Relu", at) if kind else at

    def block(self, block: Any) -> None:
        start = at = self.at
        for conv in block.convs:
            at = self.conv(at, conv)
        if block.past != "none":
            past = start if block.beside is None else self.conv(start, block.beside)
            at = self.add("Add", at, past)
        self.at = self.bend(at, block.bend)

    def pooled(self) -> None:
        mean = self.add("ReduceMean", self.at, axes=[2, 3], keepdims=0)
        if self.network.root:
            zero = self.hold("zero", np.array(0, np.float32))
            mean = self.add("Sqrt", self.add("Max", mean, zero))
        self.nodes.append(("Identity", [mean], ["latents"], {}))
