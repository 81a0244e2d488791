"""Auto-labels, their reviews and audits are kept, guarded, and follow from the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from overread.errors import InputError
from overread.store import Store, claim, head, read_events, rebuild, state_digests, submit_read
from overread.store.errors import ConflictError, NotFoundError
from overread.store.learning import audits as kept
from overread.store.learning.auto_labels import (
    ACCEPTED,
    CORRECTED,
    PROPOSED,
    Change,
    NewLabel,
    accept_rest,
    add_auto_labels,
    count_labels,
    get_run,
    labels_of_run,
    labels_unread_at,
    list_auto_runs,
    read_cases,
    review,
    review_seconds,
    review_times,
    reviewers,
    standing_run,
    unread_labels,
)
from tests.store.study import Study, a_read, new_study, sha

SETTINGS = {"target": 0.05, "classes": ["no", "yes"], "thresholds": [[0.8, 0.8]]}


def some_run(store: Store, study: Study, first: int = 0) -> str:
    labels = [
        NewLabel(case, "yes" if at % 2 else "no", 0.6 + 0.05 * at, 0 if at else -1)
        for at, case in enumerate(study.cases[first:])
    ]
    return add_auto_labels(
        store, study.project, "q", labels, study.lead,
        protocol_version=1, model="a model, version 1", settings=SETTINGS,
    )  # fmt: skip


def begin(store: Store, study: Study, run: str, cases: list[str], **more: Any) -> str:
    given: dict[str, Any] = {"spared": study.cases, "readers": [None], "among": Random(1)}
    given |= {"as_of": head(store).n, "settings": {"planned": len(cases)}}
    return kept.begin_audit(store, run, cases, study.lead, frozen=sha("labels"), **(given | more))


def read_first(store: Store, study: Study, answer: str = "yes", reader: int = 0) -> str:
    """Somebody reads the next case; its id."""
    who = study.readers[reader]
    (task,) = claim(store, study.project, who)
    submit_read(store, a_read(task.id, who, answer={"q": answer}))
    return task.case.id


def test_labels_are_reviewed_undone_and_counted(store: Store) -> None:
    study = new_study(store, cases=6, reads_per_case=0)
    run = some_run(store, study)
    one, _, three, *_ = study.cases
    assert [row.case for row in unread_labels(store, run, "no", limit=9)] == [*study.cases[::2]]
    assert review(store, run, [Change(one, "yes", CORRECTED)], study.lead, seconds=2.5) == 1
    assert review(store, run, [Change(three, "no", ACCEPTED)], study.readers[0], seconds=1.0) == 1
    assert review(store, run, [Change(three, "no", ACCEPTED)], study.readers[0]) == 0
    assert count_labels(store, run) == {
        ("yes", CORRECTED, False): 1, ("no", ACCEPTED, True): 1,
        ("no", PROPOSED, True): 1, ("yes", PROPOSED, True): 3,
    }  # fmt: skip
    review(store, run, [Change(one, "no", PROPOSED)], study.lead, seconds=0.5)
    first = labels_of_run(store, run)[0]
    assert (first.label, first.proposed, first.state, first.who) == ("no", "no", PROPOSED, "")
    with pytest.raises(ConflictError, match="3 by now, not 2"):
        accept_rest(store, run, "yes", 2, study.lead)
    assert accept_rest(store, run, "yes", 3, study.lead, 4.0) == 3
    assert reviewers(store, run) == {study.lead: (5, 7.0), study.readers[0]: (1, 1.0)}
    assert review_seconds(store, study.project)[study.lead] == (2, 7.0)
    every = review_times(store, study.project, limit=9)  # the newest first, "the rest" left out
    assert [count for count, _ in every] == [1, 1, 1]
    assert sum(seconds for _, seconds in every) == pytest.approx(4.0)
    assert review_times(store, study.project, limit=1) == every[:1] == [(1, 0.5)]
    with pytest.raises(NotFoundError):
        review(store, run, [Change("none", "no", ACCEPTED)], study.lead)
    told = [e for e in read_events(store) if e.action == "auto_labels_reviewed"]
    assert {one.actor for one in told} == {study.lead, study.readers[0]}


def test_a_read_of_a_person_goes_before_its_label(store: Store) -> None:
    study = new_study(store, cases=4, reads_per_case=1)
    run = some_run(store, study)
    before = head(store).n
    case = read_first(store, study)
    assert case in read_cases(store, study.project)
    left = [row.case for name in ("no", "yes") for row in unread_labels(store, run, name, limit=9)]
    assert sorted(left) == sorted(set(study.cases) - {case})
    assert sum(count_labels(store, run).values()) == 3
    assert review(store, run, [Change(case, "no", CORRECTED)], study.lead) == 0  # too late
    assert len(labels_unread_at(store, run, before)) == 4
    assert len(labels_unread_at(store, run, head(store).n)) == 3


def test_an_audit_freezes_asks_and_hears(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store, cases=6, reads_per_case=1)
    run = some_run(store, study)
    review(store, run, [Change(study.cases[1], "no", CORRECTED)], study.lead, seconds=1)
    chosen = [study.cases[4], study.cases[1]]
    audit = begin(store, study, run, chosen, spared=study.cases[1:])
    assert get_run(store, run).state == "frozen"
    assert kept.cases_of_audit(store, audit) == chosen
    with pytest.raises(ConflictError, match="frozen"):
        review(store, run, [Change(study.cases[2], "no", ACCEPTED)], study.lead)
    with pytest.raises(ConflictError, match="under audit"):
        some_run(store, study)
    # three cases are asked for: the two of the audit, and the one whose label does not stand
    read = {read_first(store, study, "yes"), read_first(store, study, "no")}
    read.add(read_first(store, study, "yes"))
    assert claim(store, study.project, study.readers[0]) == []
    assert read == {*chosen, study.cases[0]}
    found = kept.heard(store, audit)
    assert set(found) == set(chosen)
    assert {one.seconds for one in found.values()} == {5.0}
    kept.prolong_audit(
        store, audit, [study.cases[2]], study.lead, readers=[study.readers[1]], among=Random(2)
    )
    assert claim(store, study.project, study.readers[0]) == []
    assert read_first(store, study, reader=1) == study.cases[2]
    assert kept.audit_seconds(store, study.project) == (3, 15.0)
    document = json.dumps({"certificate": {"id": "c-1"}})
    key = kept.end_audit(
        store, audit, "certified", "fine", study.lead, audited=chosen, document=document
    )
    assert key == "c-1"
    assert kept.get_label_certificate(store, study.project, "c-1").document == document
    states = {row.case: row.state for row in labels_of_run(store, run)}
    assert [states[one] for one in study.cases[:3]] == [PROPOSED, "audited", PROPOSED]
    with pytest.raises(ConflictError, match="is over"):
        kept.end_audit(store, audit, "refused", "no", study.lead, audited=[])
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_a_newer_run_replaces_the_older_and_what_changed_meanwhile_is_seen(store: Store) -> None:
    study = new_study(store, cases=4, reads_per_case=0)
    other = new_study(store, cases=1, reads_per_case=0, name="other")
    first, second = some_run(store, study), some_run(store, study, 1)
    assert [one.state for one in list_auto_runs(store, study.project)] == ["open", "replaced"]
    found = standing_run(store, study.project, "q")
    assert found is not None
    assert (found.id, found.number) == (second, 2)
    assert standing_run(store, study.project, "another") is None
    with pytest.raises(ConflictError, match="replaced"):
        accept_rest(store, first, "no", 0, study.lead)
    as_of = head(store).n
    review(store, second, [Change(study.cases[1], "yes", CORRECTED)], study.lead, seconds=1)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        begin(store, study, second, [study.cases[1]], as_of=as_of)
    with pytest.raises(NotFoundError):
        add_auto_labels(
            store, study.project, "q", [NewLabel(other.cases[0], "no", 0.5, 0)], study.lead,
            protocol_version=1, model="m", settings={},
        )  # fmt: skip
    with pytest.raises(InputError, match="each once"):
        add_auto_labels(
            store, study.project, "q", [], study.lead, protocol_version=1, model="m", settings={}
        )
    with pytest.raises(NotFoundError):
        kept.get_label_certificate(store, study.project, "none")
    with pytest.raises(NotFoundError):
        kept.get_audit(store, "none")
