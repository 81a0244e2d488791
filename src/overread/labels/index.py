"""Who read which case, and when: the columns that the read tables of every kind share."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.arrays import (
    Bools,
    Ints,
    Names,
    encode,
    frozen,
    names_array,
    natural_key,
    smallest_int,
)
from overread.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class ReadIndex:
    """One row a read. A reader may read a case more than once (repeats are rows of their own).

    Args:
        case: (reads,) whole numbers, index into ``cases``.
        reader: (reads,) whole numbers, index into ``readers``.
        cases: (cases,) names; may hold cases that nobody has read yet.
        readers: names; may hold readers without reads.
        time: (reads,) datetime64[s], UTC, or None.
        seconds: (reads,) float32 active reading seconds (nan where not measured), or None.
        protocol: (reads,) whole numbers, index into ``protocols``, or None.
        protocols: names of the protocol versions.
        group: (cases,) whole numbers, index into ``groups`` (the patient), or None.
        groups: (groups,) names.
    Raises:
        InputError: columns of unequal length, or a number outside its names.
    """

    case: Ints
    reader: Ints
    cases: Names
    readers: tuple[str, ...]
    time: NDArray[np.datetime64] | None = None
    seconds: NDArray[np.float32] | None = None
    protocol: Ints | None = None
    protocols: tuple[str, ...] = ()
    group: Ints | None = None
    groups: Names | None = None

    def __post_init__(self) -> None:
        _check_codes("case", self.case, len(self.cases))
        _check_codes("reader", self.reader, len(self.readers))
        for name in ("reader", "time", "seconds", "protocol"):
            column = getattr(self, name)
            if column is not None and column.shape != self.case.shape:
                raise InputError(
                    f"column {name}", f"have {self.case.size} rows, as many as case", column.size
                )
        if self.protocol is not None:
            _check_codes("protocol", self.protocol, len(self.protocols))
        if self.group is not None:
            if self.groups is None or self.group.shape != (len(self.cases),):
                raise InputError("group", "name one group for each case", self.group.size)
            _check_codes("group", self.group, len(self.groups))
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray):
                object.__setattr__(self, field.name, frozen(column))

    @property
    def n_reads(self) -> int:
        """Number of reads (rows)."""
        return int(self.case.size)

    @property
    def n_cases(self) -> int:
        """Number of cases, read or not."""
        return len(self.cases)

    @property
    def n_readers(self) -> int:
        """Number of readers, with reads or without."""
        return len(self.readers)

    def reads_per_case(self) -> NDArray[np.int64]:
        """(cases,) number of reads of each case, repeats counted."""
        return np.bincount(self.case, minlength=self.n_cases)

    def repeat_of(self) -> NDArray[np.int64]:
        """(reads,) 0 for a reader's first read of a case, 1 for the second, ... in row order."""
        pair = self.case.astype(np.int64) * max(self.n_readers, 1) + self.reader
        order = np.argsort(pair, kind="stable")
        ordered = pair[order]
        new = np.r_[True, ordered[1:] != ordered[:-1]][: ordered.size]
        start = np.maximum.accumulate(np.where(new, np.arange(ordered.size), 0))
        count = np.empty(ordered.size, dtype=np.int64)
        count[order] = np.arange(ordered.size) - start
        return count

    def select(self, rows: Bools | Ints) -> ReadIndex:
        """These rows only; the names stay, so that codes keep their meaning."""
        columns: dict[str, Any] = {
            name: column[rows]
            for name in ("case", "reader", "time", "seconds", "protocol")
            if (column := getattr(self, name)) is not None
        }
        return replace(self, **columns)

    def of_cases(self, cases: Ints) -> tuple[ReadIndex, NDArray[np.intp]]:
        """These cases only, numbered anew in this order, and (reads,) the rows that are kept."""
        place = np.full(self.n_cases, -1, dtype=np.int32)
        place[cases] = np.arange(len(cases))
        rows = np.flatnonzero(place[self.case] >= 0)
        kept = replace(
            self.select(rows),
            case=place[self.case[rows]],
            cases=self.cases[cases],
            group=None if self.group is None else self.group[cases],
        )
        return kept, rows


def read_index(
    case: Any,
    reader: Any,
    *,
    time: Any = None,
    seconds: Any = None,
    protocol: Any = None,
    group: Any = None,
) -> ReadIndex:
    """Number the names of a table's columns and build its index.

    Args:
        case, reader: (reads,) texts or numbers. Cases keep the order of their first appearance,
            readers are put in natural order ("R2" before "R10").
        time: (reads,) anything that NumPy takes as datetime64.
        seconds: (reads,) numbers >= 0.
        protocol: (reads,) protocol versions.
        group: (reads,) the group (patient) of each row's case.
    Raises:
        InputError: a missing name, one case in two groups, or columns of unequal length.
    """
    case_code, cases = encode(case)
    _refuse_missing("case", case_code, cases)
    reader_code, readers = _encode_sorted("reader", reader)
    columns: dict[str, Any] = {}
    if time is not None:
        columns["time"] = np.asarray(time, dtype="datetime64[s]")
    if seconds is not None:
        columns["seconds"] = _seconds(seconds)
    if protocol is not None:
        code, versions = _encode_sorted("protocol", protocol)
        columns |= {"protocol": code, "protocols": tuple(versions)}
    if group is not None:
        columns |= group_columns(case_code, len(cases), group)
    return ReadIndex(
        case_code.astype(np.int32), reader_code, names_array(cases), tuple(readers), **columns
    )


def group_columns(case: Ints, n_cases: int, group: Any) -> dict[str, Any]:
    """The ``group`` and ``groups`` columns from one group name a read; one group a case."""
    code, groups = encode(group)
    _refuse_missing("group", code, groups)
    if code.shape != case.shape:
        raise InputError("column group", f"have {case.size} rows, as many as case", code.size)
    of_case = np.full(n_cases, -1, dtype=np.int32)
    of_case[case] = code
    clash = np.flatnonzero(of_case[case] != code)
    if clash.size:
        raise InputError(
            "group", "be the same in all rows of one case", "two groups", rows=clash + 1
        )
    return {"group": of_case, "groups": names_array(groups)}


def _encode_sorted(name: str, values: Any) -> tuple[Ints, list[str]]:
    code, names = encode(values)
    _refuse_missing(name, code, names)
    by_name = sorted(range(len(names)), key=lambda i: natural_key(names[i]))
    rank = np.empty(len(names), dtype=smallest_int(len(names)))
    rank[by_name] = np.arange(len(names))
    return rank[code], [names[i] for i in by_name]


def _refuse_missing(name: str, code: Ints, names: list[str]) -> None:
    for missing in ("", "nan", "<NA>", "NaT"):
        if missing in names:
            rows = np.flatnonzero(code == names.index(missing)) + 1
            raise InputError(name, "be given in every row", "nothing", rows=rows.tolist())


def _seconds(seconds: Any) -> NDArray[np.float32]:
    column = np.asarray(seconds, dtype=np.float64)
    bad = np.flatnonzero((column < 0) | (column > np.finfo(np.float32).max))
    if bad.size:
        raise InputError("seconds", "be a number of 0 or more", column[bad[0]], rows=bad + 1)
    return column.astype(np.float32)


def _check_codes(name: str, codes: Ints, n_names: int) -> None:
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise InputError(f"column {name}", "be one row of whole numbers", f"shape {codes.shape}")
    if codes.size and (codes.min() < 0 or codes.max() >= n_names):
        bad = np.flatnonzero((codes < 0) | (codes >= n_names))
        raise InputError(name, f"be in 0 .. {n_names - 1}", int(codes[bad[0]]), rows=bad + 1)
