"""Alarms, pauses, checks and reads set aside, the same on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.errors import InputError
from overread.store import (
    Store,
    ask_check,
    check_cases,
    claim,
    decide_alarm,
    get_alarm,
    give_feedback,
    head,
    is_shown,
    list_alarms,
    list_feedback,
    list_pauses,
    open_store,
    pause_reader,
    raise_alarm,
    read_events,
    reads_of_case,
    reads_of_project,
    rebuild,
    release_reader,
    save_draft,
    see_feedback,
    state_digests,
    submit_read,
)
from overread.store.errors import ConflictError, NotFoundError
from overread.store.quality.pauses import past_pauses
from tests.store.study import Study, a_read, new_study

TOLD = {"words": "boxes 31 % smaller than the others'", "metric": "size"}


def read_some(store: Store, study: Study, reader: str, count: int) -> list[str]:
    """Cases that the reader read now."""
    made = []
    for _ in range(count):
        task = claim(store, study.project, reader)[0]
        submit_read(store, a_read(task.id, reader))
        made.append(task.case.id)
    return made


def test_a_pause_stops_new_cases_and_protects_what_is_held(store: Store) -> None:
    study = new_study(store, cases=6, readers=2)
    one, other = study.readers
    task = claim(store, study.project, one)[0]
    alarm = raise_alarm(store, study.project, one, TOLD, pause="Boxes got smaller.")
    assert alarm is not None
    assert list_pauses(store, study.project)[one].reason == "Boxes got smaller."
    assert [held.id for held in claim(store, study.project, one, count=5)] == [task.id]
    assert save_draft(
        store,
        task.id,
        one,
        version=0,
        answer={"q": "no"},
        cannot_be_read=False,
        ask_a_senior=False,
        comment="",
        seconds=1.0,
    )
    assert not submit_read(store, a_read(task.id, one)).surplus
    assert claim(store, study.project, one) == []
    assert len(claim(store, study.project, other, count=5)) == 5


def test_reads_since_the_last_good_point_are_set_aside_and_queued_for_others(
    store: Store,
) -> None:
    study = new_study(store, cases=5, readers=2, reads_per_case=1)
    one, other = study.readers
    good = read_some(store, study, one, 2)
    point = head(store).n
    bad = read_some(store, study, one, 2)
    raise_alarm(store, study.project, one, TOLD, pause="Stop.", after=point)
    kept = reads_of_project(store, study.project, "q")
    assert sorted(kept.case) == sorted(good)
    assert len(reads_of_project(store, study.project, "q", aside=True)) == 4
    assert [row.set_aside for row in reads_of_case(store, bad[0])] == [True]
    assert [row.set_aside for row in reads_of_case(store, good[0])] == [False]
    again = {task.case.id for task in claim(store, study.project, other, count=10)}
    assert again == {*study.cases} - {*good}
    (alarm,) = list_alarms(store, study.project)
    assert (alarm.aside, alarm.state, alarm.told) == (2, "open", TOLD)


@pytest.mark.parametrize("suspects", ["restore", "replace"])
def test_a_decision_closes_the_alarm(store: Store, suspects: str) -> None:
    study = new_study(store, cases=4, readers=2, reads_per_case=1)
    one, other = study.readers
    point = head(store).n
    read_some(store, study, one, 2)
    alarm = raise_alarm(store, study.project, one, TOLD, pause="Stop.", after=point)
    assert alarm is not None
    by = study.lead
    decide_alarm(store, alarm, "released", reason="Checked.", suspects=suspects, by=by)
    assert list_pauses(store, study.project) == {}
    found = get_alarm(store, alarm)
    assert (found.state, found.reason, found.decided_by, found.aside) == (
        "released",
        "Checked.",
        study.lead,
        0,
    )
    counted = len(reads_of_project(store, study.project, "q"))
    assert counted == (2 if suspects == "restore" else 0)
    assert claim(store, study.project, one)
    with pytest.raises(ConflictError, match="decided"):
        decide_alarm(store, alarm, "released", reason="Again.", by=study.lead)
    assert other


def test_a_check_is_read_while_paused_on_cases_the_reader_never_had(store: Store) -> None:
    study = new_study(store, cases=6, readers=2, reads_per_case=1)
    one, other = study.readers
    had = read_some(store, study, one, 1)
    fresh = read_some(store, study, other, 3)
    alarm = raise_alarm(store, study.project, one, TOLD, pause="Stop.")
    assert alarm is not None
    with pytest.raises(InputError, match="check must have cases"):
        ask_check(store, alarm, had, study.lead)
    assert ask_check(store, alarm, [*had, *fresh], study.lead) == 3
    assert get_alarm(store, alarm).state == "checking"
    assert sorted(read_some(store, study, one, 3)) == sorted(fresh)
    assert claim(store, study.project, one) == []
    assert [state for _, state in check_cases(store, alarm)] == ["done"] * 3
    found = get_alarm(store, alarm)
    assert (found.checks, found.checked) == (3, 3)
    decide_alarm(store, alarm, "released", reason="All three agree.", by=study.lead)
    assert claim(store, study.project, one)


def test_one_alarm_a_reader_is_open_at_a_time(store: Store) -> None:
    study = new_study(store, readers=2)
    one, other = study.readers
    assert raise_alarm(store, study.project, one, TOLD)
    assert raise_alarm(store, study.project, one, TOLD) is None
    assert raise_alarm(store, study.project, other, TOLD)
    assert list_pauses(store, study.project) == {}
    with pytest.raises(NotFoundError):
        raise_alarm(store, study.project, study.lead + "x", TOLD)


def test_a_lead_pauses_and_releases_by_hand(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    pause_reader(store, study.project, one, "On leave.", study.lead)
    assert claim(store, study.project, one) == []
    with pytest.raises(ConflictError, match="paused already"):
        pause_reader(store, study.project, one, "Again.", study.lead)
    release_reader(store, study.project, one, "Back.", study.lead)
    assert claim(store, study.project, one)
    with pytest.raises(ConflictError, match="not paused"):
        release_reader(store, study.project, one, "Back.", study.lead)


def test_who_is_retired_stays_paused(store: Store) -> None:
    study = new_study(store)
    one = study.readers[0]
    alarm = raise_alarm(store, study.project, one, TOLD)
    assert alarm is not None
    with pytest.raises(InputError, match="reason must not be empty"):
        decide_alarm(store, alarm, "retired", reason="  ", by=study.lead)
    with pytest.raises(InputError, match="decision must be"):
        decide_alarm(store, alarm, "sacked", reason="No.", by=study.lead)
    decide_alarm(store, alarm, "retired", reason="Did not come right.", by=study.lead)
    assert one in list_pauses(store, study.project)
    assert claim(store, study.project, one) == []


def test_the_log_alone_gives_the_same_state(store: Store, tmp_path: Path) -> None:
    study = new_study(store, cases=6, readers=2, reads_per_case=1)
    one, other = study.readers
    point = head(store).n
    read_some(store, study, one, 2)
    fresh = read_some(store, study, other, 2)
    alarm = raise_alarm(store, study.project, one, TOLD, pause="Stop.", after=point)
    assert alarm is not None
    ask_check(store, alarm, fresh, study.lead)
    read_some(store, study, one, 2)
    decide_alarm(store, alarm, "released", reason="Good.", suspects="replace", by=study.lead)
    pause_reader(store, study.project, other, "On leave.", study.lead)
    empty = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
    empty.close()


def test_cases_are_let_out_once_and_close_the_reads_of_their_reader(
    store: Store, tmp_path: Path
) -> None:
    study = new_study(store, cases=6, readers=2)
    one, other = study.readers
    tasks, read = [], []
    for _ in range(2):
        tasks += claim(store, study.project, one)[:1]
        read.append(a_read(tasks[-1].id, one))
        submit_read(store, read[-1])
    tasks += claim(store, study.project, one)[:1]
    had = [task.case.id for task in tasks[:2]]
    alarm = raise_alarm(store, study.project, one, TOLD, pause="Stop.")
    assert alarm is not None
    # the case in hand is not let out, nor one that the reader never had
    theirs = claim(store, study.project, other)[0].case.id
    wanted = [had[1], tasks[2].case.id, theirs, had[0]]
    assert give_feedback(store, alarm, wanted, "system") == 2
    assert give_feedback(store, alarm, wanted, "system") == 0
    rows = list_feedback(store, study.project, reader=one)
    assert [(row.case, row.seen) for row in rows] == [(had[1], ""), (had[0], "")]
    assert list_feedback(store, study.project, reader=other) == []
    assert is_shown(store, tasks[0].id, one)
    assert not is_shown(store, tasks[0].id, one, but=read[0].read_id)
    assert not is_shown(store, tasks[0].id, other)
    assert not is_shown(store, tasks[2].id, one)
    for _ in range(2):
        see_feedback(store, alarm, had[0], one)
    for case, reader in ((had[0], other), (tasks[2].case.id, one)):
        with pytest.raises(NotFoundError):
            see_feedback(store, alarm, case, reader)
    rows = list_feedback(store, study.project, alarm=alarm)
    assert [bool(row.seen) for row in rows] == [False, True]
    told = [each.action for each in read_events(store) if each.action.startswith("feedback")]
    assert told == ["feedback_given", "feedback_seen"]
    decide_alarm(store, alarm, "retired", reason="No.", by=study.lead)
    with pytest.raises(ConflictError):
        give_feedback(store, alarm, had, study.lead)
    with pytest.raises(NotFoundError):
        give_feedback(store, "none", had, study.lead)
    empty = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
    empty.close()


def test_pauses_that_are_over_are_known_with_their_reasons(store: Store, tmp_path: Path) -> None:
    study = new_study(store, cases=4, readers=2)
    one, other = study.readers
    pause_reader(store, study.project, one, "On holiday.", study.lead)
    release_reader(store, study.project, one, "Back.", study.lead)
    alarm = raise_alarm(store, study.project, other, TOLD, pause="Smaller.")
    assert alarm is not None
    ask = {"reason": "Good.", "found": "On 20 fresh cases they are in line.", "by": study.lead}
    decide_alarm(store, alarm, "released", **ask)
    assert get_alarm(store, alarm).found == "On 20 fresh cases they are in line."
    pause_reader(store, study.project, one, "Ill.", study.lead)
    found = past_pauses(store, study.project)
    assert [
        (row.reader, row.reason, row.alarm, row.why_ended, row.ended_alarm) for row in found
    ] == [
        (one, "On holiday.", "", "Back.", ""),
        (other, "Smaller.", alarm, "Good.", alarm),
        (one, "Ill.", "", "", ""),
    ]
    assert found[0].by == study.lead
    assert found[0].until
    assert not found[2].until
    assert len(past_pauses(store, study.project, reader=one)) == 2
    again = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(store), again)
    assert state_digests(again) == state_digests(store)
    assert past_pauses(again, study.project) == found
    again.close()
