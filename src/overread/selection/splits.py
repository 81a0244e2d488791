"""Held-back cases that no patient, video or near-duplicate shares with the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.basis import blocks, squares


def split_by_group(
    groups: Ints, shares: tuple[float, ...], *, strata: Ints | None = None, seed: int = 0
) -> NDArray[np.int64]:
    """Deal whole groups to parts, so that each part nears its share of the cases.

    Args:
        groups: (cases,) patient, video, near-duplicates; codes from 0.
        shares: of the parts; sum 1.
        strata: (cases,) codes from 0 (class, site): each part nears its share of each stratum too.
        seed: of the order of equal groups.
    Returns:
        (cases,) part of each case; all cases of a group are in one part.
    """
    groups = np.asarray(groups)
    if groups.ndim != 1 or (groups.size and groups.min() < 0):
        raise InputError("groups", "be codes from 0, one a case", "others")
    if min(shares, default=0) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise InputError("shares", "be at least 0 and sum to 1", shares)
    kinds = np.zeros_like(groups) if strata is None else np.asarray(strata)
    if kinds.shape != groups.shape:
        raise InputError("strata", "be one code a case", kinds.shape)
    _, code = np.unique(groups, return_inverse=True)
    n_kinds = int(kinds.max(initial=0)) + 1
    table = np.zeros((int(code.max(initial=-1)) + 1, n_kinds))
    np.add.at(table, (code, kinds), 1.0)
    part_of = _dealt(table, np.asarray(shares), np.random.default_rng(seed))
    return part_of[code]


def _dealt(table: Floats, shares: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Largest groups first, each to the part that it brings nearest to its shares."""
    size = table.sum(axis=1)
    wanted = shares[:, None] * table.sum(axis=0)
    have = np.zeros_like(wanted)
    rare = 1 / np.maximum(table.sum(axis=0), 1)
    part_of = np.empty(len(table), dtype=np.int64)
    mixed = rng.permutation(len(table))
    for group in mixed[np.argsort(-size[mixed], kind="stable")]:
        short = np.where(shares[:, None] > 0, wanted - have, -np.inf)
        # what the part lacks of the strata in this group, the rare ones counting more
        need = (short * rare) @ table[group] / np.maximum(shares, 1e-12)
        part = int(np.argmax(np.where(shares > 0, need, -np.inf)))
        part_of[group] = part
        have[part] += table[group]
    return part_of


def near_duplicates(latents: Floats, *, within: float, groups: Ints | None = None) -> Ints:
    """Join cases whose latents nearly coincide into groups (single linkage).

    Args:
        latents: (cases, latents).
        within: largest distance of two near-duplicates, in units of the latents.
        groups: (cases,) groups that are known already; they are joined further.
    Returns:
        (cases,) group codes from 0, in order of first appearance.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - not needed elsewhere
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415
    from scipy.spatial import cKDTree  # noqa: PLC0415

    n = len(latents)
    if within < 0:
        raise InputError("distance", "be at least 0", within)
    if latents.shape[1] <= 16:
        pairs = cKDTree(latents).query_pairs(within, output_type="ndarray")
    else:
        found = []
        for block in blocks(n, 2048):
            near = squares(latents[block], latents) <= within**2 + 1e-12
            left, right = np.nonzero(near)
            left = left + block.start
            found.append(np.column_stack([left, right])[left < right])
        pairs = np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)
    if groups is not None:
        _, first, code = np.unique(groups, return_index=True, return_inverse=True)
        pairs = np.vstack([pairs, np.column_stack([np.arange(n), first[code]])])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    _, first, code = np.unique(label, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.asarray(rank[code])
