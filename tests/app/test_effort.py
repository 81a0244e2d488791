"""Effort: figures against NumPy's, hours left that hold the truth, the seed's example, terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.quality.effort_board import as_table, effort, save_terms, what_if
from overread.app.quality.effort_figures import end_at_pace, hours_by_day, hours_left
from overread.app.quality.effort_ledger import AGAIN, CORRECTED, FIRST, Ledger, times_of
from overread.errors import InputError
from overread.planning.cost import cost, steps_of
from overread.store import Store
from overread.store.study.effort import Spent, get_effort_terms, spent
from tests.app.test_project_model import study

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def one(event: int, seconds: float, **more: object) -> Spent:
    given = {"reader": "r0", "kind": "CR", "revision": 1, "again": False, "surplus": False}
    given |= {"submitted": "2026-11-21T10:00:00.000000+00:00"} | more
    return Spent(event=event, seconds=seconds, **given)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0.5, 5_000), min_size=1, max_size=200))
def test_quantiles_are_numpys_to_a_bin(seconds: list[float]) -> None:
    kept = times_of(seconds)
    for share in (0.25, 0.5, 0.75):
        low, high = np.quantile(seconds, share, method="inverted_cdf"), kept.quantile(share)
        assert high is not None
        assert abs(np.log(high / low)) <= np.log(1.04) + 1e-9
    total, squares = kept.moments()
    assert total == pytest.approx(sum(seconds), rel=0.021)
    assert squares == pytest.approx(sum(s * s for s in seconds), rel=0.043)


def test_a_reader_who_went_to_lunch_did_not_read_that_long() -> None:
    random = np.random.default_rng(1)
    seconds = (30 * random.lognormal(0, 0.4, 400)).tolist()
    clean = times_of(seconds)
    lunch = times_of([*seconds, 3_600.0, 7_200.0])
    assert lunch.hours == pytest.approx(clean.hours, rel=0.06)
    assert lunch.moments()[0] / 3600 > clean.hours + 2.5
    assert times_of([0.0, -1.0]).unknown == 2
    assert times_of([]).quantile(0.5) is None


def test_kinds_of_work_are_counted_apart() -> None:
    ledger = Ledger("p")
    for at, more in enumerate(({}, {"revision": 2}, {"again": True}, {"kind": ""})):
        ledger.take(one(at + 1, 60.0, **more))
    counts = {kind: of.count for kind, of in ledger.work["r0"].items()}
    assert counts == {FIRST: 2, CORRECTED: 1, AGAIN: 1}
    assert {name: of.count for name, of in ledger.cases.items()} == {"CR": 1, "": 1}
    assert ledger.until == 4


def test_the_interval_of_the_hours_left_holds_what_comes() -> None:
    """1,000 studies: readers differ, reads differ; 90 % of intervals or more hold the truth."""
    random = np.random.default_rng(7)
    held = 0
    for _ in range(1_000):
        speed = 40 * random.lognormal(0, 0.3, 12)
        reads = {
            f"r{who}": times_of((speed[who] * random.lognormal(0, 0.5, 60)).tolist())
            for who in range(8)
        }
        coming = speed[random.integers(0, 12, 300)] * random.lognormal(0, 0.5, 300)
        found = hours_left(reads, 300)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= coming.sum() / 3600 <= found.high
    assert held >= 880


def test_the_end_follows_from_the_pace_of_the_last_days() -> None:
    ledger = Ledger("p")
    event = 0
    for day in range(10):
        stamp = (NOW - timedelta(days=day)).isoformat()
        for _ in range(20):
            event += 1
            ledger.take(one(event, 36.0, submitted=stamp))
    found = end_at_pace(ledger, 100, NOW)
    assert found is not None
    assert (found.a_day, found.days, found.pace) == (20.0, 10, "20 reads a day")
    assert replace(found, a_day=1.0).pace == "1 read a day"
    assert replace(found, a_day=2.52).pace == "2.5 reads a day"
    assert found.day == "2026-11-26"
    assert found.first <= found.day <= found.last
    assert end_at_pace(ledger, 0, NOW) is None
    assert end_at_pace(ledger, 100, NOW + timedelta(days=60)) is None  # nobody reads any more
    days = list(hours_by_day(ledger, {"r0": 3}, NOW))
    assert len(days) == 10
    assert days[-1].parts[0][0] == 3
    assert sum(one.hours for one in days) == pytest.approx(2.0, rel=0.03)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str, list[str]]]:
    store, project, people = study(tmp_path_factory.mktemp("study"), 20)
    yield store, project, people
    store.close()


def test_a_page_is_put_together_and_counted_on(read: tuple[Store, str, list[str]]) -> None:
    store, project, _ = read
    ledger = Ledger(project)
    ledger.catch_up(store)
    now = datetime.fromisoformat(spent(store, project, after=0, limit=1)[0].submitted)
    found = effort(store, project, ledger, now=now)
    assert (found.reads, found.planned) == (60, 60)
    assert [one.reads for one in found.readers] == [20, 20, 20]
    assert all(one.median == pytest.approx(4.0, rel=0.04) for one in found.readers)
    assert found.spent is not None
    assert sum(found.spent.values()) == pytest.approx(60 * 4 / 3600, rel=0.03)
    assert effort(store, project, None, now=now).ready is False
    before = ledger.until
    ledger.catch_up(store)  # nothing came
    assert ledger.until == before
    rows = as_table(found)
    assert rows[0][:2] == ["reader", "work"]
    assert len(rows) == 4
    what = what_if(found, cases=100_000, readers=3, labelled=0.1, review=20)
    assert what.by_hand.hours == pytest.approx(100_000 * 3 * 4 / 3600, rel=0.03)


def test_the_seeds_example_is_what_the_formula_gives() -> None:
    by_hand = cost(steps_of(100_000, 600, readers=3))
    with_model = cost(steps_of(100_000, 600, readers=3, labelled=0.1, review_seconds=20))
    assert round(by_hand.person_years, 2) == 24.80
    assert round(with_model.person_years, 2) == 3.22


def test_rates_and_plan_are_kept_and_held_against(read: tuple[Store, str, list[str]]) -> None:
    store, project, _ = read
    ledger = Ledger(project)
    ledger.catch_up(store)
    fields = {"rate:reader": "90,5", "currency": "EUR", "hours": "0.05", "deadline": "2030-01-31"}
    save_terms(store, project, fields, by="system")
    assert get_effort_terms(store, project)["rates"] == {"reader": 90.5}
    found = effort(store, project, ledger, now=NOW)
    (role,) = found.roles
    assert (role.name, role.people) == ("reader", 3)
    assert found.money == pytest.approx(90.5 * role.hours)
    assert "more than the 0 h planned" in found.against
    assert found.late
    for wrong in ({"hours": "many"}, {"rate:reader": "-3"}, {"deadline": "soon"}, {"hours": "nan"}):
        with pytest.raises(InputError):
            save_terms(store, project, wrong, by="system")
    save_terms(store, project, {}, by="system")
    assert get_effort_terms(store, project) == {}


def test_of_nothing_nothing_is_said(tmp_path: Path) -> None:
    store, project, _ = study(tmp_path, 1)
    found = effort(store, project, Ledger(project), now=NOW)
    assert found.left is None
    assert found.end is None
    with pytest.raises(InputError, match="have a time"):
        what_if(found, cases=1, readers=1, labelled=1, review=1)
    store.close()


def test_counting_pages_at_once_is_counting_one_by_one(tmp_path: Path) -> None:
    store, project, _ = study(tmp_path, 10)
    one_by_one, at_once = Ledger(project), Ledger(project)
    for each in spent(store, project, after=0, limit=1_000):
        one_by_one.take(each)
    at_once.catch_up(store)
    assert at_once == one_by_one
