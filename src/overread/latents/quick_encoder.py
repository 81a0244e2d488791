"""The quick encoder of a project: fitted once on a sample, kept in a file, then always the same."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError
from overread.latents.encoder import Images, Wanted, check_images, version_of
from overread.latents.files import placed_once
from overread.latents.quick import SIDE, QuickEncoder, encode_quick, learn_quick
from overread.latents.shrink import shrunk

_SAMPLE = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Quick:
    """Gradient histograms and k-means patches of the project's own images.

    Args:
        learned: from a sample.
    """

    learned: QuickEncoder

    @property
    def name(self) -> str:
        """Of this encoder."""
        return "quick"

    @property
    def version(self) -> str:
        """Hash of what was learned."""
        return version_of("quick 1", _arrays(self.learned))

    @property
    def dimension(self) -> int:
        """Latents of an image."""
        return int(self.learned.axes.shape[1])

    @property
    def wanted(self) -> Wanted:
        """64 x 64, grey or colour as the sample was."""
        return Wanted(SIDE, SIDE, self.learned.channels)

    def encode(self, images: Images) -> NDArray[np.float32]:
        """(n, 64, 64, channels) to (n, dimension)."""
        if len(check_images(images, self.wanted)) == 0:
            return np.empty((0, self.dimension), dtype=np.float32)
        return encode_quick(images, self.learned).astype(np.float32)


def fit_quick(
    keys: Sequence[Hashable], load_image: Callable[[int], Images | None], *,
    sample: int = _SAMPLE, size: int = 128, words: int = 400, patches: int = 60_000, seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Quick:  # fmt: skip
    """Fit on a sample of the images.

    Args:
        keys: content hash of each image; equal ones are looked at once.
        load_image: place among the keys to (rows, columns) or (rows, columns, 3) brightness 0 to
            255; None where the image has vanished.
        sample: images at most.
        size, words, patches, seed: as of :func:`overread.latents.quick.learn_quick`.
        progress: told of images read, and of how many there will be.
    Raises:
        InputError: there are not even two images.
    """
    first = {key: place for place, key in reversed(list(enumerate(keys)))}
    places = np.array(sorted(first.values()), dtype=np.int64)
    drawn = np.random.default_rng(seed).permutation(places)[:sample]
    found: list[NDArray[np.uint8]] = []
    for done, place in enumerate(np.sort(drawn), start=1):
        image = load_image(int(place))
        if image is not None:
            channels = 3 if image.ndim == 3 and image.shape[2] == 3 else 1
            found.append(shrunk(image, SIDE, SIDE, channels))
        if progress is not None:
            progress(done, len(drawn))
    if len(found) < 2:
        remedy = "Import the images first, or put back the files that are missing."
        raise InputError("sample", "hold at least 2 images", len(found), remedy=remedy)
    if {one.shape[2] for one in found} != {1}:  # one colour image makes a colour encoder
        found = [shrunk(one, SIDE, SIDE, 3) for one in found]
    stack = np.stack(found)
    return Quick(learn_quick(stack, size=size, words=words, patches=patches, seed=seed))


def write_quick(encoder: Quick, path: Path) -> Quick:
    """Keep an encoder in a file.

    Returns:
        The encoder that the file holds: another process may have been first.
    """
    arrays = _arrays(encoder.learned)
    made = io.BytesIO()
    np.savez(made, allow_pickle=False, **arrays)
    first = placed_once(path, made.getvalue())
    return encoder if first else read_quick(path)


def read_quick(path: Path) -> Quick:
    """Read what :func:`write_quick` wrote; nothing in the file is run.

    Raises:
        InputError: the file is damaged, or holds something else.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            parts = {one.name: held[one.name] for one in fields(QuickEncoder)}
        learned = QuickEncoder(**(parts | {"channels": int(parts["channels"])}))
        _check(learned)
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, FileNotFoundError):
            raise
        remedy = "Remove it: it is fitted anew, and the latents are computed again."
        rule = "be one that this program wrote"
        raise InputError("file of the quick encoder", rule, "another", remedy=remedy) from error
    return Quick(learned)


def _check(learned: QuickEncoder) -> None:
    pixels, words = learned.mean.shape[0], learned.words.shape[0]
    raw, latents = learned.axes.shape
    shapes = {
        "whiten": (pixels, pixels), "words": (words, pixels), "centre": (raw,), "spread": (raw,),
        "axes": (raw, latents),
    }  # fmt: skip
    for name, shape in shapes.items():
        part = getattr(learned, name)
        if part.shape != shape or part.dtype != np.float64 or not np.isfinite(part).all():
            raise ValueError(name)
    if learned.channels not in {1, 3}:
        raise ValueError("channels")


def _arrays(learned: QuickEncoder) -> dict[str, NDArray[np.generic]]:
    return {one.name: np.asarray(getattr(learned, one.name)) for one in fields(QuickEncoder)}
