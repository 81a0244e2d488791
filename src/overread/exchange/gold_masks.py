"""Gold masks: a folder of files or a table of run lengths, put beside the reads."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.errors import InputError
from overread.exchange.columns import Columns
from overread.exchange.gold import refuse_strangers
from overread.exchange.gold_findings import GOLD_READER, of_gold
from overread.exchange.mask_files import TABLE_NAME
from overread.exchange.mask_table import RunCode, read_mask_table
from overread.exchange.masks import read_mask_files, read_mask_folder
from overread.exchange.pictures import MASK_SUFFIXES
from overread.labels import MaskReads

GoldMasks = tuple[NDArray[Any] | None, ...]


def read_gold_masks(
    source: Any, reads: MaskReads, *, columns: Columns | None = None, code: RunCode = "kaggle"
) -> GoldMasks:
    """Read gold masks: for each case of the reads an array of class codes, or None.

    Args:
        source: a folder of files named as the cases (``case.png``, ``case.nii.gz``) or as its
            ``masks.csv`` says (a consensus that was written), or with one folder of them in it;
            or a table ``case, rows, columns, rle`` and, with classes, ``label``. Gold of other
            cases is left out. Classes go by name; in files, which have numbers, the one
            foreground of a mask of two classes may have any.
        columns, code: of tables, as in :func:`overread.exchange.mask_table.read_mask_table`.
    Raises:
        InputError: what the readers of these forms raise; a mask of another size than its case, a
            class that the reads have not, two masks of a case, or no case in common.
    """
    path = Path(source) if isinstance(source, (str, os.PathLike)) else None
    files = path is not None and path.is_dir()
    gold = _folder(path) if files and path is not None else _table(source, columns, code)
    lookup = _codes(gold, reads, numbered=files)
    place = {name: case for case, name in enumerate(reads.index.cases.tolist())}
    found: list[NDArray[Any] | None] = [None] * reads.index.n_cases
    known = np.zeros(reads.index.n_cases, dtype=np.bool_)
    for row in range(gold.index.n_reads):
        case = place.get(str(gold.index.cases[gold.index.case[row]]), -1)
        if case < 0:
            continue
        if known[case]:
            raise InputError("gold mask", "be one a case", "two", rows=(row + 1,))
        known[case] = True
        if gold.unreadable is None or not gold.unreadable[row]:
            found[case] = _sized(lookup[gold.mask(row)], reads, case, row)
    if not known.any():
        refuse_strangers()
    return tuple(found)


def _folder(folder: Path) -> MaskReads:
    told = _cases_of_files(folder)
    files = [
        (told.get(path.name, _stem(path.name)), GOLD_READER, path)
        for path in sorted(folder.iterdir())
        if path.is_file()
        and not path.name.startswith(".")
        and path.name.lower().endswith(MASK_SUFFIXES)
    ]
    gold = read_mask_files(files) if files else read_mask_folder(folder)
    if gold.index.n_readers > 1:
        raise InputError("gold masks", "be of one reader", f"{gold.index.n_readers} readers")
    return gold


def _cases_of_files(folder: Path) -> dict[str, str]:
    """Cases by file, where a consensus was written here: not every name of a case is one of a file.

    Another file of that name that tells no cases is nobody's business.
    """
    try:
        table = pl.read_csv(folder / TABLE_NAME, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        return {}
    if not {"case", "file"} <= set(table.columns):
        return {}
    rows = table.select("case", "file").drop_nulls().iter_rows()
    return {file: case for case, file in rows}


def _stem(name: str) -> str:
    suffixes = sorted(MASK_SUFFIXES, key=len, reverse=True)
    return re.sub(f"({'|'.join(map(re.escape, suffixes))})$", "", name, flags=re.IGNORECASE)


def _table(source: Any, columns: Columns | None, code: RunCode) -> MaskReads:
    columns = columns or Columns()
    return read_mask_table(of_gold(source, columns), columns=columns, code=code)


def _codes(gold: MaskReads, reads: MaskReads, *, numbered: bool) -> NDArray[np.int64]:
    """(classes of the gold,) class of the reads."""
    names, known = gold.schema.names, {name: k for k, name in enumerate(reads.schema.names)}
    if numbered and len(names) == len(known) == 2:
        return np.arange(2)
    strange = [name for name in names[1:] if known.get(name, 0) == 0]
    if strange:
        classes = ", ".join(list(known)[1:]) or "background alone"
        raise InputError("class of the gold masks", f"be one of {classes}", repr(strange[0]))
    return np.array([0, *(known[name] for name in names[1:])], dtype=np.int64)


def _sized(mask: NDArray[Any], reads: MaskReads, case: int, row: int) -> NDArray[Any]:
    wanted = tuple(reads.shape[case].tolist())
    if any(wanted) and mask.shape != wanted:
        rule = f"have the size {' x '.join(map(str, wanted))} of its case"
        got = " x ".join(map(str, mask.shape))
        raise InputError("gold mask", rule, got, rows=(row + 1,))
    return mask
