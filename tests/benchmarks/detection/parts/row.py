"""What a part reports, and where it reads from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[4].parent / "shared" / "data"


class Row(NamedTuple):
    """One figure of one part.

    Attributes:
        value: a count where it is whole.
        line: what to beat, None where there is nothing to compare with.
        source: where the line, or else the meaning of the figure, comes from.
        low: whether a lower value is better.
    """

    part: str
    measure: str
    value: float | int
    line: float | None
    source: str
    low: bool = False

    @property
    def beaten(self) -> bool | None:
        """Whether the value is at the line or on its better side; None without a line."""
        if self.line is None:
            return None
        return self.value <= self.line if self.low else self.value >= self.line


def table(name: str) -> NDArray[np.float64]:
    """Return a CSV file of numbers below the data folder, its header left out, shape (rows, columns).

    Raises:
        FileNotFoundError: the data folder or the file is missing.
    """
    path = DATA / name
    if not path.is_file():
        raise FileNotFoundError(f"no {name} in the shared data folder beside the repository")
    return np.loadtxt(path, delimiter=",", skiprows=1)


def streamed(
    score: Callable[[NDArray], NDArray], learn: Callable[[NDArray], None], rows: NDArray, batch: int
) -> NDArray[np.float64]:
    """Score, then learn, batch after batch in the given order; return the scores, shape (len(rows),)."""
    scores = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        scores.append(score(part))
        learn(part)
    return np.concatenate(scores)
