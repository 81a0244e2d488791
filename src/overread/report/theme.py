"""The design tokens as Python sees them; their one home is ``templates/tokens.css``."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

N_READER_COLOURS = 8
"""Colours of the palette; reader 9 takes the first again, with another mark."""

N_MARKS = 4
"""Marks: circle, square, diamond, triangle."""


def template(name: str) -> str:
    """Text of one file of the report's templates."""
    return files("overread.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def tokens(theme: str = "dark") -> dict[str, str]:
    """Colours of a theme by name ("ink", "accent", "reader-1", ...).

    Args:
        theme: "dark" (screen) or "light" (print and PDF).
    """
    dark, _, light = template("tokens.css").partition("@media print")
    block = {"dark": dark, "light": light}[theme]
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", block))


def colour(name: str) -> str:
    """How a drawing names a token, so that screen and print colour it in their own way."""
    return f"var(--{name})"


def reader_token(reader: int) -> str:
    """Token of a reader's colour by index; the ink where there is no reader."""
    return f"reader-{reader % N_READER_COLOURS + 1}" if reader >= 0 else "ink"


def reader_colour(reader: int) -> str:
    """Colour of a reader by index, the same in every chart."""
    return colour(reader_token(reader))


def reader_mark(reader: int) -> int:
    """Mark of a reader by index: 0 circle, 1 square, 2 diamond, 3 triangle."""
    return reader // N_READER_COLOURS % N_MARKS


def coloured(drawing: str, theme: str) -> str:
    """Write the colours of a theme into an SVG, for programs that know no CSS variables."""
    known = tokens(theme)
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda m: known[m.group(1)], drawing)
