"""Encoders by name: a small package in timm's place, in a process of its own; no network."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.errors import InputError
from overread.latents.onnx_trial import try_onnx
from overread.latents.table import Project, open_encoder
from tests.cli.program import Ended, process
from tests.latents.making import stripes

TIMM = """
import socket
import urllib.error

import torch
from torch import nn

from timm import data

def create_model(name, *, pretrained, num_classes):
    assert pretrained and num_classes == 0
    if name == "offline":
        raise urllib.error.URLError(socket.gaierror(-3, "Temporary failure in name resolution"))
    if name == "hf-hub:someone/offline":
        raise ConnectionError("cannot connect to the hub")
    if name not in ("tiny", "odd", "hf-hub:someone/tiny"):
        raise RuntimeError(f"Unknown model ({name})")
    torch.manual_seed(len(name))
    made = nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )
    with torch.no_grad():
        made[1].running_mean += 0.2  # as after a training: evaluation differs from training
    return (Odd(made) if name == "odd" else made).train()

class Odd(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
    def forward(self, images):  # how light the images are decides the way, which a trace forgets
        light = bool(images.mean() > -1)
        return self.inner(images) * (2 if light else 1)
"""
DATA = """
def resolve_model_data_config(module):
    return {"input_size": (3, 24, 24), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1)}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where Python finds a timm."""
    package = tmp_path / "path" / "timm"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(TIMM)
    (package / "data.py").write_text(DATA)
    return package.parent


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for at, image in enumerate(stripes(16)[0]):
        Image.fromarray(image).save(folder / f"{at}.png")
    return folder


def run(path: Path, *words: object) -> Ended:
    return process(*words, env=os.environ | {"PYTHONPATH": str(path), "COLUMNS": "200"})


def encoded(path: Path, images: Path, out: Path, name: str) -> dict[str, np.ndarray]:
    out.parent.mkdir(exist_ok=True)
    ended = run(path, "encode", images, "--out", out, "--encoder", name, "--apart")
    assert ended.code == 0, ended.err
    with np.load(out, allow_pickle=False) as held:
        return dict(held)


def test_models_of_timm_and_of_hugging_face_give_latents(
    path: Path, images: Path, tmp_path: Path
) -> None:
    one = encoded(path, images, tmp_path / "one.npz", "timm:tiny,quick")
    assert one["encoders"].tolist() == ["timm:tiny", "quick"]
    rows = one["latents_0"]
    assert rows.shape == (16, 6)
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    assert rows.std(axis=0).max() > 0
    # the same weights: the same version and latents, though nothing that was computed is at hand
    again = encoded(path, images, tmp_path / "elsewhere" / "again.npz", "timm:tiny")
    assert again["versions"][0] == one["versions"][0]
    np.testing.assert_array_equal(again["latents_0"], rows)
    other = encoded(path, images, tmp_path / "other.npz", "hf:someone/tiny")
    assert other["latents_0"].shape == (16, 6)
    assert other["versions"][0] != one["versions"][0]


def test_the_images_are_put_on_the_scale_of_the_model(path: Path) -> None:
    code = textwrap.dedent(
        """
        import numpy as np, torch
        from overread.learn.hub import open_hub
        made = open_hub("timm:tiny")
        images = np.random.default_rng(0).integers(0, 256, (40, 24, 24, 3), dtype=np.uint8)
        given = torch.from_numpy(images / np.float32(255)).permute(0, 3, 1, 2)
        middle, spread = (torch.tensor(one)[:, None, None] for one in ((.5, .4, .3), (.2, .2, .1)))
        with torch.inference_mode():
            wanted = made.module((given - middle) / spread).numpy()
        np.testing.assert_allclose(made.encode(images), wanted, atol=1e-5)
        assert not made.module.training
        """
    )
    ended = process("--version", code=code, env=os.environ | {"PYTHONPATH": str(path)})
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("timm:offline", "URLError"), ("hf:someone/offline", "ConnectionError"),
        ("timm:unheard-of", "RuntimeError"),
    ],
)  # fmt: skip
def test_without_a_network_it_says_what_to_do(
    path: Path, images: Path, tmp_path: Path, name: str, kind: str
) -> None:
    out = tmp_path / "none.npz"
    ended = run(path, "encode", images, "--out", out, "--encoder", name)
    assert (ended.code, ended.out) == (2, "")
    assert f"a network the first time; got {name} ({kind})" in ended.said
    assert "without a network, give an ONNX file, or fill the cache before" in ended.said
    assert "Traceback" not in ended.err
    assert not out.exists()


def test_it_leaves_as_onnx_that_needs_neither_timm_nor_a_network(
    path: Path, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "tiny.onnx"
    ended = run(path, "export-encoder", "timm:tiny", "--out", out, "--json")
    assert ended.code == 0, ended.err
    assert (ended.document["latents"], ended.document["side"]) == (6, 24)
    here = encoded(path, images, tmp_path / "here.npz", "timm:tiny")
    assert ended.document["version"] == here["versions"][0]
    there = encoded(tmp_path, images, tmp_path / "there.npz", str(out))  # a Python without timm
    np.testing.assert_allclose(there["latents_0"], here["latents_0"], atol=1e-4)
    tried = try_onnx(out)  # as a project tries what is brought to it
    assert (tried.side, tried.channels, tried.latents, tried.scale) == (24, 3, 6, "brightness")


def test_an_export_that_gives_other_latents_is_not_written(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "odd.onnx"
    ended = run(path, "export-encoder", "timm:odd", "--out", out)
    assert ended.code == 4
    assert "onnxruntime gives other latents than torch for timm:odd" in ended.said
    ended = run(path, "export-encoder", "timm:offline", "--out", out)
    assert (ended.code, ended.out) == (2, "")
    assert "got timm:offline (URLError)" in ended.said
    ended = run(path, "export-encoder", "tiny", "--out", out)
    assert "begin with timm: or hf:" in ended.said
    assert not out.exists()


def test_replays_take_the_same_names(path: Path, images: Path, tmp_path: Path) -> None:
    across = stripes(16)[1]
    labels = tmp_path / "labels.csv"
    rows = [f"{at}.png,{'across' if one else 'down'}" for at, one in enumerate(across)]
    labels.write_text("\n".join(["case,label", *rows]))
    words = ["--labels", labels, "--acquisitions", "random", "--seeds", "1", "--shares", "0.5"]
    given = ["simulate", images, *words, "--encoders"]
    ended = run(path, *given, "timm:tiny", "--json")
    assert ended.code == 0, ended.err
    assert ended.document["cases"] == 16
    ended = run(path, *given, "timm:offline")
    assert (ended.code, ended.out) == (2, "")
    assert "got timm:offline (URLError)" in ended.said


def test_the_room_without_torch_says_who_opens_them(tmp_path: Path) -> None:
    project = Project(tmp_path, (), lambda _at: None)
    with pytest.raises(InputError, match=r"got timm:tiny\. overread\.learn\.hub\.open_hub opens"):
        open_encoder("timm:tiny", project)
    with pytest.raises(InputError, match=r"encoder must be one of quick, .* got vgg$"):
        open_encoder("vgg", project)
