"""The page that links several reports."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """One report. Args: title; page, document: file names beside the index; words: a sentence."""

    title: str
    page: str
    words: str
    document: str = ""


def render_index(title: str, entries: Sequence[DemoEntry]) -> str:
    """Draw the page; self-contained, in the reports' own design."""
    from jinja2 import BaseLoader, Environment, StrictUndefined  # noqa: PLC0415 an extra
    from markupsafe import Markup  # noqa: PLC0415 an extra

    from overread.report.theme import template  # noqa: PLC0415 an extra

    style = template("tokens.css") + template("index.css")
    environment = Environment(loader=BaseLoader(), autoescape=True, undefined=StrictUndefined)
    return environment.from_string(template("index.html.j2")).render(
        title=title,
        entries=entries,
        style=Markup(style),  # noqa: S704 our own file, hashed in the policy
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
