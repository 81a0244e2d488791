"""Tokens: contrast AA on screen and on paper, readers told apart by colour-blind eyes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from overread.report.charts.matrix import FULL_HEAT_FROM
from overread.report.theme import coloured, reader_colour, reader_mark, tokens

THEMES = ("dark", "light")
READERS = [f"reader-{i}" for i in range(1, 9)]

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
BLINDNESS = {
    "protan": "0.152286 1.052583 -0.204868 0.114503 0.786281 0.099216 -0.003882 -0.048116 1.051998",
    "deutan": "0.367322 0.860646 -0.227968 0.280085 0.672501 0.047413 -0.011820 0.042940 0.968881",
    "tritan": "1.255528 -0.076749 -0.178779 -0.078411 0.930809 0.147602 0.004733 0.691367 0.303900",
    "none": "1 0 0 0 1 0 0 0 1",
}


def rgb(code):
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(code):
    c = rgb(code) if isinstance(code, str) else code
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2 contrast ratio."""
    a, b = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (b + 0.05) / (a + 0.05)


def lab(light):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    f = np.cbrt(xyz @ np.clip(light, 0.001, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES)
def test_words_reach_contrast_aa(theme):
    token = tokens(theme)
    for ink in ("ink", "muted", "faint", "accent", "warning"):
        for ground in ("ground", "panel", "raised"):
            assert contrast(token[ink], token[ground]) >= 4.5, (ink, ground)
    for ink in ("ink", "muted", "warning"):
        assert contrast(token[ink], token["warning-ground"]) >= 4.5, ink


@pytest.mark.parametrize("theme", THEMES)
def test_reader_marks_reach_contrast_of_graphics(theme):
    token = tokens(theme)
    for reader, ground in itertools.product(READERS, ("ground", "panel", "raised")):
        assert contrast(token[reader], token[ground]) >= 3.0, (reader, ground)


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_on_heat_reach_contrast_aa(theme):
    token = tokens(theme)
    for share in np.linspace(0.05, 0.97, 400):
        cell = rgb(token["heat"]) * share + rgb(token["panel"]) * (1 - share)
        letters = token["on-full-heat" if share >= FULL_HEAT_FROM else "on-faint-heat"]
        assert contrast(letters, cell) >= 4.5, share


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eyes", BLINDNESS)
def test_reader_colours_are_told_apart(theme, eyes):
    seen = [
        lab(np.fromstring(BLINDNESS[eyes], sep=" ").reshape(3, 3) @ linear(tokens(theme)[name]))
        for name in READERS
    ]
    gaps = {
        (READERS[i], READERS[j]): float(np.linalg.norm(seen[i] - seen[j]))
        for i, j in itertools.combinations(range(8), 2)
    }
    assert min(gaps.values()) > 8, min(gaps, key=gaps.get)


def test_themes_have_the_same_tokens():
    assert set(tokens("dark")) == set(tokens("light"))


def test_readers_past_the_palette_take_another_mark():
    assert reader_colour(8) == reader_colour(0)
    assert reader_mark(8) != reader_mark(0)


def test_drawings_are_coloured_for_paper():
    assert coloured('fill="var(--ink)"', "light") == f'fill="{tokens("light")["ink"]}"'
