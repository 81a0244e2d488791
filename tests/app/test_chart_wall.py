"""Charts as pictures: one scale for a metric, the same metrics on every card, blocks of reads."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from overread.app.quality import quality_board
from overread.app.quality.chart_wall import (
    ChartLine,
    charts_of,
    common_reach,
    interval,
    key_charts,
    key_metrics,
    picture,
    scaled,
)
from overread.app.quality.reader_board import reader_page
from overread.app.quality.watch_memory import NOT_LOOKED
from overread.app.quality.watch_project import ProjectWatch
from overread.monitoring import Metric
from overread.store import list_alarms
from overread.store.errors import NotFoundError
from tests.app.test_watch_project import SHRINK, Study

SIZE = Metric("log_area", "size", "{} larger", "{} smaller", scale="log")


def line(*points: float, share: float = 0.1, key: str = "log_area") -> ChartLine:
    return ChartLine(key, key, points, share, "")


def heights(path: str) -> list[float]:
    return [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)h0", path)]


def test_the_same_value_lies_at_the_same_height_on_every_card() -> None:
    quiet, wild = [0.0, 0.1, -0.1], [0.0, 0.1, 0.8]
    reach = common_reach(SIZE, [quiet, wild])
    drawn = [picture(scaled(line(*one), SIZE, reach), 200, 52) for one in (quiet, wild)]
    assert heights(drawn[0].dots)[1] == heights(drawn[1].dots)[1]
    assert heights(drawn[0].dots)[0] == 26
    assert all(3 <= y <= 49 for one in drawn for y in heights(one.dots))
    # a difference of nothing is not blown up to the edge
    still = picture(scaled(line(1e-12, -1e-12), SIZE, common_reach(SIZE, [[1e-12]])), 200, 52)
    assert heights(still.dots) == [26, 26]


def test_one_read_and_values_beyond_the_scale_are_drawn() -> None:
    one = picture(scaled(line(9.0), SIZE, 1.0), 200, 52)
    assert heights(one.dots) == [3]
    assert one.line.startswith("M3.0 ")


def test_cards_hold_the_same_metrics_and_what_is_near_an_alarm() -> None:
    keys = key_metrics({"a": 0.1, "b": 0.8, "c": 0.3, "d": 0.2}, ["a", "b", "c", "d"])
    assert keys == ["b", "c", "d"]
    charts = [line(0.0, key="a", share=0.9), line(0.0, key="b"), line(0.0, key="e")]
    assert [one.key for one in key_charts(charts, keys)] == ["a", "b"]


def test_intervals_of_blocks() -> None:
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        mean, low, high = interval(rng.normal(0.3, 1, 12).tolist())
        assert low < mean < high
        held += low <= 0.3 <= high
    assert 0.92 <= held / 400 <= 0.98
    assert np.isnan(interval([1.0])[1])


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, ProjectWatch]:
    study = Study(tmp_path_factory.mktemp("alarmed"), 100)
    watch = ProjectWatch(study.project)
    study.read(60)
    study.read(25, shrink=SHRINK)
    watch.catch_up(study.store)
    return study, watch


def test_the_wall_is_worst_first_and_a_metric_can_be_chosen(
    alarmed: tuple[Study, ProjectWatch],
) -> None:
    study, watch = alarmed
    board = quality_board.quality(study.store, study.project, watch)
    assert board.readers[0].state == "paused"
    assert board.readers[0].id == study.readers[0]
    sizes = {
        chart.reach
        for one in board.readers
        for line_ in one.questions
        for chart in line_.charts
        if chart.key == "log_area"
    }
    assert len(sizes) == 1
    assert ("fractures", "log_area", "size of the boxes") in board.metrics
    one = quality_board.quality(study.store, study.project, watch, chosen="fractures:log_area")
    assert {chart.key for r in one.readers for q in r.questions for chart in q.shown} == {
        "log_area"
    }
    assert not any(q.more for r in one.readers for q in r.questions)
    nothing = quality_board.quality(study.store, study.project, watch, chosen="x:<y>")
    assert not any(q.shown for r in nothing.readers for q in r.questions)


def test_a_readers_page_tells_all_charts_and_what_was_done(
    alarmed: tuple[Study, ProjectWatch],
) -> None:
    study, watch = alarmed
    shown = reader_page(study.store, study.project, study.readers[0], watch)
    (alarm,) = list_alarms(study.store, study.project)
    assert [one.path for one in shown.done if "Alarm" in one.words] == [f"/alarms/{alarm.id}"]
    ((prompt, charts),) = shown.charts
    assert prompt == "Box each fracture"
    assert [one.share for one in charts] == sorted((one.share for one in charts), reverse=True)
    for one in charts:
        assert sum(block.count for block in one.blocks) == len(one.points)
        assert [block.first for block in one.blocks] == sorted(block.first for block in one.blocks)
    assert shown.counts is not None
    assert shown.counts.median_seconds == 8.0
    with pytest.raises(NotFoundError):
        reader_page(study.store, study.project, "nobody", watch)


def test_blocks_follow_the_plan_where_it_has_all_cases(
    alarmed: tuple[Study, ProjectWatch],
) -> None:
    study, watch = alarmed
    of = watch.questions["fractures"].shown
    assert of.design is not None
    state = of.states[study.readers[1]]
    cases = list(dict.fromkeys(one.case for one in state.recent))
    parts = {case: f"sub-batch 1.{1 + at // 25}" for at, case in enumerate(cases)}
    size = next(one for one in charts_of(of.design, state, most=300, parts=parts))
    assert [one.words for one in size.blocks][:2] == ["sub-batch 1.1", "sub-batch 1.2"]
    assert size.blocks[0].count == 25
    del parts[cases[0]]
    size = next(one for one in charts_of(of.design, state, most=300, parts=parts))
    assert size.blocks[0].words == "reads 1 to 20"


def test_pages_see_charts_that_belong_together(tmp_path: Path) -> None:
    study = Study(tmp_path, 40)
    watch = ProjectWatch(study.project)
    told = quality_board.quality(study.store, study.project, None).readers
    assert {one.words for one in told} == {"Nothing read yet."}
    study.read(30)
    told = quality_board.quality(study.store, study.project, None).readers
    assert {one.words for one in told} == {NOT_LOOKED}
    watch.catch_up(study.store)
    one = watch.questions["fractures"]
    was = one.shown
    one.states.clear()  # as while the charts are worked out anew
    assert set(was.states) == set(study.readers)
    board = quality_board.quality(study.store, study.project, watch)
    assert all(line_.charts for reader in board.readers for line_ in reader.questions)
