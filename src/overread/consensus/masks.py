"""Consensus of masks: majority, STAPLE, and the default, reader-weighted signed distance."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.consensus.mask_cases import CaseMasks, Gold, case_masks, check_masks, mask_warnings
from overread.consensus.mask_patterns import vote_patterns, vote_shares
from overread.consensus.mask_result import CaseAnswer, mask_consensus
from overread.consensus.mask_votes import (
    CaseVotes,
    case_votes,
    heat,
    stacked,
    vote_temperature,
)
from overread.consensus.outline_masks import signed_distance
from overread.consensus.result import Consensus, Iteration, MaskConsensus, Setting
from overread.consensus.staple import (
    MOST_ITERATIONS,
    TOLERANCE,
    Region,
    StapleFit,
    check_settings,
    fit_staple,
)
from overread.errors import InputError
from overread.labels import MaskReads

MaskTies = Literal["first", "last"]
Pool = Literal["case", "reader"]

_TIE_WORDS = {
    "first": "a tied pixel goes to the first of the tied classes, so to the background if tied",
    "last": "a tied pixel goes to the last of the tied classes, so never to the background",
}
_POOLED_STEPS = 2_000
_POOLED_TOLERANCE = 1e-12


def majority_masks(
    reads: MaskReads, *, ties: MaskTies = "first", gold: Gold | None = None, level: float = 0.95
) -> Consensus[MaskConsensus]:
    """Give each pixel the class that most readers give it.

    The probability is the soft average: the share of the votes.

    Args:
        reads: masks, 2-D or volumes; repeats of one reader share a vote.
        ties: a tied pixel goes to the "first" (by default) or "last" of the tied classes.
        gold: (cases,) masks known to be true, None elsewhere: taken as they are.
        level: coverage of the intervals of reader reliability, in (0, 1).
    Raises:
        InputError: a setting out of range. MethodError: no readable mask.
    Example:
        >>> from overread.labels import Kind, LabelClass, LabelSchema, mask_reads, read_index
        >>> schema = LabelSchema(Kind.MASK, (LabelClass("background"), LabelClass("lesion")))
        >>> masks = [np.array([[0, 1, 1]]), np.array([[0, 0, 1]]), np.array([[1, 0, 1]])]
        >>> reads = mask_reads(read_index(["a"] * 3, ["R1", "R2", "R3"]), masks, schema)
        >>> majority_masks(reads).value.mask[0].tolist()
        [[0, 0, 1]]
    """
    check_masks(reads, gold, level)
    if ties not in _TIE_WORDS:
        raise InputError("ties", 'be "first" or "last"', f"{ties!r}")
    n_classes = len(reads.schema.classes)
    answers = [_voted(one, n_classes, ties) for one in case_masks(reads, gold=gold)]
    settings: dict[str, Setting] = {"ties": ties, "tie_rule": _TIE_WORDS[ties]}
    return mask_consensus(
        reads,
        answers,
        method="majority_masks",
        settings=settings,
        level=level,
        gold=gold,
        warnings=mask_warnings(reads),
    )


def _voted(masks: CaseMasks, n_classes: int, ties: MaskTies) -> CaseAnswer:
    patterns = vote_patterns(list(masks.masks), n_classes)
    share = vote_shares(patterns.said, masks.share, n_classes)
    top = share >= share.max(axis=1, keepdims=True) - 1e-9
    code = top.argmax(axis=1)
    if ties == "last":
        code = n_classes - 1 - top[:, ::-1].argmax(axis=1)
    box = masks.masks.shape[1:]
    probability = [patterns.spread(p.astype(np.float32)).reshape(box) for p in share.T]
    mask = patterns.spread(code.astype(np.int16)).reshape(box)
    return CaseAnswer(masks, mask, np.stack(probability), np.eye(n_classes)[0])


def staple(
    reads: MaskReads,
    *,
    region: Region = "image",
    pool: Pool = "reader",
    strength: float = 1.0,
    calibrate: bool = True,
    gold: Gold | None = None,
    level: float = 0.95,
    max_iterations: int = MOST_ITERATIONS,
    tolerance: float = TOLERANCE,
) -> Consensus[MaskConsensus]:
    """STAPLE, for two classes and for more.

    With ``region="image", pool="case", calibrate=False`` each case of two classes is ITK's
    ``STAPLEImageFilter`` to rounding. By default the readers' confusions lean on what the same
    readers did in the other cases. The result depends on how much background the images show; with
    ``region="disagreement"`` it does not.

    Args:
        reads: masks, 2-D or volumes; repeats of one reader share a vote.
        region: fit all pixels of the "image", or those of "disagreement" alone.
        pool: "case" fits each case alone; "reader" first fits one confusion a reader to all cases
            and then lets each case's own depart from it.
        strength: how much the confusion over all cases counts in a case, as a multiple of the
            case's own pixels; 0 or more.
        calibrate: temper the posterior (at most 1) so that the others best predict each reader.
            The mask does not change.
        gold: (cases,) masks known to be true, None elsewhere; they teach the confusions.
        level: coverage of the intervals of reader reliability, in (0, 1).
        max_iterations, tolerance: as in :func:`overread.consensus.staple.staple_arrays`.
    Returns:
        Consensus whose confusions [reader, truth, said] are the model's (with two classes,
        ``confusion[:, 1, 1]`` is the sensitivity and ``confusion[:, 0, 0]`` the specificity), the
        mean over cases weighted by pixels. The mask is the most probable class; a tie goes to
        the first.
    Raises:
        InputError: a setting out of range. MethodError: no readable mask.
    Source:
        Warfield, Zou & Wells 2004, IEEE TMI 23(7):903-921; Rohlfing, Russakoff & Maurer 2004,
        IEEE TMI 23(8):983-994. Pooling over cases and tempering: ours.
    """
    check_masks(reads, gold, level)
    check_settings(max_iterations, tolerance, region)
    if pool not in ("case", "reader"):
        raise InputError("pool", 'be "case" or "reader"', f"{pool!r}")
    if not 0 <= strength < np.inf:
        raise InputError("strength", "be a number of 0 or more", strength)
    n_classes = len(reads.schema.classes)
    cases = [case_votes(one, n_classes, region) for one in case_masks(reads, gold=gold)]
    shared = None
    if pool == "reader" and len(cases) > 1 and strength > 0:
        shared = _shared_confusion(cases, reads.index.n_readers)
    fits = [
        _fit_case(one, reads.index.n_readers, shared, strength, max_iterations, tolerance)
        for one in cases
    ]
    tau = 1.0
    if calibrate:
        pairs = zip(cases, fits, strict=True)
        votes = [(one.votes, fit.confusion) for one, fit in pairs]
        tau = vote_temperature(votes, disputed=region == "disagreement")
    settings: dict[str, Setting] = {
        "region": region,
        "pool": pool,
        "strength": strength,
        "calibrate": calibrate,
        "max_iterations": max_iterations,
        "tolerance": tolerance,
        "tie_rule": _TIE_WORDS["first"],
    }
    stopped = sum(not fit.converged for fit in fits)
    late = (f"{stopped} cases had not settled after {max_iterations} iterations.",)
    return mask_consensus(
        reads,
        [_answer(one, fit, tau) for one, fit in zip(cases, fits, strict=True)],
        method="staple",
        settings=settings,
        level=level,
        gold=gold,
        warnings=mask_warnings(reads) + (late if stopped else ()),
        confusion=_mean_confusion(fits),
        history=_history(fits),
        temperature=tau,
    )


def _shared_confusion(cases: list[CaseVotes], n_readers: int) -> Floats:
    """(readers, classes, classes) of one fit to all cases."""
    fit = fit_staple(
        stacked(cases),
        n_readers=n_readers,
        max_iterations=_POOLED_STEPS,
        tolerance=_POOLED_TOLERANCE,
    )
    return np.where(np.isnan(fit.confusion), 1.0 / fit.confusion.shape[1], fit.confusion)


def _fit_case(  # noqa: PLR0917 (all of them settings of one fit)
    case: CaseVotes,
    n_readers: int,
    shared: Floats | None,
    strength: float,
    max_iterations: int,
    tolerance: float,
) -> StapleFit:
    votes, pseudo = case.votes, None
    if shared is not None:
        # Each class of the case weighs in by its expected pixels, so that rare ones keep theirs.
        pseudo = strength * (votes.count.sum() * _case_prior(case))[None, :, None] * shared
    return fit_staple(
        votes,
        n_readers=n_readers,
        pseudo=pseudo,
        max_iterations=max_iterations,
        tolerance=tolerance,
    )


def _case_prior(case: CaseVotes) -> Floats:
    """(classes,) shares of the votes of the pixels that the fit counts."""
    total = case.votes.count.sum()
    n_classes = case.votes.prior.shape[1]
    if not total:
        return np.full(n_classes, 1.0 / n_classes)
    return np.asarray(case.votes.count @ case.votes.prior / total)


def _mean_confusion(fits: list[StapleFit]) -> Floats:
    weight = np.stack([fit.pixels for fit in fits])[..., None]
    rows = np.stack([np.nan_to_num(fit.confusion) for fit in fits])
    total = weight.sum(axis=0)
    even = np.full(rows.shape[1:], 1.0 / rows.shape[-1])
    return np.asarray(np.divide((weight * rows).sum(axis=0), total, out=even, where=total > 0))


def _history(fits: list[StapleFit]) -> tuple[Iteration, ...]:
    """Summed over cases; a case that has settled stays as it is."""
    steps = max(fit.log_likelihood.size for fit in fits)
    total = np.zeros(steps)
    for fit in fits:
        own = fit.log_likelihood
        total += np.r_[own, np.full(steps - own.size, own[-1])]
    return tuple(Iteration(float(x), float(x)) for x in total)


def _answer(case: CaseVotes, fit: StapleFit, tau: float) -> CaseAnswer:
    posterior, patterns = heat(fit.posterior, tau), case.patterns
    box = case.masks.masks.shape[1:]
    here = posterior[: len(patterns.said)]
    code = fit.posterior[: len(patterns.said)].argmax(axis=1)
    probability = [patterns.spread(p.astype(np.float32)).reshape(box) for p in here.T]
    mask: NDArray[np.int16] = patterns.spread(code.astype(np.int16)).reshape(box)
    nothing = (case.votes.said == 0).all(axis=1) & (case.votes.known <= 0)
    far = posterior[nothing][0] if nothing.any() else np.eye(posterior.shape[1])[0]
    return CaseAnswer(case.masks, mask, np.stack(probability), far)


_METHODS: MappingProxyType[str, Callable[..., Consensus[MaskConsensus]]] = MappingProxyType(
    {"signed_distance": signed_distance, "majority": majority_masks, "staple": staple}
)


def consensus_masks(
    reads: MaskReads,
    *,
    method: Literal["signed_distance", "majority", "staple"] = "signed_distance",
    calibrate: bool = True,
    gold: Gold | None = None,
    level: float = 0.95,
) -> Consensus[MaskConsensus]:
    """Consensus of masks by the method that did best in our simulations, or by another.

    The default does not depend on how much background the images show.

    Args:
        reads: masks, 2-D or volumes, of two classes or more.
        method: "signed_distance" (:func:`signed_distance`), "majority" or "staple" (the latter
            here on the pixels of disagreement).
        calibrate: temper the probabilities; for the majority they are the shares of the votes.
        gold: (cases,) masks known to be true, None elsewhere.
        level: coverage of the intervals of reader reliability, in (0, 1).
    Raises:
        InputError: a setting out of range. MethodError: no readable mask.
    """
    if method not in _METHODS:
        raise InputError("method", f"be one of {', '.join(_METHODS)}", f"{method!r}")
    if method == "majority":
        return majority_masks(reads, gold=gold, level=level)
    if method == "staple":
        return staple(reads, region="disagreement", calibrate=calibrate, gold=gold, level=level)
    return signed_distance(reads, calibrate=calibrate, gold=gold, level=level)
