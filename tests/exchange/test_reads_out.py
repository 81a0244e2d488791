"""What is written is read back by the defaults: every label kind, every state, every form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overread.errors import InputError
from overread.exchange import (
    ReadOptions,
    mask_arrays,
    read_coco_masks,
    read_reads,
    reads_table,
    write_coco,
    write_coco_masks,
    write_reads,
)
from overread.exchange.run_length import expand_counts
from overread.labels import BoxReads, InstanceReads, Kind, MaskReads, Reads
from tests.app.states import STATES, state

_STATES = [name for name in STATES if name != "repeats"]  # two answers of one reader are refused


def assert_same(one: Reads, other: Reads) -> None:
    assert type(one) is type(other)
    assert one.schema.names == other.schema.names
    assert one.schema.kind is other.schema.kind
    assert one.index.readers == other.index.readers or one.index.n_readers >= other.index.n_readers
    wanted, got = reads_table(one), reads_table(other)
    for frame in (wanted, got):
        assert frame.columns == wanted.columns
    assert wanted.sort(wanted.columns).equals(got.sort(got.columns))


@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("name", _STATES)
@pytest.mark.parametrize("kind", list(Kind))
def test_tables_come_back(kind: Kind, name: str, form: str, tmp_path: Path) -> None:
    reads = state(kind, name)
    path = tmp_path / f"reads.{form}"
    write_reads(reads, path)
    assert_same(reads, read_reads(path))


@pytest.mark.parametrize("name", _STATES)
@pytest.mark.parametrize("kind", [Kind.BOX, Kind.INSTANCE, Kind.MASK])
def test_coco_comes_back(kind: Kind, name: str, tmp_path: Path) -> None:
    reads = state(kind, name)
    path = tmp_path / "reads.json"
    if isinstance(reads, MaskReads):
        write_coco_masks(path, [(reads, None)])
    else:
        assert isinstance(reads, BoxReads | InstanceReads)
        write_coco(path, reads)
    back = read_reads(path)
    extras = ("time", "seconds", "protocol", "group")  # COCO has no place for them
    wanted, got = (reads_table(one).drop(extras, strict=False) for one in (reads, back))
    common = [name for name in wanted.columns if name in got.columns]
    assert {"case", "reader", "label"} <= set(common)
    assert wanted.select(common).sort(common).equals(got.select(common).sort(common))


def test_grades_keep_their_order_and_their_unused_ends(tmp_path: Path) -> None:
    told = {"case": ["a", "b"], "reader": ["R1", "R1"], "label": ["severe", "mild"]}
    options = ReadOptions(kind=Kind.ORDINAL, classes=("none", "mild", "severe", "worst"))
    write_reads(read_reads(told, options), tmp_path / "grades.csv")
    back = read_reads(tmp_path / "grades.csv")
    assert back.schema.kind is Kind.ORDINAL
    assert back.schema.names == ("none", "mild", "severe", "worst")
    chosen = read_reads(tmp_path / "grades.csv", ReadOptions(kind=Kind.NOMINAL))
    assert chosen.schema.kind is Kind.NOMINAL


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("label_kind", ["nominal", "ordinal"], "same in all rows"),
        ("label_kind", ["colour", "colour"], "be one of"),
        ("label_classes", ["x", "x"], "JSON list"),
        ("label_classes", ["[1]", "[1]"], "JSON list"),
    ],
)
def test_what_a_table_says_of_itself_is_checked(column: str, value: list[str], rule: str) -> None:
    table = {"case": ["a", "b"], "reader": ["R1", "R1"], "label": ["x", "y"], column: value}
    with pytest.raises(InputError, match=rule):
        read_reads(table)


def test_volumes_are_refused_with_what_to_take() -> None:
    volumes = mask_arrays(["a"], ["R1"], [np.zeros((2, 3, 4), int)])
    with pytest.raises(InputError, match="NIfTI"):
        reads_table(volumes)
    with pytest.raises(InputError, match="NIfTI"):
        write_coco_masks(Path("never.json"), [(volumes, None)])
    assert not Path("never.json").exists()


@given(mask=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)))  # fmt: skip # noqa: E501
@settings(deadline=None, max_examples=60)
def test_run_length_of_a_class_is_what_coco_tools_decode(mask: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:  # fmt: skip # noqa: E501
    """Decoded as pycocotools does: column by column, zeros first."""
    path = tmp_path_factory.mktemp("coco") / "m.json"
    classes = {0: "background", 1: "a", 2: "b", 3: "c"}
    reads = mask_arrays(["x"], ["R1"], [mask], classes=classes)
    write_coco_masks(path, [(reads, None)])
    document = json.loads(path.read_text())
    painted = np.zeros_like(mask)
    for note in document["annotations"]:
        value, flat = 0, []
        for count in expand_counts(note["segmentation"]["counts"]):
            flat += [value] * count
            value = 1 - value
        one = np.array(flat).reshape(note["segmentation"]["size"], order="F").astype(bool)
        x, y, wide, tall = note["bbox"]
        assert one[y : y + tall, x : x + wide].sum() == note["area"] == one.sum()
        painted[one] = note["category_id"]
    assert np.array_equal(painted, mask)
    assert np.array_equal(read_coco_masks(document).mask(0), mask)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"segmentation": [[0, 0, 1, 1, 2, 2]]}, "run-length mask"),
        ({"segmentation": {"size": [9, 9], "counts": [81]}}, "have the 2 rows"),
        ({"segmentation": {"size": [2, 2], "counts": [5]}}, "add up"),
        ({"category_id": 9}, "listed category"),
        ({"image_id": 9}, "listed image"),
    ],
)
def test_coco_masks_in_another_form(change: dict[str, object], rule: str) -> None:
    note = {
        "id": 1, "image_id": 1, "category_id": 1, "reader": "R1",
        "segmentation": {"size": [2, 2], "counts": [1, 3]},
    }  # fmt: skip
    document = {
        "images": [{"id": 1, "file_name": "a", "width": 2, "height": 2}],
        "categories": [{"id": 1, "name": "organ"}, {"id": 2, "name": "tumour"}],
        "annotations": [note | change],
    }
    with pytest.raises(InputError, match=rule):
        read_coco_masks(document)
    twice = {**document, "annotations": [note, note | {"id": 2, "category_id": 2}]}
    with pytest.raises(InputError, match="of one class"):
        read_coco_masks(twice)


def test_names_are_kept_as_they_are(tmp_path: Path) -> None:
    told = {"case": ["=1+1", "007"], "reader": ["+R", "-R"], "label": ["+", "-"]}
    write_reads(read_reads(told), tmp_path / "reads.csv")
    assert pl.read_csv(tmp_path / "reads.csv", infer_schema=False)["case"].to_list() == [
        "=1+1",
        "007",
    ]
    assert_same(read_reads(told), read_reads(tmp_path / "reads.csv"))
