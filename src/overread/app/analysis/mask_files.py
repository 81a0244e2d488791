"""Masks of a project as pictures in a zip: a folder a reader, a file a case."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from overread.app.analysis.project_reads import FRAME
from overread.consensus.result import Consensus, MaskConsensus
from overread.exchange.mask_files import file_stems, write_mask
from overread.labels import MaskReads

CONSENSUS_FOLDER = "consensus"


def read_pictures(path: Path, reads: MaskReads) -> None:
    """Write ``<reader>/<case>.png`` of each read, .nii.gz where a case has several frames.

    Unpacked, it is a folder of masks as Overread reads it; ``classes.json`` has the class of each
    value. Only frames that somebody painted are told from each other: NIfTI holds these, in order.
    """
    with _Pictures(path, reads.schema.names) as kept:
        for reader in range(reads.index.n_readers):
            rows = np.flatnonzero(reads.index.reader == reader)
            if reads.unreadable is not None:
                rows = rows[~reads.unreadable[rows]]
            named = ((str(reads.index.cases[reads.index.case[r]]), r) for r in rows.tolist())
            masks = ((name, reads.mask(row)) for name, row in named)
            kept.add(reads.index.readers[reader], masks)


def consensus_pictures(
    path: Path,
    parts: Iterable[tuple[MaskReads, Consensus[MaskConsensus]]],
    about: Mapping[str, Any],
) -> None:
    """Write ``consensus/<case>.png`` (.nii.gz) of each case, and how it was reached.

    Args:
        about: filled in by the time that the parts are all there.
    """
    pictures: _Pictures | None = None
    try:
        for reads, consensus in parts:
            pictures = pictures or _Pictures(path, reads.schema.names)
            masks = zip(consensus.cases.tolist(), consensus.value.mask, strict=True)
            pictures.add(CONSENSUS_FOLDER, ((name, mask) for name, mask in masks if mask.size))
        if pictures is not None:
            pictures.tell("consensus.json", about.get("about", {}))
    finally:
        if pictures is not None:
            pictures.close()


class _Pictures:
    """A zip that masks are put into one by one."""

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED)  # PNG and .gz are packed
        self._room = tempfile.TemporaryDirectory(prefix=".overread-masks-", dir=path.parent)
        self.tell("classes.json", dict(enumerate(names)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self, name: str, value: Any) -> None:
        self._zip.writestr(name, json.dumps(value, ensure_ascii=False, indent=1))

    def add(self, folder: str, masks: Iterable[tuple[str, NDArray[Any]]]) -> None:
        (safe,) = file_stems([folder])
        for case, mask in _cases(masks):
            (stem,) = file_stems([case])
            name = write_mask(Path(self._room.name), stem, mask)
            made = Path(self._room.name) / name
            self._zip.write(made, f"{safe}/{name}")
            made.unlink()

    def close(self) -> None:
        self._zip.close()
        self._room.cleanup()


def _cases(masks: Iterable[tuple[str, NDArray[Any]]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Frames of one case, which follow each other, become one volume."""
    now, frames = "", list[NDArray[Any]]()
    for name, mask in masks:
        case = name.split(FRAME, maxsplit=1)[0]
        if frames and case != now:
            yield now, np.stack(frames)
            frames = []
        if FRAME in name:
            now = case
            frames.append(mask)
        else:
            yield name, mask
    if frames:
        yield now, np.stack(frames)
