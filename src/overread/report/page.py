"""The report as one HTML page: no script, nothing loaded, light when printed."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from overread.report.blocks import Block, Section, Table
from overread.report.content import Content
from overread.report.sections.agreement import agreement_section
from overread.report.sections.calibration import calibration_section
from overread.report.sections.cases import cases_section
from overread.report.sections.consensus import consensus_section
from overread.report.sections.findings import findings_section
from overread.report.sections.methods import methods_section
from overread.report.sections.scores import scores_section
from overread.report.sections.summary import figures, sentences
from overread.report.sheet import Sheet
from overread.report.theme import reader_mark, reader_token, template

_ROWS = 400  # of a table, folded rows counted

_PARTS = (
    agreement_section,
    consensus_section,
    findings_section,
    scores_section,
    cases_section,
    calibration_section,
    methods_section,
)


def sections(content: Content) -> tuple[Section, ...]:
    """Sections that this content has, in the order of the report."""
    made = (part(content) for part in _PARTS)
    return tuple(section for section in made if section is not None)


def _capped(section: Section) -> Section:
    """Cut tables of thousands of readers, so that the page still opens."""
    blocks = tuple(
        replace(block, rows=block.rows[:_ROWS], more=block.more + len(block.rows) - _ROWS)
        if isinstance(block, Table) and len(block.rows) > _ROWS
        else block
        for block in section.blocks
    )
    return replace(section, blocks=blocks)


def sheet(content: Content) -> Sheet:
    """Lay out the report of a table of reads."""
    head = content.head
    over = tuple(one for one in (f"{head.kind} reads", head.source, head.date) if one)
    return Sheet(
        head.title,
        over,
        head.date,
        head.version,
        sentences(content),
        figures(content),
        sections(content),
    )


def render(drawn: Sheet) -> str:
    """Write the page.

    Args:
        drawn: what to show; names in it are shown as they are, never interpreted.
    Returns:
        HTML. Its content security policy forbids scripts and every request.
    """
    drawn = replace(drawn, sections=tuple(_capped(one) for one in drawn.sections))
    style = template("tokens.css") + template("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=BaseLoader(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "drawing": drawing,
        "mark_class": mark_class,
        "mark_shape": reader_mark,
        "kind_of": _kind_of,
    }
    page = environment.from_string(template("page.html.j2"))
    made = page.render(
        sheet=drawn,
        style=Markup(style),  # noqa: S704 our own file, hashed in the policy
        style_hash=digest,
    )
    return made.lstrip()


def drawing(svg: str, alt: str = "") -> Markup:
    """An SVG of ours for the page: named for those who do not see it, or hidden from them."""
    words = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
    return Markup(re.sub("^<svg ", f"<svg {words} ", svg, count=1))  # noqa: S704 built by charts, which escape


def mark_class(reader: int) -> str:
    """CSS class of a reader's colour."""
    return reader_token(reader) if reader >= 0 else "reader-none"


def _kind_of(block: Block) -> Any:
    return block.kind
