"""Where disagreement comes from: cases, classes and pairs as a brute count finds them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.app.analysis.disagreement import disagreement, share
from overread.app.analysis.disputes import disputes
from overread.app.analysis.project_reads import Said
from overread.app.quality import adjudication_queue
from overread.app.quality.adjudication_queue import queue
from overread.app.quality.disagreement_board import Asked, board, send
from overread.app.study.project_model import project_model
from overread.errors import InputError
from overread.protocol import read_protocol
from overread.store import Store, add_user, open_store
from overread.store.errors import NotFoundError
from overread.store.quality.wishes import wished_cases
from tests.app.test_project_model import TEXT, study

QUESTIONS = {one.id: one for one in read_protocol(TEXT).questions}
GRADES = ("none", "some", "much")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.lists(st.sampled_from([None, *GRADES]), min_size=1, max_size=4), min_size=1, max_size=8
    )
)
def test_grades_are_counted_as_by_hand(cases: list[list[str | None]]) -> None:
    said = [
        Said(f"c{at}", f"r{who}", value)
        for at, values in enumerate(cases)
        for who, value in enumerate(values)
    ]
    found = disagreement(QUESTIONS["grade"], said)
    assert found.disputes == disputes(QUESTIONS["grade"], said)
    assert found.double == sum(len(one) > 1 for one in cases)
    for first, second in combinations(range(4), 2):
        both = [one for one in cases if len(one) > second]
        differ = sum(one[first] != one[second] for one in both)
        this = found.by_pair.get((f"r{first}", f"r{second}"))
        assert (this is None) == (not both)
        if this is not None:
            assert (this.count, this.of) == (differ, len(both))
    for name in GRADES:
        named = [one for one in cases if len(one) > 1 and name in one]
        lone = [one for one in named if len({x for x in one if x is not None}) > 1]
        unread = [one for one in named if None in one and one not in lone]
        this = found.by_class.get(name)
        assert (this is None) == (not named)
        if this is not None:
            assert this.of == len(named)
            assert len(lone) <= this.count <= len(lone) + len(unread)


def test_findings_without_a_partner_put_their_class_at_stake() -> None:
    def box(x: float) -> dict[str, Any]:
        return {"id": str(x), "class": "spot", "frame": 0, "x1": x, "y1": 0, "x2": x + 5, "y2": 5}

    said = [Said("a", "r0", [box(0)]), Said("a", "r1", [box(0.5)])]  # they overlap
    said += [Said("b", "r0", [box(0)]), Said("b", "r1", [box(20)])]
    said += [Said("c", "r0", [box(0)]), Said("c", "r1", [])]
    found = disagreement(QUESTIONS["spots"], said)
    assert set(found.apart) == {"b", "c"}
    assert found.apart["b"].classes == ("spot",)
    assert found.apart["c"].pairs == (("r0", "r1"),)
    assert (found.by_class["spot"].count, found.by_class["spot"].of) == (2, 3)


def test_scores_a_little_apart_are_nobody_s_opinion() -> None:
    said = [Said("a", "r0", 50.0), Said("a", "r1", 55.0), Said("b", "r0", 50.0)]
    said += [Said("b", "r1", 60.0)]
    found = disagreement(QUESTIONS["size"], said)
    assert found.by_pair["r0", "r1"].count == 1


def test_the_interval_is_wilson_s() -> None:
    # Brown, Cai and DasGupta 2001, Stat. Sci. 16(2): 0 of 10 gives 0 to 0.2775
    assert share(0, 10).high == pytest.approx(0.27753, abs=1e-5)
    assert share(10, 10).low == pytest.approx(1 - 0.27753, abs=1e-5)
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, list[str]]:
    """A study that nobody opens, to be copied."""
    folder = tmp_path_factory.mktemp("study")
    store, project, people = study(folder, 24)
    store.close()
    return folder, project, people


@pytest.fixture
def read(
    made: tuple[Path, str, list[str]], tmp_path: Path
) -> Iterator[tuple[Store, str, list[str]]]:
    """One of its own."""
    folder, project, people = made
    store = open_store(copytree(folder, tmp_path / "study") / "store.db", sync=False)
    yield store, project, people
    store.close()


def test_the_board_is_the_same_by_the_model(read: tuple[Store, str, list[str]]) -> None:
    store, project, people = read
    model = project_model(store, project)
    small = board(store, project, model, Asked(), limit=100)
    asked = [one.score for one in small.lines]
    assert asked == sorted(asked, reverse=True)
    assert small.count == len(small.lines)
    assert model.ranked is not None
    assert {one.case for one in small.lines} == set(model.ranked.cases)
    pair = ",".join(sorted(people[1:]))
    one = board(store, project, model, Asked(question="grade", pair=pair))
    (bar,) = [x for x in one.by_pair if x.key == pair]
    assert one.count == bar.share.count
    guesser = {",".join(sorted((people[2], other))) for other in people[:2]}
    assert {x.key for x in one.by_pair} == guesser  # the careful two agree
    first = board(store, project, model, Asked(), limit=5)
    rest = board(store, project, model, Asked(after=first.next or 0), limit=100)
    assert [x.case for x in (*first.lines, *rest.lines)] == [x.case for x in small.lines]


def test_cases_are_sent_one_or_all_from_a_doubt_on(read: tuple[Store, str, list[str]]) -> None:
    store, project, _ = read
    model = project_model(store, project)
    lines = board(store, project, model, Asked(), limit=100).lines
    assert send(store, project, model, Asked(), by="system", case=lines[0].case) == 1
    level = float(np.median([one.score for one in lines]))
    above = {one.case for one in lines if one.score >= level}
    assert send(store, project, model, Asked(least=level), by="system") == len(above) - 1
    assert wished_cases(store, project) == above
    now = board(store, project, model, Asked(), limit=100)
    assert {one.case for one in now.lines if one.state == "sent"} == above
    assert now.open == len(lines) - len(above)
    with pytest.raises(InputError, match="disputed"):
        send(store, project, model, Asked(least=1e5), by="system")
    with pytest.raises(NotFoundError):
        send(store, project, model, Asked(), by="system", case="none")
    for wrong in (Asked(pair="x"), Asked(group="patient=1")):
        with pytest.raises(InputError):
            board(store, project, model, wrong)


def test_the_queue_of_a_large_project_is_that_of_a_small_one(
    read: tuple[Store, str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's order, filtered, gives what a look at every disputed case gives."""
    store, project, people = read
    lead = add_user(store, "lead@example.org", "Lead", "lead", "system").id
    model = project_model(store, project)
    whole = queue(store, project, lead, model)
    assert whole.count > 4
    last = whole.waiting[-1].case
    assert send(store, project, model, Asked(), by=lead, case=last) == 1
    assert queue(store, project, lead, model).waiting[0].case == last
    for shown in (200, 3):
        monkeypatch.setattr(adjudication_queue, "_SHOWN", shown)
        for who in (lead, *people):
            monkeypatch.setattr(adjudication_queue, "_AT_ONCE", 2_000)
            small = queue(store, project, who, model)
            monkeypatch.setattr(adjudication_queue, "_AT_ONCE", -1)
            assert queue(store, project, who, model) == small
    assert not queue(store, project, lead, None).ready
