"""JSON files in: opened, parsed and checked for their outer form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from overread.errors import InputError
from overread.exchange.tables import checked_file


def read_json(path: Path, name: str) -> dict[str, Any]:
    """The object that a JSON file holds.

    Args:
        name: what the file is, for the message ("COCO file").
    Raises:
        InputError: not JSON, not UTF-8, or not an object.
    """
    checked_file(path, name)
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(name, "be JSON in UTF-8", "other bytes") from error
    except json.JSONDecodeError as error:
        got = f"a mistake in line {error.lineno}, column {error.colno}"
        raise InputError(name, "be sound JSON", got) from error
    except (RecursionError, ValueError) as error:
        raise InputError(name, "be sound JSON", "too deep or too long") from error
    if not isinstance(document, dict):
        raise InputError(name, "hold a JSON object", f"a {type(document).__name__}")
    return document


def listed(document: dict[str, Any], key: str, name: str) -> list[dict[str, Any]]:
    """The list of objects under a key; empty when the key is not there."""
    entries = document.get(key, [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise InputError(f'"{key}" of the {name}', "be a list of objects", "something else")
    return entries
