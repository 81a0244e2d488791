"""The one table of methods keeps what it says: every method runs on every kind that it lists."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest

from overread import consensus
from overread.app.analysis.methods import METHODS, method_called, methods_for
from overread.app.analysis.reach_consensus import reach_consensus
from overread.consensus.result import Consensus
from overread.errors import InputError
from overread.labels import Kind
from tests.app.small_reads import READS

_PAIRS = [(method.name, kind) for method in METHODS.values() for kind in method.kinds]


@pytest.mark.parametrize("name", METHODS)
def test_takes_is_the_signature(name):
    method = METHODS[name]
    parameters = signature(method.reach).parameters
    assert next(iter(parameters)) == "reads"
    settings = list(parameters.values())[1:]
    assert all(p.kind is p.KEYWORD_ONLY for p in settings)
    assert all(p.default is not p.empty for p in settings)
    assert method.takes == {p.name for p in settings}


@pytest.mark.parametrize("name", METHODS)
def test_every_entry_is_filled(name):
    method = METHODS[name]
    assert method.name == name
    assert method.kinds
    assert method.page.endswith(".md")
    for words in (method.assumes, method.use_when, method.source):
        assert words
    assert method.assumes.endswith(".")
    assert method.use_when.endswith(".")
    assert method.reach in {getattr(consensus, word) for word in consensus.__all__}


@pytest.mark.parametrize(("name", "kind"), _PAIRS)
def test_every_method_runs_on_each_of_its_kinds(name, kind):
    reads = READS[kind]()
    reached = reach_consensus(reads, method=name)
    assert reached.by_class == (kind is Kind.MULTILABEL)
    for part in reached.parts.values():
        assert isinstance(part, Consensus)
        assert len(part.cases) == reads.index.n_cases
        assert part.entropy.shape == part.reads.shape == (reads.index.n_cases,)
        assert len(part.provenance) == 64
        assert part.method


@pytest.mark.parametrize(("name", "kind"), _PAIRS)
def test_same_reads_same_seed_same_provenance(name, kind):
    first, second = (reach_consensus(READS[kind](), method=name, seed=4) for _ in range(2))
    for one, other in zip(first.parts.values(), second.parts.values(), strict=True):
        assert one.provenance == other.provenance
        np.testing.assert_array_equal(one.posterior, other.posterior)


@pytest.mark.parametrize("kind", Kind)
def test_a_method_of_another_kind_is_refused(kind):
    fitting = methods_for(kind)
    assert method_called(None, kind) in fitting
    for method in METHODS.values():
        if method not in fitting:
            with pytest.raises(InputError, match=f"for {kind} reads; got '{method.name}'"):
                method_called(method.name, kind)


def test_settings_that_a_method_has_not_are_refused_and_seed_and_level_are_not():
    reads = READS[Kind.BOX]()
    reached = reach_consensus(reads, method="median_boxes", seed=3, level=0.9)
    assert reached.result.value.existence.size
    with pytest.raises(InputError, match="setting of median_boxes must be one of"):
        reach_consensus(reads, method="median_boxes", ties="first")
