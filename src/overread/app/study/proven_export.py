"""An export with its proof: what it was made from, and which of its labels conform to what.

The manifest tells project, protocol versions, head of the log, software, counts, and every label
that does not conform to the final version; the log of the server keeps the manifest's SHA-256.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from overread.app.study.conformity import Conformity, conformity, require_whole
from overread.app.study.export_labels import Form, What, export_labels
from overread.app.study.label_sources import certificates_of
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import Tick, quiet
from overread.app.study.software import software
from overread.exchange.manifest import ExportCheck, check_export, seal
from overread.store import Store, get_project, get_protocol, head, project_progress
from overread.store.quality.adjudications import standards_of_project
from overread.store.study.exports import export_is_logged, log_export


@dataclass(frozen=True, slots=True)
class Proven:
    """An export that was written.

    Args:
        file: the labels.
        manifest: beside it; the same as ``file`` where that is a .zip, which holds it.
        conformity: of the labels when they were written.
    """

    file: Path
    manifest: Path
    conformity: Conformity


def proven_export(
    store: Store,
    project: str,
    folder: Path,
    *,
    what: What,
    form: Form,
    by: str,
    questions: Sequence[str] = (),
    final: bool = False,
    tick: Tick = quiet,
) -> Proven:
    """Export with the manifest; arguments and errors as of :func:`export_labels`.

    Args:
        by: id of who exports, or "system"; the log keeps it.
    """
    proof = conformity(store, project, told=None)
    if final:
        require_whole(proof)
    told = _told(store, project, proof, what, form, questions)
    with tempfile.TemporaryDirectory(prefix=".overread-export-", dir=folder) as place:
        made = export_labels(
            store, project, Path(place), what=what, form=form, questions=questions, tick=tick
        )
        manifest, digest = seal(made, told)
        body = {"what": what, "form": form, "questions": list(questions), "manifest": digest}
        log_export(store, project, body, by)
        if manifest != made:
            manifest = Path(shutil.move(manifest, folder / manifest.name))
        file = made.replace(folder / made.name)
    return Proven(file, manifest if manifest.parent == folder else file, proof)


def _told(  # noqa: PLR0917 - the parts of one export, in their order
    store: Store,
    project: str,
    proof: Conformity,
    what: str,
    form: str,
    questions: Sequence[str],
) -> dict[str, Any]:
    now, last = protocol_of(store, project), head(store)
    far = project_progress(store, project)
    row = get_project(store, project)
    return {
        "project": {"id": row.id, "name": row.name},
        "made": store.now(),
        "what": what,
        "form": form,
        "questions": list(questions) or [one.id for one in now.protocol.questions],
        "protocol": {
            "title": now.protocol.title,
            "version": now.version,
            "versions": [_version(store, project, one) for one in range(1, now.version + 1)],
        },
        "log": {"events": last.n, "head": last.hash},
        "software": software(),
        "conformity": proof.document()
        | {
            "whole": proof.whole,
            "not_conforming": [
                {"case": one.case, "what": one.what, "question": one.question,
                 "made_under": one.version, "why": one.why}
                for one in proof.first
            ],
        },
        "certificates": certificates_of(store, project),
        "counts": {
            "cases": far.cases,
            "submissions": far.reads,
            "reference_standards": len(standards_of_project(store, project)),
        },
    }  # fmt: skip


def _version(store: Store, project: str, number: int) -> dict[str, Any]:
    row = get_protocol(store, project, number)
    digest = hashlib.sha256(row.text.encode()).hexdigest()
    return {"version": number, "since": row.created, "sha256": digest}


def verified_export(path: Path, store: Store | None = None) -> dict[str, Any]:
    """Check an export against its manifest, and this against the log of the server that made it.

    Args:
        path: as of :func:`check_export`.
        store: whose log is asked; None where it is not at hand.
    Returns:
        JSON: ``sound``, ``words`` line by line, ``problems``, ``log`` (EVENTS:HASH).
    Raises:
        InputError: no export, or one without a manifest.
    """
    found = check_export(path)
    log = found.manifest["log"]
    problems = list(found.problems)
    if store is not None and not export_is_logged(store, found.sha256):
        problems.append("the log does not know this manifest")
    return {
        "sound": not problems,
        "problems": problems,
        "words": _words(found, problems, asked=store is not None),
        "log": f"{log['events']}:{log['head']}",
        "conformity": found.manifest["conformity"],
    }


def _words(found: ExportCheck, problems: Sequence[str], *, asked: bool) -> list[str]:
    told = found.manifest
    if problems:
        return [f"The export is NOT as it was written: {one}." for one in problems]
    count = len(told["files"])
    files = "1 file is" if count == 1 else f"{count} files are"
    words = [f"The export is sound: {files} as written on {str(told['made'])[:10]}."]
    words.append(f"{told['conformity']['words']}.")
    if asked:
        words.append("The log knows its manifest.")
    else:
        words.append("Whether the manifest itself is the one that was written, its server tells:")
        words.append(f"  overread verify {{export}} --log   (manifest {found.sha256[:16]}...)")
    return words
