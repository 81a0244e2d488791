"""Compiled loops of the map of images."""

from __future__ import annotations

from numba import njit


@njit(cache=True)
def pull_apart(places, left, right, every, epochs, a, b, negatives, rate, seed):
    """Neighbours attract and points drawn by lot repel, in a fixed order: the same every time.

    Args:
        places: (points, 2), moved in place.
        left, right: (edges,) points; every: (edges,) epochs between two pulls of an edge.
        epochs: rounds; negatives: points that repel at each pull.
        a, b: of the curve 1 / (1 + a d^2b); rate: first step; seed: of the lots.
    """
    n = len(places)
    due = every.copy()
    state = seed * 2 + 1
    for epoch in range(epochs):
        step = rate * (1.0 - epoch / epochs)
        for edge in range(len(left)):
            if due[edge] > epoch + 1:
                continue
            due[edge] += every[edge]
            i, j = left[edge], right[edge]
            dx, dy = places[i, 0] - places[j, 0], places[i, 1] - places[j, 1]
            square = dx * dx + dy * dy
            if square > 0.0:
                power = square**b
                grade = -2.0 * a * b * power / square / (1.0 + a * power)
                moved_x = min(max(grade * dx, -4.0), 4.0) * step
                moved_y = min(max(grade * dy, -4.0), 4.0) * step
                places[i, 0] += moved_x
                places[i, 1] += moved_y
                places[j, 0] -= moved_x
                places[j, 1] -= moved_y
            for _ in range(negatives):
                # a linear congruential generator: its order is part of the result
                state = (state * 1103515245 + 12345) % 2147483648
                k = (state >> 8) % n
                if k == i:
                    continue
                dx, dy = places[i, 0] - places[k, 0], places[i, 1] - places[k, 1]
                square = dx * dx + dy * dy
                grade = 2.0 * b / ((0.001 + square) * (1.0 + a * square**b))
                places[i, 0] += min(max(grade * dx, -4.0), 4.0) * step
                places[i, 1] += min(max(grade * dy, -4.0), 4.0) * step
