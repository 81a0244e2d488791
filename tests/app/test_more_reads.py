"""Reads on demand in a project, on both databases: who is asked, when nobody is, and the log."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from overread.app.analysis.demand_model import (
    ReaderModel,
    Wishes,
    asks_by_models,
    cautious,
    fit_models,
    posterior_of,
)
from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.study.more_reads import ProjectDemand, demanded
from overread.app.study.project_readers import set_readers
from overread.labels import class_reads
from overread.planning.demand import ASK, SPENT, SURE
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    claim,
    create_project,
    open_store,
    pause_reader,
    read_events,
    rebuild,
    state_digests,
    submit_read,
)
from overread.store.work.demands import Decision, decide_cases, list_demands, places
from overread.store.work.plan_view import view_tasks
from tests.store.conftest import clock, new_store, new_url, store

__all__ = ["clock", "new_store", "new_url", "store"]

TEXT = """title: Knees
reads: {on_demand: {at_least: 2, at_most: 3, sure: 0.9}}
questions:
  - {id: grade, prompt: Grade, kind: nominal, classes: [a, b]}
"""
HARD = (3, 8, 17, 26)
CASES = 40


class Study:
    """Four readers who agree, but for the second reader of a hard case."""

    def __init__(self, store: Store, text: str = TEXT) -> None:
        self.store = store
        self.project = create_project(store, "p", text, "system").id
        self.readers = [
            add_user(store, f"{k}@example.org", f"R{k}", "reader", "system").id for k in range(4)
        ]
        image = {"rows": 4, "columns": 4, "frames": 1, "modality": "CR"}
        new = [NewCase(f"{k:064x}", [f"{k:064x}"], image) for k in range(CASES)]
        self.cases = [key for key, _ in add_cases(store, self.project, new, "system")]
        set_readers(store, self.project, self.readers, by="system")
        self.demand = ProjectDemand(self.project)

    def read(self, count: int, who: tuple[int, ...] = (0, 1, 2, 3)) -> int:
        made = 0
        for _ in range(count):
            for k in who:
                for task in claim(self.store, self.project, self.readers[k]):
                    self.submit(task.id, task.case.number, k)
                    made += 1
        return made

    def submit(self, task: str, number: int, k: int) -> None:
        before = [one for one in view_tasks(self.store, self.project) if one.state == "done"]
        mine = sum(one.case == self.cases[number - 1] for one in before)
        truth = number % 2
        said = 1 - truth if number in HARD and mine == 1 else truth
        submit_read(
            self.store,
            Submission(
                read_id=str(uuid4()), task=task, reader=self.readers[k],
                answer={"grade": "ab"[said]}, protocol_version=1, seconds=(20.0, 20.0, 5.0, 5.0)[k],
            ),
        )  # fmt: skip


@pytest.fixture
def study(store: Store) -> Study:
    return Study(store)


def test_only_cases_that_are_not_sure_get_one_more_read(study: Study, tmp_path: Path) -> None:
    store, demand = study.store, study.demand
    study.read(5)
    assert demand.catch_up(store) == 0  # too few cases to tell readers apart
    assert demanded(store, study.project) is not None
    assert list_demands(store, study.project) == {}
    while study.read(5):
        pass
    first = demand.catch_up(store)
    rows = list_demands(store, study.project)
    asked = {case for case, one in rows.items() if one.state == "ask"}
    # with twenty reads of each reader some cases that two agree on are not sure either
    assert asked >= {study.cases[number - 1] for number in HARD}
    assert len(HARD) <= len(asked) == first < CASES
    # of these no third read could change what two said
    assert {one.state for case, one in rows.items() if case not in asked} <= {"sure", "settled"}
    open_ = [one for one in view_tasks(store, study.project) if one.state == "open"]
    assert {one.case for one in open_} == asked
    read = {(one.case, one.reader) for one in view_tasks(store, study.project)}
    assert all((one.case, one.planned_for) not in read for one in open_)
    # nothing is asked twice, by this server or by one that starts again
    assert demand.catch_up(store) == 0
    assert ProjectDemand(study.project).catch_up(store) == 0
    more = len(asked)
    while made := _read_all(study):
        assert made <= more
        more = demand.catch_up(store)  # readers are better known: a case may be asked for after all
        now = list_demands(store, study.project).items()
        asked |= {case for case, one in now if one.state == "ask"}
    found = demanded(store, study.project)
    assert found is not None
    assert (found.done, found.asked, found.reads) == (CASES, 0, 2 * CASES + len(asked))
    assert found.saved == pytest.approx(1 - (2 * CASES + len(asked)) / (3 * CASES))
    assert found.saved > 0
    last = list_demands(store, study.project)
    assert {last[case].state for case in asked} <= {"sure", "settled", "spent"}
    told = [one.action for one in read_events(store, project=study.project)]
    assert told.count("demand_decided") >= CASES + len(asked)
    empty = open_store(tmp_path / "again.db", sync=False)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
    empty.close()


def _read_all(study: Study) -> int:
    """All that is open now."""
    return sum(iter(lambda: study.read(5), 0))


def test_who_is_paused_or_left_is_not_asked(study: Study) -> None:
    while study.read(5):
        pass
    pause_reader(study.store, study.project, study.readers[2], "On leave.", "system")
    set_readers(study.store, study.project, study.readers[:3], by="system")
    study.demand.catch_up(study.store)
    tasks = view_tasks(study.store, study.project)
    asked = {one.planned_for for one in tasks if one.state == "open"}
    assert asked <= set(study.readers[:2])
    rows = list_demands(study.store, study.project)
    hard = {study.cases[number - 1] for number in HARD}
    assert {rows[case].state for case in hard} <= {"ask", "spent"}


def test_a_case_is_decided_once_and_not_while_somebody_reads_it(study: Study) -> None:
    store = study.store
    case = study.cases[0]
    one = Decision(case, "ask", 0, 0.5, study.readers[0])
    assert decide_cases(store, study.project, [one]) == {}  # its first reads are outstanding
    study.read(2, (1, 2))
    assert case not in places(store, [case]).outstanding
    made = decide_cases(store, study.project, [one, Decision(study.cases[1], "sure", 2, 0.99)])
    assert list(made) == [case]
    assert decide_cases(store, study.project, [one]) == {}
    assert places(store, [case]).outstanding == {case}
    (task,) = [t for t in view_tasks(store, study.project) if t.id == made[case]]
    assert (task.planned_for, task.round, task.role) == (study.readers[0], 0, "")
    assert list_demands(store, study.project)[case].task == made[case]


def test_what_is_old_is_let_go_and_looked_up(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overread.app.study.more_reads.WINDOW", 70)
    store, demand = study.store, study.demand
    while study.read(5):
        pass
    assert demand.catch_up(store) > 0
    (of,) = demand.said.values()
    assert sum(len(readers) for readers in of.values()) <= 70
    rows = list_demands(store, study.project)
    assert 30 <= len(rows) <= CASES
    gone = [case for case in rows if case not in of]
    while study.read(5):
        pass
    demand.catch_up(store)
    after = list_demands(store, study.project)
    asked = [case for case in gone if rows[case].state == "ask"]
    # reads of before were looked up again: each decision rests on all of them
    assert all(after[case].reads == rows[case].reads + 1 for case in asked)
    assert list_demands(store, study.project, gone) == {case: after[case] for case in gone}
    again = ProjectDemand(study.project)
    again.catch_up(store)
    assert list_demands(store, study.project).keys() == after.keys()


def test_without_the_option_nothing_is_decided(store: Store) -> None:
    text = TEXT.replace(
        "reads: {on_demand: {at_least: 2, at_most: 3, sure: 0.9}}", "precision: 0.1"
    )
    study = Study(store, text)
    study.read(3)
    assert study.demand.catch_up(store) == 0
    assert demanded(store, study.project) is None


def simulated(n: int = 200) -> tuple[list[int], list[str], list[str]]:
    random = np.random.default_rng(5)
    truth = random.choice(2, n, p=[0.7, 0.3])
    case, reader, label = [], [], []
    for name, skill in (("Ada", 0.95), ("Ben", 0.9), ("Cy", 0.7)):
        right = random.random(n) < skill
        case += range(n)
        reader += [name] * n
        label += ["ab"[one] for one in np.where(right, truth, 1 - truth)]
    return case, reader, label


def test_a_case_by_itself_has_the_posterior_of_the_whole_fit() -> None:
    case, reader, label = simulated()
    reads = class_reads(case, reader, label, schema=["a", "b"])
    (model,) = fit_models(reads)
    whole = reach_consensus(reads, method="dawid_skene").result
    said: list[list[tuple[str, int]]] = [[] for _ in range(200)]
    for c, who, what in zip(case, reader, label, strict=True):
        said[c].append((who, "ab".index(what)))
    order = [int(name) for name in whole.cases]
    found = posterior_of(model, [said[at] for at in order])
    np.testing.assert_allclose(found, whole.posterior, atol=1e-3)
    np.testing.assert_allclose(posterior_of(model, [[("Ada", -1)]])[0], model.prevalence, atol=0.2)


GOOD = np.array([[0.95, 0.05], [0.05, 0.95]])
POOR = np.array([[0.6, 0.4], [0.4, 0.6]])


def asked(
    seconds: dict[str, float],
    said: list[list[tuple[str, int]]],
    most: int = 4,
    waiting: dict[str, float] | None = None,
) -> object:
    model = ReaderModel(
        ("a", "b"), ("Ada", "Ben"), np.array([0.5, 0.5]), np.stack([GOOD, POOR]),
        (GOOD + POOR) / 2, 1.0,
    )  # fmt: skip
    readers = ["Ada", "Ben", "Di"]
    available = np.array([[who not in {w for w, _ in of} for who in readers] for of in said])
    asks, probability = asks_by_models(
        [model], [said], readers=readers, available=available,
        reads=np.array([len(of) for of in said]), seconds=seconds,
        wishes=Wishes(0.9, 1, most), waiting=waiting,
    )  # fmt: skip
    names = [readers[at] if at >= 0 else "" for at in asks.reader.tolist()]
    return list(zip(asks.state.tolist(), names, probability.round(2).tolist(), strict=True))


def test_the_reader_who_tells_most_a_second_is_asked() -> None:
    even = {"Ada": 10.0, "Ben": 10.0, "Di": 10.0}
    assert asked(even, [[("Ben", 0)]]) == [(ASK, "Ada", 0.6)]
    assert asked(even | {"Ada": 900.0}, [[("Ben", 0)]]) == [(ASK, "Di", 0.6)]
    assert asked(even, [[("Ada", 1)]]) == [(SURE, "", 0.95)]
    assert asked(even, [[("Ben", 0)]], most=1) == [(SPENT, "", 0.6)]
    # who is not known yet counts as a usual reader, at the usual pace
    assert asked({"Ada": 900.0}, [[("Ben", 0)]]) == [(ASK, "Ada", 0.6)]


def test_who_has_much_waiting_is_asked_less() -> None:
    even = {"Ada": 10.0, "Ben": 10.0, "Di": 10.0}
    assert asked(even, [[("Ben", 0)]], waiting={"Ada": 600.0}) == [(ASK, "Ada", 0.6)]
    assert asked(even, [[("Ben", 0)]], waiting={"Ada": 6 * 3_600.0}) == [(ASK, "Di", 0.6)]
    # each read given is waiting work, too: many at once do not all go to the best
    slow = {"Ada": 600.0, "Ben": 600.0, "Di": 600.0}
    who = Counter(name for _, name, _ in asked(slow, [[("Ben", 0)]] * 60))  # type: ignore[attr-defined]
    assert who["Ada"] > who["Di"] > 0


def test_few_reads_leave_a_case_less_sure() -> None:
    case, reader, label = simulated()
    few = [at for at in range(len(case)) if case[at] < 30]
    one = class_reads(
        [case[at] for at in few], [reader[at] for at in few], [label[at] for at in few],
        schema=["a", "b"],
    )  # fmt: skip
    many = class_reads(
        [c + 200 * k for k in range(10) for c in case], reader * 10, label * 10, schema=["a", "b"]
    )
    said = [[("Ada", 0), ("Cy", 0)], [("Ben", 1), ("Cy", 1)]]
    lost = []
    for reads in (one, many):
        (model,) = fit_models(reads)
        plain = posterior_of(model, said)
        found = cautious(model, plain, said)
        np.testing.assert_array_equal(found.argmax(axis=1), plain.argmax(axis=1))
        np.testing.assert_allclose(found.sum(axis=1), 1)
        odds = [np.log(p.max(axis=1) / (1 - p.max(axis=1))) for p in (plain, found)]
        assert np.all(odds[1] <= odds[0] + 1e-9)
        lost.append((odds[0] - odds[1]).mean())
    assert lost[0] > 2 * lost[1]
