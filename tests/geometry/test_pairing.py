"""Matching: brute force over all matchings of small sets."""

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.geometry.pairing import match_edges, match_scores, pair_rows


def _brute(score, at_least):
    """All (number of pairs, total) that one-to-one matchings of gated pairs reach."""
    n, m = score.shape
    reach = {(0, 0.0)}
    wide = np.full((n, m + n), -np.inf)
    wide[:, :m] = np.where(score >= at_least, score, -np.inf)
    for columns in permutations(range(m + n), n):
        got = [wide[i, j] for i, j in enumerate(columns) if np.isfinite(wide[i, j])]
        reach.add((len(got), round(float(sum(got)), 9)))
    return reach


_GRID = st.integers(0, 8).map(lambda k: k / 8)


@given(st.integers(1, 3), st.integers(1, 4), st.data())
@settings(deadline=None, max_examples=60)
def test_equals_brute_force(n, m, data):
    score = np.array(data.draw(st.lists(_GRID, min_size=n * m, max_size=n * m))).reshape(n, m)
    reach = _brute(score, 0.5)
    best = match_scores(score, at_least=0.5)
    assert round(float(best.score.sum()), 9) == max(total for _, total in reach)
    assert len(set(best.first)) == len(set(best.second)) == best.first.size
    assert (best.score >= 0.5).all()
    most = match_scores(-score, at_least=-0.5, most_pairs=True)
    assert (most.first.size, round(float(most.score.sum()), 9)) == max(_brute(-score, -0.5))


def test_many_images_at_once_equal_one_by_one():
    rng = np.random.default_rng(5)
    first, second, score, total = [], [], [], 0.0
    for image in range(40):
        n, m = rng.integers(0, 5, 2)
        one = rng.random((n, m))
        total += match_scores(one, at_least=0.3).score.sum()
        rows, columns = np.nonzero(one >= 0.3)
        first.append(rows + 10 * image)
        second.append(columns + 10 * image)
        score.append(one[rows, columns])
    first, second, score = map(np.concatenate, (first, second, score))
    kept = match_edges(first, second, score)
    np.testing.assert_allclose(score[kept].sum(), total)
    assert (np.diff(first[kept]) > 0).all()


def test_forbidden_pairs_and_empty_sets():
    score = np.array([[0.9, 0.6], [0.8, 0.0]])
    allowed = np.array([[False, True], [True, True]])
    got = match_scores(score, at_least=0.5, allowed=allowed)
    assert got.second.tolist() == [1, 0]
    assert match_scores(np.empty((0, 3)), at_least=0.5).first.size == 0


def test_pair_rows_lists_the_product():
    start = np.array([0, 2, 2, 5])
    pair, a, b = pair_rows(start, np.array([0, 0, 2, 1]), np.array([2, 1, 0, 2]))
    want = [(0, i, j) for i in (0, 1) for j in (2, 3, 4)]
    want += [(2, i, j) for i in (2, 3, 4) for j in (0, 1)]
    assert list(zip(pair.tolist(), a.tolist(), b.tolist(), strict=True)) == want
