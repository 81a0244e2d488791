"""No message names a case or a reader, whatever is wrong with the table."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.inputs import write_csv
from tests.cli.program import overread

CASES = ("MRN-4711", "MRN-0815")
READERS = ("Dr-Mustermann", "Dr-Musterfrau")
SECRETS = (*CASES, *READERS)

columns = st.sampled_from(
    ["case", "reader", "label", "value", "x1", "y1", "x2", "y2", "site", "time"]
)
cells = st.sampled_from(["", "x", "y", "nan", "3", "-1", "1e400", "no finding", "cannot be read"])


@st.composite
def tables(draw):
    names = draw(st.sets(columns)) | {"case", "reader"}
    height = draw(st.integers(0, 5))
    of = {"case": st.sampled_from(CASES), "reader": st.sampled_from(READERS)}
    return {
        name: draw(st.lists(of.get(name, cells), min_size=height, max_size=height))
        for name in sorted(names)
    }


OPTIONS = (
    (), ("--classes", "x,z"), ("--kind", "multi-label"), ("--kind", "score"), ("--kind", "box"),
    ("--ordinal", "--classes", "y"), ("--by", "site"), ("--group", "site"), ("--time", "time"),
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(OPTIONS))
def test_no_name_in_any_message(table, options):
    with tempfile.TemporaryDirectory() as folder:
        source = write_csv(Path(folder) / "reads.csv", table)
        ended = overread("agree", source, "--draws", 100, "--json", *options)
        assert ended.code in (0, 2, 4), ended.err
        assert ended.code == 0 or ended.out == ""
        assert not any(secret in ended.err for secret in SECRETS)
        assert folder not in ended.err


@pytest.mark.parametrize("what", ["gold", "truth", "readers", "coco", "parquet", "masks"])
def test_no_name_in_messages_on_other_files(what, tmp_path):
    good = {"case": [*CASES], "reader": [*READERS], "label": ["x", "y"]}
    reads = write_csv(tmp_path / "reads.csv", good)
    twice = write_csv(tmp_path / "gold.csv", {"case": [CASES[0]] * 2, "label": ["x", "y"]})
    if what == "gold":
        runs = [("consensus", reads, "--gold", twice)]
    elif what == "truth":
        runs = [("compare", reads, "--truth", twice), ("report", reads, "--truth", twice)]
    elif what == "readers":
        runs = [("next", reads, "--readers", "Dr-Musterman")]
    elif what == "parquet":
        path = tmp_path / "reads.parquet"
        pl.DataFrame(good | {"reader": [READERS[0]] * 2, "case": [CASES[0]] * 2}).write_parquet(
            path
        )
        runs = [("agree", path)]
    elif what == "masks":
        for reader in READERS:
            (tmp_path / "masks" / reader).mkdir(parents=True)
            (tmp_path / "masks" / reader / f"{CASES[0]}.png").write_bytes(b"no picture")
        runs = [("agree", tmp_path / "masks")]
    else:
        image = {"id": 1, "file_name": CASES[0], "width": 5, "height": 5}
        note = {"image_id": 1, "category_id": 1, "reader": READERS[0], "bbox": [4, 4, 9, 9]}
        path = tmp_path / "reads.json"
        document = {"images": [image], "annotations": [note]}
        path.write_text(json.dumps(document | {"categories": [{"id": 1, "name": "n"}]}))
        runs = [("agree", path)]
    for arguments in runs:
        ended = overread(*arguments)
        assert ended.code == 2, ended.err
        assert not any(secret in ended.err for secret in (*SECRETS, "Dr-Musterman"))
