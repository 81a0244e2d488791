"""Truthing reports and terms of effort are kept, told, and follow from the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import Store, head, read_events, rebuild, state_digests
from overread.store.errors import NotFoundError
from overread.store.quality.adjudications import decide, open_adjudication
from overread.store.quality.truthings import get_report, keep_report, list_reports
from overread.store.quality.wishes import decided_among, wish_adjudication, wished_cases
from overread.store.study.effort import get_effort_terms, set_effort_terms
from tests.store.study import new_study, sha


def test_reports_are_kept_with_the_head_they_tell(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    log = head(store)
    files = {"html": sha("page"), "json": sha("json")}
    first = keep_report(
        store, study.project, log=log, files=files, words="100 %", by=study.lead, named=True
    )
    second = keep_report(store, study.project, log=head(store), files=files, words="x", by="system")
    assert [one.id for one in list_reports(store, study.project)] == [second, first]
    kept = get_report(store, study.project, first)
    assert (kept.log_events, kept.log_head, kept.files) == (log.n, log.hash, files)
    assert (kept.named, kept.words, kept.made_by) == (True, "100 %", study.lead)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_a_report_is_not_told_to_another_project(store: Store) -> None:
    one, other = new_study(store), new_study(store, name="other")
    files = {"json": sha("json")}
    key = keep_report(store, one.project, log=head(store), files=files, words="x", by="system")
    with pytest.raises(NotFoundError):
        get_report(store, other.project, key)
    with pytest.raises(NotFoundError):
        keep_report(store, "none", log=head(store), files=files, words="x", by="system")
    with pytest.raises(InputError, match="SHA-256"):
        keep_report(
            store, one.project, log=head(store), files={"json": "x"}, words="x", by="system"
        )
    assert list_reports(store, other.project) == []


def test_terms_of_effort_are_kept_once(store: Store) -> None:
    study = new_study(store)
    assert get_effort_terms(store, study.project) == {}
    for _ in range(2):
        set_effort_terms(store, study.project, {"reader": 80.0}, study.lead)
    assert get_effort_terms(store, study.project) == {"reader": 80.0}
    told = [one for one in read_events(store) if one.action == "effort_terms_set"]
    assert len(told) == 1
    with pytest.raises(NotFoundError):
        set_effort_terms(store, "none", {}, study.lead)


def test_cases_are_sent_to_adjudication_once(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study, other = new_study(store, cases=4), new_study(store, cases=1, name="other")
    one, two, three, four = study.cases
    decided = open_adjudication(store, four, study.lead, ["a", "b"])
    decide(store, decided.id, study.lead, answer={}, protocol_version=1, words="so")
    assert wish_adjudication(store, study.project, [one, two, one, four], study.lead) == 2
    assert wish_adjudication(store, study.project, [one, three], study.lead) == 1
    assert wish_adjudication(store, study.project, [one], study.lead) == 0
    assert wished_cases(store, study.project) == {one, two, three}
    again = open_adjudication(store, one, study.lead, ["a", "b"])
    decide(store, again.id, study.lead, answer={}, protocol_version=1, words="so")
    assert wished_cases(store, study.project) == {two, three}
    assert decided_among(store, study.cases) == {one, four}
    with pytest.raises(NotFoundError):
        wish_adjudication(store, study.project, [other.cases[0]], study.lead)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
