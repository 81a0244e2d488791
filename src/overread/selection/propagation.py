"""What the cases nobody labelled add: labels spread to neighbours, if that is shown to help.

Every case listens to the cases most like it, of other groups alone: a patient, or a picture that is
nearly the same, must not vouch for itself, and each group speaks once. Labelled cases say their
label, the others what the process makes of them; after some rounds each case is a mix of itself
and of its surroundings. Whether that is used is decided by labels held back, group by group.

Source:
    Zhou et al. 2004, NeurIPS 16 (learning with local and global consistency); Huang et al. 2021,
    ICLR ("correct and smooth": spreading starts from a model's own answers).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import stdtrit

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.basis import Latents, blocks, check_latents

NEIGHBOURS = 10
SHARE = 0.5
MOST = 20_000
"""Cases that are compared each with each other."""
LEAST_GROUPS = 20
"""Groups held back, before their difference is believed."""

_ROUNDS = 20
_SURE = 0.975
_SPARE = 4  # neighbours looked at for each that is wanted: some are of the own group


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether spreading labels helps on cases held back.

    Args:
        on: it does: the interval of the gain lies above 0.
        without, with_: mean loss (nats a case, each group counts once).
        gain, low, high: of the loss, by group, paired, with its 95 % interval; NaN of too few.
        groups: held back.
        words: what it says, in a sentence.
    """

    on: bool
    without: float
    with_: float
    gain: float
    low: float
    high: float
    groups: int
    words: str


def surroundings(latents: Latents, groups: Ints, *, neighbours: int = NEIGHBOURS) -> csr_array:
    """Whom each case listens to: (cases, cases), rows sum to 1, or to 0 where nobody is there.

    Args:
        latents: (cases, latents), at most :data:`MOST`.
        groups: (cases,) patient, video, near-duplicates; codes.
        neighbours: of other groups; of each group the nearest case alone.
    """
    check_latents(latents)
    count = len(latents)
    if len(groups) != count or count > MOST:
        raise InputError("cases", f"be at most {MOST:,}, each with a group", count)
    x = np.asarray(latents, dtype=np.float64)
    own = (x**2).sum(axis=1)
    rows, columns, far = list[Ints](), list[Ints](), list[Floats]()
    for block in blocks(count):
        apart = np.maximum(own[block, None] + own[None, :] - 2 * x[block] @ x.T, 0)
        apart[groups[block, None] == groups[None, :]] = np.inf
        wanted = min(_SPARE * neighbours, count)
        near = np.argpartition(apart, wanted - 1, axis=1)[:, :wanted]
        for at, row in enumerate(range(block.start, block.start + len(apart))):
            found = near[at][np.argsort(apart[at, near[at]], kind="stable")]
            found = found[np.isfinite(apart[at, found])]
            _, first = np.unique(groups[found], return_index=True)
            found = found[np.sort(first)][:neighbours]
            rows.append(np.full(len(found), row))
            columns.append(found)
            far.append(apart[at, found])
    who, whom, distance = np.concatenate(rows), np.concatenate(columns), np.concatenate(far)
    last = np.zeros(count)  # of each case: how far its farthest neighbour is
    np.maximum.at(last, who, distance)
    weight = np.exp(-distance / np.maximum(last[who], 1e-12))
    made = csr_array((weight, (who, whom)), shape=(count, count))
    total = np.asarray(made.sum(axis=1)).reshape(-1)
    return csr_array(made.multiply(1 / np.maximum(total, 1e-12)[:, None]))


def propagate(
    around: csr_array, probabilities: Floats, rows: Ints, votes: Floats, *, share: float = SHARE
) -> Floats:
    """Class probabilities after labels have spread.

    Args:
        around: of :func:`surroundings`.
        probabilities: (cases, classes) of the process, which each case starts from.
        rows: (labels,) labelled cases; votes: (labels, classes) of each, which stand.
        share: of the surroundings, in [0, 1); 0 leaves the probabilities as they are.
    """
    if not 0 <= share < 1:
        raise InputError("share of the surroundings", "be in [0, 1)", share)
    start = np.array(probabilities, dtype=np.float64)
    start[rows] = votes / votes.sum(axis=1, keepdims=True)
    listens = (np.asarray(around.sum(axis=1)).reshape(-1) > 0)[:, None] * share
    now = start.copy()
    for _ in range(_ROUNDS):
        now = (1 - listens) * start + listens * (around @ now)
    now[rows] = start[rows]
    return np.asarray(now / now.sum(axis=1, keepdims=True))


def verdict(without: Floats, with_: Floats, truth: Ints, groups: Ints) -> Verdict:
    """Decide by cases held back, whose labels neither taught nor spread.

    Args:
        without, with_: (cases, classes) probabilities; truth: (cases,) classes.
        groups: (cases,) codes: the unit, so that many cases of a patient are one.
    """
    rows = np.arange(len(truth))
    loss = [-np.log(np.clip(one[rows, truth], 1e-12, 1)) for one in (without, with_)]
    _, code = np.unique(groups, return_inverse=True)
    size = np.bincount(code)
    means = [np.bincount(code, weights=one) / np.maximum(size, 1) for one in loss]
    before, after = (float(one.mean()) if len(one) else math.nan for one in means)
    many = len(size)
    if many < LEAST_GROUPS:
        words = (
            f"Labels are not spread to unlabelled cases: {many} groups are held back, and "
            f"{LEAST_GROUPS} are needed to tell whether it helps."
        )
        return Verdict(False, before, after, math.nan, math.nan, math.nan, many, words)
    each = means[0] - means[1]
    gain = float(each.mean())
    reach = float(stdtrit(many - 1, _SURE)) * float(each.std(ddof=1)) / math.sqrt(many)
    on = gain - reach > 0
    figures = (
        f"loss {before:.3f} without, {after:.3f} with, gain {gain:+.3f} "
        f"({gain - reach:+.3f} to {gain + reach:+.3f}) on {many} groups held back"
    )
    words = f"Labels are {'spread' if on else 'not spread'} to unlabelled cases: {figures}."
    return Verdict(on, before, after, gain, gain - reach, gain + reach, many, words)
