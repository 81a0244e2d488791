"""Masks on which nobody marks anything: read, agreed upon, and a consensus of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cli.inputs import CASES, READERS, save_mask, write_csv
from tests.cli.program import ok


@pytest.fixture(scope="module", params=["folder", "volumes", "table"])
def empty(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    if request.param == "table":
        names = ("case", "reader", "rows", "columns", "rle")
        rows = [(case, reader, 16, 12, None) for case in CASES[:3] for reader in READERS]
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        return write_csv(root / "masks.csv", columns)
    for case in CASES[:3]:
        for reader in READERS:
            if request.param == "folder":
                save_mask(root / reader / f"{case}.png", np.zeros((16, 12), dtype=np.uint8))
            else:
                (root / reader).mkdir(exist_ok=True)
                np.save(root / reader / f"{case}.npy", np.zeros((4, 6, 8), dtype=np.uint8))
    return root


@pytest.mark.parametrize("method", ["signed_distance", "staple", "majority_masks"])
def test_the_consensus_is_nothing_for_sure(empty, method, tmp_path):
    document = ok("consensus", empty, "--method", method, "--out", tmp_path, "--json").document
    assert [row["case"] for row in document["rows"]] == list(CASES[:3])
    for row in document["rows"]:
        assert row["share_background"] == 1.0
        assert row["share_foreground"] == 0.0
        assert (row["entropy"], row["reads"]) == (0.0, 3)
    assert len(list(tmp_path.glob("*.png")) + list(tmp_path.glob("*.nii.gz"))) == 3


def test_both_empty_is_agreement(empty, tmp_path):
    overall = {one["key"]: one for one in ok("agree", empty, "--json").document["overall"]}
    assert overall["both_empty"]["value"] == overall["dice"]["value"] == 1.0
    assert overall["one_empty"]["value"] == 0.0
    assert "nothing was marked" in overall["dice_pooled"]["undefined"]
    page = tmp_path / "report.html"
    ok("report", empty, "--out", page)
    assert "both masks empty" in page.read_text().lower()


def test_nothing_against_the_truth_that_there_is_nothing(tmp_path):
    for case in CASES[:2]:
        for reader in READERS:
            save_mask(tmp_path / "reads" / reader / f"{case}.png", np.zeros((9, 9), np.uint8))
        save_mask(tmp_path / "truth" / f"{case}.png", np.zeros((9, 9), np.uint8))
    found = ok("compare", tmp_path / "reads", "--truth", tmp_path / "truth", "--json").document
    for one in found["methods"]:
        assert (one["dice"], one["hd95"], one["nll"]) == (1.0, None, None)
