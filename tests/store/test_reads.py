"""Submissions, revisions, drafts and columns, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NotFoundError,
    Store,
    StoreError,
    add_protocol_version,
    claim,
    get_draft,
    get_read,
    get_task,
    head,
    reads_of_case,
    reads_of_project,
    reads_of_reader,
    save_draft,
    submit_read,
)
from tests.store.conftest import Clock
from tests.store.study import a_read, new_study


def test_the_same_submission_a_hundred_times_is_one_row(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    given = a_read(claim(store, study.project, one)[0].id, one)
    with ThreadPoolExecutor(8) as pool:
        receipts = set(pool.map(lambda _: submit_read(store, given), range(100)))
    assert len(receipts) == 1
    assert len(reads_of_project(store, study.project, "q")) == 1


def test_an_id_stands_for_one_read_only(store: Store) -> None:
    study = new_study(store)
    one, two, _ = study.readers
    given = a_read(claim(store, study.project, one)[0].id, one)
    submit_read(store, given)
    theirs = claim(store, study.project, two)[0].id
    for other in (
        replace(given, answer={"q": "no"}),
        replace(given, comment="hm"),
        replace(given, task=theirs, reader=two),
    ):
        with pytest.raises(ConflictError, match="read_id"):
            submit_read(store, other)
    assert submit_read(store, replace(given, seconds=9.0)).revision == 1


def test_corrections_are_revisions_and_a_stale_one_is_a_conflict(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    task = claim(store, study.project, one)[0]
    first = submit_read(store, a_read(task.id, one))
    second = submit_read(store, a_read(task.id, one, answer={"q": "no"}, base_revision=1))
    assert (first.revision, second.revision) == (1, 2)
    with pytest.raises(ConflictError) as stale:
        submit_read(store, a_read(task.id, one, base_revision=1))
    assert stale.value.current_version == 2
    with pytest.raises(ConflictError):
        submit_read(store, a_read(task.id, one))
    rows = reads_of_case(store, task.case.id, latest=False)
    assert [(row.revision, row.superseded) for row in rows] == [(1, True), (2, False)]
    assert [row.answer for row in reads_of_case(store, task.case.id)] == [{"q": "no"}]
    assert get_task(store, task.id, one).revision == 2


def test_both_tabs_correct_at_once_and_one_wins(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    task = claim(store, study.project, one)[0].id
    submit_read(store, a_read(task, one))

    def correct(k: int) -> bool:
        try:
            submit_read(store, a_read(task, one, answer={"q": k}, base_revision=1))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(correct, range(8))) == 1


def test_own_reads_come_by_page_newest_first(store: Store) -> None:
    study = new_study(store, cases=5, reads_per_case=2)
    one, two, _ = study.readers
    for reader in (one, two):
        for task in claim(store, study.project, reader, count=5):
            submit_read(store, a_read(task.id, reader))
    page = reads_of_reader(store, study.project, one, limit=3)
    rest = reads_of_reader(store, study.project, one, limit=3, before=page[-1].event)
    events = [row.event for row in (*page, *rest)]
    assert events == sorted(events, reverse=True)
    assert {row.case for row in (*page, *rest)} == set(study.cases)
    assert {row.reader for row in (*page, *rest)} == {one}


def test_a_reader_cannot_reach_anothers_read(store: Store) -> None:
    study = new_study(store)
    one, two, _ = study.readers
    read = submit_read(store, a_read(claim(store, study.project, one)[0].id, one)).read_id
    assert get_read(store, read, reader=one).answer == {"q": "yes"}
    assert get_read(store, read).reader == one
    with pytest.raises(NotFoundError):
        get_read(store, read, reader=two)


@pytest.mark.parametrize(
    "broken",
    [
        {"answer": {"q": float("nan")}},
        {"answer": ["q"]},
        {"answer": {"q": {1, 2}}},
        {"seconds": -1.0},
        {"seconds": float("inf")},
        {"comment": "nul \x00"},
        {"comment": "x" * 10_001},
        {"cannot_be_read": 1},
        {"read_id": "7"},
        {"base_revision": -1},
        {"protocol_version": 0},
    ],
)
def test_broken_submissions_are_refused_and_keep_nothing(
    store: Store, broken: dict[str, object]
) -> None:
    study = new_study(store, cases=1)
    one = study.readers[0]
    given = replace(a_read(claim(store, study.project, one)[0].id, one), **broken)
    before = head(store)
    with pytest.raises(InputError):
        submit_read(store, given)
    assert head(store) == before


def test_odd_but_sound_text_comes_back(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    answer = {"q": "a\x00b \ud800 é \U0001f600 \u2028", "n": [1e-300, 2**60, -0.0, True, None]}
    given = a_read(claim(store, study.project, one)[0].id, one, answer=answer, comment="ﬀ'\";--")
    row = get_read(store, submit_read(store, given).read_id)
    assert (row.answer, row.comment) == (answer, "ﬀ'\";--")


def test_an_unknown_protocol_version_is_refused(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    task = claim(store, study.project, one)[0].id
    with pytest.raises(NotFoundError, match="protocol version"):
        submit_read(store, a_read(task, one, protocol_version=2))
    add_protocol_version(store, study.project, "title: new\n", study.lead, base_version=1)
    assert submit_read(store, a_read(task, one, protocol_version=2)).revision == 1


def test_the_database_itself_refuses_to_change_a_read(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    submit_read(store, a_read(claim(store, study.project, one)[0].id, one))
    for statement in (
        "UPDATE reads SET answer = '{}'",
        "DELETE FROM reads",
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
    ):
        with pytest.raises(StoreError), store.writing() as connection:
            connection.execute(sa.text(statement))


def test_drafts_have_versions_and_a_stale_one_is_a_conflict(store: Store) -> None:
    study = new_study(store)
    one, two, _ = study.readers
    task = claim(store, study.project, one)[0].id
    assert get_draft(store, task, one) is None
    assert save_draft(store, task, one, version=0, answer={"q": 1}) == 1
    assert save_draft(store, task, one, version=1, answer={"q": 2}) == 2
    assert save_draft(store, task, one, version=1, answer={"q": 2}, seconds=3.0) == 2
    with pytest.raises(ConflictError) as stale:
        save_draft(store, task, one, version=1, answer={"q": 3})
    assert stale.value.current_version == 2
    draft = get_draft(store, task, one)
    assert draft is not None
    assert (draft.version, draft.answer) == (2, {"q": 2})
    for act in (lambda: get_draft(store, task, two), lambda: get_draft(store, "none", one)):
        with pytest.raises(NotFoundError):
            act()
    submit_read(store, a_read(task, one))
    assert get_draft(store, task, one) is None
    assert save_draft(store, task, one, version=0, answer={"q": "correcting"}) == 1


def test_columns_hold_the_newest_revisions(store: Store, clock: Clock) -> None:
    study = new_study(store, cases=3, reads_per_case=2)
    one, two, _ = study.readers
    mine = claim(store, study.project, one, count=3)
    for task in mine:
        submit_read(store, a_read(task.id, one, answer={"q": "yes", "grade": 2}))
    before = head(store).n
    clock.pass_seconds(5)
    submit_read(store, a_read(mine[0].id, one, answer={"q": "no"}, base_revision=1))
    odd = {"answer": {}, "cannot_be_read": True, "ask_a_senior": True, "comment": "blurred"}
    submit_read(store, a_read(claim(store, study.project, two)[0].id, two, **odd))
    columns = reads_of_project(store, study.project, "q")
    assert list(zip(columns.case_name, columns.value, columns.revision, strict=True)) == [
        ("case 000002", "yes", 1),
        ("case 000003", "yes", 1),
        ("case 000001", "no", 2),
        ("case 000001", None, 1),
    ]
    assert columns.reader == [one, one, one, two]
    assert columns.cannot_be_read == columns.ask_a_senior == [False, False, False, True]
    assert columns.seconds == [5.0] * 4
    assert columns.submitted[2] > columns.submitted[0]
    assert reads_of_project(store, study.project, "grade").value == [2, 2, None, None]
    assert reads_of_project(store, study.project, "q", latest=False).revision == [1, 1, 1, 2, 1]
    assert reads_of_project(store, study.project, "q", until=before).value == ["yes"] * 3
    assert len(reads_of_project(store, study.project, "q", case=study.cases[0])) == 2


def test_columns_leave_out_surplus_reads_on_request(store: Store, clock: Clock) -> None:
    study = new_study(store, cases=1, reads_per_case=1)
    one, two, _ = study.readers
    task = claim(store, study.project, one, lease_seconds=1)[0].id
    clock.pass_seconds(2)
    submit_read(store, a_read(claim(store, study.project, two)[0].id, two))
    late = submit_read(store, a_read(task, one))
    corrected = submit_read(store, a_read(task, one, answer={"q": "no"}, base_revision=1))
    assert late.surplus
    assert corrected.surplus
    assert reads_of_project(store, study.project, "q").surplus == [False, True]
    assert reads_of_project(store, study.project, "q", surplus=False).reader == [two]


def test_reads_of_many_pages_are_all_there_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overread.store.study.columns._PAGE", 3)
    study = new_study(store, cases=9, reads_per_case=1)
    one = study.readers[0]
    for task in claim(store, study.project, one, count=9):
        submit_read(store, a_read(task.id, one, read_id=str(uuid4())))
    assert sorted(reads_of_project(store, study.project, "q").case) == sorted(study.cases)
