"""The gate before production, dry runs on gold, its exposure and its end; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NewGold,
    NotFoundError,
    NotQualifiedError,
    RunVerdict,
    Slot,
    Store,
    Trial,
    TrialRead,
    add_gold,
    add_protocol_version,
    begin_run,
    claim,
    dispute_gold,
    get_gold,
    get_profiles,
    get_trial,
    head,
    list_certificates,
    list_disputes,
    list_gold,
    list_runs,
    list_trials,
    list_waivers,
    next_trial,
    plan_slots,
    plan_tasks,
    project_progress,
    qualify,
    read_events,
    reader_progress,
    reads_of_project,
    rebuild,
    retire_gold,
    set_profile,
    settle_dispute,
    state_digests,
    submit_read,
    submit_trial,
    unseen_gold,
    waive,
    withdraw_qualification,
)
from tests.store.study import Study, a_read, new_study

GATED = "title: a study\nqualification:\n  least_cases: 2\n"
RIGHT = {"q": "yes"}


def gated(store: Store, *, gold: int = 4, cases: int = 8, **more: Any) -> Study:
    """A study that demands a dry run; its first cases are gold."""
    study = new_study(store, cases=cases, **more)
    add_protocol_version(store, study.project, GATED, study.lead, base_version=1)
    new = [NewGold(case, RIGHT, 2) for case in study.cases[:gold]]
    add_gold(store, study.project, new, study.lead)
    return study


def all_right(marks: Sequence[dict[str, Any]]) -> RunVerdict:
    right = sum(one["right"] for one in marks)
    return RunVerdict(right == len(marks), {"right": right, "n": len(marks)})


def answer(store: Store, trial: Trial, *, right: bool = True, most: int = 50, **more: Any) -> bool:
    settings = {"read_id": str(uuid4()), "answer": RIGHT, "protocol_version": 2} | more
    given = TrialRead(trial=trial.id, reader=trial.reader, **settings)
    marks = {"right": int(right)}
    return submit_trial(store, given, marks=marks, judge=all_right, most_exposures=most)


def run(store: Store, study: Study, reader: str, *, right: bool = True) -> list[Trial]:
    """A whole run of two cases."""
    begin_run(store, study.project, reader, cases=2, most_runs=3, protocol_version=2)
    had = []
    while trial := next_trial(store, study.project, reader):
        had.append(trial)
        answer(store, trial, right=right)
    return had


def test_nobody_reads_production_before_they_are_qualified(store: Store) -> None:
    study = gated(store)
    one, two, _ = study.readers
    for count in (1, 5):
        with pytest.raises(NotQualifiedError):
            claim(store, study.project, one, count=count)
    trials = run(store, study, one)
    assert [(t.number, t.run, t.cases) for t in trials] == [(1, 1, 2), (2, 1, 2)]
    assert len(claim(store, study.project, one, count=5)) == 4
    with pytest.raises(NotQualifiedError):
        claim(store, study.project, two)
    certificate = list_certificates(store, study.project)[one]
    assert (certificate.how, certificate.protocol_version) == ("dry run", 2)
    assert certificate.score == {"right": 2, "n": 2, "run": 1}
    told = [e for e in read_events(store) if e.action == "reader_qualified"]
    assert min(trial.case.id for trial in trials) in told[0].body


def test_a_study_without_the_demand_asks_nothing(store: Store) -> None:
    study = new_study(store)
    assert claim(store, study.project, study.readers[0])
    add_protocol_version(store, study.project, GATED, study.lead, base_version=1)
    with pytest.raises(NotQualifiedError):  # also what is in hand waits
        claim(store, study.project, study.readers[0])
    add_protocol_version(store, study.project, "title: open\n", study.lead, base_version=2)
    assert claim(store, study.project, study.readers[0])


def test_the_gate_holds_when_certificate_and_claims_race(store: Store) -> None:
    """Whatever the order: each task that was given was claimed after a certificate."""
    study = gated(store, cases=12)
    one = study.readers[0]
    begin_run(store, study.project, one, cases=2, most_runs=3, protocol_version=2)
    first = next_trial(store, study.project, one)
    assert first
    answer(store, first)
    last = next_trial(store, study.project, one)
    assert last
    start, given, refused = Barrier(4), list[str](), list[str]()

    def claims() -> None:
        start.wait()
        for _ in range(10):
            try:
                given.extend(task.id for task in claim(store, study.project, one, count=1))
            except NotQualifiedError:
                refused.append("not yet")

    def passes() -> None:
        start.wait()
        answer(store, last)

    threads = [Thread(target=claims) for _ in range(3)] + [Thread(target=passes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) + len(refused) == 30
    order = [
        e.action for e in read_events(store) if e.action in {"reader_qualified", "tasks_claimed"}
    ]
    assert order[0] == "reader_qualified"


def test_a_failed_run_is_tried_again_on_other_gold(store: Store) -> None:
    study = gated(store, gold=5)
    one = study.readers[0]
    first = run(store, study, one, right=False)
    with pytest.raises(NotQualifiedError):
        claim(store, study.project, one)
    second = run(store, study, one, right=False)
    assert len({t.case.id for t in (*first, *second)}) == 4
    assert [r.state for r in list_runs(store, study.project, reader=one)] == ["failed", "failed"]
    with pytest.raises(ConflictError, match="needs 2 gold cases that are new"):
        run(store, study, one)
    assert unseen_gold(store, study.project, one, most=10) == 1


def test_runs_are_counted_and_the_lead_may_allow_more(store: Store) -> None:
    study = gated(store, gold=6)
    one = study.readers[0]
    ask = {"cases": 2, "most_runs": 1, "protocol_version": 2}
    run(store, study, one, right=False)
    with pytest.raises(ConflictError, match="held 1 times"):
        begin_run(store, study.project, one, **ask)
    with pytest.raises(InputError, match="reason"):
        waive(store, study.project, one, "run", reason=" ", by=study.lead)
    waive(store, study.project, one, "run", reason="the gold was hard", by=study.lead)
    assert begin_run(store, study.project, one, **ask) == 2
    assert begin_run(store, study.project, one, **ask) == 2  # it is open
    (row,) = list_waivers(store, study.project)
    assert (row.what, row.reason, row.waived_by) == ("run", "the gold was hard", study.lead)


def test_the_least_exposed_gold_comes_first(store: Store) -> None:
    study = gated(store, gold=4)
    had = [{t.case.id for t in run(store, study, one)} for one in study.readers[:2]]
    assert not had[0] & had[1]
    assert [one.exposures for one in list_gold(store, study.project)] == [1, 1, 1, 1]


def test_worn_gold_retires(store: Store) -> None:
    study = gated(store, gold=2)
    one, two, _ = study.readers
    run(store, study, one)
    begin_run(store, study.project, two, cases=2, most_runs=3, protocol_version=2)
    trial = next_trial(store, study.project, two)
    assert trial
    answer(store, trial, most=2)
    assert get_gold(store, trial.gold).reason == "worn out: 2 readers have seen it"
    assert len(list_gold(store, study.project)) == 1


def test_an_answer_is_given_once_and_sent_again_is_the_same(store: Store) -> None:
    study = gated(store)
    one, two, _ = study.readers
    begin_run(store, study.project, one, cases=2, most_runs=3, protocol_version=2)
    trial = next_trial(store, study.project, one)
    assert trial
    assert next_trial(store, study.project, one) == trial  # a reload
    key = str(uuid4())
    assert answer(store, trial, read_id=key)
    assert not answer(store, trial, read_id=key)
    with pytest.raises(ConflictError, match="right answer has been shown"):
        answer(store, trial, answer={"q": "no"})
    with pytest.raises(NotFoundError):
        get_trial(store, trial.id, two)
    with pytest.raises(NotFoundError):
        begin_run(store, study.project, study.lead, cases=2, most_runs=3, protocol_version=2)
    assert [row.answer for row in list_trials(store, study.project, one)] == [RIGHT]


def test_reads_of_a_dry_run_are_no_reads_of_the_study(store: Store) -> None:
    study = gated(store)
    before = project_progress(store, study.project)
    run(store, study, study.readers[0])
    assert project_progress(store, study.project) == before
    assert len(reads_of_project(store, study.project, "q")) == 0


def test_training_gold_leaves_the_queue_and_who_saw_it_never_reads_it(store: Store) -> None:
    study = gated(store, gold=2, cases=4)
    one = study.readers[0]
    assert project_progress(store, study.project).planned == 4
    assert plan_tasks(store, study.project, study.lead, reads_per_case=2) == 0
    run(store, study, one)
    for row in list_gold(store, study.project):
        retire_gold(store, row.id, "enough of it", study.lead)
    assert plan_tasks(store, study.project, study.lead, reads_per_case=2) == 4
    assert reader_progress(store, study.project, one).total == 2
    got = {task.case.id for task in claim(store, study.project, one, count=10)}
    assert got == set(study.cases[2:])


def test_no_plan_gives_training_gold_or_what_somebody_was_told(store: Store) -> None:
    study = gated(store, gold=2, cases=4)
    one, two, _ = study.readers
    ask = [Slot(study.cases[0], two), Slot(study.cases[0]), Slot(study.cases[3])]
    assert plan_slots(store, study.project, ask, study.lead) == 1
    run(store, study, one)
    for row in list_gold(store, study.project):
        retire_gold(store, row.id, "enough of it", study.lead)
    ask = [Slot(study.cases[0], one), Slot(study.cases[0], two)]
    assert plan_slots(store, study.project, ask, study.lead) == 1
    qualify(store, study.project, two, "a senior", study.lead, protocol_version=2)
    assert study.cases[0] in {t.case.id for t in claim(store, study.project, two, count=10)}


def test_what_somebody_has_is_not_taken_away_and_is_no_gold_for_them(store: Store) -> None:
    study = new_study(store, cases=3)
    one = study.readers[0]
    task = claim(store, study.project, one)[0]
    add_gold(store, study.project, [NewGold(c, RIGHT, 1) for c in study.cases], study.lead)
    assert project_progress(store, study.project).planned == 1
    assert not submit_read(store, a_read(task.id, one)).surplus
    assert unseen_gold(store, study.project, one, most=10) == 2


def test_an_answer_replaces_the_one_before(store: Store) -> None:
    study = new_study(store)
    (first,) = add_gold(store, study.project, [NewGold(study.cases[0], RIGHT, 1)], study.lead)
    last = head(store)
    assert add_gold(store, study.project, [NewGold(study.cases[0], RIGHT, 1)], study.lead) == [
        first
    ]
    assert head(store) == last
    new = NewGold(study.cases[0], {"q": "no"}, 1, pool="hidden", source="table", atlas="a")
    (second,) = add_gold(store, study.project, [new], study.lead)
    (row,) = list_gold(store, study.project)
    assert (row.id, row.answer, row.pool, row.source, row.atlas) == (
        second, {"q": "no"}, "hidden", "table", "a",
    )  # fmt: skip
    assert {r.state for r in list_gold(store, study.project, retired=True)} == {"active", "retired"}
    with pytest.raises(InputError, match="name each case once"):
        add_gold(store, study.project, [new, new], study.lead)
    with pytest.raises(InputError, match="pool"):
        add_gold(store, study.project, [NewGold(study.cases[0], RIGHT, 1, pool="x")], study.lead)
    with pytest.raises(NotFoundError):
        add_gold(store, study.project, [NewGold("none", RIGHT, 1)], study.lead)


def test_hidden_gold_stands_among_the_others(store: Store) -> None:
    study = new_study(store, cases=40, reads_per_case=1)
    one = study.readers[0]
    gold = study.cases[:4]
    add_gold(store, study.project, [NewGold(c, RIGHT, 1, pool="hidden") for c in gold], study.lead)
    slots = [Slot(case, one) for case in gold]
    again = plan_slots(store, study.project, slots, study.lead, among=Random(1))
    assert again == 4
    tasks = claim(store, study.project, one, count=40)
    places = [at for at, task in enumerate(tasks) if task.case.id in gold]
    assert len(places) == 4
    assert len(tasks) == 40  # each case once, also those that have an open slot besides
    assert max(places) - min(places) > 5
    submit_read(store, a_read(tasks[places[0]].id, one))
    assert sorted(r.exposures for r in list_gold(store, study.project)) == [0, 0, 0, 1]


def test_a_certificate_by_the_lead_and_its_withdrawal(store: Store) -> None:
    study = gated(store)
    one = study.readers[0]
    with pytest.raises(InputError, match="reason"):
        qualify(store, study.project, one, "", study.lead, protocol_version=2)
    qualify(store, study.project, one, "made the gold", study.lead, protocol_version=2)
    with pytest.raises(ConflictError):
        qualify(store, study.project, one, "again", study.lead, protocol_version=2)
    with pytest.raises(ConflictError, match="qualified already"):
        run(store, study, one)
    held = claim(store, study.project, one)[0]
    withdraw_qualification(store, study.project, one, "drifts", study.lead)
    with pytest.raises(NotQualifiedError):
        claim(store, study.project, one)
    assert submit_read(store, a_read(held.id, one, protocol_version=2)).revision == 1
    with pytest.raises(NotFoundError):
        withdraw_qualification(store, study.project, one, "again", study.lead)


def test_a_dispute_goes_to_the_lead(store: Store) -> None:
    study = gated(store)
    one, two, _ = study.readers
    begin_run(store, study.project, one, cases=2, most_runs=3, protocol_version=2)
    trial = next_trial(store, study.project, one)
    assert trial
    with pytest.raises(ConflictError, match="not answered yet"):
        dispute_gold(store, trial.id, one, "no")
    answer(store, trial, right=False)
    with pytest.raises(NotFoundError):
        dispute_gold(store, trial.id, two, "not mine")
    dispute = dispute_gold(store, trial.id, one, "there is a second fracture")
    with pytest.raises(ConflictError, match="disputed before"):
        dispute_gold(store, trial.id, one, "once more")
    (row,) = list_disputes(store, study.project)
    assert (row.id, row.words, row.reader) == (dispute, "there is a second fracture", one)
    assert get_gold(store, trial.gold).disputes == 1
    settle_dispute(store, dispute, "wrong", "right you are", study.lead)
    assert list_disputes(store, study.project) == []
    assert get_gold(store, trial.gold).reason == "disputed: right you are"
    with pytest.raises(ConflictError, match="settled"):
        settle_dispute(store, dispute, "kept", "no", study.lead)


def test_profiles_are_kept_with_their_past(store: Store) -> None:
    study = new_study(store)
    one, two, _ = study.readers
    profile = {"profession": "radiologist", "years": 4}
    set_profile(store, one, profile, one)
    last = head(store)
    set_profile(store, one, profile, study.lead)
    assert head(store) == last
    set_profile(store, one, profile | {"years": 5}, study.lead)
    assert get_profiles(store, [one, two]) == {one: {"profession": "radiologist", "years": 5}}
    with pytest.raises(NotFoundError):
        set_profile(store, "nobody", profile, study.lead)
    with pytest.raises(NotFoundError):
        waive(store, study.project, study.lead, "profile", reason="a lead", by=study.lead)


def test_all_of_it_is_rebuilt_from_the_log(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = gated(store, gold=5)
    one, two, three = study.readers
    set_profile(store, one, {"profession": "radiologist"}, one)
    waive(store, study.project, one, "profile", reason="a fellow", by=study.lead)
    first = run(store, study, one, right=False)
    run(store, study, one)
    run(store, study, two)
    qualify(store, study.project, three, "made the gold", study.lead, protocol_version=2)
    withdraw_qualification(store, study.project, two, "left", study.lead)
    dispute = dispute_gold(store, first[0].id, one, "no")
    settle_dispute(store, dispute, "wrong", "true", study.lead)
    claim(store, study.project, one, count=2)
    assert rebuild(read_events(store), empty) == head(store)
    assert state_digests(empty) == state_digests(store)
    with pytest.raises(NotQualifiedError):
        claim(empty, study.project, two)
    assert len(claim(empty, study.project, one, count=2)) == 2
