"""Protocols: what readers are asked, how, and whether an answer fits."""

from overread.protocol.changes import Change, changes
from overread.protocol.check_answer import check_answer
from overread.protocol.errors import Problem, ProtocolError
from overread.protocol.model import (
    BACKGROUND,
    AtlasEntry,
    ClassEntry,
    Diversity,
    Objective,
    Protocol,
    Question,
)
from overread.protocol.qualification import Qualification, demands_qualification
from overread.protocol.read import read_protocol
from overread.protocol.templates import TEMPLATES, template
from overread.protocol.watch import Watch
from overread.protocol.wording import headed
from overread.protocol.write import write_protocol

__all__ = [
    "BACKGROUND",
    "TEMPLATES",
    "AtlasEntry",
    "Change",
    "ClassEntry",
    "Diversity",
    "Objective",
    "Problem",
    "Protocol",
    "ProtocolError",
    "Qualification",
    "Question",
    "Watch",
    "changes",
    "check_answer",
    "demands_qualification",
    "headed",
    "read_protocol",
    "template",
    "write_protocol",
]
