"""Pre-labels are kept in all versions, shown once each and logged; blind reads know of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from overread.errors import InputError
from overread.store import (
    NewGold,
    Slot,
    Store,
    add_gold,
    claim,
    plan_slots,
    read_events,
    rebuild,
    state_digests,
    submit_read,
)
from overread.store.errors import NotFoundError
from overread.store.learning.pre_labels import (
    HINTS,
    SHOWN,
    Hints,
    Proposal,
    add_hints,
    add_pre_labels,
    brought,
    each_shown,
    hints_of,
    keep_shown,
    last_pre_label,
    may_see,
    pre_labels_of,
    shown_of_cases,
)
from overread.store.learning.pre_labels_withdrawn import hinted, withdraw_hints, withdraw_pre_labels
from tests.store.study import Study, a_read, new_study

ONE = [{"question": "q", "value": "yes", "model": "m", "version": "1", "confidence": 0.9}]


def held(store: Store, study: Study, who: int = 0) -> Any:
    (task,) = claim(store, study.project, study.readers[who], count=1, lease_seconds=60)
    return task


def test_all_versions_are_kept_and_follow_from_the_log(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    first, second = study.cases[:2]
    rows = [Proposal(first, "q", "yes", 0.9), Proposal(second, "q", ["a", "b"])]
    assert add_pre_labels(store, study.project, rows, model="net", version="1", by=study.lead) == 2
    newer = [Proposal(first, "q", "no", 0.6)]
    add_pre_labels(store, study.project, newer, model="net", version="2", by=study.lead)
    found = pre_labels_of(store, study.cases)
    assert [(one.value, one.version, one.confidence) for one in found[first]] == [
        ("yes", "1", 0.9),
        ("no", "2", 0.6),
    ]
    assert found[second][0].confidence is None
    assert set(found) == {first, second}
    of = [(one.model, one.version, one.cases) for one in brought(store, study.project)]
    assert of == [("net", "2", 1), ("net", "1", 1)]
    region = {"frame": 0, "x1": 1.0, "y1": 1.0, "x2": 3.0, "y2": 2.5, "score": 0.5}
    for regions in ((region, region), (region,)):
        add_hints(store, study.project, [Hints(first, regions)], method="discovery 1")
    assert hints_of(store, first) == Hints(first, (region,))
    assert hints_of(store, second) is None
    task = held(store, study)
    assert keep_shown(store, task.id, study.readers[0], ONE) is not None
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_what_is_withdrawn_is_kept_and_gives_way(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    case, project = study.cases[0], study.project
    for version, value in (("1", "yes"), ("2", "no")):
        rows = [Proposal(case, "q", value), Proposal(study.cases[1], "other", value)]
        add_pre_labels(store, project, rows, model="net", version=version, by=study.lead)
    of = {"question": "q", "model": "net", "version": "2"}
    before = last_pre_label(store, project)
    assert withdraw_pre_labels(store, project, **of, by=study.lead) == 1
    assert last_pre_label(store, project) > before
    assert [one.value for one in pre_labels_of(store, [case])[case]] == ["yes"]
    every = pre_labels_of(store, [case], withdrawn=True)[case]
    assert [(one.value, one.withdrawn > 0) for one in every] == [("yes", False), ("no", True)]
    stands = {(one.question, one.version): one.cases for one in brought(store, project)}
    assert stands == {("q", "1"): 1, ("other", "2"): 1}
    with pytest.raises(NotFoundError):
        withdraw_pre_labels(store, project, **of, by=study.lead)
    assert hinted(store, project) == (0, "")
    with pytest.raises(NotFoundError):
        withdraw_hints(store, project, by=study.lead)
    add_hints(store, project, [Hints(case, ())], method="discovery 1")
    assert hinted(store, project)[0] == 1
    assert withdraw_hints(store, project, by=study.lead) == 1
    assert hints_of(store, case) is None
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_what_was_shown_once_stands(store: Store) -> None:
    study = new_study(store)
    task, reader = held(store, study), study.readers[0]
    assert may_see(store, task.id, reader) == task.case.id
    kept = keep_shown(store, task.id, reader, ONE, how=SHOWN, marked=False)
    later = [{**ONE[0], "value": "no"}]
    assert keep_shown(store, task.id, reader, later, marked=True) == kept
    assert kept is not None
    assert (kept.how, kept.marked, kept.shown) == ("shown", False, tuple(ONE))
    keep_shown(store, task.id, reader, [{"x1": 1}], what=HINTS)
    assert shown_of_cases(store, [task.case.id]) == {(task.id, reader): kept}
    assert list(each_shown(store, study.project)) == [kept]
    assert [one.what for one in each_shown(store, study.project, what=HINTS)] == [HINTS]


def test_another_readers_task_does_not_exist(store: Store) -> None:
    study = new_study(store)
    task = held(store, study)
    for act in (may_see, lambda *args: keep_shown(*args, ONE)):
        with pytest.raises(NotFoundError):
            act(store, task.id, study.readers[1])


def blind_gold(store: Store, study: Study) -> Any:
    task = held(store, study)
    add_gold(store, study.project, [NewGold(task.case.id, {"q": "yes"}, 1, "hidden")], study.lead)
    return task


def blind_repeat(store: Store, study: Study) -> Any:
    task = held(store, study)
    submit_read(store, a_read(task.id, study.readers[0]))
    for _ in study.cases[1:]:
        submit_read(store, a_read(held(store, study).id, study.readers[0]))
    slots = [Slot(task.case.id, study.readers[0], 1)]
    plan_slots(store, study.project, slots, study.lead)
    return held(store, study)


def blind_read(store: Store, study: Study) -> Any:
    task = held(store, study)
    submit_read(store, a_read(task.id, study.readers[0]))
    return task


def blind_held_back(store: Store, study: Study) -> Any:
    task = held(store, study)
    insert = """INSERT INTO learning_asked VALUES (:c, :p, 'held back', 0, 0, '', 1)"""
    with store.writing() as connection:
        connection.execute(sa.text(insert), {"c": task.case.id, "p": study.project})
    return task


def blind_audit(store: Store, study: Study) -> Any:
    task = held(store, study)
    with store.writing() as connection:
        for insert in (
            "INSERT INTO auto_runs VALUES ('r', :p, 1, 'q', 1, '{}', '{}', 'frozen', '', '', 1)",
            "INSERT INTO audits VALUES ('a', 'r', :p, 1, '', '', 'running', '', '', '', 1, '')",
            "INSERT INTO audit_cases VALUES ('a', :c, 0)",
        ):
            connection.execute(sa.text(insert), {"c": task.case.id, "p": study.project})
    return task


@pytest.mark.parametrize(
    "blind", [blind_gold, blind_repeat, blind_read, blind_held_back, blind_audit]
)
def test_reads_that_must_not_know_are_shown_nothing(
    store: Store, blind: Callable[[Store, Study], Any]
) -> None:
    study = new_study(store)
    task = blind(store, study)
    assert may_see(store, task.id, study.readers[0]) is None
    assert keep_shown(store, task.id, study.readers[0], ONE) is None
    assert list(each_shown(store, study.project)) == []


def test_bad_pre_labels_are_named_and_none_is_kept(store: Store) -> None:
    study = new_study(store)
    case, good = study.cases[0], Proposal(study.cases[1], "q", "yes")
    about = {"model": "m", "version": "1", "by": study.lead}
    for bad, match in (
        (Proposal(case, "q", "yes", 1.5), "confidence must be 0 to 1"),
        (Proposal(case, "q", float("nan")), "JSON"),
        (Proposal(case, "", "yes"), "question"),
    ):
        with pytest.raises(InputError, match=match):
            add_pre_labels(store, study.project, [good, bad], **about)
    with pytest.raises(InputError, match="once"):
        add_pre_labels(store, study.project, [good, good], **about)
    with pytest.raises(NotFoundError):
        add_pre_labels(store, study.project, [good, Proposal("none", "q", "yes")], **about)
    with pytest.raises(InputError, match="model"):
        add_pre_labels(store, study.project, [good], **(about | {"model": " "}))
    assert brought(store, study.project) == []


def test_many_go_into_several_events(store: Store) -> None:
    study = new_study(store, cases=450, reads_per_case=0)
    rows = [Proposal(case, "q", "yes", 0.5) for case in study.cases]
    add_pre_labels(store, study.project, rows, model="m", version="1", by=study.lead)
    events = [one for one in read_events(store) if one.action == "pre_labels_added"]
    assert len(events) == 3
    assert brought(store, study.project)[0].cases == 450
