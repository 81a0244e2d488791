"""The manifest of an export: what was written, from what, and whether it is still the same.

A .zip holds it as ``manifest.json``; a single file has it beside itself, as
``reads.csv.manifest.json``, so that whatever reads the table reads it as before. It is plain JSON;
its own SHA-256 stands in the log of the server that made it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from overread.errors import InputError
from overread.exchange.atomic import written

NAME = "manifest.json"
KIND = "overread export"
_BLOCK = 1 << 20
_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an export. Args: name: inside of it; sha256: in hex."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportCheck:
    """What a check of an export found.

    Args:
        problems: file by file, in words; none where all is as it was written.
        manifest: as it was read.
        sha256: of the manifest.
    """

    problems: tuple[str, ...]
    manifest: Mapping[str, Any]
    sha256: str

    @property
    def sound(self) -> bool:
        """Every file is as it was written."""
        return not self.problems


def manifest_of(path: Path) -> Path:
    """Where the manifest of a single file lies."""
    return path.with_name(f"{path.name}.{NAME}")


def seal(path: Path, told: Mapping[str, Any]) -> tuple[Path, str]:
    """Write the manifest of an export into its .zip, or beside its file.

    Args:
        path: the export; a .zip is changed in place.
        told: what the manifest says besides the files.
    Returns:
        Where the manifest is (the .zip itself, or the file beside), and its SHA-256.
    """
    entries = [_as_json(one) for one in _entries(path)]
    document = {"kind": KIND, "manifest_version": 1, **told, "files": entries}
    content = (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
    digest = hashlib.sha256(content).hexdigest()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as kept:
            kept.writestr(NAME, content)
        return path, digest
    beside = manifest_of(path)
    with written(beside) as part:
        part.write_bytes(content)
    return beside, digest


def check_export(path: Path) -> ExportCheck:
    """Hold an export against its manifest.

    Args:
        path: the .zip, the folder it was unpacked to, a single file, or the manifest beside it.
    Raises:
        InputError: there is no such file, it has no manifest, or one that cannot be read.
    """
    if path.name.endswith(f".{NAME}"):
        path = path.with_name(path.name.removesuffix(f".{NAME}"))
    elif path.name == NAME:
        path = path.parent
    content = manifest_bytes(path)
    told = _parsed(content)
    problems = tuple(_problems(path, told))
    return ExportCheck(problems, told, hashlib.sha256(content).hexdigest())


def manifest_bytes(path: Path) -> bytes:
    """The manifest of an export, as it is kept.

    Raises:
        InputError: there is none.
    """
    if path.suffix == ".zip" and path.is_file():
        try:
            with zipfile.ZipFile(path) as kept:
                return _limited(kept.getinfo(NAME).file_size, lambda: kept.read(NAME))
        except (KeyError, zipfile.BadZipFile) as error:
            raise InputError("export", f"hold {NAME}", "none", remedy=_REMEDY) from error
    beside = path / NAME if path.is_dir() else manifest_of(path)
    if not path.exists() and not beside.exists():
        raise InputError("export", "be a file that is there", path.name)
    if not beside.is_file():
        rule = f"have its manifest beside it ({beside.name})"
        raise InputError("export", rule, "none", remedy=_REMEDY)
    return _limited(beside.stat().st_size, beside.read_bytes)


_REMEDY = "Fetch the manifest with the export, or export anew."


def _limited(size: int, read: Any) -> bytes:
    if size > _MOST_BYTES:
        raise InputError("manifest", f"have at most {_MOST_BYTES:,} bytes", size)
    content: bytes = read()
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
        files = [(str(one["name"]), int(one["bytes"]), str(one["sha256"])) for one in told["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("manifest", "be one that overread export wrote", "another") from error
    if told.get("kind") != KIND or not files:
        raise InputError("manifest", "be one that overread export wrote", "another")
    return dict(told)


def _problems(path: Path, told: Mapping[str, Any]) -> Iterator[str]:
    listed = {str(one["name"]): one for one in told["files"]}
    try:
        found = {one.name: one for one in _entries(path, sizes=listed)}
    except (OSError, zipfile.BadZipFile, EOFError):
        yield f"{path.name} cannot be read to its end"
        return
    for name, one in listed.items():
        here = found.get(name)
        if here is None:
            yield f"{name} is missing"
        elif (here.bytes, here.sha256) != (int(one["bytes"]), str(one["sha256"])):
            yield f"{name} was changed"
    for name in found.keys() - listed.keys():
        yield f"{name} was put in"


def _entries(path: Path, sizes: Mapping[str, Any] | None = None) -> Iterator[Entry]:
    """Hash what an export holds. Args: sizes: files listed; of another size none is read."""
    for name, size, opened in _files(path):
        listed = None if sizes is None else sizes.get(name)
        if sizes is not None and (listed is None or int(listed["bytes"]) != size):
            yield Entry(name, size, "")
            continue
        with opened() as file:
            yield Entry(name, size, _hashed(file))


def _files(path: Path) -> Iterator[tuple[str, int, Any]]:
    if path.suffix == ".zip" and path.is_file():
        yield from _inside(path)
    elif path.is_dir():
        for one in sorted(path.rglob("*")):
            name = one.relative_to(path).as_posix()
            if name != NAME and one.is_file() and not one.is_symlink():
                yield name, one.stat().st_size, _opening_file(one)
    elif path.is_file():
        yield path.name, path.stat().st_size, _opening_file(path)


def _inside(path: Path) -> Iterator[tuple[str, int, Any]]:
    with zipfile.ZipFile(path) as kept:
        for one in kept.infolist():
            if one.filename != NAME and not one.is_dir():
                yield one.filename, one.file_size, _opening(kept, one)


def _opening(kept: zipfile.ZipFile, one: zipfile.ZipInfo) -> Any:
    @contextmanager
    def opened() -> Generator[IO[bytes]]:
        with kept.open(one) as file:
            yield file

    return opened


def _opening_file(path: Path) -> Any:
    return lambda: path.open("rb")


def _hashed(file: IO[bytes]) -> str:
    made = hashlib.sha256()
    while block := file.read(_BLOCK):
        made.update(block)
    return made.hexdigest()


def _as_json(one: Entry) -> dict[str, Any]:
    return {"name": one.name, "bytes": one.bytes, "sha256": one.sha256}
