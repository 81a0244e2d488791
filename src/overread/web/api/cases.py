"""Cases: samples for the reading page, pictures for people, reads and consensus for the lead."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

from fastapi import Request, Response

from overread.app.learning.hint_influence import hints_in_reads
from overread.app.learning.pre_label import seen_by_reads
from overread.app.study import (
    case_browser,
    case_consensus,
    case_pictures,
    project_protocol,
    project_readers,
)
from overread.store.errors import NotFoundError
from overread.web.api.around import At, Who
from overread.web.replies import json_reply
from overread.web.schemas import After, Find, FrameNumber, Id, Limit

_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
_DAY = {"cache-control": "private, max-age=86400"}


def frame(request: Request, case: Id, number: FrameNumber, site: At, who: Who) -> Response:
    """Raw little-endian samples of one frame, row by row."""
    packed = case_pictures.frame(site.store, site.blobs, case, number, reader=who.id, role=who.role)
    if not re.search(r"\bgzip\b|\*", request.headers.get("accept-encoding", "gzip")):
        raw = case_pictures.unpacked(packed)
        return Response(raw, headers=_FOREVER, media_type="application/octet-stream")
    headers = {**_FOREVER, "content-encoding": "gzip", "vary": "accept-encoding"}
    return Response(packed, headers=headers, media_type="application/octet-stream")


def thumbnail(case: Id, site: At, who: Who) -> Response:
    """A small PNG."""
    png = case_pictures.thumbnail(site.store, site.blobs, case, reader=who.id, role=who.role)
    return Response(png, headers=_FOREVER, media_type="image/png")


def picture(case: Id, number: FrameNumber, site: At, who: Who) -> Response:
    """One frame under the default window, as PNG for the lead's pages."""
    png = case_pictures.picture(site.store, site.blobs, case, number, reader=who.id, role=who.role)
    return Response(png, headers=_DAY, media_type="image/png")


def atlas_image(project: Id, entry: Id, site: At, who: Who) -> Response:
    """Picture of an atlas entry; an empty ground of its size where it has none."""
    found = project_protocol.protocol_for(site.store, project, who.id, role=who.role)
    one = next((each for each in found.protocol.atlas if each.id == entry), None)
    if one is None:
        raise NotFoundError("atlas entry", entry)
    if one.image is not None:
        png = case_pictures.atlas_picture(site.blobs, one.image)
        return Response(png, headers=_DAY, media_type="image/png")
    width, height = one.columns or 400, one.rows or 300
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" fill="#1a1e26"/></svg>'
    )
    return Response(svg, headers=_DAY, media_type="image/svg+xml")


def cases(project: Id, site: At, after: After = 0, limit: Limit = 50, q: Find = "") -> Response:
    """Cases of a project, page by page."""
    found = case_browser.case_page(site.store, project, after=after, limit=limit, find=q)
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "modality": one.modality,
            "meta": one.meta,
            "reads": one.reads,
            "planned": one.planned,
            "thumbnail_url": f"/api/cases/{one.id}/thumbnail",
        }
        for one in found.cases
    ]
    return json_reply({"cases": rows, "next": found.next})


def reads(case: Id, site: At) -> Response:
    """All readers' reads of a case, the latest revision of each."""
    found = case_browser.reads_of(site.store, case)
    seen, began = seen_by_reads(site.store, case), hints_in_reads(site.store, case)
    return json_reply(
        {
            "reads": [
                {
                    "read_id": one.read_id,
                    "reader": one.reader,
                    "reader_name": one.reader_name,
                    "colour": one.colour,
                    "revision": one.revision,
                    "protocol_version": one.protocol_version,
                    "answer": one.answer,
                    "flags": one.flags,
                    "comment": one.comment,
                    "seconds": one.seconds,
                    "submitted": one.submitted,
                    "set_aside": one.set_aside,
                    "pre_label": seen.get(one.read_id, ""),
                    "from_hints": [asdict(hint) for hint in began.get(one.read_id, ())],
                }
                for one in found
            ]
        }
    )


def consensus(case: Id, site: At) -> Response:
    """The consensus of a case: of the project's model, or of its own reads; empty without any."""
    project = project_readers.project_with(site.store, "case", case)
    model = site.models.of(site.store, project)
    found = case_consensus.case_consensus(site.store, case, model)
    return json_reply(
        {
            "answer": found.answer,
            "posterior": found.posterior,
            "readers": found.readers,
            "difficulty": found.difficulty,
            "from_model": found.from_model,
            "reference": found.reference,
        }
    )


def case_value(case: case_pictures.Shown) -> dict[str, Any]:
    """A case as JSON."""
    base = f"/api/cases/{case.id}"
    image = case.image
    return {
        "id": case.id,
        "rows": image["rows"],
        "columns": image["columns"],
        "frames": image["frames"],
        "samples": image["samples"],
        "dtype": image["dtype"],
        "slope": image.get("slope", 1.0),
        "intercept": image.get("intercept", 0.0),
        "spacing_mm": image.get("spacing_mm"),
        "slice_mm": image.get("slice_mm"),
        "windows": [{"name": "", "function": "LINEAR"} | one for one in image.get("windows", [])],
        "modality": image.get("modality", ""),
        "invert": image.get("invert", False),
        "frame_time_ms": image.get("frame_time_ms"),
        "frame_urls": [f"{base}/frames/{at}" for at in range(image["frames"])],
        "thumbnail_url": f"{base}/thumbnail",
    }
