"""Label rules: loose contours, sizes, imbalance, duplicates, contradictions, deviating readers."""

from overread.monitoring.rules.annotation import Annotation, channels, drawings_of, plane
from overread.monitoring.rules.figures import (
    DrawnFigures,
    Probes,
    gathered,
    gathered_probes,
    measure_drawings,
    measure_with_probes,
    no_drawings,
)
from overread.monitoring.rules.fingerprints import Fingerprint, fingerprint
from overread.monitoring.rules.hint import Constraints, Hint, Rule, RuleContext, Severity
from overread.monitoring.rules.imbalance import Balance, class_balance
from overread.monitoring.rules.population import Population, populations
from overread.monitoring.rules.purity import Purity, measure_purities
from overread.monitoring.rules.readers import Deviations, deviations
from overread.monitoring.rules.table import RULES, check

__all__ = [
    "RULES",
    "Annotation",
    "Balance",
    "Constraints",
    "Deviations",
    "DrawnFigures",
    "Fingerprint",
    "Hint",
    "Population",
    "Probes",
    "Purity",
    "Rule",
    "RuleContext",
    "Severity",
    "channels",
    "check",
    "class_balance",
    "deviations",
    "drawings_of",
    "fingerprint",
    "gathered",
    "gathered_probes",
    "measure_drawings",
    "measure_purities",
    "measure_with_probes",
    "no_drawings",
    "plane",
    "populations",
]
