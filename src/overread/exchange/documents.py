"""Results as JSON documents: plain dictionaries, lists, texts and numbers; nan becomes null."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from overread.agreement.estimate import Estimate
from overread.consensus.result import Consensus, Reliability
from overread.exchange.consensus_table import consensus_table, reliability_table


def as_document(value: Any) -> Any:  # noqa: PLR0911 - one return a type
    """Anything that Overread returns, as what ``json.dumps(allow_nan=False)`` takes.

    Dataclasses become objects, arrays lists, times ISO texts; nan and infinity become null.

    Example:
        >>> as_document({"kappa": float("nan"), "n": np.int64(3)})
        {'kappa': None, 'n': 3}
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, (np.ndarray, np.datetime64)):
        return as_document(
            value.astype(str).tolist() if value.dtype.kind == "M" else value.tolist()
        )
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(as_document(key)): as_document(one) for key, one in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [as_document(one) for one in value]
    return str(value)


def estimate_document(estimate: Estimate) -> dict[str, Any]:
    """One agreement figure as an object; empty texts are left out."""
    document: dict[str, Any] = as_document(estimate)
    return {key: one for key, one in document.items() if one != ""}


def reliability_document(reliability: Reliability) -> dict[str, Any]:
    """Readers as objects, one each, and the confusion matrices where there are some."""
    return {
        "level": reliability.level,
        "readers": as_document(reliability_table(reliability).to_dicts()),
        "confusion": as_document(reliability.confusion),
    }


def consensus_document(
    consensus: Consensus[Any], *, probabilities: bool = False, history: bool = False
) -> dict[str, Any]:
    """A consensus as an object: what was done, each case (or finding), each reader.

    Args:
        probabilities: the probability of each class, for each case.
        history: the log likelihood of each iteration.
    """
    rows = consensus_table(consensus, probabilities=probabilities).to_dicts()
    document = {
        "kind": consensus.kind,
        "method": consensus.method,
        "settings": consensus.settings,
        "provenance": consensus.provenance,
        "temperature": consensus.temperature,
        "prevalence": consensus.prevalence,
        "fit": consensus.fit,
        "warnings": consensus.warnings,
        "n_cases": len(consensus.cases),
        "n_reads": int(consensus.read_rows.size),
        "rows": rows,
        "reliability": reliability_document(consensus.reliability),
    }
    if history:
        document["history"] = [step.objective for step in consensus.history]
    result: dict[str, Any] = as_document(document)
    return result
