"""Formulas as MathML, made while the docs are built: no script, nothing from a CDN."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_FORMULA = re.compile(
    r'<(span|div) class="arithmatex">(?:\\\(|\\\[)(.*?)(?:\\\)|\\\])</\1>', re.DOTALL
)
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


def on_page_content(html: str, **_: Any) -> str:
    """Replace what arithmatex marked."""
    return _FORMULA.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    formula = found[2]
    for entity, sign in _ENTITIES.items():
        formula = formula.replace(entity, sign)
    return convert(formula, display="block" if found[1] == "div" else "inline")
