"""Object discovery over the images of a project: hints of where something stands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from overread.discovery.objects import SAMPLE, find_objects, learn_objects
from overread.errors import MethodError
from overread.images import unpack_frame
from overread.store import Blobs, CaseRow, Store, get_cases, list_cases
from overread.store.learning.pre_labels import Hints, add_hints

METHOD = "object discovery 1"
_KEPT_AT_ONCE = 200


def find_hints(
    store: Store,
    blobs: Blobs,
    project: str,
    *,
    most: int = 3,
    seed: int = 0,
    tick: Callable[[int], None] = lambda _done: None,
) -> int:
    """Look at every case, and keep the places that stand out; a stack is looked at in its middle.

    Args:
        most: places of a case at most.
        seed: of the sample that the data set is learnt from.
        tick: called with the cases done so far; what it raises stops the work.
    Returns:
        How many cases were looked at.
    Raises:
        MethodError: there are no cases.
    """
    cases = list(_cases(store, project))
    if not cases:
        raise MethodError("there are no images yet; import some")
    drawn = np.random.default_rng(seed).permutation(len(cases))[:SAMPLE]
    discovery = learn_objects([middle_frame(blobs, cases[at]) for at in drawn], seed=seed)
    found: list[Hints] = []
    for done, one in enumerate(cases, start=1):
        places = find_objects(middle_frame(blobs, one), discovery, most=most).regions
        frame = one.image["frames"] // 2
        regions = tuple(
            {"frame": frame, **{name: round(getattr(each, name), 2) for name in _NUMBERS}}
            for each in places
        )
        found.append(Hints(one.id, regions))
        if len(found) == _KEPT_AT_ONCE or done == len(cases):
            add_hints(store, project, found, method=METHOD)
            found = []
            tick(done)
    return len(cases)


_NUMBERS = ("x1", "y1", "x2", "y2", "score")


def middle_frame(blobs: Blobs, case: CaseRow) -> NDArray[Any]:
    """Samples of the middle frame: (rows, columns), or (rows, columns, 3) in 0 .. 255."""
    image = case.image
    made = unpack_frame(
        blobs.get(case.frames[image["frames"] // 2]),
        rows=image["rows"],
        columns=image["columns"],
        samples=image["samples"],
        dtype=image["dtype"],
    )
    if made.dtype.kind == "f":
        made = np.nan_to_num(made, copy=False)
    return -made.astype(np.float32) if image.get("invert") else made


def _cases(store: Store, project: str) -> Iterator[CaseRow]:
    after = 0
    while page := list_cases(store, project, after=after, limit=500):
        # a page of the list has no frames
        yield from get_cases(store, [one.case.id for one in page]).values()
        after = page[-1].case.number
