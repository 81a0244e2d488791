"""Signed-distance consensus over a read table: which classes are there, and their borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtri, ndtr

from overread.arrays import Floats
from overread.consensus.mask_cases import CaseMasks, Gold, case_masks, check_masks, mask_warnings
from overread.consensus.mask_result import CaseAnswer, by_reader, mask_consensus
from overread.consensus.outlines import (
    Drawing,
    Shell,
    border_temperature,
    fit_drawing,
    fused,
    shell_of,
)
from overread.consensus.problem import in_threads
from overread.consensus.result import Consensus, MaskConsensus, Setting
from overread.errors import InputError
from overread.labels import MaskReads

_MARGIN = 8  # pixels around all marks; further out the probability is 0


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """Distances of one class in one case, and the share of votes that it is there."""

    masks: CaseMasks
    code: int
    shell: Shell
    there: float


def signed_distance(
    reads: MaskReads,
    *,
    pool: Literal["case", "reader"] = "reader",
    calibrate: bool = True,
    gold: Gold | None = None,
    level: float = 0.95,
) -> Consensus[MaskConsensus]:
    """Average the borders of the readers, less each reader's bias, weighted by precision.

    First the readers vote on whether a class is there at all (a mask found empty is a vote
    against; a tie is a no). Then the signed distances of those who marked it are averaged. With
    three classes or more the background has a border too; the most probable class wins.

    Args:
        reads: masks, 2-D or volumes; distances are in mm where the spacing is known, and may
            differ by axis. Repeats of one reader share a vote.
        pool: learn each reader's bias and sd over all cases ("reader"), or in each "case" anew.
        calibrate: find the temperature (at most 1) at which the border from the other readers
            best predicts each reader. The mask does not change.
        gold: (cases,) masks known to be true, None elsewhere; readers are measured against them.
        level: coverage of the intervals of reader reliability, in (0, 1).
    Returns:
        Consensus whose reliability has two more measures: ``border_bias``, how far outside of the
        consensus border a reader draws (in mm, or pixels; see the setting ``unit``), relative to
        the reader in the middle, and ``border_sd``, the scatter around it.
    Raises:
        InputError: a setting out of range. MethodError: no readable mask.
    Source:
        Rohlfing & Maurer 2007, IEEE TIP 16(1):153-161 (shape-based averaging). Bias, precision,
        robust mean and calibration: ours, see the method's page.
    Example:
        >>> from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index
        >>> schema = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("lesion")))
        >>> y, x = np.ogrid[:40, :40]
        >>> masks = [((y - 20) ** 2 + (x - 20) ** 2 < r**2).astype(int) for r in (9, 10, 11)]
        >>> reads = mask_reads(read_index(["a"] * 3, ["R1", "R2", "R3"]), masks, schema)
        >>> bool((signed_distance(reads).value.mask[0] == masks[1]).all())
        True
    """
    check_masks(reads, gold, level)
    if pool not in ("case", "reader"):
        raise InputError("pool", 'be "case" or "reader"', f"{pool!r}")
    cases = list(case_masks(reads, margin=_MARGIN, gold=gold))
    outlines = _all_outlines(cases, len(reads.schema.classes))
    drawings = _drawings(outlines, reads.index.n_readers, pool)
    tau = _temperature(outlines, drawings) if calibrate else 1.0
    by_case: dict[int, list[tuple[_Outline, Floats, Floats]]] = {}
    for one, (drawing, place) in zip(outlines, drawings, strict=True):
        # As the fit leaves them: sd of this case's reads, bias of their readers.
        parts = (one, drawing.bias, drawing.reads[place])
        by_case.setdefault(one.masks.case, []).append(parts)
    answers = [_answer(case, by_case.get(case.case, []), tau, reads) for case in cases]
    settings: dict[str, Setting] = {
        "pool": pool,
        "calibrate": calibrate,
        "unit": "px" if reads.spacing_mm is None else "mm",
        "tie_rule": "a class that half of the readers mark is not there",
    }
    return mask_consensus(
        reads,
        answers,
        method="masks",
        settings=settings,
        level=level,
        gold=gold,
        warnings=mask_warnings(reads),
        more=_border_figures(outlines, drawings, reads.index.n_readers, level),
        temperature=tau,
    )


def _all_outlines(cases: list[CaseMasks], n_classes: int) -> list[_Outline]:
    found: list[list[_Outline]] = [[] for _ in cases]

    def fill(i: int) -> None:
        found[i] = _outlines(cases[i], n_classes)

    in_threads(fill, range(len(cases)))
    return [one for its in found for one in its]


def _outlines(case: CaseMasks, n_classes: int) -> list[_Outline]:
    """Of the foreground; with three classes or more of the background too."""
    found = []
    total = case.share.sum()
    for code in range(1 if n_classes == 2 else 0, n_classes):
        marks = case.masks == code
        truth = None if case.gold is None else case.gold == code
        shell = shell_of(
            marks, case.reader, case.share, case.spacing, truth=truth, around=code == 0
        )
        if shell is not None:
            found.append(_Outline(case, code, shell, float(shell.share.sum() / total)))
    return found


def _drawings(outlines: list[_Outline], n_readers: int, pool: str) -> list[tuple[Drawing, int]]:
    """For each outline the drawing of its class, and its place among that drawing's shells."""
    groups: dict[tuple[int, int], list[int]] = {}
    for i, one in enumerate(outlines):
        key = (one.code, one.masks.case if pool == "case" else 0)
        groups.setdefault(key, []).append(i)
    out: dict[int, tuple[Drawing, int]] = {}
    for members in groups.values():
        drawing = fit_drawing([outlines[i].shell for i in members], n_readers)
        out |= {i: (drawing, place) for place, i in enumerate(members)}
    return [out[i] for i in range(len(outlines))]


def _temperature(outlines: list[_Outline], drawings: list[tuple[Drawing, int]]) -> float:
    pairs = [
        (one.shell, drawing, drawing.reads[place])
        for one, (drawing, place) in zip(outlines, drawings, strict=True)
        if one.code > 0
    ]
    return border_temperature(pairs)


def _answer(
    case: CaseMasks, parts: list[tuple[_Outline, Floats, Floats]], tau: float, reads: MaskReads
) -> CaseAnswer:
    n_classes, box = len(reads.schema.classes), case.masks.shape[1:]
    n_pixels = int(np.prod(box))
    level = np.full((n_classes, n_pixels), -np.inf)
    sure = np.zeros(n_classes)
    for one, bias, sd in parts:
        level[one.code], sure[one.code] = _standardised(one, bias, sd, n_pixels), one.there
    sure[0] = 1.0
    if n_classes == 2:
        level[0] = -level[1]
    elif not parts:  # nobody marks anything
        level[0] = np.inf
    probability = _shared_out(_normal(tau * level), sure)
    code = _shared_out(_normal(level), sure).argmax(axis=0).astype(np.int16)
    shape = (n_classes, *box)
    return CaseAnswer(
        case, code.reshape(box), probability.astype(np.float32).reshape(shape), np.eye(n_classes)[0]
    )


def _normal(level: Floats) -> Floats:
    """Normal distribution function; most pixels are infinitely far off, which costs nothing."""
    out = (level > 0).astype(np.float64)
    finite = np.isfinite(level)
    out[finite] = ndtr(level[finite])
    return out


def _standardised(one: _Outline, bias: Floats, sd: Floats, n_pixels: int) -> Floats:
    """(pixels,) consensus distance in standard errors."""
    shell = one.shell
    out = np.full(n_pixels, -np.inf)
    out[shell.inner] = np.inf
    middle, precision = fused(shell, bias, sd)
    out[shell.at] = middle * np.sqrt(precision)
    return out


def _shared_out(normal: Floats, sure: Floats) -> Floats:
    """(classes, pixels) probabilities: a class is never more probable than that it is there.

    What is above one half is pressed to below ``sure``; the background gets what is taken away.
    """
    n_classes = len(normal)
    out = normal.copy()
    for code in range(1, n_classes):
        there = sure[code]
        pressed = 0.5 + (normal[code] - 0.5) * (2 * there - 1)
        limited = np.where(normal[code] > 0.5, pressed, normal[code])
        out[code] = limited if there > 0.5 else there * normal[code]
        out[0] += normal[code] - out[code]
    out[0] += out.sum(axis=0) == 0  # no class at all: background
    return np.asarray(out / out.sum(axis=0))


def _border_figures(
    outlines: list[_Outline], drawings: list[tuple[Drawing, int]], n_readers: int, level: float
) -> tuple[tuple[str, ...], Floats, Floats, Floats]:
    """Mean over classes of each reader's bias and sd of the border, with intervals over cases."""
    distinct: list[Drawing] = []
    for one, (drawing, _) in zip(outlines, drawings, strict=True):
        if one.code > 0 and not any(drawing is known for known in distinct):
            distinct.append(drawing)
    none = np.full((n_readers, 2), np.nan)
    if not distinct:
        return ("border_bias", "border_sd"), none, none.copy(), none.copy()
    reader = np.concatenate([one.reader for one in distinct])
    share = np.concatenate([one.share for one in distinct])
    offset = np.concatenate([one.offset for one in distinct])
    seen = np.bincount(reader, share, n_readers)
    mean, low, high = by_reader(reader, share, offset, n_readers, level)
    counts = np.stack([np.bincount(one.reader, one.share, n_readers) for one in distinct])
    weight = np.divide(counts, seen, out=np.zeros_like(counts), where=seen > 0)
    bias = (weight * np.stack([one.bias for one in distinct])).sum(axis=0)
    sd = np.sqrt((weight * np.stack([one.sd for one in distinct]) ** 2).sum(axis=0))
    tail, df = (1 - level) / 2, np.maximum(seen, 1.0)
    bounds = [np.sqrt(df / chdtri(df, p)) for p in (tail, 1 - tail)]
    value = np.column_stack([bias, sd])
    ends = [
        np.column_stack([bias + edge - mean, sd * bound])
        for edge, bound in zip((low, high), bounds, strict=True)
    ]
    for part in (value, *ends):
        part[seen == 0] = np.nan
    return ("border_bias", "border_sd"), value, ends[0], ends[1]
