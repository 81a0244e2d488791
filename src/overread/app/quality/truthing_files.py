"""A truthing report as files: HTML and PDF for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from overread.app.quality.truthing_report import truthing
from overread.app.quality.truthing_sheet import sheet
from overread.errors import MissingExtraError
from overread.report import html, pdf
from overread.store import Store


@dataclass(frozen=True, slots=True)
class TruthingFiles:
    """A report that is drawn.

    Args:
        told: what it says.
        files: form ("json", "html", "pdf") -> bytes; without "pdf" where it cannot be made.
        lacking: why a form is not there; "" where all are.
    """

    told: dict[str, Any]
    files: dict[str, bytes]
    lacking: str = ""


def truthing_files(
    store: Store,
    project: str,
    *,
    date: str,
    named: bool = False,
    tick: Callable[[str], None] = lambda _: None,
) -> TruthingFiles:
    """Gather a truthing report and draw it; arguments as of :func:`truthing`.

    Raises:
        NotFoundError: no such project.
    """
    told = truthing(store, project, date=date, named=named, tick=tick)
    files = {"json": (json.dumps(told, indent=1, allow_nan=False) + "\n").encode()}
    tick("page")
    drawn = sheet(told)
    try:
        files["html"] = html(drawn).encode()
        tick("document")
        files["pdf"] = pdf(drawn)
    except MissingExtraError as error:
        return TruthingFiles(told, files, str(error))
    return TruthingFiles(told, files)
