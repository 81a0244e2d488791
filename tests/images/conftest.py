"""One decoding child for all tests of a worker, and the folders of real DICOM files."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from overread.images import CaseImage, Child, Found, Limits, Quarantined, open_case

SECRET = b"a key for tests only, 32 bytes.."


@pytest.fixture(scope="session")
def child() -> Iterator[Child]:
    with Child(SECRET, Limits(seconds=60)) as one:
        yield one


@pytest.fixture(scope="session")
def pydicom_files() -> Path:
    import pydicom

    return Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="session")
def more_dicom() -> Path:
    """The folder of PyPI's pydicom-data."""
    told = importlib.util.find_spec("data_store")
    assert told is not None
    assert told.origin is not None
    return Path(told.origin).parent / "data"


class Opened:
    """Open files that must be taken, or must be refused."""

    def __init__(self, child: Child) -> None:
        self.child = child

    def any(self, *files: Path, kind: str = "dicom") -> CaseImage | Quarantined:
        return open_case(Found(kind, files), self.child)  # type: ignore[arg-type]

    def case(self, *files: Path, kind: str = "dicom") -> CaseImage:
        found = self.any(*files, kind=kind)
        assert isinstance(found, CaseImage), found
        return found

    def refused(self, *files: Path, kind: str = "dicom") -> Quarantined:
        found = self.any(*files, kind=kind)
        assert isinstance(found, Quarantined), found
        return found


@pytest.fixture(scope="session")
def opened(child: Child) -> Opened:
    return Opened(child)
