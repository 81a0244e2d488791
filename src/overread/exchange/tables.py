"""Tables as they come: CSV, TSV and Parquet files, data frames, dictionaries and NumPy arrays.

One door for all of them. Text files are read as text: a case called "007" stays "007", and what a
cell means is decided by the reader of the label kind, not guessed from its looks.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from overread.arrays import Bools
from overread.errors import InputError
from overread.exchange.cells import cells_of, missing_cells

_SEPARATORS = ",;\t|"
_HEAD_BYTES = 1 << 16
_MOST_BYTES = 1 << 34  # of a text file once unpacked; beyond it a .gz is taken for a bomb
_MOST_SHOWN = 30
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_KNOWN_FORMS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLi": "an SQLite database",
}
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet", ".pq")
"""Names of table files end so (upper case too)."""


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A table whose column names are known and whose rows are not read yet.

    Args:
        names: column names, blanks around them removed.
        read: (columns wanted, those of them to read as categories) -> the rows.
        n_rows: number of rows where that is known at once.
    """

    names: tuple[str, ...]
    read: Callable[[Sequence[str], Sequence[str]], pl.DataFrame]

    def load(self, only: Iterable[str] | None = None, coded: Iterable[str] = ()) -> pl.DataFrame:
        """Read the rows.

        Args:
            only: the columns wanted; all by default.
            coded: columns with few distinct texts, read straight into codes (saves memory).
        Raises:
            InputError: a malformed file, or a column that is there twice.
        """
        wanted = list(dict.fromkeys(self.names if only is None else only))
        twice = [name for name in wanted if self.names.count(name) > 1]
        if twice:
            raise InputError("column names", "differ from each other", f"{twice[0]!r} twice")
        frame = self.read(wanted, [name for name in coded if name in wanted])
        return _without_blank_end(frame)


def read_table(source: Any) -> pl.DataFrame:
    """Read a whole table; see :func:`open_table`."""
    return open_table(source).load()


def open_table(source: Any) -> OpenTable:
    """Open a table of any form.

    Args:
        source: a path to CSV, TSV, text (``.gz`` too; separators ``, ; tab |``) or Parquet; a
            pandas, polars or Arrow table; a mapping of column names to columns; or a NumPy
            structured array.
    Raises:
        InputError: no such file, not a table, no rows at all, or text that is not UTF-8 / UTF-16.
    Example:
        >>> open_table({"case": [1, 2], "label": ["yes", "no"]}).names
        ('case', 'label')
    """
    if isinstance(source, (str, os.PathLike)):
        return _open_file(Path(source))
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        return _of_frame(source)
    if isinstance(source, np.ndarray):
        return _of_columns(*_structured(source))
    if isinstance(source, Mapping):
        return _of_columns([str(name) for name in source], list(source.values()))
    if hasattr(source, "columns") and hasattr(source, "to_dict"):
        return _of_columns([str(n) for n in source.columns], _pandas_columns(source))
    if hasattr(source, "__arrow_c_stream__"):
        return _of_frame(pl.DataFrame(source))
    rule = "be a path, a data frame, a mapping of columns or a NumPy structured array"
    raise InputError("table", rule, type(source).__name__)


def shown_names(names: Sequence[str]) -> str:
    """The columns found, for a message; long lists are cut."""
    if not names:
        return "no columns"
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return "columns " + ", ".join(names[:_MOST_SHOWN]) + more


def checked_file(path: Path, name: str = "table") -> Path:
    """The path, if it is a file with something in it."""
    if path.is_dir():
        raise InputError(name, "be a file", "a directory")
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(name, "be a file that can be read", error.strerror or "none") from error
    if size == 0:
        raise InputError(name, "hold something", "an empty file")
    return path


def _open_file(path: Path) -> OpenTable:
    checked_file(path)
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return _open_parquet(path)
    for magic, form in _KNOWN_FORMS.items():
        if start.startswith(magic):
            remedy = "Save it as CSV (UTF-8) or Parquet."
            raise InputError("table", "be CSV, TSV or Parquet", form, remedy=remedy)
    return _open_text(path, start)


def _open_parquet(path: Path) -> OpenTable:
    try:
        names = tuple(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError("table", "be a sound Parquet file", "a damaged one") from error

    def read(wanted: Sequence[str], _: Sequence[str]) -> pl.DataFrame:
        try:
            return pl.read_parquet(path, columns=list(wanted), use_pyarrow=False)
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise InputError("table", "be a sound Parquet file", "a damaged one") from error

    return _stripped_names(OpenTable(names, read))


def _open_text(path: Path, start: bytes) -> OpenTable:
    content: Path | bytes = path
    if start.startswith(b"\x1f\x8b"):
        content = _unpacked(path)
        start = content[:4]
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if start.startswith(_UTF16):
        raw = content if isinstance(content, bytes) else content.read_bytes()
        content = _from_utf16(raw)
        head = content[:_HEAD_BYTES]
    if b"\x00" in head:
        raise InputError("table", "be CSV, TSV or Parquet", "a binary file")
    if b"\n" not in head and b"\r" in head:  # line ends of old Macs
        raw = content if isinstance(content, bytes) else content.read_bytes()
        content = raw.replace(b"\r", b"\n")
        head = content[:_HEAD_BYTES]
    form = _text_form(head)

    def read(wanted: Sequence[str], coded: Sequence[str]) -> pl.DataFrame:
        return _read_text(content, form, wanted, coded)

    return OpenTable(tuple(name.strip() for name in form.header), read)


def _unpacked(path: Path) -> bytes:
    try:
        with gzip.open(path) as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError("table", "be a sound .gz file", "a damaged one") from error
    if len(content) > _MOST_BYTES:
        raise InputError("table", f"unpack to at most {_MOST_BYTES} bytes", "more")
    if not content:
        raise InputError("table", "hold something", "an empty file")
    return content


def _from_utf16(raw: bytes) -> bytes:
    try:
        return raw.decode("utf-16").encode()
    except UnicodeError as error:
        raise InputError("table", "be text in UTF-8 or UTF-16", "other bytes") from error


@dataclass(frozen=True, slots=True)
class _TextForm:
    header: list[str]  # as the file writes it
    separator: str
    blank_lines: int  # before the header


def _text_form(head: bytes) -> _TextForm:
    text = head.decode("utf-8-sig", errors="replace")
    filled = text.lstrip("\r\n")
    blank = text[: len(text) - len(filled)].count("\n")
    first = filled.split("\n", 1)[0]
    outside = "".join(first.split('"')[::2])  # what no pair of quotes encloses
    separator = max(_SEPARATORS, key=outside.count)
    try:
        header = next(csv.reader(io.StringIO(filled, newline=""), delimiter=separator), [])
    except csv.Error as error:
        raise InputError("table", "begin with a row of column names", "no text") from error
    if not any(name.strip() for name in header):
        raise InputError("table", "begin with a row of column names", "blank lines")
    return _TextForm(header, separator, blank)


def _read_text(
    content: Path | bytes,
    form: _TextForm,
    wanted: Sequence[str],
    coded: Sequence[str],
) -> pl.DataFrame:
    stripped = [name.strip() for name in form.header]
    raw = {name: form.header[stripped.index(name)] for name in wanted}
    kinds = {raw[name]: pl.Categorical(pl.Categories.random()) for name in coded}
    try:
        frame = pl.read_csv(
            content,
            separator=form.separator,
            columns=sorted(stripped.index(name) for name in wanted),
            infer_schema=False,
            schema_overrides=kinds,
            skip_lines=form.blank_lines,
        )
    except pl.exceptions.NoDataError:
        frame = pl.DataFrame({name: pl.Series([], dtype=pl.String) for name in raw.values()})
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _why_malformed(content, form) from error
    return frame.rename({old: new for new, old in raw.items()})


def _why_malformed(content: Path | bytes, form: _TextForm) -> InputError:
    """Read again, slowly, for the row to blame; the cells themselves are never quoted."""
    raw = content if isinstance(content, bytes) else content.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start)
        remedy = 'Save it as UTF-8 (in Excel: "CSV UTF-8").'
        got = f"byte 0x{raw[error.start]:02x}"
        return InputError("text", "be UTF-8 or UTF-16", got, rows=(max(line, 1),), remedy=remedy)
    n_columns = len(form.header)
    text = text.split("\n", form.blank_lines)[-1]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=form.separator, strict=True)
    row = 0
    try:
        for row, cells in enumerate(rows):
            if len(cells) > n_columns:
                rule = f"have at most {n_columns} fields, as many as the header"
                return InputError("the table", rule, len(cells), rows=(row,))
    except csv.Error:
        remedy = 'A quote inside a quoted field is written twice: "".'
        return InputError("quotes", "be closed", "none", rows=(row + 1,), remedy=remedy)
    return InputError("table", "be well-formed CSV", "fields or quotes that do not fit the header")


def _without_blank_end(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the blank rows that editors leave at the end; row numbers stay true."""
    if not frame.width or not _blank(frame.tail(1)).any():
        return frame
    filled = np.flatnonzero(~_blank(frame))
    return frame.head(int(filled[-1]) + 1 if filled.size else 0)


def _blank(frame: pl.DataFrame) -> Bools:
    """(rows,) true where no cell holds anything."""
    empty: Bools = np.logical_and.reduce([missing_cells(column) for column in frame])
    return empty


def _stripped_names(table: OpenTable) -> OpenTable:
    raw = {name.strip(): name for name in table.names}
    if len(raw) < len(table.names) or all(new == old for new, old in raw.items()):
        return table

    def read(wanted: Sequence[str], coded: Sequence[str]) -> pl.DataFrame:
        frame = table.read([raw[name] for name in wanted], [raw[name] for name in coded])
        return frame.rename({raw[name]: name for name in wanted})

    return OpenTable(tuple(raw), read)


def _of_frame(frame: pl.DataFrame) -> OpenTable:
    table = OpenTable(tuple(frame.columns), lambda wanted, _: frame.select(list(wanted)))
    return _stripped_names(table)


def _of_columns(names: list[str], columns: Sequence[Any]) -> OpenTable:
    names = [name.strip() for name in names]

    def read(wanted: Sequence[str], _: Sequence[str]) -> pl.DataFrame:
        chosen = {name: cells_of(name, columns[names.index(name)]) for name in wanted}
        lengths = {len(column) for column in chosen.values()}
        if len(lengths) > 1:
            raise InputError("columns", "have as many rows as each other", sorted(lengths))
        return pl.DataFrame(chosen)

    return OpenTable(tuple(names), read)


def _structured(array: np.ndarray[Any, Any]) -> tuple[list[str], list[Any]]:
    names = array.dtype.names
    if not names:
        raise InputError(
            "NumPy table",
            "be a structured array (with named columns)",
            f"shape {array.shape}",
            remedy="Give a mapping of columns, or class_matrix for a cases x readers matrix.",
        )
    return list(names), [array[name] for name in names]


def _pandas_columns(frame: Any) -> list[Any]:
    return [frame.iloc[:, place] for place in range(len(frame.columns))]
