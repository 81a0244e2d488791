"""How surely boxes are placed and readers are known: simulated clusters whose truth is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.consensus.box_drawing import (
    KNOWN_SD,
    Drawing,
    Fused,
    Members,
    first_drawing,
    fuse_edges,
    sd_error,
    size_error,
)


class World(NamedTuple):
    """Readers: usual edge error, size drawn. Truth: boxes."""

    sd: np.ndarray
    scale: np.ndarray
    truth: np.ndarray
    members: Members


def readers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Unequal, and one in five an odd one out in size."""
    sd = np.clip(0.07 * np.exp(0.5 * rng.normal(size=n)), 0.02, 0.2)
    odd = rng.random(n) < 0.2
    return sd, np.clip(1 + rng.normal(size=n) * np.where(odd, 0.15, 0.03), 0.6, 1.5)


def world(n_readers: int, findings: int, seed: int, *, slips: float = 0.03) -> World:
    rng = np.random.default_rng(seed)
    sd, scale = readers(n_readers, rng)
    side = np.exp(4.5 + 0.5 * rng.normal(size=(findings, 1)) + 0.2 * rng.normal(size=(findings, 2)))
    low = rng.uniform(0, 900, (findings, 2))
    truth = np.hstack([low, low + side])
    seen = rng.random((findings, n_readers)) < 0.9
    seen[np.arange(findings), rng.integers(n_readers, size=findings)] = True
    finding, reader = np.nonzero(seen)
    sides = np.tile(side[finding], 2)
    shrink = (1 - scale[reader])[:, None] / 2 * np.array([1, 1, -1, -1])
    slip = np.where(rng.random(finding.size) < slips, 4.0, 1.0)
    noise = rng.normal(size=sides.shape) * (sd[reader] * slip)[:, None]
    box = truth[finding] + sides * (shrink + noise)
    middle, half = (box[:, :2] + box[:, 2:]) / 2, np.maximum(box[:, 2:] - box[:, :2], 4) / 2
    box = np.hstack([middle - half, middle + half])
    first = np.r_[0, np.cumsum(seen.sum(axis=1))]
    return World(sd, scale, truth, Members(box, reader, np.ones(reader.size), first))


def fitted(one: World, known: np.ndarray | None = None) -> tuple[Drawing, Fused]:
    return fuse_edges(first_drawing(one.sd.size, known), one.members, steps=40)


def inside(one: World, fused: Fused) -> np.ndarray:
    several = np.diff(one.members.first) > 1
    return (np.abs(fused.box - one.truth) < 1.96 * fused.se)[several]


@pytest.mark.parametrize("n_readers", [3, 5])
def test_intervals_cover(n_readers: int) -> None:
    """95 % intervals of the edges, and of every reader's sd and size, over worlds of all sizes.

    Those of sd and size that count sampling alone cover 5 to 60 % of these.
    """
    spread, size = [], []
    for findings, worlds in ((20, 60), (100, 30), (500, 10), (2000, 4)):
        edges = []
        for seed in range(worlds):
            one = world(n_readers, findings, seed)
            drawing, fused = fitted(one)
            edges.append(inside(one, fused).mean())
            off = np.log(drawing.sd / one.sd)
            spread.append(np.abs(off) < 1.96 * sd_error(drawing))
            bias = drawing.bias
            ratio = np.sqrt((1 + bias[:, 2:] - bias[:, :2]).prod(axis=1))
            size.append(np.abs(ratio - one.scale) < 1.96 * size_error(drawing))
        assert 0.92 < np.mean(edges) < 0.98
    assert 0.92 < np.mean(spread) < 0.98
    assert 0.90 < np.mean(size) < 0.98


def test_an_odd_one_out_moves_the_middle_little() -> None:
    one = world(5, 300, 3)
    rng = np.random.default_rng(0)
    middle = np.repeat(one.truth, np.diff(one.members.first), axis=0)
    side = np.tile(middle[:, 2:] - middle[:, :2], 2)
    odd = np.where(one.members.reader == 4, 0.15, 0.0)[:, None] * np.array([1, 1, -1, -1])
    box = middle + side * (odd + 0.05 * rng.normal(size=side.shape))
    drawing, _ = fuse_edges(first_drawing(5), one.members.__class__(
        box, one.members.reader, one.members.share, one.members.first), steps=40)  # fmt: skip
    size = drawing.bias @ [0.5, 0.5, -0.5, -0.5]
    assert size[:4] == pytest.approx(np.zeros(4), abs=0.02)
    assert size[4] == pytest.approx(0.3, abs=0.03)


def test_a_known_reader_is_the_measure_of_the_others() -> None:
    """All three draw 10 % small: only who is known to be right can show it."""
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 800, (150, 2))
    truth = np.hstack([low, low + 100])
    box = np.repeat(truth, 4, axis=0)
    reader = np.tile(np.arange(4), 150)
    small = np.array([5.0, 5, -5, -5]) + 4 * rng.normal(size=box.shape)
    box += np.where((reader < 3)[:, None], small, 0)
    members = Members(box, reader, np.ones(reader.size), np.arange(0, 601, 4))
    free, _ = fuse_edges(first_drawing(4), members, steps=40)
    drawing, fused = fuse_edges(first_drawing(4, reader[:4] == 3), members, steps=40)
    assert drawing.bias[:3] == pytest.approx(np.tile([0.05, 0.05, -0.05, -0.05], (3, 1)), abs=0.012)
    assert drawing.sd == pytest.approx([0.04, 0.04, 0.04, KNOWN_SD], rel=0.1)
    assert fused.box == pytest.approx(truth, abs=0.5)
    assert (size_error(drawing)[:3] < size_error(free)[:3]).all()


@settings(deadline=None, max_examples=10)
@given(factor=st.floats(0.05, 40), seed=st.integers(0, 50))
def test_units_do_not_matter(factor: float, seed: int) -> None:
    one = world(3, 15, seed)
    drawing, fused = fitted(one)
    m = one.members
    again, scaled = fitted(
        one._replace(members=Members(m.box * factor, m.reader, m.share, m.first))
    )
    assert again.sd == pytest.approx(drawing.sd, rel=1e-5)
    assert scaled.box == pytest.approx(fused.box * factor, rel=1e-6)
    assert scaled.se == pytest.approx(fused.se * factor, rel=1e-4)


def test_who_is_named_first_does_not_matter() -> None:
    one = world(4, 60, 5)
    drawing, fused = fitted(one)
    m = one.members
    order = np.lexsort((-m.reader, np.repeat(np.arange(60), np.diff(m.first))))
    flipped = Members(m.box[order], 3 - m.reader[order], m.share, m.first)
    other, same = fitted(one._replace(members=flipped))
    assert other.sd[::-1] == pytest.approx(drawing.sd, rel=1e-6)
    assert same.box == pytest.approx(fused.box, abs=1e-4)


def test_a_thousand_readers_are_taken_one_by_one() -> None:
    """Beyond 500 readers their doubts count as independent; what they draw is found alike."""
    rng = np.random.default_rng(2)
    n = 600
    sd = np.where(np.arange(n) % 2, 0.04, 0.12)
    finding = np.repeat(np.arange(2400), 5)
    reader = rng.integers(0, n, finding.size)
    low = rng.uniform(0, 800, (2400, 2))
    truth = np.hstack([low, low + 90])
    box = truth[finding] + 90 * sd[reader, None] * rng.normal(size=(finding.size, 4))
    members = Members(box, reader, np.ones(reader.size), np.arange(0, finding.size + 1, 5))
    drawing, fused = fuse_edges(first_drawing(n), members, steps=40)
    assert np.median(drawing.sd[1::2]) == pytest.approx(0.04, rel=0.2)
    assert np.median(drawing.sd[::2]) == pytest.approx(0.12, rel=0.2)
    assert 0.92 < (np.abs(fused.box - truth) < 1.96 * fused.se).mean() < 0.98


def test_slips_are_seen_and_weighed_down() -> None:
    one = world(5, 400, 8, slips=0.1)
    drawing, fused = fitted(one)
    assert drawing.slips == pytest.approx(0.1, abs=0.03)
    m = one.members
    finding = np.repeat(np.arange(400), np.diff(m.first))
    far = np.abs(m.box - fused.box[finding]).max(axis=1) / (
        np.sqrt(np.prod(one.truth[:, 2:] - one.truth[:, :2], axis=1))[finding] * one.sd[m.reader]
    )
    assert fused.trust[far > 9].mean() < 0.3
    assert fused.trust[far < 2].mean() > 0.9


def test_nothing_to_fuse() -> None:
    none = Members(np.empty((0, 4)), np.empty(0, np.int64), np.empty(0), np.zeros(1, np.int64))
    drawing, fused = fuse_edges(first_drawing(2), none)
    assert fused.box.shape == (0, 4)
    assert (drawing.bias == 0).all()
