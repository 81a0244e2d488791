"""Auto-labels that are sets of classes, or grades: freeze, review, audit, certificate, export."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl
import pytest

from overread.app.analysis.set_labels import NOTHING, names_in, set_text, set_words
from overread.app.learning import blind_audit, film_strip
from overread.app.learning.auto_label_board import board
from overread.app.learning.freeze_labels import Proposals, auto_label, require_question
from overread.app.learning.issue_certificate import decide
from overread.app.learning.verify_certificate import verified_certificate
from overread.app.study.project_protocol import new_version
from overread.app.study.proven_export import proven_export
from overread.errors import InputError
from overread.selection.certificate.bounds import upper_errors
from overread.selection.certificate.sets import likely_sets
from overread.store import Submission, claim, submit_read
from overread.store.learning.audits import get_audit, list_label_certificates
from overread.store.learning.auto_labels import get_run, labels_of_run
from tests.app.learned import Ward, ward

SIGNS = ("effusion", "mass", "oedema")
TEXT = """
title: Signs
reads_per_case: 1
questions:
  - {id: finding, prompt: "What do you see?", kind: KIND, classes: [effusion, mass, oedema]}
  - {id: where, prompt: "Where?", kind: box, classes: [mass]}
"""


def opened(folder: Path, kind: str) -> Ward:
    made = ward(folder)
    new_version(made.store, made.project, TEXT.replace("KIND", kind), base=1, by=made.lead)
    return made


@pytest.fixture
def here(tmp_path: Path) -> Any:
    made = opened(tmp_path, "multi-label")
    yield made
    made.store.close()


def holds(at: int) -> list[str]:
    """What is true of the case: nothing, effusion, or effusion and mass."""
    return [[], ["effusion"], ["effusion", "mass"]][at % 3]


def proposed(one: Ward, first: int = 0) -> Proposals:
    cases = one.cases[first:]
    present = np.array([[0.99 if name in holds(at) else 0.01 for name in SIGNS]
                        for at in range(first, len(one.cases))])  # fmt: skip
    present[:, 0] = np.abs(present[:, 0] - np.linspace(0.05, 0, len(cases)))
    code, sets, sure = likely_sets(present)
    texts = tuple(
        set_text([n for n, there in zip(SIGNS, row, strict=True) if there], SIGNS)
        for row in sets.tolist()
    )
    known = np.linspace(0.5, 0.99, 200)
    return Proposals(
        "finding", texts, cases, sure[:, None], "a model, version 3", known,
        np.ones(200, dtype=bool), SIGNS, code,
    )  # fmt: skip


def read(one: Ward, count: int, *, wrong: int = 0) -> set[str]:
    """A reader reads; the cases of the first, in which one class is too many."""
    slips: set[str] = set()
    for at in range(count):
        tasks = claim(one.store, one.project, one.readers[0])
        if at < wrong:
            slips.add(tasks[0].case.id)
        said = holds(one.cases.index(tasks[0].case.id))
        said = ["oedema", *said] if at < wrong else said
        answer = {"finding": said, "where": []}
        submit_read(one.store, Submission(
            task=tasks[0].id, reader=one.readers[0], read_id=str(uuid4()), answer=answer,
            protocol_version=2, seconds=6.0,
        ))  # fmt: skip
    return slips


def test_a_set_has_one_text_and_words() -> None:
    assert set_text(["mass", "effusion"], SIGNS) == set_text({"effusion", "mass"}, SIGNS)
    assert names_in(set_text(["mass", "gone"], SIGNS)) == ("mass", "gone")
    assert (set_words("[]"), set_words('["mass"]')) == (NOTHING, "mass")
    for text in ("mass", "{}", "[1]"):
        with pytest.raises(InputError, match="JSON list"):
            names_in(text)


def test_sets_are_frozen_reviewed_audited_certified_and_exported(
    here: Ward, tmp_path: Path
) -> None:
    store, project = here.store, here.project
    given = proposed(here)
    run = get_run(store, auto_label(store, project, given, target=0.1, by=here.lead))
    rows = {one.case: one.label for one in labels_of_run(store, run.id)}
    assert [names_in(rows[case]) for case in here.cases] == [
        tuple(holds(at)) for at in range(len(here.cases))
    ]
    doubtful = here.cases[0]  # a reviewer knows better of one, and has no other class in mind
    word = film_strip.Word(doubtful, json.dumps(["mass", "effusion"]))
    assert film_strip.say(store, run, [word], seconds=3, by=here.lead) == 1
    with pytest.raises(InputError, match="one of effusion, mass, oedema"):
        film_strip.say(store, run, [film_strip.Word(doubtful, '["spot"]')], seconds=3, by=here.lead)
    words = {one.words: one.corrected for one in film_strip.by_class(store, run)}
    assert words == {NOTHING: 0, "effusion": 0, "effusion, mass": 1}
    shown = board(store, project)
    assert shown.fits
    assert (shown.sure, shown.offer is None) == (60, False)
    audit = blind_audit.begin(
        store, project, run.id, cases=55, mode=blind_audit.ONE_LOOK, seed=3, by=here.lead
    )
    wrong = read(here, 55, wrong=2)
    far = blind_audit.standing(store, get_audit(store, audit))
    wrong |= {doubtful} & set(blind_audit.cases_of_audit(store, audit))
    assert (far.ready, far.errors) == (True, len(wrong))
    found = decide(store, project, audit, keys=tmp_path, by=here.lead)
    assert found.certificate, found.words
    (paper,) = list_label_certificates(store, project)
    inner = json.loads(paper.document)["certificate"]
    assert inner["question"]["kind"] == "multi-label"
    assert inner["most_errors"] == upper_errors(len(wrong), 55, population=60)
    assert {(one["name"], one["says"]) for one in inner["classes"]} == {
        ("effusion", "present"), ("effusion", "absent"), ("mass", "present"), ("mass", "absent"),
        ("oedema", "absent"),
    }  # fmt: skip
    assert {one["errors"] for one in inner["classes"] if one["name"] == "oedema"} == {2}
    made = proven_export(store, project, tmp_path, what="consensus", form="csv", by="system")
    kept = tmp_path / "certificate.json"
    kept.write_text(paper.document)
    assert verified_certificate(kept, export=made.file)["sound"]
    with zipfile.ZipFile(made.file) as packed:  # a table for each question
        (name,) = [one for one in packed.namelist() if "finding" in one]
        table = pl.read_csv(packed.read(name))
    auto = table.filter(pl.col("source") == "auto-label certified")
    assert len(auto) == 5
    for row in auto.iter_rows(named=True):
        assert [name for name in SIGNS if row[name] == 1] == list(names_in(row["auto_label"]))


def test_grades_tell_what_is_more_than_one_off(tmp_path: Path) -> None:
    one = opened(tmp_path, "ordinal")
    table = np.tile([0.98, 0.01, 0.01], (60, 1))
    known = np.linspace(0.5, 0.99, 200)
    given = Proposals("finding", SIGNS, one.cases, table, "m", known, np.ones(200, dtype=bool))
    run = auto_label(one.store, one.project, given, target=0.2, by=one.lead)
    audit = blind_audit.begin(
        one.store, one.project, run, cases=50, mode=blind_audit.ONE_LOOK, seed=3, by=one.lead
    )
    said = iter(["mass", "mass", "oedema"] + ["effusion"] * 47)
    while tasks := claim(one.store, one.project, one.readers[0]):
        answer = {"finding": next(said), "where": []}
        submit_read(one.store, Submission(
            task=tasks[0].id, reader=one.readers[0], read_id=str(uuid4()), answer=answer,
            protocol_version=2, seconds=6.0,
        ))  # fmt: skip
    assert decide(one.store, one.project, audit, keys=tmp_path, by=one.lead).certificate
    (paper,) = list_label_certificates(one.store, one.project)
    inner = json.loads(paper.document)["certificate"]
    assert (inner["errors"], inner["far"]["errors"]) == (3, 1)
    assert inner["far"]["most_errors"] == upper_errors(1, 50, population=60)
    with pytest.raises(InputError, match="right by degree"):
        require_question(one.store, one.project, "where")
    one.store.close()
