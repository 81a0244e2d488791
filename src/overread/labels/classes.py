"""Read tables of whole-case answers: one class, a set of classes, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Floats, Ints, as_text, encode, frozen, names_array, smallest_int
from overread.errors import InputError
from overread.labels.index import ReadIndex, read_index
from overread.labels.schema import Kind, LabelClass, LabelSchema, schema_of

UNREADABLE = -1
"""Label code of "cannot be read": the reader opened the case and could not answer."""

CANNOT_BE_READ = "cannot be read"
"""The text that stands for :data:`UNREADABLE` in a table, unless told otherwise."""

_PRESENCE = LabelSchema(Kind.NOMINAL, (LabelClass("absent"), LabelClass("present")))

Repeats = Literal["error", "keep", "first", "last"]
"""What to do with a second read of one case by one reader that no column tells apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassReads:
    """Reads that say one class (nominal) or one grade (ordinal) of a whole case.

    Args:
        index: who read which case.
        label: (reads,) class code in ``0 .. classes-1``, or :data:`UNREADABLE`.
        schema: nominal or ordinal.
    Raises:
        InputError: a code outside the schema, or a column of another length.
    """

    index: ReadIndex
    label: Ints
    schema: LabelSchema

    def __post_init__(self) -> None:
        if self.schema.kind not in (Kind.NOMINAL, Kind.ORDINAL):
            raise InputError("schema", "be nominal or ordinal", self.schema.kind)
        _check_length("label", self.label, self.index.n_reads)
        if self.label.dtype.kind not in "iu":
            raise InputError("label", "hold whole numbers (class codes)", self.label.dtype)
        bad = np.flatnonzero((self.label < UNREADABLE) | (self.label >= self.n_classes))
        if bad.size:
            rule = f"be in 0 .. {self.n_classes - 1} or {UNREADABLE} (cannot be read)"
            raise InputError("label", rule, int(self.label[bad[0]]), rows=bad + 1)
        object.__setattr__(self, "label", frozen(self.label))

    @property
    def n_classes(self) -> int:
        """Number of classes of the schema, said or not."""
        return len(self.schema.classes)

    def select(self, rows: Bools | Ints) -> ClassReads:
        """These rows only; cases, readers and classes keep their codes."""
        return replace(self, index=self.index.select(rows), label=self.label[rows])

    def answered(self) -> ClassReads:
        """Without the "cannot be read" rows."""
        return self if self.label.min(initial=0) >= 0 else self.select(self.label >= 0)

    def matrix(self) -> NDArray[np.int64]:
        """(cases, readers) code of each reader's *first* answer; -1 where there is none.

        Repeats do not fit in a matrix: use the columns where they matter.
        """
        wide = np.full((self.index.n_cases, self.index.n_readers), -1, dtype=np.int64)
        rows = self.index.repeat_of() == 0
        wide[self.index.case[rows], self.index.reader[rows]] = self.label[rows]
        return wide

    def counts(self) -> NDArray[np.int64]:
        """(cases, classes) number of reads that said each class; "cannot be read" left out."""
        said = self.label >= 0
        flat = self.index.case[said].astype(np.int64) * self.n_classes + self.label[said]
        size = self.index.n_cases * self.n_classes
        return np.bincount(flat, minlength=size).reshape(self.index.n_cases, self.n_classes)


def class_reads(
    case: Any,
    reader: Any,
    label: Any,
    *,
    schema: LabelSchema | Sequence[str] | None = None,
    ordinal: bool = False,
    repeats: Repeats = "error",
    unreadable: str = CANNOT_BE_READ,
    **columns: Any,
) -> ClassReads:
    """Build class reads from the columns of a table.

    Args:
        case, reader, label: (reads,) texts or numbers.
        schema: the classes allowed (a schema, or their names in order). By default the classes are
            those that occur, in natural order.
        ordinal: the classes are grades, from least to most; ignored when a schema object is given.
        repeats: a second read of one case by one reader. "keep" all (intra-reader agreement needs
            them), keep the "first" or the "last", or "error" when the two answers differ and no
            time tells them apart (equal ones then count once).
        unreadable: the answer that means "cannot be read".
        columns: time, seconds, protocol, group: see :func:`overread.labels.index.read_index`.
    Raises:
        InputError: an unknown class, a missing value, or two different answers of one reader to
            one case; the message has row, rule and value.
    Example:
        >>> reads = class_reads(["a", "a", "b"], ["R1", "R2", "R1"], ["yes", "no", "yes"])
        >>> reads.schema.names, reads.label.tolist()
        (('no', 'yes'), [1, 0, 1])
    """
    index = read_index(case, reader, **columns)
    said, texts = encode(label)
    _check_length("label", said, index.n_reads)
    _refuse_missing_label(said, texts)
    if not isinstance(schema, LabelSchema):
        kind = Kind.ORDINAL if ordinal else Kind.NOMINAL
        schema = (
            LabelSchema(kind, tuple(LabelClass(as_text(name)) for name in schema))
            if schema is not None
            else schema_of(kind, [text for text in texts if text != unreadable] or ["unknown"])
        )
    codes = _codes_of(texts, said, schema, unreadable)
    reads = ClassReads(index, codes, schema)
    return reads.select(rows_to_keep(index, codes, repeats, lambda i: texts[said[i]]))


@dataclass(frozen=True, slots=True, eq=False)
class MultiLabelReads:
    """Reads that say, for each class, whether it is there.

    Args:
        index: who read which case.
        present: (reads, classes) int8: 1 present, 0 absent, -1 cannot be read / not answered.
        schema: multi-label. A row of zeros is an explicit "no finding".
    """

    index: ReadIndex
    present: NDArray[np.int8]
    schema: LabelSchema

    def __post_init__(self) -> None:
        if self.schema.kind is not Kind.MULTILABEL:
            raise InputError("schema", "be multi-label", self.schema.kind)
        shape = (self.index.n_reads, len(self.schema.classes))
        if self.present.shape != shape:
            raise InputError("present", f"have shape {shape}", self.present.shape)
        bad = np.argwhere((self.present < UNREADABLE) | (self.present > 1))
        if bad.size:
            value = int(self.present[tuple(bad[0])])
            raise InputError(
                "present", "be 1, 0 or -1 (cannot be read)", value, rows=bad[:1, 0] + 1
            )
        object.__setattr__(self, "present", frozen(self.present))

    def select(self, rows: Bools | Ints) -> MultiLabelReads:
        """These rows only; cases, readers and classes keep their codes."""
        return replace(self, index=self.index.select(rows), present=self.present[rows])

    def of_class(self, code: int) -> ClassReads:
        """The reads of one class as a yes / no question; classes "absent" (0), "present" (1)."""
        return ClassReads(self.index, self.present[:, code], _PRESENCE)

    def as_questions(self) -> ClassReads:
        """Every class of every case as a case of its own, grouped by the case it comes from.

        For figures over all classes at once: the questions of one case depend on each other, and
        intervals must draw them together. Where cases are grouped (by patient), so are they.
        """
        n_classes = len(self.schema.classes)
        index = self.index
        of_case = np.arange(index.n_cases, dtype=np.int32) if index.group is None else index.group
        case = (index.case.astype(np.int64)[:, None] * n_classes + np.arange(n_classes)).reshape(-1)
        whole = replace(
            index.select(np.repeat(np.arange(index.n_reads), n_classes)),
            case=case,
            cases=names_array(f"{n}" for n in range(index.n_cases * n_classes)),
            group=np.repeat(of_case, n_classes),
            groups=index.cases if index.group is None else index.groups,
        )
        return ClassReads(whole, self.present.reshape(-1), _PRESENCE)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreReads:
    """Reads that say a number (a density, a volume, an angle).

    Args:
        index: who read which case.
        value: (reads,) float64; nan is "cannot be read".
        schema: score, with the allowed range.
    """

    index: ReadIndex
    value: Floats
    schema: LabelSchema

    def __post_init__(self) -> None:
        if self.schema.kind is not Kind.SCORE:
            raise InputError("schema", "be a score schema", self.schema.kind)
        _check_length("value", self.value, self.index.n_reads)
        low = -np.inf if self.schema.low is None else self.schema.low
        high = np.inf if self.schema.high is None else self.schema.high
        out = (self.value < low) | (self.value > high) | np.isinf(self.value)
        bad = np.flatnonzero(out)
        if bad.size:
            rule = f"be a finite number in {low} .. {high}"
            raise InputError("value", rule, float(self.value[bad[0]]), rows=bad + 1)
        object.__setattr__(self, "value", frozen(self.value))

    def select(self, rows: Bools | Ints) -> ScoreReads:
        """These rows only; cases and readers keep their codes."""
        return replace(self, index=self.index.select(rows), value=self.value[rows])

    def answered(self) -> ScoreReads:
        """Without the "cannot be read" rows."""
        readable = ~np.isnan(self.value)
        return self if readable.all() else self.select(readable)


def score_reads(
    case: Any,
    reader: Any,
    value: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    repeats: Repeats = "error",
    unreadable: str = CANNOT_BE_READ,
    **columns: Any,
) -> ScoreReads:
    """Build score reads from the columns of a table; see :func:`class_reads` for the arguments.

    Raises:
        InputError: a missing value, a text that is no number, or a value outside ``low .. high``.
    """
    index = read_index(case, reader, **columns)
    numbers = _numbers(value, unreadable)
    reads = ScoreReads(index, numbers, LabelSchema(Kind.SCORE, (), low, high))
    return reads.select(rows_to_keep(index, numbers, repeats, lambda i: float(numbers[i])))


def rows_to_keep(index: ReadIndex, answer: NDArray[Any], repeats: Repeats, show: Any) -> Bools:
    """(reads,) rows left after the rule for repeats; see :func:`class_reads`.

    Args:
        answer: (reads,) what each row says, comparable.
        show: row -> the answer as the table writes it, for the message.
    """
    if repeats not in ("error", "keep", "first", "last"):
        raise InputError("repeats", "be error, keep, first or last", f"{repeats!r}")
    keep = np.ones(index.n_reads, dtype=np.bool_)
    if repeats == "keep" or not index.n_reads:
        return keep
    pair = index.case.astype(np.int64) * index.n_readers + index.reader
    in_order = np.sort(pair)
    if not np.any(in_order[1:] == in_order[:-1]):
        return keep
    # Row order, then time: "last" is the last read, not the last row.
    order = np.arange(pair.size) if index.time is None else np.argsort(index.time, kind="stable")
    order = order[np.argsort(pair[order], kind="stable")]
    same = pair[order][1:] == pair[order][:-1]
    if repeats == "error":
        if index.time is not None:
            before, after = index.time[order][:-1], index.time[order][1:]
            same = same & ((before == after) | np.isnat(before) | np.isnat(after))
        if index.protocol is not None:  # a new read under a new protocol is no contradiction
            same = same & (index.protocol[order][1:] == index.protocol[order][:-1])
        _refuse_clash(answer, order, same, show)
    later = np.r_[False, same] if repeats in ("error", "first") else np.r_[same, False]
    keep[order[later]] = False
    return keep


def _refuse_clash(answer: NDArray[Any], order: Ints, same: Bools, show: Any) -> None:
    after, before = answer[order][1:], answer[order][:-1]
    equal = after == before
    if answer.dtype.kind == "f":  # two unreadable scores say the same
        equal |= np.isnan(after) & np.isnan(before)
    clash = np.flatnonzero(same & ~equal)
    if clash.size:
        first, second = sorted((int(order[clash[0]]), int(order[clash[0] + 1])))
        raise InputError(
            "label",
            "be the same in two rows of one case and one reader",
            f"{show(first)!r} and {show(second)!r}",
            rows=(first + 1, second + 1),
            remedy="If these are true repeat reads, say so (repeats: keep, first or last) "
            "or add a time column.",
        )


def _codes_of(texts: list[str], said: Ints, schema: LabelSchema, unreadable: str) -> Ints:
    known = {name: code for code, name in enumerate(schema.names)} | {unreadable: UNREADABLE}
    kind = smallest_int(len(schema.names))
    lookup = np.array([known.get(text, -2) for text in texts], dtype=kind)
    codes = lookup[said] if said.size else np.empty(0, dtype=kind)
    unknown = np.flatnonzero(codes == -2)
    if unknown.size:
        rule = f"be one of {', '.join(schema.names)}"
        raise InputError("label", rule, f"{texts[said[unknown[0]]]!r}", rows=unknown + 1)
    return codes


def _refuse_missing_label(said: Ints, texts: list[str]) -> None:
    missing = [i for i, text in enumerate(texts) if text in ("", "nan", "<NA>", "NaT")]
    if missing:
        rows = np.flatnonzero(np.isin(said, missing)) + 1
        raise InputError(
            "label",
            "be given in every row",
            "nothing",
            rows=rows.tolist(),
            remedy=f'Leave the row out if the case was not read; write "{CANNOT_BE_READ}" if the '
            "reader could not answer.",
        )


def _numbers(value: Any, unreadable: str) -> Floats:
    column = np.asarray(value)
    given = (
        [None if v is None else v for v in column.tolist()]
        if column.dtype.kind not in "fiub"
        else None
    )
    if given is None:
        numbers = column.astype(np.float64)
        missing = np.flatnonzero(np.isnan(numbers))
        if missing.size:
            rows = missing + 1
            raise InputError(
                "value",
                "be given in every row",
                "nothing",
                rows=rows,
                remedy=f'Write "{unreadable}" if the reader could not answer.',
            )
        return numbers
    numbers = np.empty(len(given), dtype=np.float64)
    for row, item in enumerate(given):
        numbers[row] = _number(item, row, unreadable)
    return numbers


def _number(item: object, row: int, unreadable: str) -> float:
    if item == unreadable:
        return float("nan")
    try:
        number = float(str(item))
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise InputError("value", "be a number", f"{item!r}", rows=(row + 1,))
    return number


def _check_length(name: str, column: NDArray[Any], n_reads: int) -> None:
    if column.shape != (n_reads,):
        raise InputError(f"column {name}", f"have {n_reads} rows, one a read", column.shape)
