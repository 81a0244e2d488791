"""What one cell of a table means: a name, a number, a time, or nothing."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from overread.arrays import Coded, Floats, as_text
from overread.errors import InputError

MISSING = ("", "NA", "N/A", "#N/A", "nan", "NaN", "NAN", "null", "NULL", "<NA>", "NaT")
"""Texts that mean "nothing here" in every column. "None" is not one: it is a finding's name."""

_WHOLE = r"^([+-]?\d+)\.0+$"


def cells_of(name: str, column: Any) -> pl.Series:
    """One column of a data frame, a mapping or a structured array as a series."""
    if isinstance(column, pl.Series):
        return column
    values = column.to_numpy() if hasattr(column, "to_numpy") else column
    if isinstance(values, (str, bytes)) or not hasattr(values, "__len__"):
        raise InputError(f"column {name}", "hold one value a row", type(column).__name__)
    array = values if isinstance(values, np.ndarray) else None
    if array is not None and array.ndim != 1:
        raise InputError(f"column {name}", "hold one value a row", f"shape {array.shape}")
    if array is not None and array.dtype.kind in "biufM":
        if array.dtype.kind == "M":
            array = array.astype("datetime64[ms]")
        return pl.Series(name, np.array(array.astype(array.dtype.newbyteorder("="))))
    if array is not None and array.dtype.kind == "U":
        return pl.Series(name, array.tolist(), dtype=pl.String)
    items = values.tolist() if array is not None else list(values)
    return pl.Series(name, [_cell(name, row, item) for row, item in enumerate(items)], pl.String)


def _cell(name: str, row: int, item: Any) -> str | None:
    if item is None or type(item).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(item, (float, np.floating)) and np.isnan(item):
        return None
    if isinstance(item, (str, bytes, int, float, np.generic, bool)):
        return as_text(item)
    if isinstance(item, (dt.date, dt.time)):
        return item.isoformat()
    rule = "hold texts, numbers or times"
    raise InputError(f"column {name}", rule, type(item).__name__, rows=(row + 1,))


def coded(column: pl.Series) -> Coded:
    """Number the distinct names of a column in order of appearance; nothing becomes "".

    Blanks around a name are removed, "1.0" and the number 1.0 read as "1".
    """
    in_codes = isinstance(column.dtype, pl.Categorical)
    texts = column if in_codes else as_texts(column)
    if not in_codes:
        texts = texts.cast(pl.Categorical(pl.Categories.random()))
    physical = texts.to_physical()
    if physical.null_count():
        physical = (physical + 1).fill_null(0)
    code = physical.to_numpy()
    top = int(code.max(initial=0)) if code.size else -1
    first = np.full(top + 1, code.size, dtype=np.int64)
    np.minimum.at(first, code, np.arange(code.size))
    used = np.flatnonzero(first < code.size)
    used = used[np.argsort(first[used])]
    raw = texts.gather(first[used]).cast(pl.String)
    names, merged = _clean_names(raw)
    broken = raw.str.contains("\x00", literal=True).fill_null(value=False).to_numpy()
    if broken.any():
        rows = np.sort(first[used[broken]]) + 1
        raise InputError(f"column {column.name}", "hold no NUL characters", "one", rows=rows)
    lookup = np.zeros(top + 1, dtype=np.int32)
    lookup[used] = merged
    return Coded(lookup[code] if code.size else code, names)


def _clean_names(raw: pl.Series) -> tuple[list[str], NDArray[np.int32]]:
    """Cleaned names in order of appearance, and the place of each raw name among them."""
    clean = raw.fill_null("").str.strip_chars().str.replace(_WHOLE, "${1}")
    clean = pl.select(pl.when(clean.is_in(MISSING)).then(pl.lit("")).otherwise(clean)).to_series()
    names = clean.to_list()
    if (clean == raw).all() or clean.n_unique() == len(names):
        return names, np.arange(len(names), dtype=np.int32)
    known: dict[str, int] = {}
    place = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int32)
    return list(known), place


def as_texts(column: pl.Series) -> pl.Series:
    """A column of any plain type as texts, whole floats as whole numbers."""
    if isinstance(column.dtype, (pl.String, pl.Categorical, pl.Enum)):
        return column.cast(pl.String)
    if column.dtype.is_float():
        distinct = column.unique()
        texts = [None if v is None or math.isnan(v) else as_text(v) for v in distinct.to_list()]
        return column.replace_strict(distinct, pl.Series(texts, dtype=pl.String))
    if column.dtype == pl.Boolean:
        return column.cast(pl.Int8).cast(pl.String)
    if column.dtype.is_nested() or isinstance(column.dtype, (pl.Binary, pl.Object)):
        rule = "hold texts, numbers or times"
        raise InputError(f"column {column.name}", rule, str(column.dtype))
    return column.cast(pl.String)


def missing_cells(column: pl.Series) -> NDArray[np.bool_]:
    """(rows,) true where a cell holds nothing."""
    texts = as_texts(column)
    empty = texts.is_null() | texts.str.strip_chars().is_in(MISSING)
    return empty.fill_null(value=True).to_numpy()


def numbers(column: pl.Series, name: str, *, rows: NDArray[np.bool_] | None = None) -> Floats:
    """(rows,) the cells as numbers, nan where nothing is; a decimal comma is refused.

    Args:
        name: of the quantity, for the message.
        rows: rows to look at; the others become nan.
    Raises:
        InputError: a text that is no number, or infinity.
    """
    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        wrong = np.isinf(values)
    else:
        texts = as_texts(column)
        texts = texts.str.strip_chars()
        parsed = texts.cast(pl.Float64, strict=False)
        values = parsed.fill_null(float("nan")).to_numpy()
        wrong = ~np.isfinite(values) & ~missing_cells(column)
    wrong = wrong if rows is None else wrong & rows
    bad = np.flatnonzero(wrong)
    if bad.size:
        got = str(column[int(bad[0])])[:40]
        remedy = 'Write numbers with a point: "0.5".' if "," in got else ""
        raise InputError(name, "be a number", f"{got!r}", rows=bad + 1, remedy=remedy)
    return values if rows is None else np.where(rows, values, np.nan)


def times(column: pl.Series, name: str) -> NDArray[np.datetime64]:
    """(rows,) datetime64[s] in UTC; a time without a zone is taken for UTC; NaT for nothing.

    Raises:
        InputError: a cell that is no ISO 8601 date and time.
    """
    if column.dtype.is_temporal() and not isinstance(column.dtype, (pl.Time, pl.Duration)):
        plain = column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None)))
        if getattr(column.dtype, "time_zone", None):
            plain = plain.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return plain.to_numpy().astype("datetime64[s]")
    code = coded(column)
    stamps = np.array([_stamp(text) for text in code.names], dtype="datetime64[s]")
    wrong = np.array([np.isnat(s) and t != "" for s, t in zip(stamps, code.names, strict=True)])
    bad = np.flatnonzero(wrong[code.code]) if wrong.size else wrong
    if bad.size:
        raise InputError(
            name,
            'be a date and time such as "2024-05-31T14:05:00"',
            f"{code.names[code.code[bad[0]]]!r}",
            rows=bad + 1,
            remedy='Name another column by time=..., or none by time="".',
        )
    return stamps[code.code] if stamps.size else np.empty(code.code.size, "datetime64[s]")


def _stamp(text: str) -> np.datetime64:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return np.datetime64("NaT")
    if not text[:4].isdigit() or "-" not in text:  # "20240531" could be a plain number
        return np.datetime64("NaT")
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(moment, "s")
