"""The images of a folder, one by one, for programs that look at all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from overread.images.case_image import Found, Quarantined
from overread.images.child import Child
from overread.images.decode import open_case, source_hash
from overread.images.find import find_images
from overread.images.show import brightness


@dataclass(frozen=True, slots=True, eq=False)
class ImageFolder:
    """Images found under a folder, in the order of their names; none is decoded yet.

    Args:
        names: path of each (of its first file) below the folder.
        keys: SHA-256 of the bytes of its files.
        aside: what is no image, with its reason.
    """

    names: tuple[str, ...]
    keys: tuple[str, ...]
    aside: tuple[Quarantined, ...]
    _found: tuple[Found, ...]
    _child: Child

    def load(self, place: int) -> NDArray[np.uint8] | None:
        """Brightness of an image (its middle frame); None where it is gone or cannot be read."""
        case = open_case(self._found[place], self._child)
        return None if isinstance(case, Quarantined) else brightness(case)


def image_folder(folder: Path, child: Child) -> ImageFolder:
    """Find the images under a folder.

    Args:
        folder: searched to its bottom.
        child: decodes; the caller closes it.
    Raises:
        InputError: the folder is not there.
    """
    aside: list[Quarantined] = []
    found: list[tuple[str, Found]] = []
    for one in find_images([folder], child):
        if isinstance(one, Quarantined):
            aside.append(one)
        else:
            found.append((_below(folder, one.files[0]), one))
    found.sort(key=lambda pair: pair[0])
    return ImageFolder(
        tuple(name for name, _ in found),
        tuple(source_hash(one.files) for _, one in found),
        tuple(aside),
        tuple(one for _, one in found),
        child,
    )


def _below(folder: Path, file: Path) -> str:
    try:
        return file.relative_to(folder).as_posix()
    except ValueError:  # the folder is a single file
        return file.name
