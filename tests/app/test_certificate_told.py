"""Certificates told: by the command, as effort, in the truthing report; and who is blind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from overread.app.learning import blind_audit, film_strip, signing
from overread.app.learning.effort_account import account
from overread.app.quality.truthing_report import truthing
from overread.app.quality.truthing_sheet import sheet
from overread.app.study.proven_export import proven_export
from overread.errors import InputError
from overread.store import claim, plan_tasks
from overread.store.learning.audits import heard, list_label_certificates
from overread.store.learning.auto_labels import get_run
from overread.store.learning.pre_labels import keep_shown, may_see
from tests.app.learned import Ward
from tests.app.test_certificate import audited, certify, here
from tests.cli.program import ok, overread

__all__ = ["here"]


def test_who_saw_the_labels_does_not_audit_them(here: Ward) -> None:
    run = here.label()
    word = film_strip.Word(here.cases[3], here.truth[here.cases[3]])
    row = get_run(here.store, run)
    film_strip.say(here.store, row, [word], seconds=2, by=here.readers[0])
    blind_audit.begin(
        here.store, here.project, run, cases=5, mode=blind_audit.ONE_LOOK, seed=1, by=here.lead
    )
    assert here.read(5, reader=0) == []
    assert len(here.read(5, reader=1)) == 5
    film_strip_everybody = blind_audit.blind_readers(here.store, here.project)
    assert film_strip_everybody == [here.readers[1]]


def test_nobody_left_who_is_blind_is_told(here: Ward) -> None:
    row = get_run(here.store, here.label())
    for who in here.readers:
        word = film_strip.Word(here.cases[3], "normal")
        film_strip.say(here.store, row, [word], seconds=1, by=who)
    with pytest.raises(InputError, match="did not review"):
        blind_audit.begin(
            here.store, here.project, row.id, cases=5, mode=blind_audit.ONE_LOOK, seed=1,
            by=here.lead,
        )  # fmt: skip


def test_the_command_checks_certificates_and_exports(here: Ward, tmp_path: Path) -> None:
    certify(here, audited(here, here.label(), 45), tmp_path)
    paper = tmp_path / "certificate.json"
    paper.write_text(list_label_certificates(here.store, here.project)[0].document)
    made = proven_export(
        here.store, here.project, tmp_path, what="consensus", form="csv", by="system"
    )
    assert "is genuine: At least" in ok("verify", paper).out
    key = signing.own_fingerprint(tmp_path)
    held = ok("verify", paper, "--of", made.file, "--key", key, "--json").document
    assert (held["sound"], held["fingerprint"]) == (True, key)
    assert "60 certified labels are in the export" in ok("verify", made.file).out
    wrong = overread("verify", paper, "--key", "0" * 16)
    assert (wrong.code, "NOT hold" in wrong.out) == (1, True)
    # a certificate in the manifest that was tampered with, the manifest's hash left as it may be
    told = json.loads(made.manifest.read_text())
    told["certificates"][0]["certificate"]["labels"] = 61
    made.manifest.write_text(json.dumps(told))
    found = overread("verify", made.file, "--json")
    assert found.code == 1
    assert "signature" in found.document["problems"][0]


def test_who_was_shown_a_pre_label_of_a_case_is_not_heard_on_it(here: Ward) -> None:
    run = here.label()
    case = here.cases[4]
    plan_tasks(here.store, here.project, here.lead, reads_per_case=1, cases=[case])
    (task,) = claim(here.store, here.project, here.readers[0])
    told = [{"question": "finding", "value": "normal", "model": "m", "version": "1"}]
    assert keep_shown(here.store, task.id, here.readers[0], told) is not None
    audit = blind_audit.begin(
        here.store, here.project, run, cases=60, mode=blind_audit.MANY_LOOKS, seed=1, by=here.lead
    )
    assert may_see(here.store, task.id, here.readers[0]) is None  # from now on nothing is shown
    read = here.read(61)
    assert read[0] == case
    assert case not in heard(here.store, audit)
    assert here.read(1, reader=1) == [case]
    assert set(heard(here.store, audit)) == set(here.cases)


def test_the_account_of_what_people_did(here: Ward) -> None:
    assert account(here.store, here.project, reads=5, hours=1.0) is None
    plan_tasks(here.store, here.project, here.lead, reads_per_case=1, cases=here.cases[:10])
    here.read(10)
    run = get_run(here.store, here.label(first=10))
    words = [film_strip.Word(case, here.truth[case]) for case in here.cases[10:20]]
    film_strip.say(here.store, run, words, seconds=15, by=here.lead)
    audited(here, run.id, 20)
    found = account(here.store, here.project, reads=30, hours=30 * 6 / 3600, cost_an_hour=60)
    assert found is not None
    for work, cases, seconds in (
        (found.labelling, 10, 6), (found.review, 10, 1.5), (found.audit, 20, 6), (found.full, 60, 6)
    ):  # fmt: skip
        assert (work.cases, work.seconds) == (cases, pytest.approx(seconds))
    assert found.saved == pytest.approx(1 - (10 * 6 + 15 + 20 * 6) / (60 * 6))
    assert found.cost == pytest.approx((195 / 60, 360 / 60))


def test_who_reviews_a_case_they_hold_is_not_heard_on_it(here: Ward) -> None:
    run = get_run(here.store, here.label())
    case = here.cases[4]
    plan_tasks(here.store, here.project, here.lead, reads_per_case=1, cases=[case])
    (task,) = claim(here.store, here.project, here.readers[0])
    word = film_strip.Word(case, here.truth[case])
    film_strip.say(here.store, run, [word], seconds=2, by=here.readers[0])
    audit = blind_audit.begin(
        here.store, here.project, run.id, cases=60, mode=blind_audit.MANY_LOOKS, seed=1,
        by=here.lead,
    )  # fmt: skip
    assert task.case.id == case
    assert here.read(1) == [case]
    assert heard(here.store, audit) == {}
    assert len(here.read(60, reader=1)) == 60  # the case is asked of a blind reader, too
    assert set(heard(here.store, audit)) == set(here.cases)


def test_the_truthing_report_tells_of_labels_that_a_model_gave(here: Ward, tmp_path: Path) -> None:
    assert truthing(here.store, here.project, date="2026-11-21")["auto_labels"] is None
    certify(here, audited(here, here.label(wrong=8), 20), tmp_path)
    certify(here, audited(here, here.label(), 36), tmp_path)
    told = truthing(here.store, here.project, date="2026-11-21")
    found = told["auto_labels"]
    assert [one["state"] for one in found["audits"]] == ["refused", "certified"]
    assert found["labels"] == {"certified": 4, "read since": 36}
    (paper,) = found["certificates"]
    assert paper["key"] == signing.own_fingerprint(tmp_path)
    (section,) = [one for one in sheet(told).sections if one.anchor == "auto-labels"]
    assert "36 cases were read since" in section.lead
    audits, papers = section.blocks
    assert "Not certified" in audits.rows[0][-1].text
    assert papers.rows[0][1].text == paper["words"]
