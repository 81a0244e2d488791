"""From auto-labels to a certificate, or to a refusal that says why; and who can check it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from overread.app.learning import blind_audit, film_strip, signing
from overread.app.learning.freeze_labels import auto_label, confidence_of_next, offers
from overread.app.learning.issue_certificate import decide
from overread.app.learning.verify_certificate import (
    certificates_in,
    is_certificate,
    verified_certificate,
)
from overread.app.study.project_protocol import new_version
from overread.app.study.proven_export import proven_export, verified_export
from overread.errors import InputError
from overread.selection.certificate.bounds import upper_errors
from overread.store import head, verify
from overread.store import tables as t
from overread.store.errors import ConflictError, NotFoundError
from overread.store.learning.audits import get_audit, list_label_certificates
from overread.store.learning.auto_labels import get_run, labels_of_run, standing_run
from tests.app.learned import TEXT, Ward, ward


@pytest.fixture
def here(tmp_path: Path) -> Any:
    made = ward(tmp_path)
    yield made
    made.store.close()


def audited(one: Ward, run: str, cases: int, mode: str = blind_audit.ONE_LOOK) -> str:
    audit = blind_audit.begin(
        one.store, one.project, run, cases=cases, mode=mode, seed=7, by=one.lead
    )
    one.read(cases)
    return audit


def certify(one: Ward, audit: str, folder: Path) -> Any:
    return decide(one.store, one.project, audit, keys=folder, by=one.lead)


def document(one: Ward) -> Any:
    (found,) = list_label_certificates(one.store, one.project)
    return json.loads(found.document)


def test_what_it_would_take_is_told_before(here: Ward) -> None:
    told = {one.target: one for one in offers(here.store, here.project, here.proposals())}
    five = told[0.05]
    assert (five.accepted, five.left) == (60, 0)
    best = five.best
    assert best is not None
    assert best.chance >= 0.8
    sizes = [one.cases for one in five.plans]
    assert sizes == sorted(sizes)
    # a finite population: by so many read, so few errors show it, by the exact bound
    for plan in five.plans:
        assert upper_errors(plan.allowed, plan.cases, population=60) <= 0.05
    assert upper_errors(0, five.plans[0].cases - 1, population=60) > 0.05


def test_a_clean_audit_is_certified_signed_and_travels(here: Ward, tmp_path: Path) -> None:
    run = here.label(first=10)
    here.read(0)
    keys = tmp_path / "home"
    keys.mkdir()
    plan = blind_audit.audit_offer(here.store, get_run(here.store, run)).plans[0]
    audit = audited(here, run, plan.cases)
    found = certify(here, audit, keys)
    assert found.certificate
    assert found.over
    assert found.words.startswith("At least 96 % of these 50 labels are right")
    told = document(here)
    inner = told["certificate"]
    assert (inner["granted"], inner["labels"], inner["audited"]) == (True, 50, plan.cases)
    assert inner["most_errors"] == upper_errors(0, plan.cases, population=50)
    assert inner["audit_record"]["seed"] == 7
    assert stat.S_IMODE((keys / signing.KEY_FILE).stat().st_mode) == 0o600
    assert signing.check_signature(told) == signing.own_fingerprint(keys)
    # audited cases are labels of a person now, and the export says where each label comes from
    made = proven_export(
        here.store, here.project, tmp_path, what="consensus", form="csv", by="system"
    )
    table = pl.read_csv(made.file)
    sources = dict(table["source"].value_counts().iter_rows())
    assert sources == {"read": plan.cases, "auto-label certified": 50 - plan.cases}
    labels = dict(zip(table["case"], table["label"], strict=True))
    assert labels == {case: here.truth[case] for case in here.cases[10:]}
    assert certificates_in(made.file) == [told]
    paper = tmp_path / "certificate.json"
    paper.write_text(json.dumps(told, indent=2))
    assert is_certificate(paper)
    assert not is_certificate(made.file)
    good = verified_certificate(paper, export=made.file, key=signing.own_fingerprint(keys))
    assert good["sound"]
    assert "as they were certified" in good["words"][2]
    assert verified_export(made.file, here.store)["sound"]
    assert verify(here.store).sound


def test_what_was_changed_is_found(here: Ward, tmp_path: Path) -> None:
    run = here.label()
    certify(here, audited(here, run, 45), tmp_path)
    paper = tmp_path / "certificate.json"
    told = document(here)
    for name, value in (("most_errors", 0.0), ("words", "All are right.")):
        forged = json.loads(json.dumps(told))
        forged["certificate"][name] = value
        paper.write_text(json.dumps(forged))
        found = verified_certificate(paper)
        assert not found["sound"]
        assert "signature" in found["problems"][0]
    other = tmp_path / "other"
    other.mkdir()
    again = signing.signed(told["certificate"] | {"most_errors": 0.0}, other)
    paper.write_text(json.dumps(again))
    assert verified_certificate(paper)["sound"]  # genuine, of another key
    assert not verified_certificate(paper, key=signing.own_fingerprint(tmp_path))["sound"]
    paper.write_text(json.dumps(told))
    made = proven_export(
        here.store, here.project, tmp_path, what="consensus", form="parquet", by="system"
    )
    table = pl.read_parquet(made.file)
    changed = table.with_columns(
        pl.when(pl.col("case") == here.cases[0])
        .then(pl.lit("pneumonia" if here.truth[here.cases[0]] == "normal" else "normal"))
        .otherwise(pl.col("auto_label"))
        .alias("auto_label")
    )
    changed.write_parquet(made.file)
    found = verified_certificate(paper, export=made.file)
    assert found["problems"] == ["the labels of the export are not those that were certified"]
    table.head(30).write_parquet(made.file)
    assert "holds 30 of its 60" in verified_certificate(paper, export=made.file)["problems"][0]
    paper.write_text("{}")
    with pytest.raises(InputError, match="signed document"):
        verified_certificate(paper)


def test_an_audit_that_finds_too_many_errors_is_refused(here: Ward, tmp_path: Path) -> None:
    run = here.label(wrong=6)
    audit = audited(here, run, 54)
    found = certify(here, audit, tmp_path)
    assert found.certificate is None
    assert found.over
    assert "Not certified" in found.words
    assert "Freeze anew" in found.words or "freeze anew" in found.words
    row = get_audit(here.store, audit)
    assert (row.state, row.words) == ("refused", found.words)
    assert list_label_certificates(here.store, here.project) == []
    with pytest.raises(ConflictError, match="is over"):
        certify(here, audit, tmp_path)
    # what was read is a label; the rest is none
    made = proven_export(
        here.store, here.project, tmp_path, what="consensus", form="csv", by="system"
    )
    assert set(pl.read_csv(made.file)["source"]) == {"read"}
    # a further try has half the risk
    assert confidence_of_next(here.store, here.project) == pytest.approx(0.975)


def test_one_look_is_one_look(here: Ward, tmp_path: Path) -> None:
    run = here.label()
    audit = blind_audit.begin(
        here.store, here.project, run, cases=45, mode=blind_audit.ONE_LOOK, seed=1, by=here.lead
    )
    here.read(44)
    with pytest.raises(InputError, match="planned end, 45 cases"):
        certify(here, audit, tmp_path)
    with pytest.raises(InputError, match="end at its planned size"):
        blind_audit.prolong(here.store, here.project, audit, cases=5, by=here.lead)
    here.read(1)
    assert certify(here, audit, tmp_path).certificate


def test_many_looks_go_on_after_a_refusal_under_a_wider_bound(here: Ward, tmp_path: Path) -> None:
    run = here.label()
    audit = audited(here, run, 20, blind_audit.MANY_LOOKS)
    early = certify(here, audit, tmp_path)
    assert (early.certificate, early.over) == (None, False)
    assert "Go on with the audit" in early.words
    blind_audit.prolong(here.store, here.project, audit, cases=34, by=here.lead)
    here.read(34)
    row = get_audit(here.store, audit)
    standing = blind_audit.standing(here.store, row)
    assert (standing.asked, standing.counted, standing.errors) == (54, 54, 0)
    assert list(standing.trail) == sorted(standing.trail, reverse=True)
    # looking costs: the bound of many looks is wider than that of one
    assert standing.trail[-1] >= upper_errors(0, 54, population=60)
    assert certify(here, audit, tmp_path).certificate
    assert document(here)["certificate"]["anytime"]


def test_cases_are_counted_in_the_order_of_the_draw(here: Ward) -> None:
    run = here.label()
    audit = blind_audit.begin(
        here.store, here.project, run, cases=5, mode=blind_audit.MANY_LOOKS, seed=3, by=here.lead
    )
    here.read(2)
    row = get_audit(here.store, audit)
    standing = blind_audit.standing(here.store, row)
    assert standing.read == 2
    assert standing.counted <= 2  # read out of order: those behind the first gap wait
    here.read(3)
    assert blind_audit.standing(here.store, row).counted == 5


@pytest.mark.parametrize("what", ["label", "threshold", "protocol"])
def test_what_changed_after_the_freeze_voids_the_audit(
    here: Ward, tmp_path: Path, what: str
) -> None:
    run = here.label()
    audit = audited(here, run, 45)
    word = film_strip.Word(here.cases[0], "pneumonia")
    with pytest.raises(ConflictError, match="frozen"):
        film_strip.say(here.store, get_run(here.store, run), [word], seconds=1, by=here.lead)
    with here.store.writing() as connection:  # by somebody with the database in hand
        if what == "label":
            connection.execute(
                t.auto_labels.update()
                .where(t.auto_labels.c.case_id == here.cases[0])
                .values(label=sa.case((t.auto_labels.c.label == "normal", "pneumonia"),
                                      else_="normal"))
            )  # fmt: skip
        elif what == "threshold":
            found = get_run(here.store, run).settings | {"thresholds": [[0.5, 0.5]]}
            connection.execute(t.auto_runs.update().values(settings=json.dumps(found)))
    if what == "protocol":
        text = TEXT.replace("pneumonia]", "pneumonia, other]")
        new_version(here.store, here.project, text, base=1, by=here.lead)
    found = certify(here, audit, tmp_path)
    assert (found.certificate, found.over) == (None, True)
    assert "Not certified" in found.words
    assert ("classes" if what == "protocol" else "frozen before") in found.words


def test_given_up_leaves_the_labels_to_review(here: Ward) -> None:
    run = here.label()
    audit = audited(here, run, 3)
    with pytest.raises(NotFoundError):
        blind_audit.give_up(here.store, "another", audit, by=here.lead)
    blind_audit.give_up(here.store, here.project, audit, by=here.lead)
    assert get_run(here.store, run).state == "open"
    assert blind_audit.running(here.store, here.project) is None
    assert confidence_of_next(here.store, here.project) == pytest.approx(0.975)  # three were read


def test_reviewed_labels_are_labels_and_a_newer_read_wins(here: Ward, tmp_path: Path) -> None:
    run = get_run(here.store, here.label(first=3, target=0.05, wrong=2))
    bad = sorted(here.wrong)
    words = [film_strip.Word(case, here.truth[case]) for case in bad]
    assert film_strip.say(here.store, run, words, seconds=3, by=here.lead) == 2
    sent = here.cases[20]
    film_strip.say(here.store, run, [film_strip.Word(sent, "")], seconds=1, by=here.lead)
    assert here.read(1) == [sent]  # sent to a reader
    left = film_strip.left_of(here.store, run, "normal")
    assert film_strip.accept_all(here.store, run, "normal", left, 1.0, here.lead) == left
    made = proven_export(
        here.store, here.project, tmp_path, what="consensus", form="csv", by="system"
    )
    table = pl.read_csv(made.file)
    source = dict(zip(table["case"], table["source"], strict=True))
    assert source[sent] == "read"
    assert {source[case] for case in bad} == {"auto-label reviewed"}
    assert len(source) == left + len(bad) + 1
    assert certificates_in(made.file) == []
    labels = dict(zip(table["case"], table["label"], strict=True))
    assert all(labels[case] == here.truth[case] for case in labels)


def test_bad_input_is_told(here: Ward) -> None:
    given = here.proposals()
    with pytest.raises(InputError, match="10 or more"):
        here.label(known=4)
    with pytest.raises(InputError, match="target"):
        here.label(target=0.7)
    other = type(given)(
        given.question, ("a", "b"), given.cases, given.probabilities, given.model,
        given.known_confidence, given.known_right,
    )  # fmt: skip
    with pytest.raises(InputError, match="those of the protocol"):
        auto_label(here.store, here.project, other, target=0.05, by=here.lead)
    run = here.label()
    with pytest.raises(InputError, match="1 to 60"):
        blind_audit.begin(
            here.store, here.project, run, cases=61, mode=blind_audit.ONE_LOOK, seed=1,
            by=here.lead,
        )  # fmt: skip
    row = get_run(here.store, run)
    with pytest.raises(InputError, match="be one of normal"):
        film_strip.say(
            here.store, row, [film_strip.Word(here.cases[0], "x")], seconds=1, by=here.lead
        )
    with pytest.raises(InputError, match="seconds"):
        film_strip.say(here.store, row, [], seconds=-1, by=here.lead)
    assert standing_run(here.store, here.project, "finding") == row
    assert len(labels_of_run(here.store, run)) == 60
    assert head(here.store).n


def test_a_second_try_is_held_to_half_the_risk_and_says_so(here: Ward, tmp_path: Path) -> None:
    refused = audited(here, here.label(wrong=8), 20)
    assert certify(here, refused, tmp_path).certificate is None
    run = here.label()  # what was read is left out of it
    assert len(labels_of_run(here.store, run)) == 40
    plan = blind_audit.audit_offer(here.store, get_run(here.store, run)).plans[0]
    assert upper_errors(0, plan.cases, population=40, confidence=0.975) <= 0.05
    assert upper_errors(0, plan.cases - 1, population=40, confidence=0.975) > 0.05
    found = certify(here, audited(here, run, plan.cases), tmp_path)
    assert "with 97.5 % confidence" in found.words
    told = document(here)["certificate"]
    assert (told["confidence"], told["audit_record"]["earlier"]) == (0.975, 1)
