"""Is a certificate genuine, and is it about the labels at hand? Needs no server and no store."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from overread.app.learning.blind_audit import labels_hash
from overread.app.learning.signing import check_signature
from overread.errors import InputError
from overread.exchange.manifest import NAME, manifest_bytes

KIND = "overread-certificate"
_MOST_BYTES = 1 << 26


def is_certificate(path: Path) -> bool:
    """The file says that it is a certificate."""
    if path.suffix != ".json" or not path.is_file() or path.name.endswith(NAME):
        return False
    if path.stat().st_size > _MOST_BYTES:
        return False
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return False
    inner = told.get("certificate") if isinstance(told, dict) else None
    return isinstance(inner, dict) and inner.get("kind") == KIND


def verified_certificate(
    path: Path, *, export: Path | None = None, key: str = ""
) -> dict[str, Any]:
    """Check a certificate's signature, and whether the labels of an export are those certified.

    Args:
        export: of the consensus, in CSV or Parquet, with its manifest.
        key: fingerprint that the key must have; its first 16 digits or more.
    Returns:
        JSON: ``sound``, ``problems``, ``words`` line by line, ``fingerprint``.
    Raises:
        InputError: no certificate, or no export.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError("certificate", "be a JSON file that is there", path.name) from error
    return checked(document, export=export, key=key)


def checked(
    document: Mapping[str, Any], *, export: Path | None = None, key: str = ""
) -> dict[str, Any]:
    """As :func:`verified_certificate`, of a document that was read already."""
    found = check_signature(document)
    payload = document["certificate"]
    problems = []
    if not found:
        problems.append("its signature is not that of its content and key")
    if key and not (len(key) >= 16 and found.startswith(key.lower())):
        problems.append("it was not signed by the key that was asked for")
    if export is not None and not problems:
        problems += _against(payload, export)
    return {
        "sound": not problems,
        "problems": problems,
        "fingerprint": found,
        "words": list(_words(payload, problems, found, asked=export is not None, key=key)),
    }


def _words(
    payload: Mapping[str, Any], problems: list[str], found: str, *, asked: bool, key: str
) -> Iterator[str]:
    if problems:
        for one in problems:
            yield f"The certificate does NOT hold: {one}."
        return
    yield f"The certificate is genuine: {payload['words']}"
    project, question = payload["project"]["name"], payload["question"]["id"]
    yield f"Project {project}, question {question}, made {str(payload['made'])[:10]}."
    if asked:
        count = f"{payload['labels']:,}"
        yield f"The {count} certified labels are in the export as they were certified."
    if not key:
        yield f"Signed by the key {found[:16]}...; whether this is the server's, ask its lead."


def _against(payload: Mapping[str, Any], export: Path) -> list[str]:
    """Hold the labels of an export against those that were certified."""
    labels: dict[str, str] = {}
    for table in _tables(export):
        if {"case", "auto_label", "certificate"} <= set(table.columns):
            own = table.filter(pl.col("certificate") == payload["id"])
            labels |= dict(zip(own["case"].to_list(), own["auto_label"].to_list(), strict=True))
    if not labels:
        return ["the export holds none of its labels (export the consensus as CSV or Parquet)"]
    if len(labels) != int(payload["labels"]):
        return [f"the export holds {len(labels):,} of its {payload['labels']:,} labels"]
    if labels_hash(labels) != payload["auto_labels"]["sha256"]:
        return ["the labels of the export are not those that were certified"]
    return []


def _tables(export: Path) -> Iterator[pl.DataFrame]:
    if export.is_dir():
        for one in sorted(export.rglob("*")):
            if one.suffix in {".csv", ".parquet"}:
                yield _read(one.name, one.read_bytes())
        return
    if export.suffix == ".zip":
        try:
            with zipfile.ZipFile(export) as kept:
                for name in kept.namelist():
                    if name.endswith((".csv", ".parquet")):
                        yield _read(name, kept.read(name))
        except (OSError, zipfile.BadZipFile) as error:
            raise InputError("export", "be a .zip that can be read", export.name) from error
        return
    try:
        yield _read(export.name, export.read_bytes())
    except OSError as error:
        raise InputError("export", "be a file that is there", export.name) from error


def _read(name: str, content: bytes) -> pl.DataFrame:
    try:
        if name.endswith(".parquet"):
            return pl.read_parquet(content)
        return pl.read_csv(content, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError("export", "be a table that can be read", name) from error


def verified_papers(told: dict[str, Any], export: Path) -> None:
    """Add to what a check of an export found what its certificates say of its labels.

    Args:
        told: of ``verified_export``; changed.
        export: with the manifest.
    """
    if not told["sound"]:
        return
    manifest = json.loads(manifest_bytes(_labels_at(export)))
    holds = manifest["what"] == "consensus" and manifest["form"] in {"csv", "parquet"}
    for one in certificates_in(_labels_at(export)):
        asked = _question(one) in manifest["questions"]
        found = checked(one, export=_labels_at(export) if holds and asked else None)
        told["sound"] = told["sound"] and found["sound"]
        told["problems"] += found["problems"]
        told["words"] += found["words"]


def _question(document: Mapping[str, Any]) -> str:
    try:
        return str(document["certificate"]["question"]["id"])
    except (KeyError, TypeError):
        return ""


def _labels_at(export: Path) -> Path:
    """Where the labels are, also of the manifest beside them."""
    if export.name == NAME:
        return export.parent
    return export.with_name(export.name.removesuffix(f".{NAME}"))


def certificates_in(export: Path) -> list[dict[str, Any]]:
    """The certificates in the manifest of an export."""
    told = json.loads(manifest_bytes(export))
    found = told.get("certificates", [])
    return [one for one in found if isinstance(one, dict)]
