"""Charts: the standardised observations, the false-alarm budget, changes found, dated and named."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from overread.app.analysis.watch_readers import levels_table, watch_readers
from overread.errors import InputError, MethodError
from overread.labels import Kind, class_reads
from overread.monitoring import (
    Chart,
    Limits,
    Policy,
    Settings,
    chance_of_false_alarm,
    chart_points,
    decide,
    design_charts,
    design_of,
    observe,
    release,
    seen_of,
    start,
    state_of,
    to_document,
    update,
)
from overread.monitoring.change_point import date_change
from overread.monitoring.chart import at_odds, level_of, log_ratio, step_number, step_rate
from overread.monitoring.design import standard_normals
from tests.app.small_reads import READS
from tests.monitoring import reads as made

LIMITS = Limits(rate=False, between=0.5, k=0.5, smoothing=0.05, odds=2.5, k_level=1.0)
RATE = Limits(rate=True, between=0.3, k=0.5, smoothing=0.05, odds=2.5, k_level=1.0)


def test_standardised_observations_are_independent_standard_normals():
    # readers drawn from the prior: levels of spread 0.5, spreads of their own
    rng = np.random.default_rng(0)
    u = []
    for _ in range(1500):
        sd = 1 / math.sqrt(rng.gamma(5, 1 / 5))
        level = rng.normal(0, 0.5 * sd)
        chart, found = Chart(), []
        for z in rng.normal(level, sd, 12):
            chart, one = step_number(LIMITS, chart, z)
            found.append(one)
        u.append(found)
    u = np.array(u)
    for column in (u[:, 0], u[:, 3], u[:, -1]):
        assert stats.kstest(column, "norm").pvalue > 0.001
    assert abs(np.corrcoef(u.T)[np.triu_indices(12, 1)]).max() < 0.1


def test_all_at_once_is_one_by_one():
    rng = np.random.default_rng(1)
    z, reader = rng.normal(size=200) * 1.5, rng.integers(0, 3, 200)
    charts, found = [Chart()] * 3, []
    for value, who in zip(z, reader, strict=True):
        charts[who], u = step_number(LIMITS, charts[who], value)
        found.append(u)
    np.testing.assert_allclose(standard_normals(LIMITS, z, reader), found, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 0.9), st.floats(1.1, 8), st.sampled_from([1, -1]), st.floats(0, 1))
def test_rate_chart_is_a_likelihood_ratio(p, odds, sign, part):
    raised = at_odds(p, sign * math.log(odds))
    if 0.003 < raised < 0.97:
        ratio = odds**sign
        assert log_ratio(1, p, ratio) == pytest.approx(math.log(raised / p))
        assert log_ratio(0, p, ratio) == pytest.approx(math.log((1 - raised) / (1 - p)))
        # under the rate the expected ratio is 1; a share in place of a yes makes it smaller
        whole = p * math.exp(log_ratio(1, p, ratio)) + (1 - p) * math.exp(log_ratio(0, p, ratio))
        assert whole == pytest.approx(1)
        share = part * log_ratio(1, p, ratio) + (1 - part) * log_ratio(0, p, ratio)
        assert (
            math.exp(share)
            <= part * math.exp(log_ratio(1, p, ratio))
            + (1 - part) * math.exp(log_ratio(0, p, ratio))
            + 1e-12
        )


def test_rate_level_is_learned():
    rng, chart = np.random.default_rng(2), Chart()
    for _ in range(4000):
        chart, _ = step_rate(RATE, chart, float(rng.random() < 0.4), 0.2)
    assert level_of(RATE, chart)[0] == pytest.approx(math.log((0.4 / 0.6) / (0.2 / 0.8)), abs=0.1)


@given(st.integers(0, 1000), st.integers(5, 60), st.integers(6, 60), st.floats(2.0, 4.0))
@settings(deadline=None, max_examples=40)
def test_change_is_dated(seed, before, after, size):
    rng = np.random.default_rng(seed)
    values = np.r_[rng.normal(size=before), rng.normal(size, 1, after)]
    found = date_change(values)
    assert found.low <= found.at <= found.high
    assert abs(found.at - before) <= 8


def test_dating_covers_as_stated():
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(400):
        found = date_change(np.r_[rng.normal(size=60), rng.normal(1.2, 1, 25)])
        inside.append(found.low <= 60 <= found.high)
    assert np.mean(inside) > 0.9


@pytest.mark.parametrize("make", [made.grades, made.scores, made.sets, made.boxes, made.instances])
def test_who_does_not_change_is_left_in_peace(make):
    for seed in range(2):
        watched = watch_readers(make(300, seed=seed))
        assert watched.alarms == ()
        assert watched.why_not == ""
        assert {one.reader for one in watched.levels} == set(made.NAMES)


CHANGES = [
    (made.boxes, made.shrink(0.3), 0, ["boxes 3", "boxes 2"]),
    (made.boxes, made.shrink(0.3), 70, ["boxes 3", "boxes 2"]),
    (made.boxes, made.lower_edge(0.3), 70, ["smaller, mostly at the lower edge"]),
    (made.boxes, made.shift(0.2), 70, ["of their width to the right"]),
    (made.boxes, made.anywhere, 0, ["no longer related"]),
    (made.instances, made.shrink(0.3), 0, ["outlines 3", "outlines 2"]),
    (made.grades, lambda rng, said: said + (rng.random(said.size) < 0.7), 0, ["higher"]),
    (made.grades, lambda rng, said: said + (rng.random(said.size) < 0.7), 70, ["higher"]),
    (made.grades, lambda rng, said: rng.integers(0, 5, said.size), 70, ["no longer related"]),
    (made.scores, lambda _, said: said + 6, 70, ["higher"]),
    (made.scores, lambda rng, said: rng.uniform(20, 80, said.size), 70, ["related", "farther"]),
    (made.sets, lambda _, said: said * 0, 70, ["fewer findings", "differ"]),
]


@pytest.mark.parametrize(("make", "change", "since", "words"), CHANGES)
def test_change_is_found_dated_and_named(make, change, since, words):
    watched = watch_readers(make(150, seed=5, change=change, since=since))
    reader, alarm = watched.alarms[0]
    assert {who for who, _ in watched.alarms} == {"Ada"}
    assert reader == "Ada"
    assert since <= alarm.number < since + 70
    assert alarm.since_low <= since + 12
    assert abs(alarm.since - since) <= 20
    # a handful of reads alarms, and does not tell yet that nothing is related to anything
    told = [one.words for _, one in watched.alarms]
    assert any(word in one for word in words for one in told[:2]), told
    assert alarm.effect.low <= alarm.effect.value <= alarm.effect.high
    found = [one.score for one in alarm.worst]
    assert found
    assert found == sorted(found, reverse=True)
    if alarm.last_good_row is not None:
        assert alarm.last_good_row <= 3 * (since + 12)


def test_masks_that_shrink_are_named_in_mm():
    watched = watch_readers(made.masks(80, change=lambda _, radius: radius - 1.0, since=40))
    reader, alarm = watched.alarms[0]
    assert reader == "Ada"
    border = next(one for one in alarm.effects if one.metric == "border")
    assert border.unit == "mm"
    assert border.value == pytest.approx(-0.5, abs=0.2)


def test_slow_reader_is_told_too():
    rng = np.random.default_rng(0)
    case, reader = made.who(300)
    seconds = np.exp(rng.normal(3, 0.3, case.size))
    seconds[(reader == 1) & (case >= 100)] /= 2
    label = rng.integers(0, 2, 300)[case]
    reads = class_reads(case, [made.NAMES[r] for r in reader], label, seconds=seconds)
    watched = watch_readers(reads)
    assert watched.alarms[0][0] == "Ben"
    assert "faster" in watched.alarms[0][1].words


@pytest.mark.parametrize("kind", list(Kind))
def test_few_reads_are_explained(kind):
    watched = watch_readers(READS[kind]())
    assert "60 overlap reads" in watched.why_not
    assert watched.alarms == ()
    assert levels_table(watched).height == 0


def test_one_reader_is_explained():
    watched = watch_readers(class_reads(range(80), ["x"] * 80, [1] * 80, schema=["0", "1"]))
    assert "of one reader" in watched.why_not


def test_all_alike_is_no_failure():
    case, reader = made.who(60)
    watched = watch_readers(class_reads(case, reader, [1] * case.size, schema=["0", "1"]))
    assert watched.alarms == ()
    assert all(math.isfinite(one.level) for one in watched.levels)


@cache
def designed():
    found = observe(made.boxes(160, change=made.shrink(0.4), since=80))
    return design_charts(found, kind="box"), found


def test_update_is_pure_and_states_are_json():
    design, found = designed()
    mine = found.select(found.reader == 0)
    states = [start(design)]
    alarm = None
    for one in seen_of(design, mine):
        state, raised = update(design, states[-1], one)
        alarm = alarm or raised
        states.append(state)
    again = json.loads(json.dumps(to_document(design), allow_nan=False))
    assert design_of(again) == design
    middle = json.loads(json.dumps(to_document(states[50]), allow_nan=False))
    state = state_of(middle)
    assert state == states[50]
    for one in seen_of(design, mine)[50:]:
        state, _ = update(design, state, one)
    assert state == states[-1]
    assert alarm is not None
    assert state_of(json.loads(json.dumps(to_document(states[-1])))) == states[-1]
    assert states[0] == start(design)


def test_after_an_alarm_the_charts_stand_still_until_release():
    design, found = designed()
    seen = seen_of(design, found.select(found.reader == 0))
    state = start(design)
    for at, one in enumerate(seen):  # noqa: B007 - used below
        state, alarm = update(design, state, one)
        if alarm is not None:
            break
    stopped, none = update(design, state, seen[at + 1])
    assert none is None
    assert stopped.charts == state.charts
    assert stopped.reads == state.reads + 1
    place = [one.key for one in design.metrics].index("log_area")
    held = release(design, stopped)
    assert held.alarm is None
    assert held.charts[place].up > 0  # the fast initial response
    assert abs(level_of(design.limits[place], held.charts[place])[0]) < 0.7
    taken = release(design, stopped, accept=True)
    assert taken.charts[place].own
    assert taken.charts[place].accepted < -0.8
    assert release(design, held) == held


def test_who_has_not_changed_back_alarms_again_soon():
    design, found = designed()
    state, alarms = start(design), []
    for one in seen_of(design, found.select(found.reader == 0)):
        state, alarm = update(design, state, one)
        if alarm is not None:
            alarms.append(alarm.number)
            state = release(design, state)
    assert len(alarms) >= 3
    assert alarms[1] - alarms[0] <= 8


def test_chart_points_have_limits_at_one():
    design, found = designed()
    points = chart_points(design, seen_of(design, found.select(found.reader == 0)), "log_area")
    raised = [one for one in points if one.alarm]
    assert raised
    assert all(max(one.up, -one.down) > 1 for one in raised)
    calm = [one for one in points if one.number < 80]
    assert all(one.up <= 1 and one.down >= -1 for one in calm)
    assert len(chart_points(design, [], "iou", last=5)) == 0


def test_decisions_follow_the_policy():
    design, found = designed()
    state = start(design)
    for one in seen_of(design, found.select(found.reader == 0)):
        state, alarm = update(design, state, one)
        if alarm is not None:
            break
    assert decide(alarm, Policy("warn", "warn", "warn")).action == "warn"
    assert decide(alarm).why == alarm.words
    assert decide(alarm).quarantine_after_row == alarm.last_good_row


def test_limits_widen_with_the_run_length():
    found = observe(made.grades(200))
    short = design_charts(found, settings=Settings(run_length=500))
    long = design_charts(found, settings=Settings(run_length=50_000))
    for one, two in zip(short.limits, long.limits, strict=True):
        if one is not None:
            assert two.change_up > one.change_up
            assert two.level_up > one.level_up


def test_budget_holds():
    """False alarms of readers who do not change: at most as many as designed."""
    design = design_charts(
        observe(made.scores(800, seed=10)), kind="score", settings=Settings(run_length=400)
    )
    alarms = reads = 0
    for seed in range(3):
        found = observe(made.scores(700, seed=20 + seed))
        states = {}
        for one, who in zip(seen_of(design, found), found.reader.tolist(), strict=True):
            state, alarm = update(design, states.get(who) or start(design), one)
            alarms += alarm is not None
            states[who] = state if alarm is None else start(design)
        reads += found.n
    # 15.75 expected at the most, with Poisson noise
    assert alarms <= stats.poisson.ppf(0.999, reads / 400)
    assert alarms >= 1  # and the charts are alive


def test_settings_are_checked():
    for wrong in (
        {"run_length": 5}, {"k": 0}, {"smoothing": 1}, {"odds": 1}, {"tolerance": -1},
        {"shares": (1.0, 0.0, 0.0)},
    ):  # fmt: skip
        with pytest.raises(InputError):
            Settings(**wrong)
    with pytest.raises(MethodError, match="60 overlap reads"):
        design_charts(observe(made.grades(10)))
    assert chance_of_false_alarm(40_000, 2000) < 0.05
