"""Label rules: loose contours, sizes, imbalance, duplicates, contradictions, deviating readers."""

from overread.monitoring.rules.annotation import Annotation, drawings_of, plane
from overread.monitoring.rules.figures import DrawnFigures, gathered, measure_drawings, no_drawings
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
    "Purity",
    "Rule",
    "RuleContext",
    "Severity",
    "check",
    "class_balance",
    "deviations",
    "drawings_of",
    "fingerprint",
    "gathered",
    "measure_drawings",
    "measure_purities",
    "no_drawings",
    "plane",
    "populations",
]
