"""Labels from a server: exports, fetched as files or as read tables."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from overread.client.connection import Connection
from overread.client.errors import ServerError
from overread.errors import InputError
from overread.exchange import read_reads
from overread.exchange.atomic import written
from overread.labels import Reads

What: TypeAlias = Literal["reads", "consensus", "history"]
Form: TypeAlias = Literal["csv", "parquet", "coco", "masks"]

_LOOK_SECONDS = 0.2


def fetch(
    connection: Connection,
    project: str,
    folder: Path | str,
    *,
    what: What = "reads",
    form: Form = "csv",
    questions: Sequence[str] = (),
    progress: Callable[[Mapping[str, int]], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """Let the server make an export, and bring the file into a folder.

    Args:
        progress: called with the server's counts while it works.
    Returns:
        The file: whole, or not there.
    Raises:
        InputError: the server cannot make it (nothing read yet, a format that the kind has not).
        ServerError: another error.
    """
    base = f"/api/projects/{project}/exports"
    asked = {"what": what, "format": form, "questions": list(questions)}
    key = str(uuid4())
    job = connection.send("POST", base, {"export_id": key, **asked}, again=True)
    while not job["done"]:
        sleep(_LOOK_SECONDS)
        job = connection.get(f"{base}/{key}")
        if progress is not None:
            progress(job["counts"])
    if job["error"]:
        raise InputError("export", "be one that can be made", job["error"])
    path = Path(folder) / str(job["file"]["name"])
    if path.name != job["file"]["name"] or path.name.startswith("."):
        raise ServerError(0, "the server named a file that is no plain name")
    with written(path) as part, part.open("wb") as file:
        with connection.stream(f"{base}/{key}/file") as pieces:
            for piece in pieces:
                file.write(piece)
        if file.tell() != job["file"]["bytes"]:
            raise ServerError(0, "the file was cut off on its way; fetch it again")
    return path


def table(
    connection: Connection, project: str, question: str, *, what: Literal["reads", "consensus"]
) -> Reads:
    """The reads of a question, or its consensus, as a read table of :mod:`overread.labels`."""
    with tempfile.TemporaryDirectory(prefix="overread-") as folder:
        path = fetch(connection, project, folder, what=what, form="parquet", questions=[question])
        return read_reads(path)


def one_question(ids: Sequence[str], wanted: str | None) -> str:
    """The question meant: the one named, or the only one.

    Raises:
        InputError: there are several and none was named, or there is none of this name.
    """
    if wanted in ids:
        return str(wanted)
    if wanted is None and len(ids) == 1:
        return ids[0]
    rule = f"be one of {', '.join(ids)}"
    raise InputError("question", rule, "none" if wanted is None else repr(wanted[:40]))


def as_answer(value: Any) -> Any:
    """An answer as JSON takes it: NumPy numbers become numbers."""
    if isinstance(value, Mapping):
        return {str(name): as_answer(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_answer(one) for one in value]
    return value.item() if hasattr(value, "item") else value
