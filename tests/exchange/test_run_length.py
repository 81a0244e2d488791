"""Run-length codes against loops written from the description of the formats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from overread.errors import InputError
from overread.exchange.run_length import (
    coco_counts,
    compress_counts,
    expand_counts,
    mask_of_counts,
    mask_of_pairs,
    pairs_of_mask,
)

masks = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def counts_by_loop(mask):
    counts, last = [0], False
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if bool(mask[row, column]) != last:
                counts.append(0)
                last = not last
            counts[-1] += 1
    return counts


def compressed_by_bits(counts):
    """Two's complement in five-bit groups, low first, as many as the sign needs."""
    text = ""
    for place, count in enumerate(counts):
        value = count - (counts[place - 2] if place > 2 else 0)
        groups = 1
        while not -(1 << (5 * groups - 1)) <= value < 1 << (5 * groups - 1):
            groups += 1
        bits = format(value & ((1 << (5 * groups)) - 1), f"0{5 * groups}b")
        parts = [int(bits[k : k + 5], 2) for k in range(0, len(bits), 5)][::-1]
        text += "".join(chr(48 + part + 32 * (k < groups - 1)) for k, part in enumerate(parts))
    return text


@given(masks)
def test_coco_counts(mask):
    counts = coco_counts(mask)
    assert counts == counts_by_loop(mask)
    assert np.array_equal(mask_of_counts(counts, mask.shape), mask)


@given(st.lists(st.integers(0, 2**34), min_size=1, max_size=12))
def test_compressed_counts(counts):
    assert compress_counts(counts) == compressed_by_bits(counts)
    assert expand_counts(compress_counts(counts)) == counts


@given(masks)
def test_pairs(mask):
    text = pairs_of_mask(mask)
    assert np.array_equal(mask_of_pairs(text, mask.shape), mask)
    by_loop = np.zeros(mask.size, dtype=bool)
    numbers = [int(part) for part in text.split()]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        by_loop[start - 1 : start - 1 + length] = True
    assert np.array_equal(by_loop.reshape(mask.shape, order="F"), mask)
    turned = mask_of_pairs(text, mask.shape[::-1], order="C")
    assert np.array_equal(turned, mask.T)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    for read in (expand_counts, lambda t: mask_of_pairs(t, (4, 5))):
        try:
            read(text)
        except InputError:
            continue


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1", 'pairs "start length"; got 1 numbers'),
        ("1 x", "whole numbers"),
        ("0 2", "starts and lengths of 1 or more"),
        ("1 0", "starts and lengths of 1 or more"),
        ("3 3", "stay within the 4 pixels of 2 rows x 2 columns; got 5"),
        ("1 2 2 1", "not overlap"),
        ("99999999999999999999 1", "whole numbers"),
    ],
)
def test_bad_pairs(text, words):
    with pytest.raises(InputError, match=words):
        mask_of_pairs(text, (2, 2))


@pytest.mark.parametrize("counts", [[3], [5], [-1, 5], [1.5, 2.5], ["a"], [[1], [2, 3]], {"a": 1}])
def test_bad_counts(counts):
    with pytest.raises(InputError, match="run lengths must"):
        mask_of_counts(counts, (2, 2))


@pytest.mark.parametrize("text", ["\x1f", "é", "P"])
def test_bad_characters(text):
    with pytest.raises(InputError, match="compressed run lengths must"):
        expand_counts(text)
