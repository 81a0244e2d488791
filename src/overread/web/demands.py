"""Reads on demand beside the pages, see :mod:`overread.web.beside`: what was decided is kept."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from overread.app.study.more_reads import ProjectDemand
from overread.web.beside import Beside

Demands: TypeAlias = Beside[ProjectDemand]

new_demands = partial(Beside, ProjectDemand, "reads on demand", 0.3, again_seconds=10.0)
