"""``overread consensus --gold`` of every label kind: gold comes back as it is."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from tests.cli.inputs import CASES, boxes, coco, long, masks, save_mask, wide, write_csv
from tests.cli.program import ok


def _answers(path, table):
    document = ok("consensus", path, "--gold", table, "--json").document
    return document, pl.DataFrame(document["rows"])


def test_boxes(tmp_path):
    reads = boxes(tmp_path)
    gold = {"case": CASES[:2], "label": ["no finding", "mass"], "x1": [None, 3], "y1": [None, 4],
            "x2": [None, 40], "y2": [None, 50]}  # fmt: skip
    document, rows = _answers(reads, write_csv(tmp_path / "gold.csv", gold))
    assert document["settings"]["gold_cases"] == 2
    certain = rows.filter(pl.col("probability") == 1)
    of_case = certain.filter(pl.col("case") == CASES[1]).drop("case", "class_probability").row(0)
    assert of_case[:6] == ("mass", 1.0, 3.0, 4.0, 40.0, 50.0)
    assert rows.filter((pl.col("case") == CASES[0]) & (pl.col("probability") > 0)).is_empty()
    plain = ok("consensus", reads, "--json").document
    assert plain["provenance"] != document["provenance"]
    assert [one["reader"] for one in document["reliability"]["readers"]] == ["Ada", "Ben", "Cy"]


def test_outlines(tmp_path):
    reads = coco(tmp_path)
    ring = [5.0, 5.0, 30.0, 5.0, 30.0, 30.0]
    gold = {"case": [CASES[1]], "label": ["nodule"], "outline": [json.dumps(ring)]}
    table = write_csv(tmp_path / "gold.csv", gold)
    out = tmp_path / "out.json"
    ok("consensus", reads, "--gold", table, "--out", out)
    notes = json.loads(out.read_text())["annotations"]
    [given] = [one for one in notes if one["reader"] == "overread consensus" and one["score"] == 1
               and one["image_id"] == 2]  # fmt: skip
    assert given["segmentation"] == [ring]


@pytest.mark.parametrize(("make", "kind"), [(wide, ()), (long, ())])
def test_sets_of_classes(make, kind, tmp_path):
    reads = make(tmp_path)
    gold = write_csv(tmp_path / "gold.csv", {"case": CASES[:2], "mass": [1, 0], "node": [0, None]})
    ask = ("consensus", reads, "--kind", "multi-label", *kind, "--gold", gold, "--json")
    parts = ok(*ask).document["classes"]
    first, second = parts["mass"]["rows"][:2]
    known = {row["case"]: (row["consensus"], row["probability"]) for row in (first, second)}
    assert known[CASES[0]] == ("present", 1.0)
    node = {row["case"]: row["probability"] for row in parts["node"]["rows"]}
    assert node[CASES[0]] == 1.0
    assert node[CASES[1]] < 1.0


@pytest.mark.parametrize("method", ["signed_distance", "staple", "majority_masks"])
def test_masks(method, tmp_path):
    reads = masks(tmp_path)
    truth = np.zeros((32, 32), dtype=np.uint8)
    truth[20:30, 2:9] = 1
    save_mask(tmp_path / "gold" / f"{CASES[1]}.png", truth)
    rows = ok("consensus", reads, "--method", method, "--gold", tmp_path / "gold", "--json")
    row = next(one for one in rows.document["rows"] if one["case"] == CASES[1])
    share = next(value for name, value in row.items() if name.startswith("share_")
                 and value not in (0, 1) and value < 0.5)  # fmt: skip
    assert share == pytest.approx(70 / 1024)
