"""Protocols to start from, one for each way of reading."""

from __future__ import annotations

from importlib import resources

from overread.errors import InputError

TEMPLATES = ("chest-findings", "knee-grade", "fracture-boxes", "vessel-mask", "mitosis")
"""Names of the templates."""


def template(name: str) -> str:
    """Text of a template.

    Raises:
        InputError: there is none of this name.
    """
    if name not in TEMPLATES:
        raise InputError("template", f"be one of {', '.join(TEMPLATES)}", repr(name)[:60])
    file = resources.files("overread.protocol").joinpath("templates", f"{name}.yaml")
    return file.read_text(encoding="utf-8")
