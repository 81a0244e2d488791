"""Exports of a real project are read back by the command line as they are, for every kind."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl
import pytest

from overread.app.analysis.mask_frames import batches
from overread.app.analysis.project_reads import mask_array
from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.study.export_labels import FORMS, WHATS, export_labels
from overread.app.study.project_readers import plan_reads
from overread.app.study.project_tables import StoppedError, Stopping, project_table
from overread.errors import InputError
from overread.exchange import read_reads
from overread.labels import Kind, MaskReads
from overread.protocol import read_protocol
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_case,
    add_user,
    claim,
    create_project,
    open_store,
    set_member,
    submit_read,
)

TEXT = """
title: All kinds
reads_per_case: 3
questions:
  - {id: n, prompt: P, kind: nominal, classes: [a, b, never]}
  - {id: o, prompt: P, kind: ordinal, classes: [none, mild, severe]}
  - {id: m, prompt: P, kind: multi-label, classes: [a, b]}
  - {id: s, prompt: P, kind: score, low: 0}
  - {id: x, prompt: P, kind: box, classes: [a, b]}
  - {id: i, prompt: P, kind: instance, classes: [a, b]}
  - {id: k, prompt: P, kind: mask, classes: [a, b]}
"""
QUESTIONS = {one.id: one for one in read_protocol(TEXT).questions}
KINDS = {name: one.kind for name, one in QUESTIONS.items()}
CASES = 8


def answer(case: int, reader: int, frames: int) -> dict[str, Any]:
    """What a reader says of a case: near the truth, each with a slip of their own."""
    rng = np.random.default_rng([case, reader])
    slip = rng.random() < 0.2
    x, frame = 5.0 + 2 * case + rng.normal(0, 0.5), (frames - 1 if case % 2 else 0)
    there = case % 4 != 3
    found = {"id": "1", "class": "ab"[case % 2], "frame": frame}
    ring = [[x, 5], [x + 20, 5], [x + 20, 25], [x, 24]]
    start = 60 * (5 + reader) + 10 + case
    runs = [[0, start], [1 + case % 2, 300], [0, 2400 - 300 - start]]
    painted = {"frame": frame, "rows": 40, "columns": 60, "runs": runs}
    return {
        "n": "ab"[(case + slip) % 2],
        "o": ("none", "mild", "severe")[min((case + slip) % 3, 2)],
        "m": ["a"] if slip else [["a", "b"], [], ["b"], ["a"]][case % 4],
        "s": float(max(0, case + rng.normal(0, 0.3))),
        "x": [found | {"x1": x, "y1": 5, "x2": x + 20, "y2": 25}] if there else [],
        "i": [found | {"points": ring}] if there else [],
        "k": [painted] if there else [],
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Store, str]]:
    """Eight cases (three of two frames), three readers; one read unreadable, one corrected."""
    home = tmp_path_factory.mktemp("home")
    store = open_store(home / "overread.sqlite", sync=False)
    project = create_project(store, "All kinds", TEXT, "system").id
    size = {"rows": 40, "columns": 60, "samples": 1, "dtype": "uint8"}
    frames: dict[str, int] = {}
    number: dict[str, int] = {}
    for at in range(CASES):
        count = 2 if at >= 5 else 1
        new = NewCase(
            f"{at:064x}", ["2" * 64] * count, {**size, "frames": count}, {}, f"p{at // 2}"
        )
        case, _ = add_case(store, project, new, "system")
        frames[case], number[case] = count, at
    readers = []
    for at in range(3):
        user = add_user(store, f"r{at}@example.org", f"Reader {at}", "reader", "system").id
        set_member(store, project, user, "system")
        readers.append(user)
    plan_reads(store, project, by="system")
    for at, user in enumerate(readers):
        for task in claim(store, project, user, count=CASES):
            case = task.case.id if hasattr(task, "case") else task.case_id
            said = answer(number[case], at, frames[case])
            cannot = at == 2 and number[case] == 4
            given = Submission(
                str(uuid4()), task.id, user, {} if cannot else said, 1,
                cannot_be_read=cannot, comment="=1+1", seconds=12.5,
            )  # fmt: skip
            submit_read(store, given)
            if at == 0 and number[case] == 0:
                again = Submission(
                    str(uuid4()), task.id, user, said | {"n": "b"}, 1, base_revision=1
                )
                submit_read(store, again)
    yield home, store, project
    store.close()


def one_file(path: Path) -> Path:
    assert path.suffix != ".zip"
    return path


@pytest.mark.parametrize("form", ["csv", "parquet", "coco"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_reads_come_back_by_the_defaults(
    study: tuple[Path, Store, str], tmp_path: Path, name: str, form: Any
) -> None:
    _, store, project = study
    kind = KINDS[name]
    if form == "coco" and kind not in {Kind.BOX, Kind.INSTANCE, Kind.MASK}:
        with pytest.raises(InputError, match="csv or parquet"):
            export_labels(store, project, tmp_path, what="reads", form=form, questions=[name])
        return
    path = export_labels(store, project, tmp_path, what="reads", form=form, questions=[name])
    back = read_reads(path)
    inside = project_table(store, project, QUESTIONS[name])
    assert inside is not None
    assert back.schema.kind is kind
    assert back.schema.names == inside.schema.names
    assert back.index.n_reads == inside.index.n_reads
    one, other = reach_consensus(back), reach_consensus(inside)
    for part in one.parts:
        assert one.parts[part].cases.tolist() == other.parts[part].cases.tolist()
        np.testing.assert_allclose(
            one.parts[part].posterior, other.parts[part].posterior, atol=1e-9
        )
        np.testing.assert_allclose(one.parts[part].entropy, other.parts[part].entropy, atol=1e-9)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_consensus_is_a_table_of_labels(
    study: tuple[Path, Store, str], tmp_path: Path, name: str, form: Any
) -> None:
    _, store, project = study
    path = export_labels(store, project, tmp_path, what="consensus", form=form, questions=[name])
    back = read_reads(path)
    inside = project_table(store, project, QUESTIONS[name])
    assert inside is not None
    reached = reach_consensus(inside)
    assert back.index.readers == ("overread consensus",)
    assert back.schema.kind is KINDS[name]
    assert back.index.cases.tolist() == reached.result.cases.tolist()
    table = pl.read_csv(path) if form == "csv" else pl.read_parquet(path)
    about = json.loads(table["consensus"][0])
    assert about["method"] == reached.method.name == table["method"][0]
    assert about["protocol"] == 1
    if name != "m":
        assert about["provenance"] == reached.result.provenance
        assert about["settings"]
    if isinstance(back, MaskReads):
        for case, mask in enumerate(reached.result.value.mask):
            assert np.array_equal(back.mask(case), mask)
    if name == "o":
        assert back.label.tolist() == reached.result.value.code.tolist()


def test_coco_holds_reads_and_consensus_side_by_side(
    study: tuple[Path, Store, str], tmp_path: Path
) -> None:
    _, store, project = study
    for name in ("x", "i", "k"):
        path = export_labels(
            store, project, tmp_path, what="consensus", form="coco", questions=[name]
        )
        back = read_reads(path)
        assert "overread consensus" in back.index.readers
        assert back.schema.kind is KINDS[name]
        told = json.loads(path.read_text())
        assert all(0 <= one["score"] <= 1 for one in told["annotations"] if "score" in one)
        assert any("score" in one for one in told["annotations"])
        if name != "k":
            assert told["info"]["consensus"]["provenance"]


def test_masks_as_pictures_are_a_folder_of_masks(
    study: tuple[Path, Store, str], tmp_path: Path
) -> None:
    _, store, project = study
    whole = export_labels(store, project, tmp_path, what="reads", form="masks")
    with zipfile.ZipFile(whole) as kept:
        assert json.loads(kept.read("classes.json")) == {"0": "background", "1": "a", "2": "b"}
        flat = [one for one in kept.namelist() if one.endswith(".png")]
        deep = [one for one in kept.namelist() if one.endswith(".nii.gz")]
        kept.extractall(tmp_path / "flat", flat)
        kept.extractall(tmp_path / "deep", deep)
    assert len(flat) == 5 * 3 - 1  # one could not be read
    assert len(deep) == 3 * 3
    inside = project_table(store, project, QUESTIONS["k"])
    assert isinstance(inside, MaskReads)
    back = read_reads(tmp_path / "flat")
    assert isinstance(back, MaskReads)
    place = {
        (inside.index.cases[c], inside.index.readers[r]): row
        for row, (c, r) in enumerate(zip(inside.index.case, inside.index.reader, strict=True))
    }
    for row in range(back.index.n_reads):
        key = back.index.cases[back.index.case[row]], back.index.readers[back.index.reader[row]]
        names = np.array(back.schema.names)[back.mask(row)]
        codes = np.where(names == "background", "0", names).astype(int)
        assert np.array_equal(codes, inside.mask(place[key]))
    volumes = read_reads(tmp_path / "deep")
    assert isinstance(volumes, MaskReads)
    assert volumes.shape.shape[1] == 3
    consensus = export_labels(store, project, tmp_path, what="consensus", form="masks")
    with zipfile.ZipFile(consensus) as kept:
        names = kept.namelist()
        assert json.loads(kept.read("consensus.json"))["method"] == "signed_distance"
    assert len([one for one in names if one.startswith("consensus/")]) == CASES


def test_history_holds_all_that_was_said(study: tuple[Path, Store, str], tmp_path: Path) -> None:
    _, store, project = study
    path = export_labels(store, project, tmp_path, what="history", form="parquet")
    table = pl.read_parquet(path)
    assert len(table) == (CASES * 3 + 1) * len(QUESTIONS)
    assert set(table["revision"]) == {1, 2}
    assert set(table["comment"]) == {"=1+1", ""}
    plain = export_labels(store, project, tmp_path, what="history", form="csv")
    # a spreadsheet must not take a reader's comment for a formula
    assert "=1+1" not in set(pl.read_csv(plain)["comment"].fill_null(""))
    with pytest.raises(InputError, match="csv or parquet"):
        export_labels(store, project, tmp_path, what="history", form="coco")


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("form", FORMS)
def test_a_whole_project_is_one_file(
    study: tuple[Path, Store, str], tmp_path: Path, what: Any, form: Any
) -> None:
    _, store, project = study
    if what == "history" and form in {"coco", "masks"}:
        return
    path = export_labels(store, project, tmp_path, what=what, form=form)
    assert path.stat().st_size
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    names = zipfile.ZipFile(path).namelist() if path.suffix == ".zip" else []
    if form in {"csv", "parquet"} and what != "history":
        assert sorted(names) == sorted(f"{what}-{name}.{form}" for name in QUESTIONS)
    if form == "coco":
        assert sorted(names) == [f"{what}-{name}.json" for name in ("i", "k", "x")]


def test_nothing_is_left_where_it_is_stopped_or_refused(
    study: tuple[Path, Store, str], tmp_path: Path
) -> None:
    _, store, project = study
    counts: dict[str, int] = {}
    with pytest.raises(StoppedError):
        export_labels(
            store, project, tmp_path, what="reads", form="csv",
            tick=Stopping(counts, lambda: bool(counts)),
        )  # fmt: skip
    assert counts
    empty = create_project(store, "Empty", TEXT, "system").id
    for what in WHATS:
        with pytest.raises(InputError, match="have reads"):
            export_labels(store, empty, tmp_path, what=what, form="csv")
    with pytest.raises(InputError, match="be one of"):
        export_labels(store, project, tmp_path, what="reads", form="csv", questions=["nope"])
    assert list(tmp_path.iterdir()) == []


def test_batches_of_masks_hold_every_case_once(study: tuple[Path, Store, str]) -> None:
    _, store, project = study
    reads = project_table(store, project, QUESTIONS["k"])
    assert isinstance(reads, MaskReads)
    parts = list(batches(reads, most_bytes=60_000))
    assert len(parts) > 1
    names = [name for part in parts for name in part.index.cases.tolist()]
    assert names == reads.index.cases.tolist()
    assert sum(part.index.n_reads for part in parts) == reads.index.n_reads
    assert [part.index.n_reads for part in batches(reads)] == [reads.index.n_reads]


def test_frames_are_what_was_painted(study: tuple[Path, Store, str]) -> None:
    _, store, project = study
    reads = project_table(store, project, QUESTIONS["k"])
    assert isinstance(reads, MaskReads)
    said = answer(0, 1, 1)["k"]
    size = {"rows": 40, "columns": 60, "frames": 1}
    wanted = mask_array(said, size)[0]
    assert any(np.array_equal(reads.mask(row), wanted) for row in range(reads.index.n_reads) if not reads.unreadable[row])  # fmt: skip # noqa: E501
