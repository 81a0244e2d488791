"""Labels beside their images: a folder of pictures, one answer on its way, rules of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.app.analysis.check_labels import check_labels, power
from overread.app.analysis.gentle_check import check_answer_gently
from overread.app.analysis.label_rules import rules_with
from overread.errors import InputError, MethodError
from overread.labels import BoxReads, Kind, class_reads, mask_reads, read_index, schema_of
from overread.monitoring.rules import RULES
from overread.protocol import read_protocol
from tests.monitoring.rules.textures import SIDE, box_of, scene

PROTOCOL = """
title: Cells
questions:
  - id: cells
    prompt: Box each cell
    kind: box
    classes: [{name: cell}, {name: debris}]
  - id: signs
    prompt: What is there?
    kind: multi-label
    classes: [{name: no finding}, {name: mass}]
    required: false
"""


def boxed(folder: Path, n: int = 2):
    """Boxes round the things of pictures in a folder, one of them far too wide."""
    case, box = [], []
    for seed in range(n):
        made = scene("coloured", seed)
        pixels = np.clip(made.pixels, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"picture {seed}.png")
        for at, thing in enumerate(made.things):
            one = box_of(thing)
            if (seed, at) == (0, 5):
                one = np.clip(one + np.array([-14, -14, 14, 14]), 0, SIDE)
            case.append(seed)
            box.append(one)
    index = read_index([f"picture {seed}" for seed in range(n)], ["R"] * n)
    schema = schema_of(Kind.BOX, ["cell"])
    return BoxReads(index, np.array(case), np.zeros(len(case), int), np.array(box), schema)


def test_a_set_is_checked_beside_its_images(tmp_path):
    reads = boxed(tmp_path)
    told = []
    checked = check_labels(reads, images=tmp_path, progress=lambda *step: told.append(step))
    assert checked.looked_at == 2
    assert (checked.not_found, checked.refused, checked.misplaced) == (0, 0, 0)
    assert told == [(1, 2), (2, 2)]
    found = {(one.case, one.finding) for one in checked.hints if one.rule == "loose-contour"}
    assert ("picture 0", 6) in found
    assert len(found) <= 2
    assert power(checked) == {}  # two probes are too few to foretell anything
    assert checked.context.drawn.n == 32


def test_images_missing_or_damaged_are_counted_and_the_rest_is_checked(tmp_path):
    reads = boxed(tmp_path)
    (tmp_path / "picture 1.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    checked = check_labels(reads, images=tmp_path)
    assert (checked.looked_at, checked.refused) == (1, 1)
    (tmp_path / "picture 1.png").unlink()
    checked = check_labels(reads, images=tmp_path)
    assert (checked.looked_at, checked.not_found) == (1, 1)


def test_a_folder_without_these_images_is_refused(tmp_path):
    reads = boxed(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError, match="hold images of the cases"):
        check_labels(reads, images=other)
    with pytest.raises(InputError, match="be a folder"):
        check_labels(reads, images=tmp_path / "none")


def test_masks_of_another_size_are_left_out_and_counted(tmp_path):
    boxed(tmp_path, 1)
    schema = schema_of(Kind.MASK, ["background", "cell"])
    mask = np.zeros((50, 50), dtype=np.int64)
    mask[10:20, 10:20] = 1
    reads = mask_reads(read_index(["picture 0"], ["R"]), [mask], schema)
    checked = check_labels(reads, images=tmp_path)
    assert (checked.misplaced, checked.context.drawn.n) == (1, 0)


def answer_of(box):
    names = ("x1", "y1", "x2", "y2")
    return {
        "id": "1",
        "class": "cell",
        "frame": 0,
        **dict(zip(names, map(float, box), strict=True)),
    }


def test_one_answer_is_looked_at_before_it_is_sent():
    protocol = read_protocol(PROTOCOL)
    made = scene("coloured", 3)
    tight = box_of(made.things[5])
    wide = np.clip(tight + np.array([-13, -13, 13, 13]), 0, SIDE)
    assert check_answer_gently(protocol, {"cells": [answer_of(tight)]}, [made.pixels]) == {}
    answer = {"cells": [answer_of(wide)], "signs": ["no finding", "mass"]}
    hints = check_answer_gently(protocol, answer, [made.pixels], spacing_mm=(0.1, 0.1))
    (loose,), (both,) = hints["cells"], hints["signs"]
    assert (loose.rule, loose.finding, loose.case, loose.reader) == ("loose-contour", 1, "", "")
    assert loose.numbers["offset_mm"] > 0.5
    assert both.rule == "no-finding"
    assert both.words == "says 'no finding' and also 'mass'."


def test_an_answer_on_a_later_frame_is_looked_at_there():
    protocol = read_protocol(PROTOCOL)
    made = scene("coloured", 3)
    wide = np.clip(box_of(made.things[5]) + np.array([-13, -13, 13, 13]), 0, SIDE)
    flat = np.zeros_like(made.pixels)
    answer = {"cells": [answer_of(wide) | {"frame": 1}]}
    (hint,) = check_answer_gently(protocol, answer, [flat, made.pixels])["cells"]
    assert hint.numbers["frame"] == 1
    answer = {"cells": [answer_of(wide)]}
    assert check_answer_gently(protocol, answer, [flat, made.pixels]) == {}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package of a user's, installed: it announces one rule and holds two more."""
    (tmp_path / "my_rules.py").write_text(
        "from overread.monitoring.rules import Severity\n"
        "def short(context):\n"
        "    return (context.hint('short', Severity.NOTE, 'is short.', 0),)\n"
        "def broken(context):\n"
        "    raise KeyError('case 7')\n",
        encoding="utf-8",
    )
    about = tmp_path / "my_rules-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-rules\nVersion: 1\n")
    (about / "top_level.txt").write_text("my_rules\n")
    (about / "entry_points.txt").write_text("[overread.label_rules]\nmine = my_rules:short\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("my_rules", None)


@pytest.mark.usefixtures("installed")
def test_rules_of_an_installed_package_are_asked():
    reads = class_reads([1, 2], ["R", "R"], ["a", "b"])
    rules = rules_with(["my_rules:short"])
    assert set(rules) == {*RULES, "mine", "my_rules:short"}
    hints = check_labels(reads, rules=rules).hints
    assert [hint.words for hint in hints] == ["is short.", "is short."]
    with pytest.raises(MethodError, match=r"'my_rules:broken' failed: KeyError$"):
        check_labels(reads, rules=rules_with(["my_rules:broken"]))
    assert set(rules_with(announced=False)) == set(RULES)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("my_rules", "be module:function"),
        ("my_rules:none", "name a function that is there"),
        ("no_such_package:rule", "name a module of an installed package"),
        (":x", "be module:function"),
    ],
)
def test_rules_that_are_not_there_are_refused(name, rule):
    with pytest.raises(InputError, match=rule):
        rules_with([name])


def test_a_module_beside_the_data_is_not_run(tmp_path, monkeypatch):
    (tmp_path / "beside.py").write_text("def rule(context):\n    return ()\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match="installed package"):
        rules_with(["beside:rule"])


def test_hints_do_not_depend_on_the_order_of_the_reads(tmp_path):
    reads = boxed(tmp_path)
    turned = reads.select(np.array([1, 0]))
    one, other = (check_labels(each, images=tmp_path) for each in (reads, turned))
    seen = [
        sorted((hint.rule, hint.case, hint.finding, hint.words) for hint in checked.hints)
        for checked in (one, other)
    ]
    assert seen[0] == seen[1]
