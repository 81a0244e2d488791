"""ONNX files as encoders, and networks as ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional

from overread.errors import InputError
from overread.latents.encoder import Wanted
from overread.latents.network import shapes_of, small_resnet
from overread.latents.onnx_encoder import open_onnx
from overread.latents.onnx_file import SCALES
from overread.latents.onnx_graph import onnx_bytes


def written(folder: Path, shape, *, kind=TensorProto.FLOAT, layer="mean", axes=(2, 3)) -> Path:
    """A graph that averages its input, or gives it as it is."""
    node = (
        helper.make_node("Identity", ["x"], ["y"])
        if layer == "same"
        else helper.make_node("ReduceMean", ["x"], ["y"], axes=list(axes), keepdims=0)
    )
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, None)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "made.onnx"
    onnx.save(model, path)
    return path


BATCH = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        (["n", 3, 8, 8], (2, 3)), (["n", 8, 8, 3], (1, 2)), ([2, 3, 8, 8], (2, 3)),
        ([1, 3, 8, 8], (2, 3)),
    ],
)  # fmt: skip
def test_layout_and_number_of_images_are_read_from_the_graph(tmp_path: Path, shape, axes) -> None:
    encoder = open_onnx(written(tmp_path, shape, axes=axes), scale="brightness")
    assert (encoder.wanted, encoder.dimension) == (Wanted(8, 8, 3), 3)
    np.testing.assert_allclose(encoder.encode(BATCH), BATCH.mean(axis=(1, 2)), rtol=1e-5)
    assert encoder.encode(BATCH[:0]).shape == (0, 3)


def test_scales_and_versions(tmp_path: Path) -> None:
    path = written(tmp_path, ["n", 3, 8, 8])
    known = open_onnx(path)  # the scale of most published encoders
    unit = BATCH.mean(axis=(1, 2)) / 255
    wanted = (unit - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(known.encode(BATCH), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(open_onnx(path, scale="unit").encode(BATCH), unit, rtol=1e-5)
    assert len({open_onnx(path, scale=scale).version for scale in SCALES}) == len(SCALES)
    assert open_onnx(path).version == known.version
    with pytest.raises(InputError, match="scale must"):
        open_onnx(path, scale="wide")


def test_open_sides_take_the_side_given(tmp_path: Path) -> None:
    path = written(tmp_path, ["n", 1, "h", "w"])
    assert open_onnx(path).wanted == Wanted(224, 224, 1)
    assert open_onnx(path, side=96).wanted == Wanted(96, 96, 1)


def test_maps_are_averaged_and_bytes_taken_as_they_are(tmp_path: Path) -> None:
    maps = open_onnx(written(tmp_path, ["n", 3, 8, 8], layer="same"), scale="brightness")
    np.testing.assert_allclose(maps.encode(BATCH), BATCH.mean(axis=(1, 2)), rtol=1e-5)
    path = written(tmp_path, ["n", 3, 8, 8], kind=TensorProto.UINT8, layer="same")
    bytes_ = open_onnx(path)
    np.testing.assert_allclose(bytes_.encode(BATCH), BATCH.mean(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "kind", "told"),
    [
        (["n", 7, 8, 9], TensorProto.FLOAT, "1 or 3 channels"),
        (["n", 12], TensorProto.FLOAT, "4 axes"),
        (["n", 3, 8, 8], TensorProto.INT64, "one batch of images"),
    ],
)
def test_graphs_that_take_something_else(tmp_path: Path, shape, kind, told: str) -> None:
    path = written(tmp_path, shape, kind=kind, layer="same")
    with pytest.raises(InputError, match=told):
        open_onnx(path)


def test_damaged_files_and_weights_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.onnx"
    for damaged in (b"no graph", b"", written(tmp_path, ["n", 3, 8, 8]).read_bytes()[:60]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="sound ONNX graph"):
            open_onnx(path)
    network = small_resnet(side=16, widths=(4, 4, 4, 4))
    model = onnx.load_from_string(onnx_bytes(network, drawn(network)))
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)  # where onnxruntime itself would find them
    with pytest.raises(InputError, match="Weights must be inside"):
        open_onnx(path)


def test_weights_elsewhere_are_found_however_deep(tmp_path: Path) -> None:
    far = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1])
    far.external_data.add(key="location", value="w.bin")  # the older way: without data_location
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["w"], value=far)], "inner", [],
        [helper.make_tensor_value_info("w", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    nodes = [
        helper.make_node("Constant", [], ["yes"], value=yes),
        helper.make_node("If", ["yes"], ["w"], then_branch=branch, else_branch=branch),
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["m", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )  # fmt: skip
    path = tmp_path / "deep.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="Weights must be inside"):
        open_onnx(path)


def drawn(network, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in shapes_of(network).items():
        value = rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1)
        above_0 = name.endswith(("var", "norm.weight"))
        found[name] = (np.abs(value) + 0.5 if above_0 else value).astype(np.float32)
    return found


def plain_resnet(images: np.ndarray, w: dict[str, np.ndarray], widths) -> np.ndarray:
    """The small network written down a second time, with torch."""
    t = {name: torch.from_numpy(value) for name, value in w.items()}

    def conv(x, name, norm, stride):
        kernel = t[f"{name}.weight"]
        # stride 2 on an even side: SAME pads one pixel less before than after
        both = kernel.shape[-1] - 1 if stride == 1 else max(kernel.shape[-1] - 2, 0)
        x = functional.pad(x, [both // 2, both - both // 2] * 2)
        x = functional.conv2d(x, kernel, stride=stride)
        parts = (t[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(x, *parts)

    x = torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2)
    x = x - x.mean((1, 2, 3), keepdim=True)
    x = x / x.std((1, 2, 3), keepdim=True, correction=0).clamp_min(1)
    x = conv(x, "stem", "stem_norm", 2).relu()
    for stage in range(len(widths)):
        stride = 1 if stage == len(widths) - 1 else 2
        name = f"stage{stage}"
        y = conv(x, f"{name}.a", f"{name}.a_norm", stride).relu()
        y = conv(y, f"{name}.b", f"{name}.b_norm", 1)
        x = (y + conv(x, f"{name}.past", f"{name}.past_norm", stride)).relu()
    return x.mean((2, 3)).numpy()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_graph_gives_what_torch_gives(tmp_path: Path, channels: int) -> None:
    widths = (5, 6, 7, 8)
    network = small_resnet(side=32, channels=channels, widths=widths)
    weights = drawn(network)
    path = tmp_path / "small.onnx"
    path.write_bytes(onnx_bytes(network, weights, about="test"))
    images = np.random.default_rng(1).integers(0, 256, (3, 32, 32, channels), dtype=np.uint8)
    images[2] = 9  # constant
    encoder = open_onnx(path)
    assert encoder.wanted == Wanted(32, 32, channels)
    found = encoder.encode(images)
    np.testing.assert_allclose(found, plain_resnet(images, weights, widths), atol=1e-4, rtol=1e-4)
    assert onnx_bytes(network, weights, about="test") == path.read_bytes()


def test_weights_of_another_network() -> None:
    network = small_resnet(side=16, widths=(4, 4, 4, 4))
    weights = drawn(network)
    with pytest.raises(InputError, match=r"stem\.weight must have shape"):
        onnx_bytes(small_resnet(side=16, widths=(5, 4, 4, 4)), weights)
    del weights["stem_norm.bias"]
    with pytest.raises(InputError, match=r"hold stem_norm\.bias"):
        onnx_bytes(network, weights)


def test_a_fixed_scale_of_one_channel_is_the_mean(tmp_path: Path) -> None:
    grey = open_onnx(written(tmp_path, ["n", 1, 8, 8]))
    found = grey.encode(BATCH[..., :1])
    middle, spread = (np.mean(part) for part in SCALES["imagenet"])
    wanted = (BATCH[..., :1].mean(axis=(1, 2)) - middle) / spread
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
