"""From the parts of each comparison to figures: overall, by pair, reader, class and subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from overread.agreement.bootstrap import Ratios, ratio_intervals
from overread.agreement.breakdown import Breakdown, PairMatrix
from overread.agreement.comparisons import Comparisons, unit_of
from overread.agreement.estimate import Estimate
from overread.arrays import Bools, Floats, Ints
from overread.errors import InputError
from overread.labels import ReadIndex

_FEW = 10


@dataclass(frozen=True, slots=True)
class Measure:
    """What a figure is called, and how it is read.

    Args:
        key, name, unit: as in :class:`Estimate`.
        words: its meaning with "{value}" in place, and "{more}" for the way a sign points.
        missing: why there is no figure when nothing is summed.
        share: lies in 0 .. 1 by definition.
        log: the mean is one of log ratios; it is shown as a percentage more or less.
        oriented: changes when the two readers change places; shown for pairs and against the rest.
        worse: advice for a figure on the wrong side of ``limit``.
        ways: what "{more}" says of a positive and of a negative figure.
        limit: below it (above it where ``low_is_good``) the advice is given.
        low_is_good: small values are good ones.
    """

    key: str
    name: str
    unit: str
    words: str
    missing: str
    share: bool = False
    log: bool = False
    oriented: bool = False
    worse: str = ""
    limit: float = float("nan")
    low_is_good: bool = False
    ways: tuple[str, str] = ("more", "less")


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Numerators and denominators of all measures for each comparison.

    Args:
        top, bottom: (rows, measures) of the first reader against the second, not yet weighted.
        mirror_top, mirror_bottom: the same with the readers' places changed.
    """

    top: Floats
    bottom: Floats
    mirror_top: Floats
    mirror_bottom: Floats

    def select(self, rows: Bools | Ints) -> Parts:
        """These rows only."""
        return Parts(
            self.top[rows], self.bottom[rows], self.mirror_top[rows], self.mirror_bottom[rows]
        )

    def swapped(self) -> Parts:
        """Seen from the other reader."""
        return Parts(self.mirror_top, self.mirror_bottom, self.top, self.bottom)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the intervals. Args: see :func:`overread.agreement.bootstrap.ratio_intervals`."""

    level: float = 0.95
    draws: int = 2000
    seed: int = 0
    over_readers: bool = False


def break_down(
    index: ReadIndex,
    met: Comparisons,
    measures: Sequence[Measure],
    parts: Parts,
    settings: Settings,
    *,
    subgroup: Ints | None = None,
    subgroups: Sequence[str] = (),
) -> Breakdown:
    """Make every figure that does not depend on the classes.

    Args:
        met: comparisons between and within readers.
        parts: of ``met``, row by row.
        subgroup: (cases,) code into ``subgroups``; below 0 is in none.
    """
    subgroups = _check_subgroup(index, subgroup, subgroups)
    between = met.first != met.second
    plain = [k for k, one in enumerate(measures) if not one.oriented]
    inter, inter_parts = met.select(between), parts.select(between)
    within = met.select(~between), parts.select(~between)
    study = _Study(index, tuple(measures), settings)
    by_subgroup: list[Estimate] = []
    for code, name in enumerate(subgroups if subgroup is not None else ()):
        rows = subgroup[inter.case] == code if subgroup is not None else between
        by_subgroup += study.figures(inter.select(rows), inter_parts.select(rows), plain, name)
    return Breakdown(
        overall=study.figures(inter, inter_parts, plain, "overall", pooled=True),
        against_rest=study.against_rest(inter, inter_parts),
        within=study.within(*within, plain),
        by_subgroup=tuple(by_subgroup),
        pairs=study.matrices(met, parts),
    )


def class_figures(
    index: ReadIndex,
    met: Comparisons,
    measures: Sequence[Measure],
    settings: Settings,
    *,
    top: Floats,
    bottom: Floats,
    names: Sequence[str],
) -> tuple[Estimate, ...]:
    """Overall figures of each class, all drawn at once.

    Args:
        met: comparisons between readers.
        top, bottom: (rows, classes, measures), not yet weighted.
        names: of the classes.
    """
    wide = [one for _ in names for one in measures]
    flat_top, flat_bottom = top.reshape(len(top), len(wide)), bottom.reshape(len(top), len(wide))
    parts = Parts(flat_top, flat_bottom, flat_top, flat_bottom)
    study = _Study(index, tuple(wide), settings)
    figures = study.figures(met, parts, list(range(len(wide))), "", pooled=True)
    return tuple(
        replace(figure, scope=f"class {names[k // len(measures)]}")
        for k, figure in enumerate(figures)
    )


def figures_by_reader(
    index: ReadIndex,
    met: Comparisons,
    measures: Sequence[Measure],
    parts: Parts,
    settings: Settings,
    *,
    scope: str,
) -> tuple[Estimate, ...]:
    """All measures for each first reader of ``met``.

    Args:
        scope: words for the scope with "{}" for the reader.
    """
    study = _Study(index, tuple(measures), settings)
    every = list(range(len(measures)))
    out: list[Estimate] = []
    for reader in np.unique(met.first).tolist():
        rows = met.first == reader
        named = scope.format(index.readers[reader])
        out += study.figures(met.select(rows), parts.select(rows), every, named)
    return tuple(out)


@dataclass(frozen=True, slots=True)
class _Study:
    """What all scopes of one study share."""

    index: ReadIndex
    measures: tuple[Measure, ...]
    settings: Settings

    def ratios(
        self, met: Comparisons, top: Floats, bottom: Floats, share: Bools, *, pooled: bool = False
    ) -> Ratios:
        by_reader = (met.first, met.second) if pooled and self.settings.over_readers else None
        weight = met.weight[:, None]
        return ratio_intervals(
            top * weight,
            bottom * weight,
            unit_of(self.index)[0][met.case],
            readers=by_reader,
            share=share,
            draws=self.settings.draws,
            level=self.settings.level,
            seed=self.settings.seed,
        )

    def figures(
        self, met: Comparisons, parts: Parts, chosen: list[int], scope: str, *, pooled: bool = False
    ) -> tuple[Estimate, ...]:
        measures = [self.measures[k] for k in chosen]
        share = np.array([one.share for one in measures], dtype=np.bool_)
        top, bottom = parts.top[:, chosen], parts.bottom[:, chosen]
        got = self.ratios(met, top, bottom, share, pooled=pooled)
        base = Estimate(
            "",
            "",
            0.0,
            level=self.settings.level,
            interval=self.interval(pooled=pooled),
            n_cases=int(np.unique(met.case).size),
            n_readers=int(np.unique(np.concatenate([met.first, met.second])).size),
            n_reads=int(np.unique(np.concatenate([met.one, met.two])).size),
            scope=scope,
        )
        return tuple(_estimate(base, one, got, k) for k, one in enumerate(measures))

    def interval(self, *, pooled: bool) -> str:
        drawn = unit_of(self.index)[1]
        drawn += " and readers" if pooled and self.settings.over_readers else ""
        return f"BCa bootstrap over {drawn}, {self.settings.draws} draws"

    def against_rest(self, met: Comparisons, parts: Parts) -> tuple[Estimate, ...]:
        out: list[Estimate] = []
        other, other_parts = met.swapped(), parts.swapped()
        every = list(range(len(self.measures)))
        for reader, name in enumerate(self.index.readers):
            here, there = met.first == reader, other.first == reader
            if not (here.any() or there.any()):
                continue
            both = _joined(met.select(here), other.select(there))
            both_parts = _joined_parts(parts.select(here), other_parts.select(there))
            scope = f"{name} against the rest"
            out += self.figures(both, both_parts, every, scope)
        return tuple(out)

    def within(self, met: Comparisons, parts: Parts, plain: list[int]) -> tuple[Estimate, ...]:
        if not met.case.size:
            return ()
        out = list(self.figures(met, parts, plain, "within readers", pooled=True))
        for reader in np.unique(met.first).tolist():
            rows = met.first == reader
            scope = f"{self.index.readers[reader]} | {self.index.readers[reader]}"
            out += self.figures(met.select(rows), parts.select(rows), plain, scope)
        return tuple(out)

    def matrices(self, met: Comparisons, parts: Parts) -> tuple[PairMatrix, ...]:
        m, n = len(self.measures), self.index.n_readers
        value, low, high = (np.full((m, n, n), np.nan) for _ in range(3))
        shared = np.zeros((n, n), dtype=np.int64)
        share = np.tile(np.array([one.share for one in self.measures], dtype=np.bool_), 2)
        key = met.first.astype(np.int64) * n + met.second
        for pair in np.unique(key).tolist():
            a, b = divmod(pair, n)
            rows = np.flatnonzero(key == pair)
            some, own = met.select(rows), parts.select(rows)
            got = self.ratios(
                some,
                np.hstack([own.top, own.mirror_top]),
                np.hstack([own.bottom, own.mirror_bottom]),
                share,
            )
            for table, column in ((value, got.value), (low, got.low), (high, got.high)):
                table[:, a, b], table[:, b, a] = column[:m], column[m:]
            shared[a, b] = shared[b, a] = np.unique(some.case).size
        out = []
        for k, one in enumerate(self.measures):
            shown = [_shown(one, table[k]) for table in (value, low, high)]
            for table in shown if one.oriented else ():
                np.fill_diagonal(table, np.nan)
            out.append(
                PairMatrix(
                    one.key,
                    one.name,
                    self.index.readers,
                    shown[0],
                    shown[1],
                    shown[2],
                    shared,
                    self.settings.level,
                    self.interval(pooled=False),
                    _look(one, shown[0], shared, self.index.readers),
                    one.unit,
                    one.missing,
                )
            )
        return tuple(out)


def _look(one: Measure, value: Floats, n_cases: Ints, readers: Sequence[str]) -> str:
    """Which pair to look at first: the worst one, or the largest difference."""
    usable = np.triu(np.isfinite(value) & (n_cases >= _FEW), 1)
    if not usable.any():
        return f"No two readers share {_FEW} cases or more: the single figures say little."
    bad = np.abs(value) if one.oriented else (value if one.low_is_good else -value)
    g, h = divmod(int(np.argmax(np.where(usable, bad, -np.inf))), len(readers))
    return f"Look first at {readers[g]} and {readers[h]}: {value[g, h]:.3g} {one.unit}".rstrip()


def _estimate(base: Estimate, one: Measure, got: Ratios, k: int) -> Estimate:
    value = float(_shown(one, got.value[k]))
    named = replace(base, name=one.name, key=one.key, unit=one.unit)
    if np.isnan(value):
        why = one.missing if base.n_cases else "no case was read twice by the readers in question"
        return replace(named, value=value, undefined=why, interval="")
    low, high = float(_shown(one, got.low[k])), float(_shown(one, got.high[k]))
    units = int(got.units[k])
    named = replace(named, value=value, low=low, high=high, words=_words(one, value))
    if got.flat[k]:
        drawn = base.interval.split(" over ")[1].split(",")[0]
        exact = not np.isnan(low)
        return replace(
            named,
            interval=f"exact bound from {units} {drawn} that are all alike" if exact else "",
            warning=""
            if exact
            else f"All {units} cases show the same value: nothing tells how far it may be off.",
        )
    if units < _FEW:
        return replace(
            named, warning=f"It rests on {units} cases only; read more cases before acting on it."
        )
    return named


def _shown(one: Measure, value: Floats | float) -> Floats:
    """What is shown for a mean of log ratios: percent more or less."""
    return np.asarray(100 * np.expm1(value) if one.log else value, dtype=float)


def _words(one: Measure, value: float) -> str:
    size = 100 * value if one.share else value
    text = one.words.format(
        value=f"{abs(size) if '{more}' in one.words else size:.3g}",
        more=one.ways[0] if value >= 0 else one.ways[1],
    )
    bad = value > one.limit if one.low_is_good else value < one.limit
    return f"{text} {one.worse}" if bad and one.worse else text


def _joined(first: Comparisons, second: Comparisons) -> Comparisons:
    return Comparisons(
        np.concatenate([first.case, second.case]),
        np.concatenate([first.first, second.first]),
        np.concatenate([first.second, second.second]),
        np.concatenate([first.one, second.one]),
        np.concatenate([first.two, second.two]),
        np.concatenate([first.weight, second.weight]),
    )


def _joined_parts(first: Parts, second: Parts) -> Parts:
    return Parts(
        np.vstack([first.top, second.top]),
        np.vstack([first.bottom, second.bottom]),
        np.vstack([first.mirror_top, second.mirror_top]),
        np.vstack([first.mirror_bottom, second.mirror_bottom]),
    )


def _check_subgroup(
    index: ReadIndex, subgroup: NDArray[np.integer] | None, names: Sequence[str]
) -> tuple[str, ...]:
    if subgroup is None:
        return ()
    if subgroup.shape != (index.n_cases,):
        raise InputError("subgroup", f"have {index.n_cases} entries, one a case", subgroup.shape)
    top = int(subgroup.max(initial=-1))
    names = tuple(names) or tuple(f"subgroup {code}" for code in range(top + 1))
    if top >= len(names):
        raise InputError("subgroup", f"be below {len(names)}, the number of names", top)
    return tuple(names)
