"""``overread encode`` on a folder; training is tested with its kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from overread.cli.main import program
from overread.errors import InputError
from tests.latents.making import stripes


def _run(*words: str):
    return CliRunner().invoke(program(("encode",)), ["encode", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    (made / "below").mkdir(parents=True)
    for at, image in enumerate(stripes(5)[0]):
        Image.fromarray(image).save(made / "below" / f"{at}.png")
    Image.fromarray(stripes(5)[0][0]).save(made / "again.png")  # a duplicate of 0
    (made / "notes.txt").write_text("no image")
    return made


def test_a_folder_becomes_a_table_and_is_not_computed_twice(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "latents.parquet"
    words = [str(folder), "--out", str(out), "--encoder", "efficientnet-lite0", "--size", "3"]
    told = json.loads(_run(*words, "--json").stdout)
    assert (told["images"], told["set_aside"]) == (6, 1)
    assert told["latents"] == {"efficientnet-lite0": 1280}
    table = pl.read_parquet(out)
    assert table["case"].to_list()[0] == "again.png"
    assert table.columns == ["case", "z0", "z1", "z2"]
    assert table.row(0)[1:] == table.row(1)[1:]
    kept = sorted((tmp_path / "overread-latents").rglob("*.npz"))
    assert _run(*words).exit_code == 0
    assert sorted((tmp_path / "overread-latents").rglob("*.npz")) == kept
    arrays = tmp_path / "latents.npz"
    words[2] = str(arrays)
    assert _run(*words, "--apart").exit_code == 0
    with np.load(arrays, allow_pickle=False) as held:
        assert held["latents_0"].shape == (6, 1280)
        assert held["cases"].tolist()[1] == "below/0.png"


def test_bad_words(folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "x.npz")
    wrong = {
        "encoder must be one of": ["--encoder", "vgg"],
        "--scale must be one of": ["--encoder", "a.onnx", "--scale", "wide"],
        "ONNX file must be there": ["--encoder", str(tmp_path / "a.onnx")],
    }
    for told, words in wrong.items():
        error = _run(str(folder), "--out", out, *words).exception
        assert isinstance(error, InputError)
        assert told in str(error)
    empty = tmp_path / "empty"
    empty.mkdir()
    error = _run(str(empty), "--out", out, "--encoder", "efficientnet-lite0").exception
    assert "hold an image" in str(error)
    assert "end in .npz" in str(_run(str(folder), "--out", "x.txt").exception)
    assert "be there" in str(_run(str(tmp_path / "none"), "--out", out).exception)
