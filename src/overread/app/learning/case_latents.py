"""The images of a project as vectors: made in the background, kept, made again for new cases.

The encoder is learned from a sample of the project's own thumbnails; a project that has grown far
beyond the sample gets a new one. What is kept follows from the images: nothing is lost with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from overread.app.learning.project_encoder import (
    ProjectEncoder,
    encode_pictures,
    learn_encoder,
    packed,
    unpacked,
)
from overread.app.study.case_pictures import thumbnail
from overread.errors import OverreadError
from overread.latents.efficientnet import installed, open_lite0
from overread.latents.encoder import Encoder
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
    with _pretrained() as pretrained:
        encoder = _encoder(store, blobs, project, pretrained)
        if encoder is None:
            return 0
        version = encoder.version
        missing = without_latents(store, project, version, lost=True)
        for start in range(0, len(missing), _PAGE):
            part = missing[start : start + _PAGE]
            pictures = _pictures(store, blobs, part)
            made = encode_pictures(encoder, list(pictures.values()), pretrained=pretrained)
            rows: dict[str, bytes | None] = dict.fromkeys(part)
            for at, case in enumerate(pictures):
                rows[case] = made[at].astype("<f4").tobytes() if at in made else None
            keep_latents(store, project, version, rows)
            tick("images", len(part))
        return len(missing)


@contextmanager
def _pretrained() -> Generator[Encoder | None]:
    """The small pretrained network, where its extra is installed."""
    if not installed():
        yield None
        return
    with TemporaryDirectory() as folder:  # its graph is built in a moment
        yield open_lite0(Path(folder))


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


def _encoder(
    store: Store, blobs: Blobs, project: str, pretrained: Encoder | None
) -> ProjectEncoder | None:
    """The encoder that is kept, or one that is learned now, of all that is installed."""
    every = [one.id for one in list_facts(store, project)]
    kept = kept_encoder(store, project)
    if kept is not None:
        encoder = unpacked(kept[1])
        grown = encoder.learned_on < _SAMPLE and len(every) > _OUTGROWN * encoder.learned_on
        if not grown and (encoder.axes is None) == (pretrained is None):
            return encoder
    rng = np.random.default_rng(int(hashlib.sha256(project.encode()).hexdigest()[:8], 16))
    chosen = [every[at] for at in np.sort(rng.permutation(len(every))[:_SAMPLE])]
    pictures = list(_pictures(store, blobs, chosen).values())
    made = learn_encoder(pictures, colour=_any_colour(store, chosen), pretrained=pretrained)
    if made is not None:
        keep_encoder(store, project, made.version, packed(made))
    return made


def _any_colour(store: Store, cases: Sequence[str]) -> bool:
    for start in range(0, len(cases), 500):
        found = get_cases(store, cases[start : start + 500])
        if any(row.image.get("samples") == 3 for row in found.values()):
            return True
    return False


def _pictures(store: Store, blobs: Blobs, cases: Sequence[str]) -> dict[str, bytes]:
    """Thumbnails of the cases whose image can be had."""
    made: dict[str, bytes] = {}
    for case in cases:
        try:
            made[case] = thumbnail(store, blobs, case, reader="", role="admin")
        except (OverreadError, OSError, KeyError):
            continue  # gone: the page tells how many
    return made
