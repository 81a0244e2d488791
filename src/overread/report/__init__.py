"""Results drawn for people: one HTML page, one PDF."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from overread.errors import MissingExtraError
from overread.exchange.atomic import written
from overread.report.content import (
    Agreement,
    BlandAltman,
    Calibration,
    Cases,
    CaseView,
    Comparison,
    Content,
    Curve,
    Findings,
    Head,
    MethodScore,
    NextRead,
    PairMatrix,
    Panel,
    Scores,
    Shape,
    Vote,
)
from overread.report.index_page import DemoEntry, render_index
from overread.report.sheet import Sheet

__all__ = [
    "Agreement",
    "BlandAltman",
    "Calibration",
    "CaseView",
    "Cases",
    "Comparison",
    "Content",
    "Curve",
    "DemoEntry",
    "Findings",
    "Head",
    "MethodScore",
    "NextRead",
    "PairMatrix",
    "Panel",
    "Scores",
    "Shape",
    "Sheet",
    "Vote",
    "html",
    "pdf",
    "require",
    "write_html",
    "write_index",
    "write_pdf",
]


def require(*, pdf: bool = False) -> None:
    """Refuse now what :func:`write_html` (and :func:`write_pdf`) would refuse after the work.

    Raises:
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    try:
        import_module("overread.report.page")
        if pdf:
            import_module("overread.report.document")
    except ModuleNotFoundError as error:
        raise _missing(error) from error


def html(content: Content | Sheet) -> str:
    """Draw a report as one self-contained page.

    Args:
        content: what it shows: of a table of reads, or laid out already.
    Returns:
        HTML without scripts; the same content gives the same bytes.
    Raises:
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    try:
        from overread.report.page import render, sheet  # noqa: PLC0415 heavy, and an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return render(content if isinstance(content, Sheet) else sheet(content))


def write_html(content: Content | Sheet, path: str | Path) -> Path:
    """Write the page to a file, all of it or nothing; see :func:`html`."""
    return _write(html(content).encode(), path)


def write_index(title: str, entries: tuple[DemoEntry, ...], path: str | Path) -> Path:
    """Write a page that links several reports, all of it or nothing.

    Raises:
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    try:
        page = render_index(title, entries)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return _write(page.encode(), path)


def pdf(content: Content | Sheet) -> bytes:
    """Draw a report as a PDF, light, on A4.

    Raises:
        MissingExtraError: the packages of the extra "report" are not installed.
    """
    try:
        from overread.report.document import compiled  # noqa: PLC0415 heavy, and an extra
        from overread.report.page import sheet  # noqa: PLC0415 the same
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return compiled(content if isinstance(content, Sheet) else sheet(content))


def write_pdf(content: Content | Sheet, path: str | Path) -> Path:
    """Write the PDF to a file, all of it or nothing; see :func:`pdf`."""
    return _write(pdf(content), path)


def _missing(error: ModuleNotFoundError) -> ImportError:
    """The extra is missing; anything else that is missing is a fault of its own."""
    known = error.name in {"altair", "vl_convert", "jinja2", "markupsafe", "typst"}
    return MissingExtraError("The report", "report") if known else error


def _write(content: bytes, path: str | Path) -> Path:
    with written(path) as part:
        part.write_bytes(content)
    return Path(path)
