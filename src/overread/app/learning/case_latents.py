"""The images of a project as vectors: made in the background, kept, made again for new cases.

The encoder is learned from a sample of the project's own thumbnails; a project that has grown far
beyond the sample gets a new one. What is kept follows from the images: nothing is lost with it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.app.study.case_pictures import thumbnail
from overread.arrays import Floats
from overread.errors import OverreadError
from overread.images import small_square
from overread.latents.quick import SIDE, QuickEncoder, encode_quick, learn_quick
from overread.store import Blobs, Store, get_cases
from overread.store.learning import (
    each_latent,
    keep_encoder,
    keep_latents,
    kept_encoder,
    without_latents,
)
from overread.store.plan_view import list_facts

_SAMPLE = 2_000
_PAGE = 64
_OUTGROWN = 4  # times the sample, from which on the encoder is learned anew

Tick = Callable[[str, int], None]
"""Called with what is counted ("images") and how many more there are."""


@dataclass(frozen=True, slots=True, eq=False)
class CaseLatents:
    """Latents of the cases of a project whose images can be had.

    Args:
        version: of the encoder.
        cases: (cases,) ids, in the order of their numbers.
        groups: (cases,) the patient, or the case's own id where none is known.
        values: (cases, latents) float32.
        lost: cases whose image could not be had; waiting: those that are not encoded yet.
    """

    version: str
    cases: tuple[str, ...]
    groups: tuple[str, ...]
    values: NDArray[np.float32]
    lost: tuple[str, ...]
    waiting: tuple[str, ...]


def embed(store: Store, blobs: Blobs, project: str, tick: Tick) -> int:
    """Encode the cases that have no latents yet; may be stopped and called again at any time.

    Args:
        store, blobs: where cases and images are.
        project: its id.
        tick: counts images.
    Returns:
        How many cases were encoded; 0 with fewer than two images.
    """
    found = _encoder(store, blobs, project)
    if found is None:
        return 0
    version, encoder = found
    missing = without_latents(store, project, version, lost=True)
    for start in range(0, len(missing), _PAGE):
        part = missing[start : start + _PAGE]
        squares = _squares(store, blobs, part, colour=encoder.channels == 3)
        rows: dict[str, bytes | None] = dict.fromkeys(part)
        if squares:
            made = encode_quick(np.stack(list(squares.values())), encoder)
            for case, row in zip(squares, made.astype("<f4"), strict=True):
                rows[case] = row.tobytes()
        keep_latents(store, project, version, rows)
        tick("images", len(part))
    return len(missing)


def latents_of(store: Store, project: str) -> CaseLatents | None:
    """The latents that are kept; None before there is an encoder.

    Returns:
        What is there now: cases that wait for theirs are named apart.
    """
    kept = kept_encoder(store, project)
    if kept is None:
        return None
    version = kept[0]
    vectors = dict(each_latent(store, project, version))
    cases: list[str] = []
    groups: list[str] = []
    lost: list[str] = []
    waiting: list[str] = []
    for one in list_facts(store, project):
        vector = vectors.get(one.id)
        if vector:
            cases.append(one.id)
            groups.append(one.group or one.id)
        else:
            (waiting if vector is None else lost).append(one.id)
    size = len(vectors[cases[0]]) // 4 if cases else 0
    values = np.empty((len(cases), size), dtype=np.float32)
    for at, case in enumerate(cases):
        values[at] = np.frombuffer(vectors[case], dtype="<f4")
    return CaseLatents(version, tuple(cases), tuple(groups), values, tuple(lost), tuple(waiting))


def _encoder(store: Store, blobs: Blobs, project: str) -> tuple[str, QuickEncoder] | None:
    """The encoder that is kept, or one that is learned now."""
    every = [one.id for one in list_facts(store, project)]
    kept = kept_encoder(store, project)
    if kept is not None:
        encoder, learned_on = _unpacked(kept[1])
        if learned_on >= _SAMPLE or len(every) <= _OUTGROWN * learned_on:
            return kept[0], encoder
    rng = np.random.default_rng(int(hashlib.sha256(project.encode()).hexdigest()[:8], 16))
    chosen = [every[at] for at in np.sort(rng.permutation(len(every))[:_SAMPLE])]
    colour = _any_colour(store, chosen)
    squares: list[NDArray[np.uint8]] = []
    for start in range(0, len(chosen), _PAGE):
        part = _squares(store, blobs, chosen[start : start + _PAGE], colour=colour)
        squares += part.values()
    if len(squares) < 2:
        return None
    count = len(squares)  # of few images neither many words nor many patches can be learned
    encoder = learn_quick(
        np.stack(squares), words=min(400, 32 + 2 * count), patches=min(60_000, 150 * count)
    )
    packed = _packed(encoder, len(squares))
    version = f"quick-{hashlib.sha256(packed).hexdigest()[:12]}"
    keep_encoder(store, project, version, packed)
    return version, encoder


def _any_colour(store: Store, cases: Sequence[str]) -> bool:
    for start in range(0, len(cases), 500):
        found = get_cases(store, cases[start : start + 500])
        if any(row.image.get("samples") == 3 for row in found.values()):
            return True
    return False


def _squares(
    store: Store, blobs: Blobs, cases: Sequence[str], *, colour: bool
) -> dict[str, NDArray[np.uint8]]:
    """Small squares of the cases whose image can be had."""
    made: dict[str, NDArray[np.uint8]] = {}
    for case in cases:
        try:
            picture = thumbnail(store, blobs, case, reader="", role="admin")
            made[case] = small_square(picture, side=SIDE, colour=colour)
        except (OverreadError, OSError, KeyError):
            continue  # gone, or cut: the page tells how many
    return made


def _packed(encoder: QuickEncoder, learned_on: int) -> bytes:
    made = io.BytesIO()
    parts: dict[str, Any] = {one.name: getattr(encoder, one.name) for one in fields(encoder)}
    np.savez(made, **(parts | {"learned_on": learned_on}))
    return made.getvalue()


def _unpacked(packed: bytes) -> tuple[QuickEncoder, int]:
    with np.load(io.BytesIO(packed), allow_pickle=False) as found:
        parts: dict[str, Floats] = {one.name: found[one.name] for one in fields(QuickEncoder)}
        learned_on = int(found["learned_on"])
    channels = int(parts.pop("channels"))
    return QuickEncoder(**parts, channels=channels), learned_on
