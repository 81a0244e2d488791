"""Gold answers: a table of the right answer of some cases, put beside the reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Coded, Floats, Ints, encode
from overread.errors import InputError
from overread.exchange.cells import coded, numbers
from overread.exchange.classes import refuse_blank, says
from overread.exchange.columns import Columns, find, match
from overread.exchange.tables import open_table
from overread.labels import CANNOT_BE_READ, ClassReads, ReadIndex, ScoreReads


@dataclass(frozen=True, slots=True, eq=False)
class Gold:
    """Right answers of the cases of a read table.

    Args:
        code: (cases,) class codes of the read table's schema, -1 where the answer is not known.
        n_known: number of cases of the reads with an answer.
        unknown_rows: rows (from 1) of the gold table whose case nobody read; they are left out.
    """

    code: Ints
    n_known: int
    unknown_rows: tuple[int, ...] = ()


def read_gold(
    source: Any,
    reads: ClassReads,
    *,
    columns: Columns | None = None,
    unreadable: str = CANNOT_BE_READ,
) -> Gold:
    """Read gold answers ``case, label`` of class reads.

    Args:
        source: any table, see :func:`overread.exchange.tables.open_table`.
        reads: the reads they belong to; classes and cases are theirs.
        columns: names of the columns.
        unreadable: the answer that means that the case has no right answer.
    Raises:
        InputError: a class that the reads have not, two answers for one case, a missing answer,
            or no case in common.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(["a", "b"], ["R1", "R1"], ["yes", "no"])
        >>> read_gold({"case": ["b"], "label": ["yes"]}, reads).code.tolist()
        [-1, 1]
    """
    frame, case, label = _two(source, columns or Columns(), "label")
    refuse_blank(frame[label], "label", unreadable)
    said = coded(frame[label])
    known = {name: code for code, name in enumerate(reads.schema.names)} | {unreadable: -1}
    place = np.array([known.get(name, -2) for name in said.names], dtype=np.int64)
    bad = np.flatnonzero(place[said.code] == -2)
    if bad.size:
        rule = f"be one of {', '.join(reads.schema.names)}"
        raise InputError("gold label", rule, repr(said.names[said.code[bad[0]]]), rows=bad + 1)
    answer, unknown = _of_cases(coded(frame[case]), reads.index, place[said.code].astype(float))
    code = np.where(np.isnan(answer), -1, answer).astype(np.int64)
    return Gold(code, int((code >= 0).sum()), unknown)


def read_gold_scores(
    source: Any,
    reads: ScoreReads,
    *,
    columns: Columns | None = None,
    unreadable: str = CANNOT_BE_READ,
) -> Floats:
    """Read gold numbers ``case, value`` (or ``label``): (cases,) nan where not known.

    Raises:
        InputError: as :func:`read_gold`; a text that is no number.
    """
    frame, case, value = _two(source, columns or Columns(), "value")
    refuse_blank(frame[value], "value", unreadable)
    said = numbers(frame[value], "gold value", rows=~says(frame[value], unreadable))
    return _of_cases(coded(frame[case]), reads.index, said)[0]


def _two(source: Any, columns: Columns, what: str) -> tuple[Any, str, str]:
    table = open_table(source)
    case = find(table.names, "case", columns.case)
    if what == "value" and match(table.names, columns.value) is None:
        what = "label" if match(table.names, columns.label) else what
    answer = find(table.names, what, getattr(columns, what))
    frame = table.load([case, answer])
    if not frame.height:
        raise InputError("gold table", "hold at least one row", "the header only")
    return frame, case, answer


def _of_cases(
    case: Coded, index: ReadIndex, said: NDArray[np.float64]
) -> tuple[Floats, tuple[int, ...]]:
    """(cases,) the answer of each case, nan where there is none; and the rows of other cases."""
    code, names = encode(case)
    if "" in names:
        rows = np.flatnonzero(code == names.index("")) + 1
        raise InputError("case", "be given in every row", "nothing", rows=rows)
    place = {name: number for number, name in enumerate(index.cases)}
    of_row = np.array([place.get(name, -1) for name in names], dtype=np.int64)[code]
    rows = np.flatnonzero(of_row >= 0)
    if not rows.size:
        refuse_strangers()
    answer = np.full(index.n_cases, np.nan)
    answer[of_row[rows]] = said[rows]
    first = answer[of_row[rows]]
    clash = rows[(first != said[rows]) & ~(np.isnan(first) & np.isnan(said[rows]))]
    if clash.size:
        same = rows[of_row[rows] == of_row[clash[0]]]
        rule = "have one answer a case"
        raise InputError("gold table", rule, "two that differ", rows=same + 1)
    return answer, tuple((np.flatnonzero(of_row < 0) + 1).tolist())


def refuse_strangers() -> NoReturn:
    """Refuse gold of which nobody read a case."""
    raise InputError(
        "gold table",
        "answer cases that somebody read",
        "none of them",
        remedy="Are the names of the cases written alike in both tables?",
    )
