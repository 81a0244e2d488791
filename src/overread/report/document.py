"""The report as a PDF: the same sections, set light on A4 by typst.

Names reach typst as values of a JSON document, never as source, so that nothing in them is markup.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typst

from overread.report.blocks import Block, CaseList, Cell, Charts, Section, Table
from overread.report.charts.drawing import size
from overread.report.sheet import Sheet
from overread.report.theme import coloured, reader_mark, reader_token, template, tokens

_CASES = 12
_DRAWINGS = ("svg", "probability_svg")


def compiled(drawn: Sheet) -> bytes:
    """Set the report.

    Returns:
        PDF bytes; tables and lists are cut to what stands unfolded on the page.
    """
    document = {
        "title": drawn.title,
        "over": list(drawn.over),
        "version": drawn.version,
        "date": drawn.date,
        "sentences": drawn.sentences,
        "figures": [asdict(figure) for figure in drawn.figures],
        "sections": [_section(section) for section in drawn.sections],
        "colours": tokens("light"),
    }
    return bytes(
        typst.compile(template("report.typ").encode(), sys_inputs={"content": json.dumps(document)})
    )


def _section(section: Section) -> dict[str, Any]:
    blocks = [_block(block) for block in section.blocks]
    return {"title": section.title, "lead": section.lead, "blocks": blocks}


def _block(block: Block) -> dict[str, Any]:
    plain = asdict(block) | {"kind": block.kind}
    if isinstance(block, Table):
        hidden = max(0, len(block.rows) - block.shown)
        plain["rows"] = [[_cell(cell) for cell in row] for row in block.rows[: block.shown]]
        plain["more"] = block.more + hidden
    elif isinstance(block, CaseList):
        most = min(block.shown, _CASES)
        plain["cases"] = [_drawn(asdict(case)) for case in block.cases[:most]]
        plain["more"] = block.more + max(0, len(block.cases) - most)
    elif isinstance(block, Charts):
        plain["charts"] = [_drawn(asdict(chart)) for chart in block.charts]
    return _readers(_drawn(plain))


def _cell(cell: Cell) -> dict[str, Any]:
    return _readers(_drawn(asdict(cell)))


def _drawn(plain: dict[str, Any]) -> dict[str, Any]:
    """Colour the drawings for paper, and say how large they are."""
    for name in _DRAWINGS:
        if plain.get(name):
            plain["width"] = size(plain[name])[0]
            plain[name] = coloured(plain[name], "light")
    return plain


def _readers(plain: dict[str, Any]) -> dict[str, Any]:
    """Write readers as colour and mark, which typst draws."""
    if isinstance(plain.get("reader"), int):
        plain["mark"] = _mark(plain["reader"])
    if "readers" in plain:
        plain["readers"] = [[_mark(reader), name] for reader, name in plain["readers"]]
    for case in plain.get("cases", ()):
        for group in case["votes"]:
            _readers(group)
    return plain


def _mark(reader: int) -> dict[str, Any] | None:
    if reader < 0:
        return None
    return {"colour": tokens("light")[reader_token(reader)], "shape": reader_mark(reader)}
