"""Tables, files and documents out: exact, whole or not at all."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import nibabel
import numpy as np
import polars as pl
import pytest
from PIL import Image

from overread.agreement.estimate import Estimate
from overread.consensus.result import MaskConsensus
from overread.errors import InputError
from overread.exchange import (
    as_document,
    coco_document,
    consensus_document,
    consensus_table,
    estimate_document,
    read_boxes,
    read_coco,
    read_gold,
    read_table,
    reliability_table,
    write_masks,
    write_table,
)
from overread.exchange.atomic import written
from overread.exchange.mask_files import file_stems
from overread.labels import class_reads
from tests.exchange.results import CLASSES, FINDINGS, MASKS, NO_FINDINGS, READERS, SCORES


def test_the_class_table():
    table = consensus_table(CLASSES)
    assert table.columns == ["case", "consensus", "probability", "entropy", "reads"]
    assert table.rows() == [("x", "yes", 0.75, 0.5, 2), ("=y", None, None, None, 0)]
    wide = consensus_table(CLASSES, probabilities=True)
    assert wide.columns[5:] == ["p_no", "p_yes"]
    assert wide["p_yes"].to_list() == [0.75, 0.5]


def test_the_score_table():
    row = consensus_table(SCORES).row(0, named=True)
    assert (row["consensus"], row["sd"]) == (3, 1)
    assert row["low"] == pytest.approx(3 - 1.959964)
    assert row["high"] == pytest.approx(3 + 1.959964)
    assert consensus_table(SCORES)["consensus"].to_list() == [3, None]


def test_the_table_of_findings():
    rows = consensus_table(FINDINGS, probabilities=True).to_dicts()
    assert rows[0] == {
        "case": "x", "label": "nodule", "probability": 0.9, "class_probability": 0.8,
        "x1": 1, "y1": 1,
        "x2": 4, "y2": 5, "reads_for": 2, "reads_against": 1, "p_mass": 0.2, "p_nodule": 0.8,
    }  # fmt: skip
    assert rows[1]["label"] == "mass"
    assert consensus_table(NO_FINDINGS, probabilities=True).shape == (0, 12)


def test_the_table_of_masks():
    table = consensus_table(MASKS)
    assert table["pixels"].to_list() == [4, 0]
    assert table["share_organ"].to_list() == [0.75, None]


def test_the_table_of_readers():
    table = reliability_table(READERS)
    assert table.columns == ["reader", "reads", "accuracy", "accuracy_low", "accuracy_high"]
    assert table.rows() == [("A", 2, 0.9, 0.8, 0.95), ("=B", 0, None, None, None)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".CSV"])
def test_tables_come_back(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    write_table(consensus_table(CLASSES), path)
    back = read_table(path)
    assert back["case"].to_list() == ["x", "=y"]
    assert [None if v is None else float(v) for v in back["probability"]] == [0.75, None]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_consensus_serves_as_gold(tmp_path):
    write_table(consensus_table(CLASSES).head(1).rename({"consensus": "label"}), tmp_path / "g.csv")
    reads = class_reads(["x"], ["A"], ["yes"], schema=["no", "yes"])
    assert read_gold(tmp_path / "g.csv", reads).code.tolist() == [1]


def test_formulas_are_quoted_on_request_only(tmp_path):
    path = tmp_path / "out.csv"
    write_table(consensus_table(CLASSES), path)
    assert "\n=y," in path.read_text()
    write_table(consensus_table(CLASSES), path, for_spreadsheets=True)
    assert "\n'=y," in path.read_text()


def test_nothing_is_half_written(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail():
        with written(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_places_that_cannot_be_written_are_refused(tmp_path):
    table = consensus_table(CLASSES)
    with pytest.raises(InputError, match=r"output must end in \.csv, .* got \.xlsx"):
        write_table(table, tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="folder that can be written to; got No such file"):
        write_table(table, tmp_path / "none" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="be a file; got a directory"):
        write_table(table, tmp_path / "folder.csv")


def test_documents_are_plain_json():
    for result in (CLASSES, SCORES, FINDINGS, NO_FINDINGS, MASKS):
        document = consensus_document(result, probabilities=True, history=True)
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert document["method"] == "by_hand"
        assert document["history"] == [-3.0]
    document = consensus_document(CLASSES)
    assert document["rows"][1] == {
        "case": "=y", "consensus": None, "probability": None, "entropy": None, "reads": 0
    }  # fmt: skip
    assert document["reliability"]["readers"][1]["accuracy"] is None
    assert "history" not in document


def test_estimates_as_documents():
    estimate = Estimate("Kappa", "kappa", 0.4, 0.2, math.nan, n_cases=3)
    document = estimate_document(estimate)
    assert document["high"] is None
    assert document["n_cases"] == 3
    assert "warning" not in document
    assert estimate_document(Estimate("K", "k", math.nan, undefined="one class"))["value"] is None


def test_values_of_every_type():
    value = {
        1: (np.float32(0.5), np.bool_(True), np.datetime64("2024-01-02"), {3}),
        "kind": CLASSES.kind, "names": CLASSES.cases, "inf": math.inf, "path": 1 + 2j,
    }  # fmt: skip
    assert as_document(value) == {
        "1": [0.5, True, "2024-01-02", [3]], "kind": "nominal", "names": ["x", "=y"], "inf": None,
        "path": "(1+2j)",
    }  # fmt: skip
    assert as_document(np.array(["NaT", "2024-01-02"], dtype="datetime64[s]"))[1].startswith("2024")


def test_reads_and_consensus_side_by_side():
    reads = read_boxes({
        "case": ["x", "x", "x", "=y"], "reader": ["A", "B", "C", "A"],
        "label": ["nodule", "mass", "nodule", ""], "x1": [1, 0, 1, None], "y1": [1, 0, 1, None],
        "x2": [4, 1, 4, None], "y2": [5, 1, 5, None],
    })  # fmt: skip
    document = coco_document(reads, FINDINGS)
    last = document["annotations"][-2]
    assert last["reader"] == "overread consensus"
    assert (last["score"], last["class_score"]) == (0.9, 0.8)
    assert last["from_annotations"] == [1, 3]
    again = read_coco(document)
    assert again.index.readers == ("A", "B", "C", "overread consensus")
    assert again.index.n_reads == 5
    assert again.box[3:].tolist() == [[1, 1, 4, 5], [0, 0, 1, 1]]


def test_masks_as_png(tmp_path):
    table = write_masks(MASKS, tmp_path / "out")
    assert table["file"].to_list() == ["x.png", None]
    assert np.asarray(Image.open(tmp_path / "out" / "x.png")).tolist() == [[0, 1], [1, 1]]
    assert read_table(tmp_path / "out" / "masks.csv").height == 2
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"x.png", "masks.csv"}


def test_masks_as_volumes(tmp_path):
    volume = np.arange(24).reshape(2, 3, 4) % 2
    value = MaskConsensus((volume, np.empty(0, dtype=int)), MASKS.value.probability, ("b", "o"))
    write_masks(replace(MASKS, value=value), tmp_path, spacing_mm=np.array([[3, 0.7, 0.5]] * 2))
    image = nibabel.load(tmp_path / "x.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj).T, volume)
    assert np.allclose(np.diag(image.affine), [0.5, 0.7, 3, 1])
    assert {one.name for one in tmp_path.iterdir()} == {"x.nii.gz", "masks.csv"}


def test_file_names_never_leave_the_folder_nor_collide():
    names = ["../../etc/passwd", "a/b", "A B", "a.b", "x.nii.gz", "x.png", "é", "con\n", "", "…"]
    stems = file_stems(names)
    assert len({stem.casefold() for stem in stems}) == len(names)
    assert not any("/" in stem or stem.startswith(".") or not stem for stem in stems)


def test_masks_with_too_many_classes(tmp_path):
    value = MaskConsensus((np.array([[0, 300]]), np.empty(0, dtype=int)), (), ("b", "o"))
    with pytest.raises(InputError, match="at most 256 classes"):
        write_masks(
            replace(MASKS, value=replace(value, classes=tuple(str(k) for k in range(301)))),
            tmp_path,
        )
    assert list(tmp_path.iterdir()) == []


def test_tables_are_frames():
    assert isinstance(consensus_table(CLASSES), pl.DataFrame)
