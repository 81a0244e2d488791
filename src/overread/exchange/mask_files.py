"""Consensus masks out: one PNG (2-D) or NIfTI (volumes) a case, and a table that names them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Floats
from overread.consensus.result import Consensus, MaskConsensus
from overread.errors import InputError, MissingExtraError
from overread.exchange.atomic import written
from overread.exchange.consensus_table import consensus_table, write_table

_MOST_PNG_CLASSES = 256
TABLE_NAME = "masks.csv"


def write_masks(
    consensus: Consensus[MaskConsensus], folder: Path | str, *, spacing_mm: Floats | None = None
) -> pl.DataFrame:
    """Write the consensus mask of each case and the table ``masks.csv`` beside them.

    Pixels hold class codes (0 is the background). Volumes become NIfTI with the axes columns,
    rows, slices and an affine that has the spacing alone, without origin or orientation: they lie
    on the voxels of the reads, not in the space of the scanner.

    Args:
        folder: made if it is not there.
        spacing_mm: (cases, dims) as the reads have it.
    Returns:
        the table: ``case, file, pixels, entropy, reads`` and the share of each class; cases where
        nothing is known have no file.
    Raises:
        InputError: a folder that cannot be written to, or more than 256 classes in a PNG.
        MissingExtraError: pillow or nibabel is not installed.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = "be a folder that can be written to"
        raise InputError("output", rule, error.strerror or "none") from error
    names = file_stems(consensus.cases.tolist())
    files: list[str | None] = []
    for case, mask in enumerate(consensus.value.mask):
        if not mask.size:
            files.append(None)
            continue
        spacing = None if spacing_mm is None else spacing_mm[case]
        files.append(write_mask(folder, names[case], mask, spacing))
    table = consensus_table(consensus)
    table.insert_column(1, pl.Series("file", files, dtype=pl.String))
    write_table(table, folder / TABLE_NAME)
    return table


def file_stems(names: list[str]) -> list[str]:
    """A file name for each case: letters, digits, dot, dash; a number where two become alike.

    Example:
        >>> file_stems(["a/b", "a b", "..", "x.png"])
        ['a_b', 'a_b-2', 'case', 'x']
    """
    taken: set[str] = set()
    stems = []
    for name in names:
        bare = re.sub(r"\.(png|nii\.gz|nii|gif|tiff?|bmp|jpe?g)$", "", name, flags=re.IGNORECASE)
        stem = re.sub(r"[^\w.-]+", "_", bare)[:150].strip("._") or "case"
        unique, count = stem, 1
        while unique.casefold() in taken:  # some file systems do not tell case apart
            count += 1
            unique = f"{stem}-{count}"
        taken.add(unique.casefold())
        stems.append(unique)
    return stems


def write_mask(folder: Path, stem: str, mask: NDArray[Any], spacing: Floats | None = None) -> str:
    """Write one mask of class codes: PNG (2-D) or NIfTI (volumes); returns the file's name.

    Args:
        folder: that is there.
        stem: of the name, as :func:`file_stems` makes them.
        spacing: mm a voxel along each axis of the mask, or None.
    Raises:
        InputError: more than 256 classes in a PNG.
        MissingExtraError: pillow or nibabel is not installed.
    """
    if mask.ndim == 2:
        name = f"{stem}.png"
        _write_png(folder / name, mask)
    else:
        name = f"{stem}.nii.gz"
        _write_nifti(folder / name, mask, spacing)
    return name


def _write_png(path: Path, mask: NDArray[Any]) -> None:
    try:
        from PIL import Image  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise MissingExtraError("Writing masks as PNG", "images") from error
    if int(mask.max(initial=0)) >= _MOST_PNG_CLASSES:
        raise InputError("mask", "have at most 256 classes in a PNG", int(mask.max()) + 1)
    with written(path) as part:
        Image.fromarray(mask.astype(np.uint8)).save(part, format="PNG")


def _write_nifti(path: Path, mask: NDArray[Any], spacing: Floats | None) -> None:
    try:
        import nibabel  # noqa: PLC0415 - an extra, needed here alone
    except ImportError as error:
        raise MissingExtraError("Writing masks as NIfTI", "images") from error
    known = spacing is not None and bool(np.isfinite(spacing).all())
    sides = spacing[::-1] if spacing is not None and known else np.ones(3)
    kind = np.uint8 if int(mask.max(initial=0)) < _MOST_PNG_CLASSES else np.int16
    image = nibabel.Nifti1Image(  # type: ignore[no-untyped-call]
        mask.T.astype(kind), np.diag([*sides, 1.0])
    )
    with written(path) as part:
        whole = part.with_suffix(".nii.gz")  # nibabel goes by the suffix
        try:
            nibabel.save(image, whole)
            whole.replace(part)
        finally:
            whole.unlink(missing_ok=True)
