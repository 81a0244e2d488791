"""``overread compare`` of boxes and masks: from files to figures, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cli.inputs import CASES, READERS, save_mask, write_csv
from tests.cli.program import ok, refused

_CORNERS = ("x1", "y1", "x2", "y2")


def _truth_rows(cases=CASES, shift=0.0):
    """A nodule where it is; every fourth case is normal."""
    rows: dict[str, list[object]] = {name: [] for name in ("case", "label", *_CORNERS)}
    for place, case in enumerate(cases):
        normal = place % 4 == 0
        box = (None,) * 4 if normal else (20 + shift, 20, 40 + shift, 35)
        for name, cell in zip(
            rows, (case, "no finding" if normal else "nodule", *box), strict=True
        ):
            rows[name].append(cell)
    return rows


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    """Three readers: two draw what is there, the third draws half of it, and ghosts."""
    rows: dict[str, list[object]] = {n: [] for n in ("case", "reader", "label", *_CORNERS)}
    truth = _truth_rows()
    for place, case in enumerate(CASES):
        for number, reader in enumerate(READERS):
            label, corners = truth["label"][place], [truth[name][place] for name in _CORNERS]
            if number == 2 and place % 2:
                label, corners = "nodule", [60, 60, 80, 80]
            elif label == "nodule":
                corners = [float(v) + number for v in corners]  # type: ignore[arg-type]
            for name, cell in zip(rows, (case, reader, label, *corners), strict=True):
                rows[name].append(cell)
    return write_csv(tmp_path_factory.mktemp("boxes") / "boxes.csv", rows)


def test_boxes_against_a_table(boxes, tmp_path):
    truth = write_csv(tmp_path / "truth.csv", _truth_rows())
    document = ok("compare", boxes, "--truth", truth, "--json").document
    by_name = {one["method"]: one for one in document["methods"]}
    assert list(by_name) == ["boxes", "median_boxes"]
    for one in by_name.values():
        assert (one["f1"], one["precision"], one["recall"]) == (1.0, 1.0, 1.0)
        assert one["iou"] > 0.79  # the readers' middle is one pixel off: 19 x 14 of 334
        assert one["nll"] < 0.5
        assert one["auc"] == 1.0
        assert one["low"]["iou"] <= one["iou"] <= one["high"]["iou"]
        assert (one["n_cases"], one["n_true"]) == (12, 9)
        assert "held_out" not in one
    assert document["recommendation"] is None
    table = ok("compare", boxes, "--truth", truth).out
    heads = table.splitlines()[0].split()
    assert heads == ["method", "f1", "precision", "recall", "iou", "nll", "auc", "seconds"]
    assert "scored on 12 cases" in table
    only = ok("compare", boxes, "--truth", truth, "--methods", "median_boxes", "--json").document
    assert [one["method"] for one in only["methods"]] == ["median_boxes"]


def test_truth_of_some_cases_and_of_cases_nobody_read(boxes, tmp_path):
    truth = write_csv(tmp_path / "truth.csv", _truth_rows((*CASES[:3], "never read")))
    [one, _] = ok("compare", boxes, "--truth", truth, "--json").document["methods"]
    assert one["n_cases"] == 3
    moved = write_csv(tmp_path / "moved.csv", _truth_rows(shift=50))
    [one, _] = ok("compare", boxes, "--truth", moved, "--json").document["methods"]
    assert (one["f1"], one["iou"], one["auc"]) == (0.0, None, None)
    assert " - " in ok("compare", boxes, "--truth", moved).out


def test_boxes_against_a_coco_file(boxes, tmp_path):
    """All images of the file have a truth, those without annotations too."""
    images = [{"id": k, "file_name": c, "width": 100, "height": 100} for k, c in enumerate(CASES)]
    notes = [{"id": k, "image_id": k, "category_id": 5, "bbox": [20, 20, 20, 15]}
             for k in range(12) if k % 4]  # fmt: skip
    path = tmp_path / "truth.json"
    document = {"images": images, "annotations": notes,
                "categories": [{"id": 5, "name": "nodule"}]}  # fmt: skip
    path.write_text(json.dumps(document))
    as_table = write_csv(tmp_path / "truth.csv", _truth_rows())
    of_file, of_table = (
        ok("compare", boxes, "--truth", one, "--json").document["methods"]
        for one in (path, as_table)
    )
    for one, other in zip(of_file, of_table, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    document["annotations"] = [note | {"reader": str(note["id"])} for note in notes]
    path.write_text(json.dumps(document))
    assert "gold boxes must be of one reader; got 9" in refused("compare", boxes, "--truth", path)
    document["annotations"] = notes
    document["categories"] = [{"id": 5, "name": "tumour"}]
    path.write_text(json.dumps(document))
    said = refused("compare", boxes, "--truth", path)
    assert "gold label must be one of nodule; got 'tumour'" in said


def test_boxes_against_a_voc_folder(boxes, tmp_path):
    for place, case in enumerate(CASES):
        corners = "<xmin>20</xmin><ymin>20</ymin><xmax>40</xmax><ymax>35</ymax>"
        found = f"<object><name>nodule</name><bndbox>{corners}</bndbox></object>"
        (tmp_path / f"{case}.xml").write_text(
            f"<annotation><filename>{case}</filename>{found if place % 4 else ''}</annotation>"
        )
    [one, _] = ok("compare", boxes, "--truth", tmp_path, "--json").document["methods"]
    assert (one["f1"], one["n_cases"]) == (1.0, 12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"case": ["x", "y"]}, "gold table must answer cases that somebody read"),
        ({"label": ["nodule", "cyst"]}, "row 2: label must be one of nodule; got 'cyst'"),
        ({"x2": [10, 40]}, "row 1:"),
        ({"y1": ["high", 20]}, "row 1: y1 must be a number"),
    ],
)
def test_bad_true_boxes_are_refused(boxes, tmp_path, change, words):
    table = {"case": [CASES[1], CASES[2]], "label": ["nodule"] * 2, "x1": [20, 20], "y1": [20, 20],
             "x2": [40, 40], "y2": [35, 35]}  # fmt: skip
    truth = write_csv(tmp_path / "truth.csv", table | change)
    said = refused("compare", boxes, "--truth", truth)
    assert words in said
    assert not any(case in said for case in CASES)


def _drawn(place, row=8, column=8):
    mask = np.zeros((32, 32), dtype=np.uint8)
    if place:
        mask[row : row + 12, column : column + 14] = 255
    return mask


@pytest.fixture(scope="module")
def masks(tmp_path_factory):
    """Readers draw one pixel off; the first case is empty for all."""
    root = tmp_path_factory.mktemp("masks")
    for place, case in enumerate(CASES[:4]):
        for number, reader in enumerate(READERS):
            save_mask(root / reader / f"{case}.png", _drawn(place, 7 + number, 8))
    return root


def test_masks_against_a_folder(masks, tmp_path):
    for place, case in enumerate(CASES[:4]):
        save_mask(tmp_path / "flat" / f"{case}.png", _drawn(place))
        save_mask(tmp_path / "deep" / "boss" / f"{case}.png", _drawn(place) // 255)
    save_mask(tmp_path / "flat" / "never read.png", _drawn(1))
    flat, deep = (
        ok("compare", masks, "--truth", tmp_path / name, "--json").document["methods"]
        for name in ("flat", "deep")
    )
    assert [one["method"] for one in flat] == ["signed_distance", "staple", "majority_masks"]
    for one, other in zip(flat, deep, strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
        assert one["n_cases"] == 4
        assert one["unit"] == "px"
        assert one["dice"] > 0.95
        assert one["dice_by_class"] == {"255": one["dice"]}
        assert one["hd95"] <= 1
        assert one["assd"] <= one["hd95"]
        assert 0 < one["nll"] < 1
    table = ok("compare", masks, "--truth", tmp_path / "flat").out
    assert table.splitlines()[0].split() == ["method", "dice", "hd95", "assd", "nll", "seconds"]


def _runs(mask):
    """Kaggle's pairs: column by column, from 1."""
    flat = np.r_[0, mask.T.reshape(-1) > 0, 0]
    edges = np.flatnonzero(np.diff(flat))
    starts, ends = edges[::2], edges[1::2]
    return " ".join(f"{s + 1} {e - s}" for s, e in zip(starts, ends, strict=True))


def test_masks_of_a_table_against_a_table(tmp_path):
    rows = [
        (case, reader, 32, 32, _runs(_drawn(place, 7 + number)), "liver")
        for place, case in enumerate(CASES[:4], 1)
        for number, reader in enumerate(READERS)
    ]
    rows += [(case, reader, 32, 32, _runs(_drawn(1, 24, 16)[:, :32]), "cyst")
             for case in CASES[:2] for reader in READERS[:2]]  # fmt: skip
    names = ("case", "reader", "rows", "columns", "rle", "label")
    reads = write_csv(
        tmp_path / "reads.csv", dict(zip(names, zip(*rows, strict=True), strict=True))
    )
    kept = [(row[0], *row[2:]) for row in rows if row[1] == READERS[1]]
    truth = write_csv(
        tmp_path / "truth.csv",
        dict(zip((names[0], *names[2:]), zip(*kept, strict=True), strict=True)),
    )
    found = ok("compare", reads, "--truth", truth, "--json").document["methods"]
    for one in found:
        assert set(one["dice_by_class"]) == {"liver", "cyst"}
        assert one["dice"] > 0.9
    assert "dice cyst" in ok("compare", reads, "--truth", truth).out


def test_bad_true_masks_are_refused(masks, tmp_path):
    small = tmp_path / "small"
    save_mask(small / f"{CASES[1]}.png", _drawn(1)[:16])
    said = refused("compare", masks, "--truth", small)
    assert "row 1: gold mask must have the size 32 x 32 of its case; got 16 x 32" in said
    other = tmp_path / "other"
    save_mask(other / "never read.png", _drawn(1))
    said = refused("compare", masks, "--truth", other)
    assert "gold table must answer cases that somebody read" in said
    strange = tmp_path / "strange"
    save_mask(
        strange / f"{CASES[1]}.png", np.where(_drawn(1) > 0, np.eye(32) + 2, 0).astype(np.uint8)
    )
    said = refused("compare", masks, "--truth", strange)
    assert "class of the gold masks must be one of 255; got '2'" in said
    two = tmp_path / "two"
    for reader in READERS[:2]:
        save_mask(two / reader / f"{CASES[1]}.png", _drawn(1))
    assert "be of one reader; got 2 readers" in refused("compare", masks, "--truth", two)
    twice = tmp_path / "twice"
    save_mask(twice / f"{CASES[1]}.png", _drawn(1))
    save_mask(twice / f"{CASES[1]}.bmp", _drawn(1))
    assert "must be one" in refused("compare", masks, "--truth", twice)
    (tmp_path / "empty").mkdir()
    said = refused("compare", masks, "--truth", tmp_path / "empty")
    assert "mask folder must hold mask files" in said
    assert not any(case in said for case in CASES)
