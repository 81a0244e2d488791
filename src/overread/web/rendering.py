"""Pages from templates: everything is escaped, markdown cannot hold HTML."""

from __future__ import annotations

import functools
from typing import Any, cast

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from overread.protocol import headed


def render(name: str, /, **values: Any) -> str:
    """A page."""
    return _environment().get_template(name).render(**values)


@functools.cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("overread.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["markdown"] = markdown
    made.filters["duration"] = duration
    made.filters["day"] = day
    made.filters["headed"] = headed
    return made


def markdown(text: str) -> Markup:
    """Markdown as HTML: tags in it are shown as text, links go to http, https and mailto only."""
    return Markup(_markdown().render(text))  # noqa: S704 - the renderer escapes every text


@functools.cache
def _markdown() -> MarkdownIt:
    made: Any = MarkdownIt("commonmark", {"html": False}).enable("table")
    made.validateLink = lambda url: (
        url.split(":")[0].lower() in {"http", "https", "mailto"} or (":" not in url)
    )
    # a picture from elsewhere would tell that host who reads; the policy blocks it anyway
    made.disable("image")
    return cast("MarkdownIt", made)


def duration(seconds: float | None) -> str:
    """Seconds in words ("16 min")."""
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def day(stamp: str) -> str:
    """Day and minute of an ISO time."""
    return stamp[:16].replace("T", " ") if stamp else "never"
