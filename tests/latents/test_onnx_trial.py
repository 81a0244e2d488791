"""Files of somebody else, tried in a process with bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from overread.errors import InputError
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_trial import try_onnx
from tests.latents.test_onnx_encoder import written


def graph(folder: Path, nodes, *weights, shape=("n", 3, 8, 8)) -> Path:
    """A file of these nodes, from x to y."""
    made = helper.make_graph(
        list(nodes), "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "graph.onnx"
    onnx.save(model, path)
    return path


def loop_of(step: onnx.NodeProto) -> onnx.GraphProto:
    """The body of a loop that goes on as long as it may: a step from a to b each time."""
    return helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), step], "l",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("go", TensorProto.BOOL, []),
         helper.make_tensor_value_info("a", TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []),
         helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
    )  # fmt: skip


SINE = helper.make_node("Sin", ["a"], ["b"])
MEAN = helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0)


def test_a_sound_file_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, ["n", 3, 24, 24])
    found = try_onnx(path, scale="unit")
    assert (found.side, found.channels, found.latents, found.scale) == (24, 3, 3, "unit")
    assert found.version == open_onnx(path, scale="unit").version
    assert 0 < found.milliseconds < 1_000
    assert try_onnx(path).version == open_onnx(path).version != found.version


@pytest.mark.parametrize(
    ("nodes", "weights", "told"),
    [
        # what a network does that was exported while it trained
        ([MEAN, helper.make_node("ReduceMean", ["m"], ["c"], axes=[0]),
          helper.make_node("Sub", ["m", "c"], ["y"])], [], "the same latents each time"),
        ([helper.make_node("RandomNormalLike", ["x"], ["r"]),
          helper.make_node("ReduceMean", ["r"], ["y"], axes=[2, 3], keepdims=0)], [],
         "the same latents each time"),
        ([MEAN, helper.make_node("Mul", ["m", "zero"], ["y"])],
         [("zero", np.zeros(1, np.float32))], "tell images apart"),
        ([MEAN, helper.make_node("Sub", ["m", "m"], ["z"]),
          helper.make_node("Div", ["m", "z"], ["y"])], [], "finite latents"),
        ([helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2, 3], keepdims=0)], [],
         "2, 3 or 4 axes"),
        ([helper.make_node("Made", ["x"], ["y"], domain="elsewhere")], [], "sound ONNX graph"),
    ],
)  # fmt: skip
def test_what_is_no_encoder_says_why(tmp_path: Path, nodes, weights, told: str) -> None:
    with pytest.raises(InputError, match=told):
        try_onnx(graph(tmp_path, nodes, *weights))


def test_images_must_be_square(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="square images; got 8 x 16"):
        try_onnx(written(tmp_path, ["n", 3, 8, 16]))
    one = graph(tmp_path, [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)],
                shape=("n", 1, 8, 8))  # fmt: skip
    with pytest.raises(InputError, match=r"2 to 8,192 latents an image; got 1\b"):
        try_onnx(one)


def test_memory_and_time_are_bounded(tmp_path: Path) -> None:
    # 4,000 x 4,000 sums of 64 MB each, kept alive together
    wide = [
        helper.make_node("Tile", ["x", "often"], ["wide"]),
        helper.make_node("ReduceMean", ["wide"], ["y"], axes=[2, 3], keepdims=0),
    ]
    path = graph(tmp_path, wide, ("often", np.array([1, 1, 4_000, 4_000], np.int64)))
    with pytest.raises(InputError, match=r"within 60 s and 600 MB; got|run on images of"):
        try_onnx(path, megabytes=600)
    endless = [MEAN, helper.make_node("Loop", ["many", "yes", "m"], ["y"], body=loop_of(SINE))]
    path = graph(
        tmp_path, endless, ("many", np.array(2**62, np.int64)), ("yes", np.array(True))
    )  # fmt: skip
    with pytest.raises(InputError, match=r"within 6 s .* got more time\. Bring a smaller network"):
        try_onnx(path, seconds=6)


def test_it_finds_nothing_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.ones(12, np.float32).tofile(tmp_path / "w.bin")
    far = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 4])
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="w.bin")
    path = graph(tmp_path, [MEAN, helper.make_node("MatMul", ["m", "w"], ["y"])])
    model = onnx.load(path)
    model.graph.initializer.append(far)
    path.write_bytes(model.SerializeToString())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="hold its weights; got names of other files"):
        try_onnx(path)
