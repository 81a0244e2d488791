"""A simulation as a sheet for the report, and as a table for further work."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from overread import __version__
from overread.app.analysis.simulate import Simulation
from overread.app.analysis.simulate_curves import Curve, Reached
from overread.exchange.atomic import written
from overread.report import Sheet
from overread.report.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Figure,
    Legend,
    Section,
    Table,
    Terms,
    Text,
)
from overread.words import percent

_DRAWN = (
    ("accuracy", "Accuracy", "share right of the held-back cases"),
    ("balanced", "Balanced accuracy", "mean recall of the classes: rare ones count as much"),
    ("pool", "The whole set", "share of all labels right, those read counted as right"),
    ("ece", "Calibration error", "how far stated chances are from what happens; 0 is best"),
    ("kappa", "Quadratic kappa", "agreement of grades beyond chance"),
    ("mae", "Mean error in grades", "of the median grade; 0 is best"),
)
_PLAIN = ("kappa", "mae")


@dataclass(frozen=True, slots=True)
class About:
    """What the sheet says of itself. Args: encoders: how images became latents."""

    title: str
    source: str
    date: str
    encoders: tuple[str, ...] = ()


def simulation_table(found: Simulation) -> pl.DataFrame:
    """One row a strategy, number of labels and measure: mean, low, high over the seeds."""
    rows = [
        {
            "strategy": curve.name, "acquisition": curve.strategy.acquisition,
            "start": curve.strategy.start, "model": curve.strategy.model,
            "labels": int(n), "measure": name, "mean": _number(curve.mean[name][at]),
            "low": _number(curve.low[name][at]), "high": _number(curve.high[name][at]),
        }
        for curve in found.curves
        for name in curve.mean
        for at, n in enumerate(curve.labels.tolist())
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def write_simulation_table(found: Simulation, path: Path) -> Path:
    """Write :func:`simulation_table` as CSV, all of it or nothing."""
    with written(path) as part:
        simulation_table(found).write_csv(part)
    return path


def simulation_sheet(found: Simulation, about: About) -> Sheet:
    """Lay out a simulation.

    Raises:
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    from overread.report import require  # noqa: PLC0415 - charts are an extra

    require()
    seeds = f"{found.seeds} seed{'s' if found.seeds > 1 else ''}"
    encoded = f"Images were described by {', '.join(about.encoders)}. " if about.encoders else ""
    how = (
        f"{encoded}{found.cases:,} cases, of which {found.held_back:,} were held back (whole "
        f"groups) and measured on; {seeds}, each with other held-back cases. Bars are 95 % "
        "intervals of the mean over the seeds."
    )
    return Sheet(
        about.title,
        ("simulation", about.source, about.date),
        about.date,
        __version__,
        (("Result", result_words(found)), ("How", how)),
        _figures(found),
        (_curves(found), _reached(found), _classes(found), _terms()),
    )


def result_words(found: Simulation) -> str:
    """The answer in a sentence or two."""
    aim = f"{percent(found.share)} of the accuracy that all labels give ({percent(found.full, 1)})"
    done = [one for one in found.reached if one.labels is not None]
    if not done:
        most = int(found.curves[0].labels[-1])
        return f"No strategy reached {aim} within {most:,} labels."
    best = min(done, key=lambda one: one.labels or 0)
    words = f"Best: {best.name} needed {best.labels:,} labels{_interval(best)} for {aim}"
    times = f", {best.times:.1f} times fewer than random order" if best.times > 1.05 else ""
    hours = f"{best.hours:,.1f} hours instead of labelling all: {percent(best.saved)} less"
    return f"{words}{times}; {hours}."


def _interval(one: Reached) -> str:
    if one.low is None and one.high is None:
        return ""
    high = "not reached" if one.high is None else f"{one.high:,}"
    return f" ({one.low:,} to {high})" if one.low is not None else ""


def _figures(found: Simulation) -> tuple[Figure, ...]:
    done = [one for one in found.reached if one.labels is not None]
    first = min(done, key=lambda one: one.labels or 0) if done else found.reached[0]
    labels = "not reached" if first.labels is None else f"{first.labels:,}"
    hours = "-" if math.isnan(first.hours) else f"{first.hours:,.1f}"
    return (
        Figure(labels, f"labels for {percent(found.share)}", f"{first.name}{_interval(first)}"),
        Figure(hours, "hours", "the rest is reviewed"),
        Figure(percent(found.full, 1), "accuracy with all labels", "on held-back cases"),
        Figure(f"{found.cases:,}", "cases", f"{len(found.classes)} classes"),
    )


def _curves(found: Simulation) -> Section:
    from overread.report.charts.learning import Line, learning_curves  # noqa: PLC0415 - an extra

    names = tuple((place, curve.name) for place, curve in enumerate(found.curves))
    charts: list[Chart] = []
    for measure, title, words in _DRAWN:
        if measure not in found.curves[0].mean:
            continue
        lines = [
            Line(
                curve.name, place, curve.labels.tolist(), curve.mean[measure].tolist(),
                curve.low[measure].tolist(), curve.high[measure].tolist(),
            )
            for place, curve in enumerate(found.curves)
        ]  # fmt: skip
        level = found.full if measure == "accuracy" else None
        drawn = learning_curves(lines, axis=title, percent=measure not in _PLAIN, level=level)
        charts.append(Chart(title, drawn, _alt(found.curves, measure, title), words, wide=False))
    blocks: tuple[Block, ...] = (Legend(names, title="Strategies"), Charts(tuple(charts)))
    lead = (
        "What each strategy gives at each number of labels; dashed: all labels. Intervals that "
        "leave a chart are wider still."
    )
    return Section("curves", "Curves", lead, blocks)


def _alt(curves: tuple[Curve, ...], measure: str, title: str) -> str:
    last = ", ".join(f"{c.name} {c.mean[measure][-1]:.3f}" for c in curves)
    return f"{title} by number of labels; at the last: {last}"


def _reached(found: Simulation) -> Section:
    columns = (
        ("Strategy", "name"), ("Labels", "number"), ("95 % interval", "number"),
        ("Fewer than random", "number"), ("Hours", "number"), ("Saved", "number"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(one.name, reader=place),
            Cell("not reached" if one.labels is None else f"{one.labels:,}"),
            Cell(_interval(one).strip(" ()") or "-"),
            Cell("-" if math.isnan(one.times) else f"{one.times:.1f} x"),
            Cell("-" if math.isnan(one.hours) else f"{one.hours:,.1f}"),
            Cell("-" if math.isnan(one.saved) else percent(one.saved)),
        )
        for place, one in enumerate(found.reached)
    )
    work = found.labour
    who = "one reader takes" if work.readers == 1 else f"{work.readers} readers each take"
    words = (
        f"Hours: {who} {work.label:g} s for each labelled case, and one person "
        f"{work.review:g} s to look at each of the rest. Saved is against labelling all."
    )
    title = f"Labels for {percent(found.share)} of the accuracy with all labels"
    table = Table(title, tuple(Column(*one) for one in columns), rows)
    return Section("labels", "Labels and hours needed", title + ".", (table, Text(words)))


def _classes(found: Simulation) -> Section:
    at = len(found.curves[0].labels) // 2
    n = int(found.curves[0].labels[at])
    columns = [Column("Strategy", "name"), *(Column(name, "number") for name in found.classes)]
    rows = tuple(
        (
            Cell(curve.name, reader=place),
            *(Cell(_share(curve.mean[f"recall {name}"][at])) for name in found.classes),
        )
        for place, curve in enumerate(found.curves)
    )
    table = Table(f"Recall at {n:,} labels", tuple(columns), rows)
    lead = "Share of each class that is recognised: overall accuracy hides the rare ones."
    return Section("classes", "Each class", lead, (table,))


def _terms() -> Section:
    words = Terms(tuple((title, meaning) for _, title, meaning in _DRAWN))
    note = Text(
        "A replay knows the labels of the past: it tells what such a project takes on images "
        "like these, read by readers like these. A new set may be harder; the live curve of a "
        "project is what decides when to stop."
    )
    return Section(
        "words", "What the words mean", "And what a simulation cannot tell.", (words, note)
    )


def _share(value: float) -> str:
    return "-" if math.isnan(value) else percent(value)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
