"""ADWIN over one figure per peer group: tells when everybody changes at once."""

from __future__ import annotations

from river import drift

WINDOW = 672


class DriftWatch:
    """A `river.drift.ADWIN` per peer group.

    Its inputs are kept, a window of them, and its memory is begun anew with each window, so that a restart can bring
    it to the same state.
    """

    def __init__(self, groups: int) -> None:
        self._inputs: list[list[float]] = [[] for _ in range(groups)]
        self._adwin = [drift.ADWIN() for _ in range(groups)]

    def update(self, group: int, value: float) -> bool:
        """Take the figure of one group; tell whether it drifts."""
        self._inputs[group].append(value)
        if len(self._inputs[group]) > WINDOW:
            self._inputs[group] = [value]
            self._adwin[group] = drift.ADWIN()
        self._adwin[group].update(value)
        return bool(self._adwin[group].drift_detected)

    def state(self) -> list[list[float]]:
        """Return what `load` takes."""
        return self._inputs

    def load(self, state: list[list[float]]) -> None:
        """Put back what `state` returned: the detectors learn their latest inputs again."""
        self._inputs = state
        self._adwin = [drift.ADWIN() for _ in state]
        for adwin, inputs in zip(self._adwin, state, strict=True):
            for value in inputs:
                adwin.update(value)
