"""``overread compare`` of outlines and of sets of classes, from files to figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cli.inputs import CASES, READERS, write_csv
from tests.cli.program import ok, refused

_MEASURES = ("accuracy", "balanced_accuracy", "nll", "brier", "ece")


def _ring(shift=0.0):
    x, y = 20.0 + shift, 20.0
    return [x, y, x + 20, y, x + 20, y + 15, x, y + 15]


@pytest.fixture(scope="module")
def outlines(tmp_path_factory):
    """Three readers around one true outline; every fourth case is normal; the third adds ghosts."""
    images = [{"id": k, "file_name": c, "width": 100, "height": 100} for k, c in enumerate(CASES)]
    reads = [{"image_id": k, "reader": r} for k in range(len(CASES)) for r in READERS]
    notes = []
    for k in range(len(CASES)):
        for number, reader in enumerate(READERS):
            if not k % 4 and number == 2:
                notes.append((k, reader, [60, 60, 80, 60, 80, 80]))
            elif k % 4:
                notes.append((k, reader, _ring(number)))
    annotations = [
        {"id": n, "image_id": k, "category_id": 1, "reader": reader, "segmentation": [ring]}
        for n, (k, reader, ring) in enumerate(notes)
    ]
    categories = [{"id": 1, "name": "nodule"}]
    document = {"images": images, "annotations": annotations, "reads": reads,
                "categories": categories}  # fmt: skip
    path = tmp_path_factory.mktemp("outlines") / "reads.json"
    path.write_text(json.dumps(document))
    return path, document


def _truth_table(path, form=json.dumps, shift=1.0):
    drawn = [None if k % 4 == 0 else form(_ring(shift)) for k in range(len(CASES))]
    label = ["no finding" if one is None else "nodule" for one in drawn]
    return write_csv(path, {"case": CASES, "label": label, "outline": drawn})


def _wkt(ring):
    pairs = [f"{x} {y}" for x, y in zip(ring[::2], ring[1::2], strict=True)]
    return f"POLYGON (({', '.join([*pairs, pairs[0]])}))"


def test_outlines_against_a_table_and_a_coco_file(outlines, tmp_path):
    path, document = outlines
    as_table = _truth_table(tmp_path / "truth.csv")
    [one] = ok("compare", path, "--truth", as_table, "--json").document["methods"]
    assert one["method"] == "instances"
    assert (one["f1"], one["precision"], one["recall"], one["auc"]) == (1.0, 1.0, 1.0, 1.0)
    assert one["iou"] > 0.95  # the middle reader draws the truth
    assert (one["n_cases"], one["n_true"]) == (12, 9)
    for name in ("f1", "iou", "nll", "auc"):
        assert one["low"][name] <= one[name] <= one["high"][name]
    truth = tmp_path / "truth.json"
    notes = [{"id": k, "image_id": k, "category_id": 1, "segmentation": [_ring(1.0)]}
             for k in range(len(CASES)) if k % 4]  # fmt: skip
    truth.write_text(json.dumps(document | {"annotations": notes, "reads": []}))
    wkt = _truth_table(tmp_path / "wkt.csv", _wkt)
    for other in (truth, wkt):
        [again] = ok("compare", path, "--truth", other, "--json").document["methods"]
        assert again | {"seconds": 0} == one | {"seconds": 0}
    assert "scored on 12 cases" in ok("compare", path, "--truth", as_table).out


def test_an_outline_is_matched_by_itself_and_not_by_its_box(outlines, tmp_path):
    """The triangle in the true rectangle has its box, and less than half of its area."""
    path, _ = outlines
    thin = [21, 20, 41, 20, 41, 23]
    drawn = [json.dumps([*thin, 21, 35, 40.9, 22.9]) if k % 4 else None for k in range(len(CASES))]
    label = ["no finding" if one is None else "nodule" for one in drawn]
    truth = write_csv(tmp_path / "t.csv", {"case": CASES, "label": label, "outline": drawn})
    [one] = ok("compare", path, "--truth", truth, "--json").document["methods"]
    assert one["f1"] == 0.0
    assert one["iou"] is None


def test_outlines_without_truth_and_a_truth_that_does_not_fit(outlines, tmp_path):
    path, _ = outlines
    assert "truth must be given for instance reads" in refused("compare", path)
    said = refused("compare", path, "--truth", tmp_path)
    assert "gold outlines must be a table or a COCO file" in said
    bad = write_csv(
        tmp_path / "b.csv", {"case": CASES[:1], "label": ["nodule"], "outline": ["[1]"]}
    )
    said = refused("compare", path, "--truth", bad)
    assert "row 1: outline must have 3 or more points" in said
    assert CASES[0] not in said


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Two classes of sixty cases, three readers; the third guesses about "node"."""
    rng = np.random.default_rng(8)
    truth = rng.random((60, 2)) < [0.4, 0.5]
    folder = tmp_path_factory.mktemp("sets")
    names = [f"c{k}" for k in range(60)]
    rows = {"case": [], "reader": [], "mass": [], "node": []}
    for place, case in enumerate(names):
        for number, reader in enumerate(READERS):
            slips = rng.random(2) < ([0.1, 0.5] if number == 2 else [0.1, 0.1])
            said = (truth[place] ^ slips).astype(int).tolist()
            for name, cell in zip(rows, (case, reader, *said), strict=True):
                rows[name].append(cell)
    reads = write_csv(folder / "reads.csv", rows)
    wide = {"case": names, "mass": truth[:, 0].astype(int), "node": truth[:, 1].astype(int)}
    return reads, write_csv(folder / "truth.csv", wide), wide


def test_sets_of_classes_class_by_class_and_as_a_whole(sets, tmp_path):
    reads, truth, wide = sets
    ask = ("compare", reads, "--kind", "multi-label", "--methods", "majority,dawid_skene")
    document = ok(*ask, "--truth", truth, "--json").document
    assert set(document["classes"]) == {"mass", "node"}
    for place, whole in enumerate(document["methods"]):
        parts = [document["classes"][name]["methods"][place] for name in ("mass", "node")]
        for name in _MEASURES:
            assert whole[name] == pytest.approx(np.mean([part[name] for part in parts]))
            assert whole["low"][name] <= whole[name] <= whole["high"][name]
            assert parts[0]["low"][name] <= parts[0][name] <= parts[0]["high"][name]
        assert whole["n_cases"] == 60
        assert whole["held_out"] == pytest.approx(np.mean([part["held_out"] for part in parts]))
    assert document["recommendation"]["method"] in {"majority", "dawid_skene"}
    assert document["classes"]["node"]["recommendation"] is not None
    long = {"case": [], "label": []}
    for case, mass, node in zip(*wide.values(), strict=True):
        there = [name for name, yes in (("mass", mass), ("node", node)) if yes] or ["no finding"]
        long["case"] += [case] * len(there)
        long["label"] += there
    rows = write_csv(tmp_path / "long.csv", long)
    again = ok(*ask, "--truth", rows, "--json").document
    for one, other in zip(document["methods"], again["methods"], strict=True):
        assert one | {"seconds": 0} == other | {"seconds": 0}
    shown = ok(*ask, "--truth", truth).out
    assert "mean over classes" in shown
    assert "node" in shown


def test_sets_without_truth_are_compared_by_reads_held_out(sets):
    reads, *_ = sets
    document = ok("compare", reads, "--kind", "multi-label", "--json").document
    assert document["recommendation"] is not None
    assert all("held_out" in one for one in document["classes"]["mass"]["methods"])
    assert "accuracy" not in document["methods"][0]


def test_a_truth_of_one_class_alone(sets, tmp_path):
    reads, _, wide = sets
    table = {"case": wide["case"], "site": ["x"] * 60, "mass": wide["mass"]}
    truth = write_csv(tmp_path / "t.csv", table)
    ask = ("compare", reads, "--kind", "multi-label", "--methods", "majority", "--truth")
    document = ok(*ask, truth, "--json").document
    [part] = document["classes"]["mass"]["methods"]
    assert document["methods"][0]["nll"] == part["nll"]
    assert "nll" not in document["classes"]["node"]["methods"][0]
    other = write_csv(tmp_path / "o.csv", {"case": wide["case"], "cyst": wide["mass"]})
    said = refused(*ask, other)
    assert "gold table must have a column for some class of mass, node" in said
