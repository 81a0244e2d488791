"""``overread check-labels``: a set of boxes beside pictures, a table of readers, bad options."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from tests.cli.inputs import write_csv
from tests.cli.program import ok, overread


@pytest.fixture
def set_of_boxes(tmp_path):
    """Discs on a ground, boxed tightly but for one, and one box twice."""
    rng = np.random.default_rng(0)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rows = []
    for case in range(2):
        pixels = rng.normal(180, 6, (200, 200))
        y, x = np.mgrid[:200, :200]
        for i, (row, column) in enumerate([(50, 50), (50, 150), (150, 50), (150, 150)]):
            pixels[np.hypot(y - row, x - column) <= 20] -= 70
            reach = 34 if (case, i) == (1, 3) else 20
            box = column - reach, row - reach, column + reach + 1, row + reach + 1
            rows.append((f"=case {case}", "R1", "cell", *box))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(
            pictures / f"=case {case}.png"
        )
    rows.append(rows[0])
    rows.append(("=case 0", "R1", "cell", 30, 30, 71, 70))
    columns = dict(
        zip(
            ("case", "reader", "label", "x1", "y1", "x2", "y2"),
            zip(*rows, strict=True),
            strict=True,
        )
    )
    return write_csv(tmp_path / "boxes.csv", columns), pictures


def test_boxes_beside_their_pictures(set_of_boxes, tmp_path):
    reads, pictures = set_of_boxes
    out = tmp_path / "hints.csv"
    said = ok("check-labels", reads, "--images", pictures, "--out", out).out
    assert "on 2 images" in said
    assert "case =case 1, reader R1, drawing 4, cell: about" in said
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["rule"] for row in rows} == {"loose-contour", "drawn-twice"}
    loose = next(row for row in rows if row["rule"] == "loose-contour")
    assert (loose["case"], loose["finding"]) == ("'=case 1", "4")  # no formula for a spreadsheet
    assert float(loose["offset_px"]) == pytest.approx(14, abs=3)


def test_a_page_shows_each_hint_on_its_picture(set_of_boxes, tmp_path):
    reads, pictures = set_of_boxes
    page = tmp_path / "hints.html"
    ok("check-labels", reads, "--images", pictures, "--html", page)
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 2  # the loose one, and the one drawn twice
    assert "case =case 1, reader R1, drawing 4, cell" in text
    assert "img-src data:" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert str(tmp_path) not in text
    said = ok("check-labels", reads, "--html", tmp_path / "plain.html").out
    assert "plain.html" in said
    assert overread("check-labels", reads, "--html", tmp_path / "plain.txt").code == 2


def test_the_document_says_the_same(set_of_boxes):
    reads, pictures = set_of_boxes
    found = ok("check-labels", reads, "--images", pictures, "--json").document
    assert found["images"] == {"looked_at": 2, "not_found": 0, "refused": 0, "misplaced_reads": 0}
    assert {hint["rule"] for hint in found["hints"]} == {"loose-contour", "drawn-twice"}
    assert all(hint["words"].endswith(".") for hint in found["hints"])


def test_without_images_the_rules_that_need_none(set_of_boxes):
    reads, _ = set_of_boxes
    found = ok("check-labels", reads, "--json").document
    assert [hint["rule"] for hint in found["hints"]] == ["drawn-twice"]
    assert found["drawings"] == 0


def test_classes_and_the_final_protocol(tmp_path):
    n = 60
    reads = write_csv(
        tmp_path / "reads.csv",
        {
            "case": [str(i) for i in range(n)],
            "reader": ["R1"] * n,
            "label": ["yes"] * 57 + ["no"] * 2 + ["maybe"],
            "version": ["1"] * 3 + ["2"] * 57,
        },
    )
    options = ("--protocol", "version", "--final-version", "2", "--final-classes", "yes,no")
    found = ok("check-labels", reads, *options, "--json").document["hints"]
    rules = [hint["rule"] for hint in found]
    assert rules.count("lost-class") == 1
    assert rules.count("stale") == 3
    assert "imbalance" in rules
    assert [hint["severity"] for hint in found] == sorted(
        (hint["severity"] for hint in found), key=["error", "warning", "note"].index
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rule", "nothing"), "--rule must be module:function"),
        (("--rule", "no_such_package:x"), "installed package"),
        (("--images", "no such folder"), "--images must be a folder"),
        (("--false-alarm", "0.7"), "false_alarm must lie between 0 and 0.5"),
        (("--out", "hints.doc"), "--out must end in"),
    ],
)
def test_bad_options_are_named(set_of_boxes, options, words):
    ended = overread("check-labels", set_of_boxes[0], *options)
    assert ended.code == 2
    assert words in ended.said
