"""Features of a Gaussian process on latents: an RBF kernel seen through landmarks (Nystroem)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.errors import InputError

Latents = NDArray[np.floating]

BLOCK = 4096
_JITTER = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Turns latents into features whose inner products are the kernel.

    Args:
        landmarks: (landmarks, latents) typical cases; duplicates left out.
        length: of the kernel exp(-distance^2 / (2 length^2)), in units of the latents.
        whiten: (landmarks, landmarks) L^-T, where L L^T is the kernel among the landmarks.
    """

    landmarks: Floats
    length: float
    whiten: Floats

    @property
    def size(self) -> int:
        """Number of features: one a landmark and one that is always 1 (the class's level)."""
        return len(self.landmarks) + 1


def basis_of(
    latents: Latents, *, landmarks: int = 256, length: float = 0.7, seed: int = 0
) -> Basis:
    """Choose landmarks among the cases and fit the kernel's length to them.

    Args:
        latents: (cases, latents), finite; a single case and constant latents are allowed.
        landmarks: how many, at most; 256 serve pools of any size (time grows with the square).
        length: in units of the median distance between landmarks.
        seed: of the landmarks.
    Raises:
        InputError: latents are not a finite table, or a setting is not above 0.
    Source:
        Williams & Seeger 2001, NeurIPS 13 (Nystroem).
    """
    check_latents(latents)
    if landmarks < 1 or not length > 0:
        raise InputError("landmarks and length", "be above 0", f"{landmarks} and {length}")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(latents))[:landmarks])
    points = np.unique(np.asarray(latents[chosen], dtype=np.float64), axis=0)
    return basis_at(points, length * median_distance(points))


def basis_at(landmarks: Floats, length: float) -> Basis:
    """The basis of given landmarks and length."""
    kernel = np.exp(-squares(landmarks, landmarks) / (2 * length**2))
    kernel[np.diag_indices_from(kernel)] += _JITTER
    lower = np.linalg.cholesky(kernel)
    whiten = np.linalg.solve(lower, np.eye(len(landmarks))).T
    return Basis(landmarks, length, np.ascontiguousarray(whiten))


def features_of(latents: Latents, basis: Basis) -> Floats:
    """Features of each case; block by block, so that memory holds the answer and little more.

    Args:
        latents: (cases, latents).
    Returns:
        (cases, basis.size); the last column is 1.
    """
    if latents.ndim != 2 or latents.shape[1] != basis.landmarks.shape[1]:
        rule = f"be (cases, {basis.landmarks.shape[1]})"
        raise InputError("latents", rule, latents.shape)
    found = np.empty((len(latents), basis.size))
    found[:, -1] = 1.0
    for block in blocks(len(latents)):
        near = squares(np.asarray(latents[block], dtype=np.float64), basis.landmarks)
        near *= -1 / (2 * basis.length**2)
        np.exp(near, out=near)
        np.matmul(near, basis.whiten, out=found[block, :-1])
    return found


def squares(points: Floats, others: Floats) -> Floats:
    """(points, others) squared distances, never below 0."""
    far = (points**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * (points @ others.T)
    return np.asarray(np.maximum(far, 0))


def median_distance(points: Floats) -> float:
    """Median distance between different points; 1 where there is none."""
    if len(points) < 2:
        return 1.0
    far = np.sqrt(squares(points, points)[np.triu_indices(len(points), 1)])
    middle = float(np.median(far))
    return middle if middle > 0 else 1.0


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices that cover ``rows`` in order."""
    return (slice(at, min(at + size, rows)) for at in range(0, rows, size))


def check_latents(latents: Latents) -> None:
    """Refuse what is no finite table of at least one case and one latent.

    Raises:
        InputError: it is none; the rows that are not finite are named.
    """
    if latents.ndim != 2 or 0 in latents.shape:
        raise InputError("latents", "be a table (cases, latents), not empty", latents.shape)
    wrong = [
        block.start + place
        for block in blocks(len(latents), 65536)
        for place in np.flatnonzero(~np.isfinite(latents[block]).all(axis=1))
    ]
    if wrong:
        rows = [row + 1 for row in wrong]
        remedy = "Encode these cases again, or leave them out."
        raise InputError("latents", "be finite", "nan or infinity", rows=rows, remedy=remedy)
