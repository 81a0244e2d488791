"""Small models as ONNX files, that see what is in a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

SOBEL = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]], np.float32)


def model_file(
    folder: Path, nodes: Sequence[NodeProto], weights: Mapping[str, Any], *,
    shape: Sequence[int | str] = ("n", 1, 48, 48), says: Mapping[str, str] | None = None,
    name: str = "model.onnx",
) -> Path:  # fmt: skip
    """A file of these nodes, from x to y."""
    graph = helper.make_graph(
        list(nodes), "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if says:
        helper.set_model_props(made, dict(says))
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    onnx.save(made, path)
    return path


def textures(
    folder: Path, *, end: str = "", classes: Sequence[int] = (0, 1, 2), **more: Any
) -> Path:
    """Logits of stripes along, stripes across, and neither (scale "unit").

    Args:
        end: "softmax" or "sigmoid"; "" for logits.
        classes: which of the three, in this order.
    """
    weight = np.stack([SOBEL, SOBEL.T])[:, None] / 8
    gain = np.array([[40, -40, 0], [-40, 40, 0]], np.float32)[:, list(classes)]
    bias = np.array([-0.8, -0.8, 0], np.float32)[list(classes)]
    last = {"softmax": "Softmax", "sigmoid": "Sigmoid"}.get(end, "Identity")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Abs", ["c"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["m", "g", "b"], ["z"]),
        helper.make_node(last, ["z"], ["y"]),
    ]
    return model_file(folder, nodes, {"w": weight, "g": gain, "b": bias}, **more)


def painter(folder: Path, *, apart: bool = False, **more: Any) -> Path:
    """Pixels brighter than half: a map of them, after one of the background unless ``apart``."""
    weight = np.array([20.0] if apart else [0.0, 20.0], np.float32).reshape(-1, 1, 1, 1)
    bias = np.array([-10.0] if apart else [0.0, -10.0], np.float32)
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["y"], kernel_shape=[1, 1])]
    return model_file(folder, nodes, {"w": weight, "b": bias}, **more)


def boxer(folder: Path, rows: Sequence[Sequence[float]], **more: Any) -> Path:
    """The same boxes on every image, each as sure as it says, times how bright the image is."""
    first = np.zeros((1, 1, 6), np.float32)
    first[..., 4] = 1
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=1),
        helper.make_node("Reshape", ["m", "flat"], ["r"]),
        helper.make_node("Mul", ["r", "score"], ["s"]),  # brightness where the score stands
        helper.make_node("Add", ["s", "rest"], ["t"]),  # 1 elsewhere
        helper.make_node("Mul", ["t", "boxes"], ["y"]),
    ]
    weights = {
        "flat": np.array([-1, 1, 1], np.int64), "score": first, "rest": 1 - first,
        "boxes": np.array([rows], np.float32),
    }  # fmt: skip
    return model_file(folder, nodes, weights, **more)


def fragile(folder: Path, *, until: float = 0.9) -> Path:
    """As :func:`textures` of stripes along and across, but no number for very bright images."""
    weight = np.stack([SOBEL, SOBEL.T])[:, None] / 8
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3]),
        helper.make_node("Abs", ["c"], ["a"]),
        helper.make_node("ReduceMean", ["a"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["x"], ["light"], axes=[2, 3], keepdims=0),
        helper.make_node("Sub", ["most", "light"], ["room"]),
        helper.make_node("Sqrt", ["room"], ["root"]),
        helper.make_node("Div", ["m", "root"], ["y"]),
    ]
    return model_file(folder, nodes, {"w": weight, "most": np.array(until, np.float32)})
