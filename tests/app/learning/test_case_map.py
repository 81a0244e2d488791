"""The map of a project: alike images lie together, the same each time, and it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from overread.app.learning.case_latents import CaseLatents
from overread.app.learning.case_map import near_map_of, packed_map, unpacked_map


def latents(count: int = 60) -> CaseLatents:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(count, 5)).astype(np.float32)
    values[::2, 0] += 9  # two groups
    names = tuple(f"case {at}" for at in range(count))
    return CaseLatents("v1", names, names, values, (), ())


def test_neighbours_lie_together_and_the_map_is_kept() -> None:
    given = latents()
    made = near_map_of(given, most=50)
    assert len(made.cases) == len(made.places) == len(made.cluster) == 50
    even = np.array([int(case.split()[1]) % 2 == 0 for case in made.cases])
    apart = np.linalg.norm(made.places[even].mean(axis=0) - made.places[~even].mean(axis=0))
    spread = max(made.places[one].std(axis=0).max() for one in (even, ~even))
    assert apart > 2 * spread
    for code, at in enumerate(made.typical.tolist()):
        assert made.cluster[at] == code
    again = unpacked_map(packed_map(made))
    assert (again.version, again.of, again.cases) == (made.version, 60, made.cases)
    np.testing.assert_array_equal(again.places, near_map_of(given, most=50).places)


def test_it_serves_the_latents_that_it_is_of() -> None:
    made = near_map_of(latents())
    assert made.serves(latents())
    assert made.serves(latents(64))
    assert not made.serves(latents(80))  # too many came since
    assert not made.serves(replace(latents(), version="v2"))
