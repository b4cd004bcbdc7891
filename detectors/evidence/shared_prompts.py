"""Many prompts, the same people: templates that one set of accounts works through together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.linking.members import BUNDLE, Groups

NAME = "shared_prompts"


def statistic(groups: Groups) -> NDArray[np.float64]:
    """Return log2 of the templates in a bundle, 0 for other groups.

    People who meet at one popular prompt part again at the next; a campaign's accounts share all of theirs.
    """
    return np.array([np.log2(len(part.values)) if part.kind == BUNDLE else 0.0 for part in groups.parts])


def text(groups: Groups, group: int, value: float, median: float) -> str:
    """Return the sentence for one group."""
    part = groups.parts[group]
    if part.kind != BUNDLE:
        return f"no set of prompt templates that the accounts go through together (honest groups: {2**median:.0f})"
    several = int((part.traffic["templates"][part.rows] > 1).sum())
    return (
        f"{len(part.values)} prompt templates are used by the same accounts in like proportions (honest groups: "
        f"{2**median:.0f}); {several} of the {len(part.account)} accounts use more than one of them"
    )
