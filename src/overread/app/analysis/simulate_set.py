"""A labelled set for :mod:`overread.app.analysis.simulate`: labels from a table, latents of images.

Latents come from a folder of images, which are encoded here, or from a file of their own: an
``.npz`` with ``cases`` and ``latents``, or a table with a column ``case`` and numbers beside it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.app.analysis.label_images import images_by_name
from overread.arrays import Ints, natural_key
from overread.errors import InputError
from overread.exchange.tables import TABLE_SUFFIXES, read_table, shown_names
from overread.images import CaseImage, Child, Found, Limits, open_case
from overread.images.decode import source_hash
from overread.images.show import windowed

Progress = Callable[[int, int], None]

_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """Cases with latents and a label each.

    Args:
        cases: names. latents: (cases, latents). labels: (cases,) index into ``classes``.
        groups: (cases,) codes of patients, or None.
        left_out: images or latents that no label names. encoders: names, () of given latents.
    """

    cases: tuple[str, ...]
    latents: NDArray[Any]
    labels: Ints
    classes: tuple[str, ...]
    groups: Ints | None
    left_out: int
    encoders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A table of labels. Args: groups: (cases,) codes of patients, or None."""

    cases: tuple[str, ...]
    labels: Ints
    classes: tuple[str, ...]
    groups: Ints | None


def read_labels(
    source: Any, *, case: str = "case", label: str = "label", group: str = "",
    classes: Sequence[str] = (),
) -> Labels:  # fmt: skip
    """Labels, one row a case.

    Args:
        source: a table, see :func:`overread.exchange.tables.open_table`.
        case, label, group: columns; "" where there are no groups.
        classes: allowed, in their order; those that occur, numbers by value, by default.
    Raises:
        InputError: a missing column or value, a case twice, one class only, or another class.
    """
    table = read_table(source)
    names = _column(table, case)
    said = _column(table, label)
    first: dict[str, int] = {}
    twice = [row for row, name in enumerate(names, start=1) if first.setdefault(name, row) != row]
    if twice:
        remedy = "Give one label a case; `overread consensus` makes one of several reads."
        raise InputError(case, "be there once", "a case again", rows=twice, remedy=remedy)
    known = list(classes) or sorted(set(said), key=natural_key)
    place = {name: code for code, name in enumerate(known)}
    other = [row for row, name in enumerate(said, start=1) if name not in place]
    if other:
        rule = f"be one of {', '.join(known)}"
        raise InputError(label, rule, repr(said[other[0] - 1]), rows=other)
    if len(set(said)) < 2:
        rule = "be of at least two classes"
        raise InputError(label, rule, f"{said[0]!r} in all {len(said)} rows")
    groups = np.unique(_column(table, group), return_inverse=True)[1] if group else None
    return Labels(tuple(names), np.array([place[s] for s in said]), tuple(known), groups)


def _column(table: pl.DataFrame, name: str) -> list[str]:
    if name not in table.columns:
        raise InputError("labels", f"have a column {name!r}", shown_names(table.columns))
    found = [(one or "").strip() for one in table[name].cast(pl.String).to_list()]
    blank = [row for row, one in enumerate(found, start=1) if not one]
    if blank:
        raise InputError(name, "be given", "nothing", rows=blank)
    return found


def labelled_set(
    source: Path, labels: Labels, *, encoders: Sequence[str] = (), scale: str = "",
    keep: Path | None = None, progress: Progress | None = None,
) -> LabelledSet:  # fmt: skip
    """Put labels and latents together.

    Args:
        source: folder of images, called like the cases; or a file of latents.
        encoders: of images, joined, as :func:`overread.app.analysis.named_encoder` knows them; the
            default chain where there are none.
        scale: of the input of ONNX files that another program wrote.
        keep: folder in which latents of images are kept for the next time.
        progress: told of images done.
    Raises:
        InputError: a label whose image or latents are not there.
        MissingExtraError: packages that decode or encode are not installed.
    """
    if source.is_dir():
        return _encoded(source, labels, tuple(encoders), scale, keep, progress)
    cases, latents = _latents_file(source)
    place = {name: row for row, name in enumerate(cases)}
    if len(place) != len(cases):
        raise InputError("latents", "have each case once", f"{len(cases) - len(place)} again")
    _refuse_missing([name in place for name in labels.cases], "latents")
    rows = np.array([place[name] for name in labels.cases])
    left = len(cases) - len(rows)
    return LabelledSet(
        labels.cases, latents[rows], labels.labels, labels.classes, labels.groups, left
    )


def _refuse_missing(there: Sequence[bool], what: str) -> None:
    rows = [row for row, one in enumerate(there, start=1) if not one]
    if rows:
        remedy = f"Add the {what}, or take these rows out of the labels."
        got = f"{len(rows)} of {len(there)} without"
        raise InputError("labels", f"name cases that have {what}", got, rows=rows, remedy=remedy)


def _latents_file(path: Path) -> tuple[list[str], NDArray[Any]]:
    if path.suffix.lower() == ".npz":
        return _npz(path)
    if not path.name.lower().endswith(TABLE_SUFFIXES):
        rule = "be a folder of images, an .npz file or a table"
        raise InputError("IMAGES", rule, path.suffix or "no suffix")
    table = read_table(path)
    cases = _column(table, "case")
    numbers = table.drop("case").cast(pl.Float64, strict=False)
    if not numbers.width:
        raise InputError("latents", "have columns of numbers beside case", "none")
    wrong = [row for row, nil in enumerate(_any_null(numbers), start=1) if nil]
    if wrong:
        raise InputError("latents", "be numbers", "something else", rows=wrong)
    return cases, numbers.to_numpy()


def _any_null(table: pl.DataFrame) -> list[bool]:
    return table.select(pl.any_horizontal(pl.all().is_null())).to_series().to_list()


def _npz(path: Path) -> tuple[list[str], NDArray[Any]]:
    if not path.is_file():
        raise InputError("IMAGES", "be a file or folder that is there", "none")
    try:
        with np.load(path, allow_pickle=False) as held:
            found = {name: held[name] for name in ("cases", "latents")}
    except KeyError as error:
        raise InputError("IMAGES", "hold the arrays cases and latents", "others") from error
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise InputError("IMAGES", "be an .npz file of plain arrays", "another") from error
    cases = [str(one) for one in found["cases"].ravel()]
    latents = found["latents"]
    if latents.ndim != 2 or latents.dtype.kind not in "fiu" or len(latents) != len(cases):
        rule = f"be numbers ({len(cases)}, latents)"
        raise InputError("latents", rule, f"{latents.dtype} {latents.shape}")
    return cases, latents


def _encoded(  # noqa: PLR0917 - as given
    folder: Path, labels: Labels, encoders: tuple[str, ...], scale: str, keep: Path | None,
    progress: Progress | None,
) -> LabelledSet:  # fmt: skip
    from overread.app.analysis.named_encoder import named_encoder  # noqa: PLC0415 - as below
    from overread.latents.joining import join  # noqa: PLC0415 - encoders are heavy
    from overread.latents.stream import latents_of_all  # noqa: PLC0415
    from overread.latents.table import Project, default_chain  # noqa: PLC0415

    found = images_by_name(folder, labels.cases)
    _refuse_missing([name in found for name in labels.cases], "images")
    ordered = [found[name] for name in labels.cases]
    keys = [source_hash(one.files) for one in ordered]
    names = encoders or default_chain()
    with _place(keep) as place, Child(b"\0" * 32, Limits()) as child:
        load = _Loader(ordered, child)
        project = Project(place, keys, load)
        opened = [named_encoder(name, project, scale=scale) for name in names]
        every = latents_of_all(keys, load, opened, place, progress=progress)
        _refuse_missing(np.all([one.there for one in every], axis=0).tolist(), "readable images")
        latents = join([np.asarray(one.rows) for one in every])
    return LabelledSet(
        labels.cases, latents, labels.labels, labels.classes, labels.groups, 0, tuple(names)
    )


@contextmanager
def _place(keep: Path | None) -> Generator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with TemporaryDirectory(prefix="overread-") as made:
        yield Path(made)


@dataclass(frozen=True, slots=True, eq=False)
class _Loader:
    """Brightness of an image by its place; None where it was refused."""

    found: Sequence[Found]
    child: Child

    def __call__(self, place: int) -> NDArray[np.uint8] | None:
        image = open_case(self.found[place], self.child)
        return _brightness(image) if isinstance(image, CaseImage) else None


def _brightness(image: CaseImage) -> NDArray[np.uint8]:
    """The middle frame as it is shown first."""
    frame = image.frames[len(image.frames) // 2]
    if image.samples == 3:
        return np.ascontiguousarray(frame)
    grey = windowed(frame, image.windows[0], slope=image.slope, intercept=image.intercept)
    return 255 - grey if image.invert else grey
