"""The images of cases in a folder, found by the names of the cases and decoded one by one."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.errors import InputError
from overread.images import CaseImage, Child, Found, Limits, Quarantined, find_images, open_case


def images_by_name(folder: Path, cases: Iterable[str]) -> dict[str, Found]:
    """Find the image of each case.

    A case is called like its file, with or without suffix, alone or with the folders under
    ``folder``; a series of slices like the folder that it lies in. A name that two files share is
    no case's.

    Raises:
        InputError: the folder does not exist, or holds no image of any case.
        MissingExtraError: the packages for a kind of file are not installed.
    """
    if not folder.is_dir():
        raise InputError("--images", "be a folder", "something else" if folder.exists() else "none")
    known: dict[str, Found | None] = {}
    root = folder.resolve()
    with _child() as child:
        for found in find_images([folder], child):
            if isinstance(found, Quarantined):
                continue
            for name in _names(found, root):
                known[name] = None if name in known and known[name] != found else found
    asked = list(cases)
    matched = {case: one for case in asked if (one := known.get(case)) is not None}
    if not matched:
        got = f"{sum(one is not None for one in known.values())} names, of none of {len(asked)}"
        remedy = "Cases are called like their files, with or without suffix."
        raise InputError("--images", "hold images of the cases", got, remedy=remedy)
    return matched


def decoded(found: dict[str, Found]) -> Iterator[tuple[str, CaseImage | None]]:
    """Decode image after image; None for one that was refused."""
    with _child() as child:
        for case, one in found.items():
            image = open_case(one, child)
            yield case, image if isinstance(image, CaseImage) else None


def _names(found: Found, root: Path) -> set[str]:
    path = found.files[0] if len(found.files) == 1 else found.files[0].parent
    names = {path.name, path.stem}
    if path.is_relative_to(root):
        inside = path.relative_to(root)
        names |= {inside.as_posix(), inside.with_suffix("").as_posix()}
    return names - {"", "."}


def _child() -> Child:
    return Child(secrets.token_bytes(32), Limits())
