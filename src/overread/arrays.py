"""Array types, name encoding, grouping and hashing that every layer shares."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.integer[Any]]
Bools: TypeAlias = NDArray[np.bool_]
Names: TypeAlias = NDArray[Any]  # one text per entry, NumPy's StringDType (short names lie inline)

_Array = TypeVar("_Array", bound=NDArray[Any])


def names_array(names: Iterable[str]) -> Names:
    """Pack texts into one immutable array of NumPy's variable-width strings, shape (n,)."""
    texts = names if isinstance(names, np.ndarray) else list(names)
    return frozen(np.array(texts, dtype=np.dtypes.StringDType()))


def frozen(array: _Array) -> _Array:
    """Return a view that cannot be written through; tables are immutable once made."""
    view = array.view()
    view.flags.writeable = False
    return view


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorate a loop for numba; it is compiled when first called, and kept on disk if that works.

    Where no folder can be written (a read-only container without a home), ``numba.njit`` with
    ``cache=True`` fails on import; this compiles anew in each process instead.

    Args:
        options: of ``numba.njit``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        import numba  # noqa: PLC0415 - half a second that only compiled loops need

        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # numba's "no locator available"
            return numba.njit(**options)(function)

    return decorate


def smallest_int(top: int) -> np.dtype[Any]:
    """Smallest signed integer type that holds ``-1 .. top``."""
    for kind in (np.int8, np.int16, np.int32):
        if top <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.int64)


def natural_key(name: str) -> tuple[tuple[int, float, str], ...]:
    """Sort key that puts "R2" before "R10" and "-1" before "0.5" before "3".

    A name that is a number sorts by value, before all others. Names that read alike ("1" and
    "01", "a" and "A") sort as texts, so that the order never depends on the rows.
    """
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return ((0, number, ""), (-1, 0.0, name))
    parts = re.split(r"(\d+)", name)
    keys = [
        (1, float(part), "") if place % 2 else (2, 0.0, part.casefold())
        for place, part in enumerate(parts)  # digits are at the odd places
        if part
    ]
    return (*keys, (-1, 0.0, name))


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column whose distinct values are already numbered, in order of first appearance.

    Stands wherever a column of texts or numbers may stand, and saves numbering it again.

    Args:
        code: (n,) whole numbers, index into ``names``.
        names: the distinct values as text; "" is "nothing here".
    """

    code: Ints
    names: list[str]


def encode(values: Coded | Sequence[Any] | NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Number the distinct values in the order in which they first appear.

    Args:
        values: (n,) texts, numbers or booleans. Whole floats read as whole numbers (1.0 is "1"),
            None and nan as "".
    Returns:
        codes (n,) in ``0 .. distinct-1``, and the distinct values as text.
    """
    if isinstance(values, Coded):
        return values.code, values.names
    array = values if isinstance(values, np.ndarray) else None
    if array is None or array.dtype.kind in "OTS":
        # One by one: NumPy would write the 1.0 of [1.0, "a"] as the text "1.0".
        return _encode_objects(values.tolist() if hasattr(values, "tolist") else list(values))
    distinct, first, codes = np.unique(array, return_index=True, return_inverse=True)
    by_appearance = np.argsort(first, kind="stable")
    rank = np.empty_like(by_appearance)
    rank[by_appearance] = np.arange(by_appearance.size)
    return _merged(rank[codes.reshape(-1)], [as_text(distinct[i]) for i in by_appearance])


def _merged(codes: NDArray[np.int64], names: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Values that are written alike are one ("a" and "a ")."""
    known: dict[str, int] = {}
    place = np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
    return (codes, names) if len(known) == len(names) else (place[codes], list(known))


def _encode_objects(values: list[Any]) -> tuple[NDArray[np.int64], list[str]]:
    known: dict[str, int] = {}
    codes = [known.setdefault(as_text(value), len(known)) for value in values]
    return np.array(codes, dtype=np.int64), list(known)


def as_text(value: object) -> str:
    """Write a table's value as a name: 1.0 becomes "1", True "1", None and nan "", no blanks."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def grouped(codes: Ints, n_groups: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows of each group, compressed-row style.

    Args:
        codes: (n,) group of each row, in ``0 .. n_groups-1``.
    Returns:
        order (n,), stable; start (n_groups + 1,): group g owns ``order[start[g]:start[g+1]]``.
    """
    start = np.zeros(n_groups + 1, dtype=np.int64)
    np.cumsum(np.bincount(codes, minlength=n_groups), out=start[1:])
    return np.argsort(codes, kind="stable"), start


def digest(*parts: object) -> str:
    """SHA-256 over arrays (type, shape, bytes) and plain values (their text): provenance."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype.kind not in "TO":
            state.update(f"{part.dtype.str}{part.shape}".encode())
            state.update(np.ascontiguousarray(part).data)
        elif isinstance(part, np.ndarray):
            _digest_names(state, part)
        else:
            state.update(repr(part).encode())
        state.update(b"\x1e")
    return state.hexdigest()


def _digest_names(state: Any, names: NDArray[Any]) -> None:
    texts = names if names.dtype.kind == "T" else names_array(map(str, names.tolist()))
    for first in range(0, texts.size, 1 << 14):  # in parts: a long name widens its part only
        part = texts[first : first + (1 << 14)]
        width = max(int(np.strings.str_len(part).max()), 1)
        try:
            wide = part.astype(f"S{width}")  # a quarter of the bytes; for plain ASCII alone
        except UnicodeEncodeError:
            wide = part.astype(f"U{width}")
        state.update(f"{wide.dtype.str}\x1f".encode())
        state.update(wide.data)
