"""Weights out of torch's old file format, without torch and without running anything.

Such a file is a pickle, and a pickle can call any function. This reader knows four names (an
ordered dictionary, a tensor, and storages of numbers) and refuses the file at any other.

Source:
    torch.serialization._legacy_save: three small pickles (a magic number, the protocol, sizes of
    types), the pickle of the object with storages by reference, the list of their keys, then
    each storage as its length (int64) and its values.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.errors import InputError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_TYPES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4",
}  # fmt: skip


def read_torch_file(data: bytes) -> dict[str, NDArray[Any]]:
    """Read the tensors of a state dictionary.

    Args:
        data: the whole file.
    Returns:
        Arrays by name.
    Raises:
        InputError: it is another kind of file, asks for a name that weights do not need, or is
            cut short.
    """
    try:
        return _read(io.BytesIO(data))
    except (
        pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError,
        AttributeError, OverflowError, MemoryError, UnicodeDecodeError,
    ) as error:  # fmt: skip
        rule = "be weights in torch's old format and nothing else"
        raise InputError("file of weights", rule, str(error) or type(error).__name__) from error


class _Storage:
    """Numbers that come later in the file."""

    def __init__(self, dtype: str, count: int) -> None:
        self.dtype, self.count = np.dtype(dtype), count
        self.values: NDArray[Any] | None = None


class _Tensor:
    """A view of a storage, taken once the storage has been read."""

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any, *further: Any) -> None:
        del further  # gradients and hooks mean nothing here
        if not isinstance(storage, _Storage):
            raise pickle.UnpicklingError("a tensor without a storage")
        self.storage, self.offset = storage, int(offset)
        self.shape = tuple(int(one) for one in shape)
        self.strides = tuple(int(one) for one in strides)

    def array(self) -> NDArray[Any]:
        values = self.storage.values
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        whole = (*self.shape, *self.strides, self.offset)
        if values is None or min(whole, default=0) < 0 or last >= max(len(values), 1):
            raise ValueError("a tensor reaches out of its storage")
        if 0 in self.shape:
            return np.empty(self.shape, values.dtype)
        steps = tuple(s * values.itemsize for s in self.strides)
        found = np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, steps)
        return np.ascontiguousarray(found).reshape(self.shape)


class _Restricted(pickle.Unpickler):
    """Knows the names of weights and no other."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """One of the few names allowed."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in _TYPES:
            return _Named(_TYPES[name])
        raise pickle.UnpicklingError(f"it asks for {module}.{name}"[:80])

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage by reference: (kind, type, key, place, values, view)."""
        kind, told, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(told, _Named) or pid[5:] not in {(None,), ()}:
            raise pickle.UnpicklingError("an unknown reference")
        return self.storages.setdefault(str(key), _Storage(told.dtype, int(count)))


class _Named:
    """Stands for a type of storage; it cannot be called."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


def _plain(file: io.BytesIO) -> Any:
    """A pickle of numbers, texts and lists."""
    return _Restricted(file).load()


def _read(file: io.BytesIO) -> dict[str, NDArray[Any]]:
    if _plain(file) != _MAGIC or _plain(file) != _PROTOCOL:
        raise ValueError("another format")
    if _plain(file).get("little_endian") is not True:
        raise ValueError("big-endian numbers")
    reader = _Restricted(file)
    held = reader.load()
    for key in _plain(file):
        storage = reader.storages[str(key)]
        count = int.from_bytes(file.read(8), "little", signed=True)
        bytes_ = file.read(max(count, 0) * storage.dtype.itemsize)
        if count != storage.count or len(bytes_) != count * storage.dtype.itemsize:
            raise ValueError("cut short")
        storage.values = np.frombuffer(bytes_, storage.dtype)
    if not isinstance(held, dict):
        raise TypeError("no dictionary of weights")
    found: dict[str, NDArray[Any]] = {}
    for name, value in held.items():
        if not isinstance(value, _Tensor):
            raise TypeError(f"{name} is no tensor"[:80])
        found[str(name)] = value.array()
    return found
