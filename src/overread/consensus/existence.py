"""Which marked places are findings, and of which class: sites, readers, and what nobody marked.

A case holds sites. Real findings of class k come at a rate (Poisson, mean g_i rate[0, k] in case
i), and so do look-alikes (rate[1, k]); g_i is the case's own richness, gamma with mean 1. Reader r
marks a finding with the chance mark[0, r, k], a look-alike with mark[1, r, k], and then names the
class by confusion[r, k]. A site that nobody marked leaves no cluster: EM adds the expected number
of them (the likelihood is that of a thinned Poisson process), so that no reader looks better, and
no finding surer, than the marks allow. Lone false alarms are look-alikes that are many and
seldom marked; a mimic that fools several readers is one that is often marked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, gammaln, logit, logsumexp

from overread.arrays import Bools, Floats, Ints
from overread.consensus.marks import Marks, held_out_marks
from overread.consensus.sites import (
    FOUND,
    NEVER,
    RATE_WEIGHT,
    READER_WEIGHT,
    SEEN_BY_CHANCE,
    Counts,
    Priors,
    Sites,
    group_priors,
    log_prior,
    of_free,
)

LONE = 0.7
"""Chance that a finding exists which only one reader could have marked."""

_TINY = 1e-12
_MOST_UNEVEN = 0.01
_MOST_EVEN = 1e3  # gamma shape from which on all cases are equally rich
_LOWEST_TAU = 0.02
_CERTAIN = 500.0  # nats by which gold outweighs any reads


@dataclass(frozen=True, slots=True, eq=False)
class _Expectation:
    posterior: Floats  # (rows, 2 * classes)
    unmarked: Floats  # (patterns, 2 * classes) sites that nobody marked, all cases together
    richness: Floats  # (patterns,) summed over cases
    live: NDArray[Any]  # (rows of the richness table,) cases that are not normal
    log_likelihood: float


def first_sites(marks: Marks, known: Bools | None = None) -> Sites:
    """A start from vote shares: what more than half of a case's readers marked is real.

    Args:
        marks: the data.
        known: (readers,) see :class:`Sites`.
    """
    n_readers, n_classes = marks.weight.shape[1], marks.n_classes
    n_group = int(marks.group.max(initial=-1)) + 1
    pattern, found, times = marks.richness.T
    cases = np.bincount(marks.group[pattern], weights=times, minlength=n_group)
    shown = np.bincount(marks.group[pattern], weights=times * (found > 0), minlength=n_group)
    live = (shown + 0.05) / (cases + 0.1)
    n_cases = max(float(shown.sum()), 1.0)
    said = np.bincount(
        marks.label, weights=marks.row_count[marks.entry_row] * marks.share, minlength=n_classes
    )
    size = np.maximum(np.bincount(marks.entry_row, weights=marks.share), _TINY)
    readers = np.asarray(marks.weight.sum(axis=1))[marks.row_pattern]
    real = np.where(2 * size[: readers.size] > readers, 0.9, 0.4)
    real = np.where(readers > 1, real, LONE)
    split = np.array([(real * marks.row_count).sum(), ((1 - real) * marks.row_count).sum()])
    per_class = (said + 0.5) / (said.sum() + 0.5 * n_classes)
    base = np.full((n_classes, n_classes), 0.15 * per_class)
    base[np.diag_indices(n_classes)] += 0.85
    mark = np.empty((2, n_readers, n_classes))
    mark[0], mark[1] = FOUND, SEEN_BY_CHANCE
    per_case = max(float(readers.mean()), 1.0) if readers.size else 1.0
    lost = np.array([1 - (1 - FOUND) ** per_case, 1 - (1 - SEEN_BY_CHANCE) ** per_case])
    rate = np.outer((split + 0.5) / n_cases / lost, per_class)
    confusion = np.tile(base, (n_readers, 1, 1))
    given = np.zeros(n_readers, dtype=np.bool_) if known is None else known
    mark[0, given], mark[1, given] = 1 - NEVER, NEVER
    confusion[given] = NEVER + (1 - n_classes * NEVER) * np.eye(n_classes)
    return Sites(rate, mark, confusion, 2.0, live, given)


def fit_sites(
    marks: Marks, sites: Sites, *, tied: bool = False, steps: int = 200, tol: float = 1e-7
) -> tuple[Sites, Counts, list[tuple[float, float]]]:
    """Maximise the posterior of the parameters by EM.

    Args:
        marks: the data.
        sites: the start.
        tied: one set of chances for all readers.
        steps: at most.
        tol: stop when the objective rises by less than this share of its size.
    Returns:
        the parameters, the expected counts, and by step (log likelihood, objective); the objective
        never falls.
    """
    n_group = 10
    rate = first_sites(marks, sites.known).rate
    priors = group_priors(sites, None, rate, tied=tied)
    for _ in range(n_group):  # the group's chances first settle, then stand still
        for _ in range(3):
            seen = _expect(marks, sites)
            sites = _maximise(marks, sites, seen, priors, tied=tied)
        priors = group_priors(sites, _count(marks, _expect(marks, sites)), rate, tied=tied)
    history: list[tuple[float, float]] = []
    seen = _expect(marks, sites)
    for _ in range(steps):
        history.append((seen.log_likelihood, _objective(sites, seen, priors, tied=tied)))
        if len(history) > 1 and history[-1][1] - history[-2][1] < tol * abs(history[-1][1]):
            break
        sites, seen = _leap(marks, sites, seen, priors, tied=tied)
    return sites, _count(marks, seen), history


def _leap(
    marks: Marks, sites: Sites, seen: _Expectation, priors: Priors, *, tied: bool
) -> tuple[Sites, _Expectation]:
    """Two steps of EM, a leap along them, and a third step; back to the second if it was too far.

    Source:
        Varadhan & Roland 2008, Scand. J. Stat. 35:335-353 (SQUAREM, third step length).
    """
    one = _maximise(marks, sites, seen, priors, tied=tied)
    seen_one = _expect(marks, one)
    two = _maximise(marks, one, seen_one, priors, tied=tied)
    start, first, second = _free(sites), _free(one), _free(two)
    move = first - start
    bend = second - first - move
    length = max(float(np.linalg.norm(move)) / max(float(np.linalg.norm(bend)), _TINY), 1.0)
    leap = _bound(start + 2 * length * move + length**2 * bend, sites)
    landed = _maximise(marks, leap, _expect(marks, leap), priors, tied=tied)
    seen_landed = _expect(marks, landed)
    reached = _objective(landed, seen_landed, priors, tied=tied)
    if reached >= _objective(one, seen_one, priors, tied=tied):
        return landed, seen_landed
    return two, _expect(marks, two)


def _free(sites: Sites) -> Floats:
    """Parameters without bounds, in one row."""
    parts = (
        np.log(sites.rate),
        logit(sites.mark),
        np.log(sites.confusion),
        np.log([sites.shape]),
        logit(sites.live),
    )
    return np.concatenate([part.ravel() for part in parts])


def _bound(free: Floats, like: Sites) -> Sites:
    """Parameters from :func:`_free`."""
    sizes = [like.rate.size, like.mark.size, like.confusion.size, 1, like.live.size]
    rate, mark, told, shape, live = np.split(np.clip(free, -30, 30), np.cumsum(sizes)[:-1])
    confusion = np.exp(told).reshape(like.confusion.shape)
    return Sites(
        np.exp(rate).reshape(like.rate.shape),
        np.where(
            like.known[:, None],
            like.mark,
            np.clip(expit(mark), 1e-6, 1 - 1e-6).reshape(like.mark.shape),
        ),
        confusion / confusion.sum(axis=2, keepdims=True),
        float(np.exp(np.clip(shape[0], np.log(_MOST_UNEVEN), np.log(_MOST_EVEN)))),
        np.clip(expit(live), 1e-9, 1 - 1e-9),
        like.known,
    )


def _objective(sites: Sites, seen: _Expectation, priors: Priors, *, tied: bool) -> float:
    return seen.log_likelihood + log_prior(sites, priors, tied=tied)


def site_posterior(marks: Marks, sites: Sites, tau: float = 1.0) -> Floats:
    """(clusters, 2, classes) chance of each kind of site; each cluster's sum to 1."""
    joint = tau * site_joint(marks, sites)
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    return np.asarray(posterior[marks.row_of].reshape(-1, 2, marks.n_classes))


def case_richness(marks: Marks, sites: Sites, found: Ints) -> Floats:
    """(cases,) expected richness g given the number of clusters found in each case."""
    visible = sites.rate.ravel() * -np.expm1(_silence(marks, sites))
    total = np.append(visible.sum(axis=1), 0.0)[marks.pattern]
    return np.asarray((sites.shape + found) / (sites.shape + total))


def held_out_temperature(marks: Marks, sites: Sites) -> tuple[float, float]:
    """Temperature at which the other readers' marks best predict each reader's mark and class.

    Returns:
        tau in (0, 1], and the number of held-out decisions it rests on.
    """
    entry, reader, pattern_row, weight = held_out_marks(marks)
    if sites.known.any():  # what gold has answered needs no reader
        open_ones = ~gold_rows(marks, sites.known)[1][pattern_row]
        entry, reader, pattern_row = (one[open_ones] for one in (entry, reader, pattern_row))
        weight = weight[open_ones]
    if not pattern_row.size:
        return 1.0, 0.0
    states = marks.n_classes * 2
    mark = sites.mark.transpose(1, 0, 2).reshape(-1, states)[reader]
    joint = site_joint(marks, sites)[pattern_row]
    has = entry >= 0
    said = np.zeros((reader.size, states))
    said[has] = _log_said(sites, reader[has], marks.label[entry[has]])
    share = np.where(has, marks.share[entry], 1.0)[:, None]
    silent = np.log1p(-mark)
    joint -= share * np.where(has[:, None], np.log(mark) + said, silent)
    chance = np.where(has[:, None], mark * np.exp(said), 1 - mark)
    count = marks.row_count[pattern_row] * weight

    def loss(log_tau: float) -> float:
        heated = np.exp(log_tau) * joint
        heated -= heated.max(axis=1, keepdims=True)
        belief = np.exp(heated)
        hit = (belief * chance).sum(axis=1) / belief.sum(axis=1)
        return float(-(count * np.log(np.maximum(hit, _TINY))).sum())

    best = minimize_scalar(loss, bounds=(np.log(_LOWEST_TAU), 0.0), method="bounded")
    tau = 1.0 if loss(0.0) <= best.fun else float(np.exp(best.x))
    return tau, float(count.sum())


def _silence(marks: Marks, sites: Sites) -> Floats:
    """(patterns, 2 classes) log chance that no reader of the pattern marks a site."""
    quiet = np.log1p(-sites.mark).transpose(1, 0, 2).reshape(sites.mark.shape[1], -1)
    return np.asarray(marks.weight @ quiet)


def _log_said(sites: Sites, reader: Ints, label: Ints) -> Floats:
    """(entries, 2 classes) log chance of the class said; the same for both kinds of site."""
    return np.tile(np.log(sites.confusion[reader, :, label]), 2)


def site_joint(marks: Marks, sites: Sites) -> Floats:
    """(rows, 2 classes) log rate at which a case shows these marks from each kind of site."""
    joint = np.log(sites.rate).ravel() + _silence(marks, sites)[marks.row_pattern]
    if marks.reader.size:
        odds = logit(sites.mark).transpose(1, 0, 2).reshape(sites.mark.shape[1], -1)
        each = odds[marks.reader] + _log_said(sites, marks.reader, marks.label)
        each *= marks.share[:, None]
        start = np.flatnonzero(np.r_[True, np.diff(marks.entry_row) > 0])
        joint += np.add.reduceat(each, start, axis=0)
    if sites.known.any():
        joint -= _CERTAIN * _ruled_out(marks, sites.known)
    return np.asarray(joint)


def _ruled_out(marks: Marks, known: Bools) -> Bools:
    """(rows, 2 classes) kinds of site that gold says a row is not of."""
    marked, told = gold_rows(marks, known)
    return np.repeat(np.column_stack([told & ~marked, marked]), marks.n_classes, axis=1)


def gold_rows(marks: Marks, known: Bools) -> tuple[Bools, Bools]:
    """(rows,) marked by gold; (rows,) in a case whose gold is known."""
    told = np.asarray(marks.weight[:, np.flatnonzero(known)].sum(axis=1)) > 0
    marked = np.bincount(marks.entry_row[known[marks.reader]], minlength=marks.row_count.size) > 0
    return marked, told[marks.row_pattern]


def _expect(marks: Marks, sites: Sites) -> _Expectation:
    joint = site_joint(marks, sites)
    total = logsumexp(joint, axis=1, keepdims=True) if joint.size else np.zeros((0, 1))
    silence = _silence(marks, sites)
    rate = sites.rate.ravel()
    visible = (rate * -np.expm1(silence)).sum(axis=1)
    pattern, found, times = marks.richness.T
    at, chance_live = visible[pattern], sites.live[marks.group[pattern]]
    empty = sites.shape * (np.log(sites.shape) - np.log(sites.shape + at))
    shown = chance_live * np.exp(empty) + 1 - chance_live
    hidden = times * chance_live * np.exp(empty) / shown
    live = np.where(found > 0, times, hidden)
    expected = live * (sites.shape + found) / (sites.shape + at)
    richness = np.bincount(pattern, weights=expected, minlength=visible.size)
    log_likelihood = float((marks.row_count * total[:, 0]).sum())
    log_likelihood += float((times * np.where(found > 0, np.log(chance_live), np.log(shown))).sum())
    log_likelihood += _log_richness(sites.shape, at, found, times * (found > 0))
    unmarked = richness[:, None] * rate * np.exp(silence)
    rich = richness.astype(np.float64)
    return _Expectation(np.exp(joint - total), unmarked, rich, live, log_likelihood)


def _log_richness(shape: float, visible: Floats, found: Ints, times: Floats) -> float:
    """Log chance of the numbers of clusters, up to the rates of the clusters themselves."""
    each = gammaln(shape + found) - gammaln(shape) + shape * np.log(shape)
    return float((times * (each - (shape + found) * np.log(shape + visible))).sum())


def _count(marks: Marks, seen: _Expectation) -> Counts:
    n_readers, k = marks.weight.shape[1], marks.n_classes
    real = seen.posterior * marks.row_count[:, None]
    there = np.asarray(marks.weight.T @ (seen.unmarked + marks.by_pattern @ real))
    said = np.asarray(marks.by_said @ real[marks.entry_row]).reshape(n_readers, k, 2, k)
    return Counts(
        there.reshape(n_readers, 2, k).transpose(1, 0, 2),
        said.sum(axis=1).transpose(1, 0, 2),
        said.sum(axis=2).transpose(0, 2, 1),
    )


def _maximise(
    marks: Marks, sites: Sites, seen: _Expectation, priors: Priors, *, tied: bool
) -> Sites:
    counts = of_free(_count(marks, seen), sites.known)
    if tied:
        counts = pooled_counts(counts)
    mark = (counts.marked + READER_WEIGHT * priors.mark) / (counts.there + READER_WEIGHT)
    confusion = counts.said + priors.confusion
    confusion /= confusion.sum(axis=2, keepdims=True)
    real = (seen.posterior * marks.row_count[:, None]).sum(axis=0) + seen.unmarked.sum(axis=0)
    rate = real.reshape(sites.rate.shape) + RATE_WEIGHT * priors.rate
    rate = np.maximum(rate / (seen.richness.sum() + RATE_WEIGHT), _TINY)
    group = marks.group[marks.richness[:, 0]]
    live = np.bincount(group, weights=seen.live) / np.bincount(group, weights=marks.richness[:, 2])
    live = np.clip(live, 1e-9, 1 - 1e-9)
    mark = np.where(sites.known[:, None], sites.mark, np.clip(mark, 1e-6, 1 - 1e-6))
    confusion[sites.known] = sites.confusion[sites.known]
    new = Sites(rate, mark, confusion, sites.shape, live, sites.known)
    return replace(new, shape=_best_shape(marks, new, seen.live))


def pooled_counts(counts: Counts) -> Counts:
    """Every reader has the counts of all."""
    return Counts(
        np.broadcast_to(counts.there.sum(axis=1, keepdims=True), counts.there.shape),
        np.broadcast_to(counts.marked.sum(axis=1, keepdims=True), counts.marked.shape),
        np.broadcast_to(counts.said.sum(axis=0), counts.said.shape).copy(),
    )


def _best_shape(marks: Marks, sites: Sites, live: Floats) -> float:
    visible = (sites.rate.ravel() * -np.expm1(_silence(marks, sites))).sum(axis=1)
    pattern, found, _ = marks.richness.T
    if not pattern.size:
        return sites.shape
    at = visible[pattern]

    def loss(log_shape: float) -> float:
        return -_log_richness(float(np.exp(log_shape)), at, found, live)

    now = np.log(sites.shape)
    best = minimize_scalar(
        loss,
        bounds=(max(now - 1.0, np.log(_MOST_UNEVEN)), min(now + 1.0, np.log(_MOST_EVEN))),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(best.x)) if best.fun < loss(now) else sites.shape
