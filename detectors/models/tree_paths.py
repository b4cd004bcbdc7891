"""Loops down the trees of `half_space_trees`."""

from __future__ import annotations

from numpy.typing import NDArray

from detectors.compiled import compiled, inlined


@inlined
def _child(node: int, value: float, threshold: float, latest: NDArray) -> int:
    left = 2 * node + 1
    if value != value:
        return left + (latest[left] < latest[left + 1])
    return left + (value >= threshold)


@compiled("void(float64[:,::1], int64[:,::1], float64[:,::1], int64[:,::1], int64[:,::1], int64, float64, int64[::1])")
def add_masses(
    rows: NDArray,
    feature: NDArray,
    threshold: NDArray,
    latest: NDArray,
    masses: NDArray,
    height: int,
    least: float,
    total: NDArray,
) -> None:
    """Add to `total` (B,) the mass · 2^depth of the nodes that each row visits, down to the first one below `least`.

    Args:
        feature, threshold: of every node, shape (trees, nodes).
        latest: masses whose heavier child a missing value follows, same shape.
        masses: what is summed, same shape.
    """
    for tree in range(len(feature)):
        for place in range(len(rows)):
            node = 0
            for depth in range(height + 1):
                mass = masses[tree, node]
                total[place] += mass << depth
                if mass < least or depth == height:
                    break
                node = _child(node, rows[place, feature[tree, node]], threshold[tree, node], latest[tree])


@compiled("void(float64[:,::1], int64[:,::1], float64[:,::1], int64[:,::1], int64)")
def learn_rows(rows: NDArray, feature: NDArray, threshold: NDArray, latest: NDArray, height: int) -> None:
    """Count rows, one after the other, in the nodes of `latest` that each visits."""
    for tree in range(len(feature)):
        for place in range(len(rows)):
            node = 0
            for depth in range(height + 1):
                latest[tree, node] += 1
                if depth < height:
                    node = _child(node, rows[place, feature[tree, node]], threshold[tree, node], latest[tree])
