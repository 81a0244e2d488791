"""A few floats at once in compiled loops: one row of a table is one value, held in registers.

numba unrolls a loop over five classes into five scalars, and LLVM seldom packs them again. These
intrinsics hand LLVM the vector itself: a row of ``n`` doubles is loaded, multiplied and stored by
one or two instructions (on any processor; LLVM splits what is too wide). Indexes are not checked
and do not wrap: the tables of :mod:`overread.consensus.problem` hold every row they are asked for.
"""

# ruff: noqa: ARG001, PLR0917 - intrinsics name their arguments for the types alone

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, register_model

from overread.arrays import Floats

MOST_LANES = 16
"""Widest row kept in registers."""

_LINE = 8  # doubles in a cache line


def lanes_of(n_classes: int) -> int:
    """Lanes of a row of ``n_classes``: 1, 2, 4, 8 or 16; beyond, the classes themselves."""
    if n_classes > MOST_LANES:
        return n_classes
    return 1 << (n_classes - 1).bit_length()


def table_of(rows: Floats, fill: float = 0.0) -> Floats:
    """Copy (rows, classes) to (rows, lanes), each row within one cache line where it fits."""
    wide = zeros(len(rows), lanes_of(rows.shape[1]))
    if fill:
        wide[:] = fill
    wide[:, : rows.shape[1]] = rows
    return wide


def zeros(*shape: int) -> Floats:
    """Zeros that begin at a cache line."""
    size = int(np.prod(shape))
    room = np.zeros(size + _LINE)
    skip = -(room.ctypes.data // room.itemsize) % _LINE
    return room[skip : skip + size].reshape(shape)


class _Lanes(types.Type):  # numba's way to a new type is a class
    def __init__(self, n: int) -> None:
        self.n = n
        super().__init__(name=f"Lanes({n})")


def _vector(n: int) -> Any:
    return ir.VectorType(ir.DoubleType(), n)


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Lanes) -> None:
        super().__init__(manager, kind, _vector(kind.n))  # type: ignore[no-untyped-call]


def _lane(i: int) -> Any:
    return ir.Constant(ir.IntType(32), i)


def _element(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    start = context.make_array(kind)(context, builder, array).data
    return builder.gep(start, [place])


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any, n: int) -> Any:
    first = builder.mul(row, ir.Constant(row.type, n))
    place = _element(context, builder, kind, array, first)
    return builder.bitcast(place, _vector(n).as_pointer())


@intrinsic(prefer_literal=True)
def load(_: Any, table: Any, row: Any, lanes: Any) -> Any:
    """Row ``row`` of a (rows, lanes) table; ``lanes`` is a constant."""
    kind = _Lanes(lanes.literal_value)

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _row(context, builder, signature.args[0], args[0], args[1], kind.n)
        loaded = builder.load(place)
        loaded.align = 8
        return loaded

    return kind(table, types.intp, lanes), code


@intrinsic
def store(_: Any, table: Any, row: Any, values: Any) -> Any:
    """Write a row of a (rows, lanes) table."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _row(context, builder, signature.args[0], args[0], args[1], values.n)
        builder.store(args[2], place, align=8)
        return context.get_dummy_value()

    return types.void(table, types.intp, values), code


@intrinsic
def times(_: Any, one: Any, other: Any) -> Any:
    """Lane by lane."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fmul(*args)

    return one(one, other), code


@intrinsic
def plus(_: Any, one: Any, other: Any) -> Any:
    """Lane by lane."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.fadd(*args)

    return one(one, other), code


@intrinsic
def scaled(_: Any, values: Any, factor: Any) -> Any:
    """All lanes times one factor."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        same = ir.Constant(_vector(values.n), ir.Undefined)
        for i in range(values.n):
            same = builder.insert_element(same, args[1], _lane(i))
        return builder.fmul(args[0], same)

    return values(values, types.float64), code


@intrinsic
def total(_: Any, values: Any) -> Any:
    """Sum of the lanes, by halves: three additions one after the other for eight lanes."""

    def code(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        left, n = args[0], values.n
        while n > 1:
            n //= 2
            shape = ir.VectorType(ir.IntType(32), n)
            halves = [
                builder.shuffle_vector(left, left, ir.Constant(shape, list(range(at, at + n))))
                for at in (0, n)
            ]
            left = builder.fadd(*halves)
        return builder.extract_element(left, _lane(0))

    return types.float64(values), code


@intrinsic
def pick(_: Any, numbers: Any, place: Any) -> Any:
    """Whole number 0 or more of a (n,) array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        loaded = builder.load(_element(context, builder, signature.args[0], args[0], args[1]))
        wide = context.get_value_type(types.intp)
        return loaded if loaded.type == wide else builder.zext(loaded, wide)

    return types.intp(numbers, types.intp), code


@intrinsic
def put(_: Any, numbers: Any, place: Any, value: Any) -> Any:
    """Write one double of a (n,) array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _element(context, builder, signature.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(numbers, types.intp, types.float64), code
