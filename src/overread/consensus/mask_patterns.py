"""Vote patterns of masks: pixels to which all reads give the same classes are one row.

A model of votes sees nothing of a pixel but what the reads say of it, so that a pixel is its
pattern. Five masks of 26 million voxels have at most 32 patterns: to fit a model costs nothing,
and what remains is one pass to number the patterns and one to look the answers up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.consensus.problem import in_threads
from overread.errors import InputError

_BLOCK = 1 << 18  # pixels a kernel treats at a time: its codes stay in the core's own cache
_PART = 1 << 21  # pixels a thread takes at a time
_MOST_BITS = 16  # reads whose bits are packed; more are renumbered read by read


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """The distinct patterns of votes, and where each stands.

    Args:
        code: (pixels,) whole numbers; the pixels of pattern p hold ``key[p]``.
        key: (patterns,) code of each pattern.
        top: number of codes there could be; keys are below it.
        said: (patterns, reads) class that each read gives.
        count: (patterns,) pixels.
    """

    code: NDArray[Any]
    key: NDArray[np.int64]
    top: int
    said: NDArray[np.int16]
    count: NDArray[np.int64]

    def spread(self, value: NDArray[Any]) -> NDArray[Any]:
        """From one value a pattern to one a pixel, in the type of ``value``."""
        table = np.zeros(self.top, dtype=value.dtype)
        table[self.key] = value
        out = np.empty(self.code.size, dtype=value.dtype)
        in_threads(lambda part: _look_up(table, self.code[part], out[part]), _parts(out.size))
        return out


def vote_patterns(masks: Sequence[NDArray[Any]], n_classes: int = 2) -> Patterns:
    """Number the patterns of votes.

    Args:
        masks: (reads,) arrays of class codes in ``0 .. n_classes-1``, all of one shape. With two
            classes, whatever is not 0 is class 1.
    Raises:
        InputError: no mask, masks that differ in shape, a code that is no class.
    """
    _check(masks)
    if n_classes == 2 and len(masks) <= _MOST_BITS:
        return _packed([_bytes(mask) for mask in masks])
    if n_classes == 2:
        return _renumbered([_bytes(mask).astype(np.bool_) for mask in masks], 2)
    for read, mask in enumerate(masks):
        if mask.size and (mask.min() < 0 or mask.max() >= n_classes):
            got = int(mask.min() if mask.min() < 0 else mask.max())
            raise InputError("mask", f"hold codes in 0 .. {n_classes - 1}", got, rows=(read + 1,))
    return _renumbered([mask.reshape(-1) for mask in masks], n_classes)


def _check(masks: Sequence[NDArray[Any]]) -> None:
    if not masks:
        raise InputError("masks", "be at least one", 0)
    for read, mask in enumerate(masks):
        if mask.dtype.kind not in "biuf":
            raise InputError("mask", "hold numbers or booleans", mask.dtype, rows=(read + 1,))
        if mask.shape != masks[0].shape:
            rule = f"have the shape {masks[0].shape} of the first"
            raise InputError("mask", rule, mask.shape, rows=(read + 1,))


def _bytes(mask: NDArray[Any]) -> NDArray[np.uint8]:
    """One byte a pixel, not 0 where the mask is set; a view where the mask is bytes already."""
    flat = mask.reshape(-1)
    if flat.dtype.itemsize != 1 or flat.dtype.kind not in "biu":
        flat = flat != 0
    return np.asarray(flat.view(np.uint8))


def _packed(masks: list[NDArray[np.uint8]]) -> Patterns:
    """Two classes, few reads: read r is bit r of the code."""
    n_reads, n_pixels = len(masks), masks[0].size
    code = np.empty(n_pixels, dtype=np.uint8 if n_reads <= 8 else np.uint16)
    parts = _parts(n_pixels)
    counts = np.zeros((len(parts), 1 << n_reads), dtype=np.int64)
    number = {part.start: i for i, part in enumerate(parts)}

    def pack(part: slice) -> None:
        tally = np.zeros((4, 1 << n_reads), dtype=np.int64)
        for start in range(part.start, part.stop, _BLOCK):
            block = slice(start, min(start + _BLOCK, part.stop))
            _first_bit(masks[0][block], code[block])
            for bit in range(1, n_reads):
                _add_bit(masks[bit][block], code.dtype.type(bit), code[block])
            _tally(code[block], tally)
        counts[number[part.start]] = tally.sum(axis=0)

    in_threads(pack, parts)
    count = counts.sum(axis=0)
    key = np.flatnonzero(count)
    said = (key[:, None] >> np.arange(n_reads)) & 1
    return Patterns(code, key, 1 << n_reads, said.astype(np.int16), count[key])


def _renumbered(masks: list[NDArray[Any]], n_classes: int) -> Patterns:
    """Any number of classes and reads: after each read, the patterns so far get new numbers."""
    code = np.zeros(masks[0].size, dtype=np.int32)
    n_patterns = 1 if code.size else 0
    said = np.empty((n_patterns, 0), dtype=np.int16)
    for mask in masks:
        origin = _split(code, mask, n_patterns, n_classes)
        n_patterns = origin.size
        before, now = origin // n_classes, origin % n_classes
        said = np.column_stack([said[before], now.astype(np.int16)])
    count = np.bincount(code, minlength=n_patterns)
    return Patterns(code, np.arange(n_patterns), max(n_patterns, 1), said, count)


def _parts(n_pixels: int) -> list[slice]:
    starts = range(0, max(n_pixels, 1), _PART)
    return [slice(start, min(start + _PART, n_pixels)) for start in starts]


@numba.njit(nogil=True, cache=True)
def _first_bit(mask: Any, code: Any) -> None:
    for i in range(mask.size):
        code[i] = mask[i] != 0


@numba.njit(nogil=True, cache=True)
def _add_bit(mask: Any, bit: Any, code: Any) -> None:
    for i in range(mask.size):
        code[i] |= (mask[i] != 0) << bit


@numba.njit(nogil=True, cache=True)
def _tally(code: Any, tally: Any) -> None:
    """Count codes; four tables, so that a run of equal codes does not wait for its own sum."""
    even = code.size // 4 * 4
    for i in range(0, even, 4):
        tally[0, code[i]] += 1
        tally[1, code[i + 1]] += 1
        tally[2, code[i + 2]] += 1
        tally[3, code[i + 3]] += 1
    for i in range(even, code.size):
        tally[0, code[i]] += 1


@numba.njit(nogil=True, cache=True)
def _look_up(table: Any, code: Any, out: Any) -> None:
    for i in range(code.size):
        out[i] = table[code[i]]


@numba.njit(nogil=True, cache=True)
def _split(code: Any, mask: Any, n_patterns: int, n_classes: int) -> Any:
    """Split the patterns by one more read, in place; returns (patterns,) old * classes + said."""
    number = np.full(n_patterns * n_classes, -1, dtype=np.int64)
    origin = np.empty(n_patterns * n_classes, dtype=np.int64)
    found = 0
    for i in range(code.size):
        at = code[i] * n_classes + np.int64(mask[i])
        if number[at] < 0:
            number[at] = found
            origin[found] = at
            found += 1
        code[i] = number[at]
    return origin[:found].copy()


def vote_shares(said: NDArray[Any], weight: Floats, n_classes: int) -> Floats:
    """(patterns, classes) share of the votes; ``weight`` (reads,) or (patterns, reads); -1 is none.

    Patterns without a vote get 0 throughout.
    """
    weight = np.broadcast_to(weight, said.shape)
    share = np.stack([np.where(said == k, weight, 0.0).sum(axis=1) for k in range(n_classes)], 1)
    total = share.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(share, total, out=np.zeros_like(share), where=total > 0))
