"""``overread encode`` on a folder, and encoders of replays; training is tested with its kill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

from overread.app.analysis.simulate_set import labelled_set, read_labels
from overread.cli.main import program
from overread.errors import InputError
from overread.latents.onnx_encoder import open_onnx
from tests.latents.making import stripes
from tests.latents.test_onnx_encoder import written


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


def test_replays_take_an_onnx_file_on_its_scale(folder: Path, tmp_path: Path) -> None:
    file = written(tmp_path, ["n", 3, 8, 8])
    table = "case,label\n" + "".join(f"{at}.png,{at % 2}\n" for at in range(5))
    (tmp_path / "labels.csv").write_text(table)
    labels, keep = read_labels(tmp_path / "labels.csv"), tmp_path / "kept"
    for scale in ("unit", "plus-minus-one", "unit"):
        found = labelled_set(
            folder / "below", labels, encoders=(str(file), "quick"), scale=scale, keep=keep
        )
        assert found.encoders == (str(file), "quick")
    versions = {open_onnx(file, scale=one).version for one in ("unit", "plus-minus-one")}
    assert versions <= {one.name for one in keep.iterdir()}
    assert len(versions) == 2
    words = [str(folder), "--labels", str(tmp_path / "labels.csv"), "--scale", "wide"]
    error = CliRunner().invoke(program(("simulate",)), ["simulate", *words]).exception
    assert "--scale must be one of" in str(error)
