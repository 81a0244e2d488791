"""Readers and labels watched: control charts with a stated false-alarm rate, rules of labels."""

from overread.monitoring.alarm import Alarm, WorstCase, told_without
from overread.monitoring.case_mix import CaseMix, fit_case_mix
from overread.monitoring.causes import Effect
from overread.monitoring.chart import Chart, Limits, sums_of
from overread.monitoring.decide import Action, Policy, decide
from overread.monitoring.design import (
    RUN_LENGTH,
    Design,
    Settings,
    chance_of_false_alarm,
    design_charts,
)
from overread.monitoring.document import (
    ChartPoint,
    chart_points,
    design_of,
    state_of,
    to_document,
)
from overread.monitoring.observations import Metric, Observations
from overread.monitoring.observe import observe
from overread.monitoring.seen import Seen
from overread.monitoring.watch import ReaderState, release, seen_of, start, update

__all__ = [
    "RUN_LENGTH",
    "Action",
    "Alarm",
    "CaseMix",
    "Chart",
    "ChartPoint",
    "Design",
    "Effect",
    "Limits",
    "Metric",
    "Observations",
    "Policy",
    "ReaderState",
    "Seen",
    "Settings",
    "WorstCase",
    "chance_of_false_alarm",
    "chart_points",
    "decide",
    "design_charts",
    "design_of",
    "fit_case_mix",
    "observe",
    "release",
    "seen_of",
    "start",
    "state_of",
    "sums_of",
    "to_document",
    "told_without",
    "update",
]
